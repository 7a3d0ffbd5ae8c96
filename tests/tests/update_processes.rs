//! Processes that change whole records of one store at once: nothing is lost.

use std::path::Path;
use std::process::Command;

use mtsession::{
    BinaryFileBackend, Change, InMemoryBackend, LibSqlBackend, SessionBackend, SqliteBackend,
    UpdateChange,
};

const PROCESSES: i32 = 2;

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

/// Each attempt may lose against the counters; the last one is made where they have to wait.
#[test]
fn ten_thousand_updates_end_beside_a_writer_that_never_stops() {
    let backend = InMemoryBackend::new();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for qts in (0..1_000).cycle() {
                if is_done.load(std::sync::atomic::Ordering::Relaxed) {
                    return;
                }
                let counter = Change::Update(UpdateChange::Secondary { qts });
                backend.apply(&[counter]).unwrap();
            }
        });
        for home in 1..=10_000 {
            backend
                .update(&mut |record| {
                    assert_eq!(record.session().home_dc_id, home - 1);
                    Ok(record.apply_all(&[Change::HomeDc(home)])?)
                })
                .unwrap();
        }
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(backend.load().unwrap().unwrap().home_dc_id, 10_000);
}
