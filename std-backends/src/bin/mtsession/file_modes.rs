//! Who may read the files of a session.

use std::path::{Path, PathBuf};

use crate::check::Check;
use crate::failure::Failure;

/// Whether others than the owner may read the files; the first is the one that was named.
pub(crate) fn check(files: &[PathBuf]) -> Result<Vec<Check>, Failure> {
    let mut checks = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let Some((outcome, check, text)) = mode(file, "file mode")? else {
            continue;
        };
        let name = file.file_name().filter(|_| number > 0);
        let text = match name {
            Some(name) => format!("{}: {text}", name.to_string_lossy()),
            None => text,
        };
        checks.push((outcome, check, text));
    }
    Ok(checks)
}

#[cfg(unix)]
fn mode(path: &Path, check: &'static str) -> Result<Option<Check>, Failure> {
    use std::io;
    use std::os::unix::fs::PermissionsExt as _;

    use crate::check::Outcome;

    const OTHERS: u32 = 0o077;

    let found = match std::fs::metadata(path) {
        // A log that was folded in meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    // Nobody can leave a key in a pipe.
    if !found.is_file() && !found.is_dir() {
        return Ok(None);
    }
    let mode = found.permissions().mode() & 0o777;
    Ok(Some(if mode & OTHERS == 0 {
        (
            Outcome::Good,
            check,
            format!("{mode:04o}, only the owner can read it"),
        )
    } else {
        let advice = format!("{mode:04o}: others may read the keys; run chmod 600");
        (Outcome::Problem, check, advice)
    }))
}

#[cfg(not(unix))]
fn mode(_path: &Path, _check: &'static str) -> Result<Option<Check>, Failure> {
    Ok(None)
}
