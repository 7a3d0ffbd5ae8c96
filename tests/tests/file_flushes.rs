//! The order in which the file backend locks, names and flushes files.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory with a session in it, `"save1"` and `"pts5"`.
fn store() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    assert_eq!(ops(&path, &["save1", "pts5"]), "save1: ok\npts5: ok\n");
    (dir, path)
}

fn answer(output: Output) -> String {
    String::from_utf8(output.stdout).unwrap()
}

fn ops(path: &Path, operations: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_file-ops"));
    answer(command.arg(path).args(operations).output().unwrap())
}

/// The same under strace, with these options.
fn traced(options: &[&str], path: &Path, operations: &[&str]) -> String {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(options);
    command.arg(env!("CARGO_BIN_EXE_file-ops"));
    answer(command.arg(path).args(operations).output().unwrap())
}

fn has_strace() -> bool {
    let works = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        println!("skipped: failing system calls need strace, and that it may trace");
    }
    works
}

/// Otherwise another process appends, flushes and acknowledges into a file whose name a power cut takes back.
#[test]
fn a_new_file_stays_locked_until_its_name_is_durable() {
    if !has_strace() {
        return;
    }
    let (dir, path) = store();
    let log = dir.path().join("log");
    let options = [
        "-y",
        "-o",
        log.to_str().unwrap(),
        "-e",
        "trace=flock,rename,renameat,renameat2,fsync",
    ];
    assert_eq!(traced(&options, &path, &["save2"]), "save2: ok\n");
    let log = fs::read_to_string(&log).unwrap();
    let calls: Vec<_> = log.lines().collect();
    let at = |what: &dyn Fn(&str) -> bool| calls.iter().position(|call| what(call));
    let named = at(&|call| call.contains("rename")).expect("it is replaced");
    let locked = at(&|call| call.contains("LOCK_EX") && call.contains(".mtsession-tmp-"));
    assert!(locked.is_some_and(|locked| locked < named), "{log}");
    let directory = format!("<{}>)", dir.path().display());
    let after = &calls[named..];
    let durable = after
        .iter()
        .position(|call| call.contains("fsync") && call.contains(&directory));
    let released = after.iter().position(|call| call.contains("LOCK_UN"));
    assert!(
        durable.expect("its name is flushed") < released.expect("it is released"),
        "{log}"
    );
}

/// Its writer may have been killed before its name was durable.
#[test]
fn the_first_flush_of_a_file_that_another_process_wrote_is_of_its_name_too() {
    if !has_strace() {
        return;
    }
    let (dir, path) = store();
    let log = dir.path().join("log");
    let trace = "trace=fsync,fdatasync,rename,renameat,renameat2";
    let options = ["-y", "-o", log.to_str().unwrap(), "-e", trace];
    assert_eq!(
        traced(&options, &path, &["pts6", "pts7"]),
        "pts6: ok\npts7: ok\n"
    );
    let log = fs::read_to_string(&log).unwrap();
    let mut calls = log.lines();
    let file = format!("<{}>)", path.display());
    let directory = format!("<{}>)", dir.path().display());
    for (call, of) in [
        ("fsync", &file),
        ("fsync", &directory),
        ("fdatasync", &file),
    ] {
        let next = calls.next().unwrap();
        assert!(next.contains(call) && next.contains(of.as_str()), "{log}");
    }
}
