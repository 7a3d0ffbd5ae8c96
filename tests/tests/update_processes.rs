//! Processes that change whole records of one store at once: nothing is lost.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mtsession::{
    BinaryFileBackend, Change, InMemoryBackend, LibSqlBackend, SessionBackend, SqliteBackend,
    UpdateChange,
};

const PROCESSES: i32 = 2;

/// How many updates a store on the disk gets; `UPDATES=10000` is the whole run.
fn updates() -> i32 {
    let asked = std::env::var("UPDATES").ok();
    asked.map_or(600, |updates| updates.parse().unwrap())
}

/// Lets processes update the store, and returns after they are done.
fn update(kind: &str, place: &str, updates: i32) {
    let processes: Vec<_> = (0..PROCESSES)
        .map(|_| {
            Command::new(env!("CARGO_BIN_EXE_store-updater"))
                .args([kind, place, &updates.to_string()])
                .spawn()
                .unwrap()
        })
        .collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success(), "{kind}");
    }
}

fn check(kind: &str, backend: &dyn SessionBackend, updates: i32) {
    let state = backend.load().unwrap().unwrap().updates_state;
    assert_eq!(state.qts, PROCESSES * updates, "{kind}: updates are lost");
    let channels = usize::try_from(PROCESSES * updates).unwrap();
    assert_eq!(state.channels.len(), channels, "{kind}: channels are lost");
    assert_eq!(state.pts, updates - 1, "{kind}: counters are lost");
}

fn place(dir: &Path, name: &str) -> String {
    dir.join(name).to_str().unwrap().to_owned()
}

/// The store is absent at first, so that they also race for making it.
#[test]
fn two_processes_lose_no_update_of_a_local_store() {
    let dir = tempfile::tempdir().unwrap();
    let file = place(dir.path(), "bot.session");
    update("file", &file, 100);
    check("file", &BinaryFileBackend::new(file), 100);
    let database = place(dir.path(), "bot.db");
    update("sqlite", &database, 100);
    check("sqlite", &SqliteBackend::open(database).unwrap(), 100);
    let database = place(dir.path(), "libsql.db");
    update("libsql", &database, 100);
    check("libsql", &LibSqlBackend::open_local(database).unwrap(), 100);
}

#[cfg(feature = "full")]
#[test]
fn two_processes_lose_no_update_of_a_server() {
    use mtsession_tests::sqld::{Sqld, is_available};

    if !is_available() {
        eprintln!("skipped: there is no sqld here");
        return;
    }
    let server = Sqld::start();
    let url = server.url();
    update("remote", &url, 30);
    check("remote", &LibSqlBackend::open_remote(&url, "").unwrap(), 30);
}

/// Several writers change the whole record, next to one that moves a counter and never stops: each attempt
/// may lose against it, and the last one is made where it has to wait.
fn updates_end(kind: &str, updates: i32, open: &(dyn Fn() -> Arc<dyn SessionBackend> + Sync)) {
    const WRITERS: i32 = 2;
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let backend = open();
            for qts in (0..1_000).cycle() {
                if is_done.load(Ordering::Relaxed) {
                    return;
                }
                let counter = Change::Update(UpdateChange::Secondary { qts });
                backend.apply(&[counter]).unwrap();
            }
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                scope.spawn(|| {
                    let backend = open();
                    for _ in 0..updates / WRITERS {
                        backend
                            .update(&mut |record| {
                                let home = record.session().home_dc_id;
                                Ok(record.apply_all(&[Change::HomeDc(home + 1)])?)
                            })
                            .unwrap();
                    }
                })
            })
            .collect();
        let ended: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        is_done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok), "{kind}");
    });
    let home = open().load().unwrap().unwrap().home_dc_id;
    assert_eq!(home, updates, "{kind}: updates are lost");
}

#[test]
fn updates_of_memory_and_of_a_file_end_beside_a_writer_that_never_stops() {
    let memory: Arc<dyn SessionBackend> = Arc::new(InMemoryBackend::new());
    updates_end("memory", 10_000, &|| Arc::clone(&memory));
    let dir = tempfile::tempdir().unwrap();
    let file = place(dir.path(), "bot.session");
    updates_end("file", updates(), &|| {
        Arc::new(BinaryFileBackend::new(&file))
    });
}

#[test]
fn updates_of_a_database_end_beside_a_writer_that_never_stops() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = place(dir.path(), "bot.db");
    updates_end("sqlite", updates(), &|| {
        Arc::new(SqliteBackend::open(&sqlite).unwrap())
    });
    let libsql = place(dir.path(), "libsql.db");
    updates_end("libsql", updates(), &|| {
        Arc::new(LibSqlBackend::open_local(&libsql).unwrap())
    });
}

#[cfg(feature = "full")]
#[test]
fn updates_of_a_server_end_beside_a_writer_that_never_stops() {
    use mtsession_tests::sqld::{Sqld, is_available};

    if !is_available() {
        eprintln!("skipped: there is no sqld here");
        return;
    }
    let server = Sqld::start();
    updates_end("remote", 200, &|| {
        Arc::new(LibSqlBackend::open_remote(server.url(), "").unwrap())
    });
}

/// The last attempt keeps other writers out, and its closure may read from the same backend all the same.
#[test]
fn a_closure_reads_from_the_same_database_while_it_has_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let open = || SqliteBackend::open(&path).unwrap();
    let (backend, other) = (open(), open());
    backend.apply(&[Change::HomeDc(1)]).unwrap();
    let mut attempts: i32 = 0;
    let mut update = |fails: bool| {
        backend.update(&mut |record| {
            attempts += 1;
            let head = backend.head()?.unwrap();
            assert_eq!(head.home_dc_id, backend.load()?.unwrap().home_dc_id);
            assert_eq!(other.load()?.unwrap().home_dc_id, head.home_dc_id);
            if attempts % 9 > 0 {
                // Faster than this one, and with something that is not there yet.
                let faster = attempts.saturating_add(100);
                other.apply(&[Change::HomeDc(faster)])?;
            } else if fails {
                return Err(std::io::Error::other("the caller's own words"));
            }
            Ok(record.apply_all(&[Change::FutureAuthToken(Some(b"token"))])?)
        })
    };
    update(false).unwrap();
    assert_eq!(
        update(true).unwrap_err().to_string(),
        "the caller's own words"
    );
    // The lock is given up with the closure.
    other.apply(&[Change::HomeDc(77)]).unwrap();
    assert_eq!(attempts, 18);
    let session = backend.load().unwrap().unwrap();
    assert_eq!(session.home_dc_id, 77);
    assert_eq!(session.future_auth_token.as_deref(), Some(&b"token"[..]));
}
