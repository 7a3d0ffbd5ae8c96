//! The copies that are kept of a database of an older release when it is migrated.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::event::{self, Event};
use crate::fs::{Temp, directory_of, refuse_strangers};

/// What is added to the name of the database; the second one has `-2` in addition.
const SUFFIX: &str = ".pre-mtsession";

/// How many are looked for in a directory that cannot be listed.
const MOST_UNLISTED: u32 = 99;

/// Gives a copy the first name that is free.
pub(super) fn keep(mut copy: Temp, database: &Path) -> io::Result<()> {
    for name in names(database) {
        match copy.keep_as(&name) {
            Ok(_) => {
                event::emit(|| Event::OlderKept { path: name.clone() });
                break;
            }
            Err((error, kept)) if error.kind() == io::ErrorKind::AlreadyExists => copy = kept,
            Err((error, _)) => return Err(error),
        }
    }
    Ok(())
}

/// The names that copies get, one after the other.
fn names(database: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let database = database.as_os_str().to_os_string();
    (1_u32..).map(move |number| {
        let mut name = database.clone();
        name.push(SUFFIX);
        if number > 1 {
            name.push(format!("-{number}"));
        }
        PathBuf::from(name)
    })
}

/// The copies that are there, whatever numbers are missing among them.
pub(super) fn find(database: &Path) -> io::Result<Vec<PathBuf>> {
    let dir = directory_of(database);
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mut found = Vec::new();
            for name in names(database).take(usize::try_from(MOST_UNLISTED).unwrap_or_default()) {
                if name.try_exists()? {
                    found.push(name);
                }
            }
            return Ok(found);
        }
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        if is_copy_of(database, &name) {
            found.push(database.with_file_name(name));
        }
    }
    found.sort();
    Ok(found)
}

fn is_copy_of(database: &Path, name: &OsStr) -> bool {
    let database = database.file_name().unwrap_or_default();
    let rest = name
        .as_encoded_bytes()
        .strip_prefix(database.as_encoded_bytes())
        .and_then(|rest| rest.strip_prefix(SUFFIX.as_bytes()));
    rest.is_some_and(|rest| {
        let number = rest.strip_prefix(b"-");
        rest.is_empty()
            || number
                .is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
    })
}

/// Removes them all. A copy of the database as it was can hold any account. What a stranger put there
/// under such a name is not one.
pub(super) fn remove_all(database: &Path) -> io::Result<()> {
    for copy in find(database)? {
        if refuse_strangers(&copy, Some(database)).is_err() {
            continue;
        }
        match fs::remove_file(&copy) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed?,
        }
    }
    Ok(())
}
