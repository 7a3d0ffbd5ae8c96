//! The program `file-ops` on a session file, by itself and under strace.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory with a session in it, `"save1"` and `"pts5"`.
pub(crate) fn store() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    assert_eq!(ops(&path, &["save1", "pts5"]), "save1: ok\npts5: ok\n");
    (dir, path)
}

fn answer(output: Output) -> String {
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn ops(path: &Path, operations: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_file-ops"));
    answer(command.arg(path).args(operations).output().unwrap())
}

/// The same under strace, with these options.
pub(crate) fn traced(options: &[&str], path: &Path, operations: &[&str]) -> String {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(options);
    command.arg(env!("CARGO_BIN_EXE_file-ops"));
    answer(command.arg(path).args(operations).output().unwrap())
}

pub(crate) fn has_strace() -> bool {
    let works = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        println!("skipped: failing system calls need strace, and that it may trace");
    }
    works
}
