//! The SQLite backend when its process dies, when several write, and when the disk does not.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mtsession::{PersistedSession, SessionBackend, SqliteBackend, StoreOptions, UpdateStateChange};
use mtsession_tests::random::sized;
use mtsession_tests::stores::sqlite;
use rusqlite::Connection;

fn writer(path: &Path, mode: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sqlite-writer"))
        .arg(path)
        .arg(mode)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn number_from_env(name: &str, default: u32) -> u32 {
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn is_intact(path: &Path) -> bool {
    let check: String = Connection::open(path)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    check == "ok"
}

/// Where in the write after the last acknowledgement the kill arrives is up to the scheduler.
/// `CRASH_ROUNDS` sets another number of rounds.
#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    let rounds = number_from_env("CRASH_ROUNDS", 100);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let (mut next, mut unacknowledged) = (1, 0);
    for round in 0..rounds {
        let mut child = writer(&path, &next.to_string());
        let wanted = 1 + usize::try_from(round * 7 % 23).unwrap();
        let mut acknowledged = next - 1;
        for line in BufReader::new(child.stdout.take().unwrap())
            .lines()
            .take(wanted)
        {
            acknowledged = line.unwrap().parse().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let session = SqliteBackend::open(&path).unwrap().load().unwrap().unwrap();
        let state = &session.updates_state;
        assert!(
            state.pts >= acknowledged,
            "round {round}: {acknowledged} was acknowledged, {} is there",
            state.pts
        );
        assert_eq!(
            (state.date, state.seq),
            (state.pts, state.pts),
            "round {round}: torn"
        );
        if state.pts % 4 != 1 && state.pts > 3 {
            assert_eq!(
                state.channel_pts(1),
                state.pts,
                "round {round}: half a batch"
            );
        }
        if state.pts % 4 == 0 {
            let hash = i64::from(state.pts);
            assert!(
                session.peers.iter().all(|peer| peer.access_hash == hash),
                "round {round}: half a save"
            );
        }
        assert!(is_intact(&path), "round {round}");
        unacknowledged += i32::from(state.pts > acknowledged);
        next = state.pts + 1;
    }
    println!("{rounds} rounds, {unacknowledged} of them stored a write before it was acknowledged");
}

/// `CONTENTION_SECONDS` sets another time.
#[test]
fn processes_do_not_lose_each_others_writes() {
    let seconds = number_from_env("CONTENTION_SECONDS", 2);
    for processes in [2, 4] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bot.db");
        let children: Vec<_> = (0..processes)
            .map(|n| writer(&path, &format!("{n}:{seconds}")))
            .collect();
        let mut expected = Vec::new();
        for (writer, child) in (0_i64..).zip(children) {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "a writer failed");
            let count: i64 = String::from_utf8(output.stdout)
                .unwrap()
                .trim()
                .parse()
                .unwrap();
            assert!(count > 0);
            expected.extend((0..count).map(|n| (writer * 1_000_000 + n, 1)));
        }
        let mut channels = SqliteBackend::open(&path)
            .unwrap()
            .load()
            .unwrap()
            .unwrap()
            .updates_state
            .channels;
        channels.sort_unstable();
        println!(
            "{processes} processes: {} writes in {seconds} s",
            channels.len()
        );
        assert_eq!(channels, expected);
        assert!(is_intact(&path));
    }
}

/// The database may not grow: what SQLite says when the disk is full.
#[test]
fn a_full_disk_is_an_error_that_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let backend = SqliteBackend::open(&path).unwrap();
    let small = sized(2, 10, 2, 2);
    backend.save(&small).unwrap();
    let large = sized(5, 50_000, 100, 100);
    let script = format!(
        // The limit is the child's own: 400 blocks of 512 bytes for every file it writes.
        "ulimit -f 400; trap '' XFSZ; exec '{}' '{}' save",
        env!("CARGO_BIN_EXE_sqlite-filler"),
        path.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("cannot save"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("kept"), "{text}");
    assert_eq!(backend.load().unwrap(), Some(small));
    backend.save(&large).unwrap();
    assert!(backend.load().unwrap() == Some(large));
    assert!(is_intact(&path));
}

#[test]
fn a_locked_database_is_waited_for_and_then_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let patience = std::time::Duration::from_millis(50);
    let backend = StoreOptions::new().deadline(patience);
    let backend = backend.connect(sqlite(&path)).unwrap();
    let session = sized(2, 10, 2, 2);
    backend.save(&session).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for error in [
        backend.set_home_dc(1).unwrap_err(),
        backend.save(&PersistedSession::default()).unwrap_err(),
        backend
            .apply_update_state(UpdateStateChange::Secondary { qts: 1 })
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        assert!(
            error
                .to_string()
                .contains("another program keeps the database locked"),
            "{error}"
        );
    }
    assert_eq!(
        backend.load().unwrap(),
        Some(session),
        "readers do not wait"
    );
    other.execute_batch("ROLLBACK").unwrap();
    backend.set_home_dc(1).unwrap();
}

/// Root may write to anything, so there the test runs once more, as nobody.
#[test]
fn a_database_that_can_only_be_read_is_read() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    const NOBODY: u32 = 65_534;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let session = sized(2, 10, 2, 2);
    SqliteBackend::open(&path).unwrap().save(&session).unwrap();
    let set = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(&path, 0o400);
    if std::fs::OpenOptions::new().write(true).open(&path).is_ok() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_database_that_can_only_be_read_is_read"])
            .uid(NOBODY)
            .gid(NOBODY)
            .output();
        match output {
            Err(error) => eprintln!("skipped: nobody cannot run the test: {error}"),
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success(), "{text}");
                assert!(text.contains("1 passed"), "{text}");
            }
        }
        return;
    }
    let backend = SqliteBackend::open(&path).unwrap();
    assert_eq!(backend.load().unwrap(), Some(session));
    let error = backend.set_home_dc(1).unwrap_err();
    assert!(error.to_string().contains("can only be read"), "{error}");
    set(&path, 0o000);
    let error = SqliteBackend::open(&path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("no permission"), "{error}");
}

#[test]
fn a_missing_directory_is_named() {
    let error = SqliteBackend::open("/no/such/directory/bot.db")
        .unwrap()
        .set_home_dc(1)
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(
        error
            .to_string()
            .contains("/no/such/directory/bot.db: cannot apply changes: directory /no/such/directory does not exist"),
        "{error}"
    );
    let error = SqliteBackend::open("/").unwrap_err();
    assert!(error.to_string().contains("is a directory"), "{error}");
}
