//! The file backend when a system call fails: what it says was done is stored, and what it says was not
//! has changed nothing.

#![cfg(target_os = "linux")]

mod file_ops;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use file_ops::{has_strace, ops, store, traced};
use mtsession::{
    BinaryFileBackend, FlushPolicy, SessionBackend as _, StoreOptions, UpdateStateChange,
};

/// A file system that cannot sync directories does everything else.
#[test]
fn a_directory_that_cannot_be_synced_is_no_failure() {
    if !has_strace() {
        return;
    }
    for error in ["EINVAL", "EOPNOTSUPP", "EACCES"] {
        let (dir, path) = store();
        let inject = format!("inject=fsync:error={error}");
        let only = [
            "-o",
            "/dev/null",
            "-P",
            dir.path().to_str().unwrap(),
            "-e",
            &inject,
        ];
        let said = traced(
            &only,
            &path,
            &["save2", "dc3", "pts6", "load", "delete", "load"],
        );
        assert_eq!(
            said,
            "save2: ok\ndc3: ok\npts6: ok\nload: home 2 dcs 2 pts 6 key Some(2)\ndelete: ok\nload: None\n",
            "{error}"
        );
    }
}

#[test]
fn without_locks_a_session_is_read_and_a_write_says_what_to_do() {
    if !has_strace() {
        return;
    }
    for error in ["ENOLCK", "ENOSYS", "EOPNOTSUPP", "EBADF"] {
        let (dir, path) = store();
        let before = ops(&path, &["load"]);
        let inject = format!("inject=flock:error={error}");
        let never = ["-o", "/dev/null", "-e", &inject];
        assert_eq!(traced(&never, &path, &["load"]), before, "{error}");
        for operation in ["save2", "pts6", "dc3", "delete"] {
            let said = traced(&never, &path, &[operation]);
            assert!(said.contains("has no locks"), "{error}: {said}");
            assert!(said.contains("local disk"), "{error}: {said}");
        }
        assert_eq!(ops(&path, &["load"]), before, "{error}");
        let new = dir.path().join("new");
        assert!(traced(&never, &new, &["save2"]).contains("has no locks"));
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "a file is left"
        );
    }
}

/// SQLite says "locked" there, as if somebody had the database.
#[test]
fn without_locks_a_database_is_read_and_a_write_says_what_to_do() {
    if !has_strace() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.db");
    assert_eq!(ops(&path, &["save1", "pts5"]), "save1: ok\npts5: ok\n");
    let before = ops(&path, &["load"]);
    let never = ["-o", "/dev/null", "-e", "inject=fcntl:error=ENOLCK"];
    assert_eq!(traced(&never, &path, &["load"]), before);
    for operation in ["save2", "pts6", "dc3", "delete"] {
        let said = traced(&never, &path, &[operation]);
        assert!(said.contains("has no locks"), "{said}");
        assert!(said.contains("local disk"), "{said}");
    }
    assert_eq!(ops(&path, &["load"]), before);
}

/// What could not be flushed once may be gone from the kernel's memory: only a new file is certain.
#[test]
fn after_a_failed_flush_nothing_is_appended_before_a_new_snapshot() {
    if !has_strace() {
        return;
    }
    let (dir, path) = store();
    let log = dir.path().join("log");
    let options = [
        "-o",
        log.to_str().unwrap(),
        "-e",
        "trace=fdatasync,rename,renameat,pwrite64",
        "-e",
        "inject=fdatasync:error=EIO:when=1",
    ];
    let said = traced(&options, &path, &["pts6", "pts7", "load"]);
    assert_eq!(
        said,
        "pts6: ok\npts7: ok\nload: home 2 dcs 1 pts 7 key Some(1)\n"
    );
    let log = fs::read_to_string(&log).unwrap();
    let failed = log.find("fdatasync").unwrap();
    let renamed = log.find("rename").expect("no new snapshot");
    assert!(failed < renamed, "{log}");
}

/// What a process does whose flush fails, and whose new snapshot cannot be written either.
const NOTHING_REACHES_THE_DISK: [&str; 6] = [
    "-o",
    "/dev/null",
    "-e",
    "inject=fdatasync,fsync:error=EIO",
    "-e",
    "inject=rename,renameat,renameat2:error=ENOSPC",
];

/// The kernel tells a failed flush once. A process that appends after it, and flushes successfully, would lose
/// that at a power cut together with what is missing before it.
#[test]
fn after_a_failed_flush_no_other_process_appends_before_a_new_snapshot() {
    if !has_strace() {
        return;
    }
    let (dir, path) = store();
    // It has read the file before, and knows its end.
    let open = StoreOptions::new().flush(FlushPolicy::Each);
    let open = open.connect(path.as_path()).unwrap();
    let counter = |qts| open.apply_update_state(UpdateStateChange::Secondary { qts });
    counter(1).unwrap();
    for is_known in [true, false] {
        let failed = traced(&NOTHING_REACHES_THE_DISK, &path, &["pts6"]);
        assert!(failed.contains("a power cut can lose it"), "{failed}");
        let status = BinaryFileBackend::new(&path).status().unwrap().unwrap();
        assert!(status.flush_failed && status.tail_lost == 0, "{status:?}");
        assert_eq!(open.load().unwrap().unwrap().updates_state.pts, 6);
        let inode = fs::metadata(&path).unwrap().ino();
        if is_known {
            counter(2).unwrap();
        } else {
            assert_eq!(ops(&path, &["pts7"]), "pts7: ok\n");
        }
        assert_ne!(fs::metadata(&path).unwrap().ino(), inode, "it was appended");
        let status = BinaryFileBackend::new(&path).status().unwrap().unwrap();
        assert_eq!((status.flush_failed, status.tail_records), (false, 0));
        counter(3).unwrap();
        let status = BinaryFileBackend::new(&path).status().unwrap().unwrap();
        assert_eq!(status.tail_records, 1, "it is appended again");
    }
    let state = open.load().unwrap().unwrap().updates_state;
    assert_eq!((state.pts, state.qts), (7, 3));
    // A whole session in its place is as good.
    traced(&NOTHING_REACHES_THE_DISK, &path, &["pts8"]);
    assert!(
        BinaryFileBackend::new(&path)
            .status()
            .unwrap()
            .unwrap()
            .flush_failed
    );
    let session = open.load().unwrap().unwrap();
    open.save(&session).unwrap();
    assert!(
        !BinaryFileBackend::new(&path)
            .status()
            .unwrap()
            .unwrap()
            .flush_failed
    );
    assert_eq!(open.load().unwrap(), Some(session));
    drop(dir);
}

/// It may be killed before it comes to writing a new snapshot.
#[test]
fn a_process_that_is_killed_after_a_failed_flush_has_told_the_others() {
    if !has_strace() {
        return;
    }
    let (_dir, path) = store();
    let options = [
        "-o",
        "/dev/null",
        "-e",
        // The first flush of a process is of the whole file, which another one may have written.
        "inject=fsync:error=EIO:when=1",
        "-e",
        "inject=rename,renameat,renameat2:signal=KILL",
    ];
    traced(&options, &path, &["pts6"]);
    let status = BinaryFileBackend::new(&path).status().unwrap().unwrap();
    assert!(status.flush_failed, "{status:?}");
    assert_eq!(
        ops(&path, &["pts7", "load"]),
        "pts7: ok\nload: home 2 dcs 1 pts 7 key Some(1)\n"
    );
}

/// Temporary files are looked for once per directory and process: that takes as long as the directory.
#[test]
fn no_lock_lists_the_directory() {
    if !has_strace() {
        return;
    }
    let (dir, path) = store();
    for n in 0..500 {
        fs::write(dir.path().join(format!("other{n}")), b"").unwrap();
    }
    let log = dir.path().join("log");
    let options = ["-o", log.to_str().unwrap(), "-e", "trace=getdents64"];
    let operations = [
        "save1", "save2", "pts1", "dc3", "save1", "dc2", "home1", "save2",
    ];
    let said = traced(&options, &path, &operations);
    assert!(!said.contains("ERR"), "{said}");
    let calls = fs::read_to_string(&log).unwrap().lines().count();
    let few = calls < 6;
    assert!(few, "{calls} calls for {} operations", operations.len());
}

/// The first change of a process to one of many sessions costs what it costs where there is one. Only the
/// first new snapshot of a process looks through the directory, once.
#[test]
fn among_ten_thousand_sessions_one_costs_what_it_costs_alone() {
    const SESSIONS: usize = 10_000;
    const CALLS: &str = "trace=%file,read,pread64,write,pwrite64,getdents64,flock,fdatasync,fsync,\
                         ftruncate,lseek,fstat,close";

    if !has_strace() {
        return;
    }
    let (alone, path_alone) = store();
    let (dir, path) = store();
    let session = fs::read(&path).unwrap();
    for number in 0..SESSIONS {
        fs::write(dir.path().join(format!("s{number}")), &session).unwrap();
    }
    let calls = |path: &Path, operations: &[&str]| {
        let log = path.with_file_name("log");
        let said = traced(
            &["-o", log.to_str().unwrap(), "-e", CALLS],
            path,
            operations,
        );
        assert!(!said.contains("ERR"), "{said}");
        let calls = fs::read_to_string(&log).unwrap();
        fs::remove_file(&log).unwrap();
        let listings = calls
            .lines()
            .filter(|call| call.contains("getdents64"))
            .count();
        (listings, calls.lines().count() - listings)
    };
    for operations in [&["pts6"][..], &["load"], &["pts7", "pts8", "load"]] {
        let (listings, others) = calls(&path, operations);
        assert_eq!(listings, 0, "{operations:?}");
        assert_eq!(others, calls(&path_alone, operations).1, "{operations:?}");
    }
    let (one, others) = calls(&path, &["save2"]);
    assert_eq!(others, calls(&path_alone, &["save2"]).1);
    let (many, _) = calls(&path, &["save1", "pts9", "dc3", "save2", "home1", "save1"]);
    assert_eq!(many, one, "the directory is listed more than once");
    drop((alone, dir));
}

/// What a killed process leaves is removed by the next one, whichever session it writes.
#[test]
fn the_temporary_file_of_a_killed_process_is_removed() {
    if !has_strace() {
        return;
    }
    let (dir, path) = store();
    let kill = [
        "-o",
        "/dev/null",
        "-e",
        "inject=rename,renameat:signal=KILL:when=1",
    ];
    traced(&kill, &path, &["save2"]);
    let temporary = || {
        let names = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().starts_with(".mtsession-tmp-"))
            .count()
    };
    assert_eq!(temporary(), 1, "it was not killed in the middle");
    assert_eq!(ops(&dir.path().join("another"), &["save2"]), "save2: ok\n");
    assert_eq!(temporary(), 0);
    traced(&kill, &path, &["save2"]);
    assert_eq!(ops(&path, &["delete"]), "delete: ok\n");
    assert_eq!(temporary(), 0);
}

/// Keys in a log are worth an error, which does not pretend that the account is still there.
#[test]
fn what_fails_after_an_account_is_gone_says_that_it_is_gone() {
    if !has_strace() {
        return;
    }
    let mut said_so = 0;
    for number in 1..=12 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.db");
        assert_eq!(ops(&path, &["save1", "pts5"]), "save1: ok\npts5: ok\n");
        let inject = format!("inject=fsync,fdatasync,ftruncate:error=EIO:when={number}");
        let said = traced(&["-o", "/dev/null", "-e", &inject], &path, &["delete"]);
        let is_gone = ops(&path, &["load"]) == "load: None\n";
        let admits = said == "delete: ok\n" || said.contains("the account is deleted, but");
        assert_eq!(admits, is_gone, "{number}: {said}");
        said_so += usize::from(is_gone && said != "delete: ok\n");
        assert_eq!(ops(&path, &["delete", "load"]), "delete: ok\nload: None\n");
    }
    assert!(said_so > 0, "no call failed after the commit");
}
