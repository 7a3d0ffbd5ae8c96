//! Better words than the system has.

use std::io;
use std::path::Path;

/// Says more where the system's own words say too little.
pub(super) fn explain(error: io::Error, path: &Path) -> io::Error {
    let kind = error.kind();
    let message = match kind {
        io::ErrorKind::NotFound => match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() && matches!(dir.try_exists(), Ok(false)) => {
                format!("directory {} does not exist", dir.display())
            }
            _ => return error,
        },
        io::ErrorKind::IsADirectory => "it is a directory, not a session file".to_owned(),
        io::ErrorKind::NotADirectory => "a part of its path is not a directory".to_owned(),
        _ => return error,
    };
    io::Error::new(kind, message)
}
