//! The order in which the file backend locks, names and flushes files.

#![cfg(target_os = "linux")]

mod file_ops;

use std::fs;

use file_ops::{has_strace, store, traced};

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
