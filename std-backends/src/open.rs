//! Choosing the backend by what is there.

use std::fs;
use std::io;
use std::path::Path;

use crate::backend::SessionBackend;
use crate::backends::file::BinaryFileBackend;
use crate::error::StoreError;
use crate::found;
use crate::sqlite_file::open_databases::{self, PlainFile};

/// How every SQLite database begins.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
const MAGIC_LEN: u64 = 16;

/// Opens the store at `path` with the backend that fits its content; a path where nothing is yet, or an
/// empty file, by its extension: `.db`, `.sqlite` and `.sqlite3` mean SQLite, everything else a session
/// file.
///
/// Nothing is created before the first write.
///
/// ```
/// let backend = mtsession::open("bot.session")?;
/// assert_eq!(backend.name(), "binary-file");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// `Unsupported`, naming the feature, for a database when that backend is not compiled in; `InvalidData`
/// for a text file with a session string in it, which is not a session file: it is named, and so is how
/// it is read; otherwise what reading the file gives.
pub fn open(path: impl AsRef<Path>) -> io::Result<Box<dyn SessionBackend>> {
    let path = path.as_ref();
    if is_database(path)? {
        return open_database(path);
    }
    found::refuse_string(path)?;
    Ok(Box::new(BinaryFileBackend::new(path)))
}

fn is_database(path: &Path) -> io::Result<bool> {
    let error =
        |source: io::Error| StoreError::io("session", path.display().to_string(), "open", source);
    if open_databases::is_open(path) {
        return Ok(true);
    }
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.len() == 0 => return Ok(is_database_name(path)),
        // Opening a pipe could wait for ever. The file backend's own errors say more.
        Ok(found) if !found.is_file() => return Ok(false),
        Ok(_) => {}
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(is_database_name(path));
        }
        Err(source) => return Err(error(source)),
    }
    match PlainFile::open(path) {
        Ok(file) => {
            let head = file.head(MAGIC_LEN).map_err(error)?;
            Ok(head == SQLITE_MAGIC)
        }
        Err(source) => Err(error(source)),
    }
}

fn is_database_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        ["db", "sqlite", "sqlite3"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

#[cfg(feature = "sqlite")]
fn open_database(path: &Path) -> io::Result<Box<dyn SessionBackend>> {
    Ok(Box::new(crate::backends::sql::SqliteBackend::open(path)?))
}

#[cfg(not(feature = "sqlite"))]
fn open_database(path: &Path) -> io::Result<Box<dyn SessionBackend>> {
    let message = "this is an SQLite database: enable the feature `sqlite` of mtsession";
    let source = io::Error::new(io::ErrorKind::Unsupported, message);
    Err(StoreError::io(
        "session",
        path.display().to_string(),
        "open",
        source,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database by its extension where nothing is yet, and by its content whatever its name.
    #[test]
    fn databases_are_recognised_and_the_feature_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let by_content = dir.path().join("bot.session");
        fs::write(&by_content, b"SQLite format 3\0 and the rest").unwrap();
        for path in [
            dir.path().join("new.db"),
            dir.path().join("new.SQLITE3"),
            by_content,
        ] {
            match open(&path) {
                Err(error) if cfg!(not(feature = "sqlite")) => {
                    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
                    assert!(
                        error.to_string().contains("the feature `sqlite`"),
                        "{error}"
                    );
                    assert!(
                        error.to_string().contains(path.to_str().unwrap()),
                        "{error}"
                    );
                }
                Err(error) => assert!(error.to_string().contains("sqlite"), "{error}"),
                Ok(backend) => assert_ne!(backend.name(), "binary-file"),
            }
        }
        for name in ["new.session", "new", "db"] {
            assert_eq!(open(dir.path().join(name)).unwrap().name(), "binary-file");
        }
        // An empty file is nothing yet: `touch`, then a mount of it into a container.
        let touched = dir.path().join("touched.session");
        fs::write(&touched, b"").unwrap();
        assert_eq!(open(&touched).unwrap().name(), "binary-file");
        let touched = dir.path().join("touched.db");
        fs::write(&touched, b"").unwrap();
        match open(&touched) {
            Err(error) => assert!(error.to_string().contains("sqlite"), "{error}"),
            Ok(backend) => assert_ne!(backend.name(), "binary-file"),
        }
    }
}
