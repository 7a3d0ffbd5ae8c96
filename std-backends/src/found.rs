//! Saying what lies where a session of ours should be.

use std::io;
use std::path::Path;

/// The library and version of the session at `path`, when `error` says that it is none of ours.
///
/// Only with the feature `foreign`, which knows other libraries; the first bytes are named in any case.
pub(crate) fn instead(error: &io::Error, path: &Path) -> Option<String> {
    let is_content = matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::IsADirectory
    );
    if !is_content {
        return None;
    }
    #[cfg(feature = "foreign")]
    return crate::foreign::describe(path);
    #[cfg(not(feature = "foreign"))]
    {
        let _ = path;
        None
    }
}
