//! The `mtsession` command, run as a shell would.

#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

mod libraries;
mod looking;
mod refusals;
mod replacing;
mod stores;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/ferogram")
        .join(name)
}

/// Runs the command with `input` on its standard input.
fn run(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mtsession"))
        .args(args)
        .env("MTSESSION_TEST_STRING", native())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn assert_code(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}{}",
        out(output),
        error(output)
    );
}

fn native() -> String {
    fs::read_to_string(vector("string/native_v8_fs066.txt")).unwrap()
}

fn temp() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.session").to_str().unwrap().to_owned();
    (dir, path)
}

fn client_vector(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/clients");
    path.join(name).to_str().unwrap().to_owned()
}
