//! What the measuring programs share.

use std::io;
use std::process::{Command, ExitCode};

/// Runs a program with its arguments. A failure is said in words, which `main` itself would not do.
pub fn program(work: impl FnOnce(&[&str]) -> io::Result<()>) -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    match work(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// To be called before anything is measured.
///
/// # Errors
/// In a debug build.
pub fn must_be_release() -> io::Result<()> {
    if cfg!(debug_assertions) {
        let message = "a debug build measures nothing that means anything: use --release";
        return Err(io::Error::other(message));
    }
    Ok(())
}

/// The cargo that runs us, or the one that is found.
#[must_use]
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
