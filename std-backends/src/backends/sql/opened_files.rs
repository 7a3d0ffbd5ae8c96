//! The database files that this process has open.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use super::shared::Shared;
use crate::sqlite_file::open_databases::FileId;
use crate::sync::lock;

/// What tells one file from another. Where the system does not say, its path has to.
type Key = (FileId, Option<PathBuf>);

static FILES: Mutex<Option<HashMap<Key, Weak<Shared>>>> = Mutex::new(None);

fn key_of(file: FileId, path: &Path) -> Key {
    let path = (!cfg!(unix)).then(|| {
        let path = std::fs::canonicalize(path);
        path.unwrap_or_default()
    });
    (file, path)
}

/// The database that handles of this file have, if it is still what lies there.
pub(super) fn find(file: FileId, path: &Path) -> io::Result<Option<Arc<Shared>>> {
    let found = {
        let files = lock(&FILES);
        let found = files
            .as_ref()
            .and_then(|files| files.get(&key_of(file, path)));
        found.and_then(Weak::upgrade)
    };
    match found {
        // One that was moved since goes on with the log that has its old name.
        Some(found)
            if !found.is_of_another_process()
                && found.is_current(path)?
                && found.is_where_it_was()?
                && found.has_rights_to(path) =>
        {
            Ok(Some(found))
        }
        _ => Ok(None),
    }
}

/// Lets other handles of the file at `path` find its database. If one was faster, that one is used.
pub(super) fn announce(mut opened: Shared, path: &Path) -> io::Result<Arc<Shared>> {
    let Some(file) = FileId::of(path)? else {
        return Ok(Arc::new(opened));
    };
    if let Some(found) = find(file, path)?
        && found.is_aside() == opened.is_aside()
    {
        return Ok(found);
    }
    opened.file = Some(file);
    let shared = Arc::new(opened);
    lock(&FILES)
        .get_or_insert_default()
        .insert(key_of(file, path), Arc::downgrade(&shared));
    Ok(shared)
}

/// The last handle of a database is gone.
pub(super) fn forget(file: FileId, path: &Path) {
    if let Some(files) = lock(&FILES).as_mut() {
        let key = key_of(file, path);
        // Another one may have taken its place.
        if files
            .get(&key)
            .is_some_and(|shared| shared.strong_count() == 0)
        {
            files.remove(&key);
        }
    }
}
