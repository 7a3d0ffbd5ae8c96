//! Programs that tests copy and start.

use std::io;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{PoisonError, RwLock};

/// Held together while processes are started, and alone while a program is written: a process that is
/// just being started inherits the open file, and a program that is open for writing cannot be run.
static STARTING: RwLock<()> = RwLock::new(());

/// Runs a command to its end.
///
/// # Errors
/// As [`Command::output`].
pub fn output(command: &mut Command) -> io::Result<Output> {
    let _together = STARTING.read().unwrap_or_else(PoisonError::into_inner);
    command.output()
}

/// Copies a program that will be started.
///
/// # Errors
/// As [`std::fs::copy`].
pub fn copy(from: impl AsRef<Path>, to: &Path) -> io::Result<()> {
    let _alone = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    std::fs::copy(from, to).map(drop)
}
