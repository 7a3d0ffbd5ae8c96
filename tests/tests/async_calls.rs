//! Stores called from everywhere an async client may be, and the queue in front of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mtsession::{
    CachedPeer, Change, InMemoryBackend, LibSqlBackend, PersistedSession, SessionBackend,
    SessionWriter, SqliteBackend, UpdateStateChange,
};
use mtsession_tests::client::runtimes;
use mtsession_tests::mock_hrana::Mock;
use mtsession_tests::random::sized;

/// Every SQL backend, fresh; the mock is what a server is to its client.
fn backends() -> Vec<(Arc<dyn SessionBackend>, Box<dyn std::any::Any>)> {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let mock = Mock::start(None);
    let sqlite = SqliteBackend::open(dir.path().join("a.db")).unwrap();
    let libsql = LibSqlBackend::open_local(dir.path().join("b.db")).unwrap();
    let remote = LibSqlBackend::open_remote(mock.url(), "").unwrap();
    let path = dir.path().join("c.db");
    let server = Mock::start(None);
    let replica = LibSqlBackend::open_replica(path, server.url(), "").unwrap();
    vec![
        (Arc::new(sqlite), Box::new(Arc::clone(&dir))),
        (Arc::new(libsql), Box::new(Arc::clone(&dir))),
        (Arc::new(remote), Box::new(mock)),
        (Arc::new(replica), Box::new((server, dir))),
        (Arc::new(SqliteBackend::in_memory().unwrap()), Box::new(())),
        (Arc::new(LibSqlBackend::in_memory().unwrap()), Box::new(())),
    ]
}

fn use_it(backend: &dyn SessionBackend) {
    let session = sized(2, 5, 2, 2);
    backend.save(&session).unwrap();
    backend
        .apply_update_state(UpdateStateChange::Secondary { qts: 1 })
        .unwrap();
    assert_eq!(backend.load().unwrap().unwrap().dcs, session.dcs);
}

#[test]
fn from_plain_code_async_code_and_blocking_tasks() {
    for (backend, _keep) in backends() {
        use_it(&*backend);
        for runtime in runtimes() {
            runtime.block_on(async { use_it(&*backend) });
            let spawned = Arc::clone(&backend);
            runtime.block_on(async {
                tokio::spawn(async move { use_it(&*spawned) })
                    .await
                    .unwrap();
            });
            let blocking = Arc::clone(&backend);
            let task = async {
                tokio::task::spawn_blocking(move || use_it(&*blocking))
                    .await
                    .unwrap();
            };
            runtime.block_on(task);
            let local = tokio::task::LocalSet::new();
            let inside = Arc::clone(&backend);
            let task = local.run_until(async {
                tokio::task::spawn_local(async move { use_it(&*inside) })
                    .await
                    .unwrap();
            });
            runtime.block_on(task);
        }
    }
}

#[test]
fn from_thirty_two_threads_and_tasks() {
    for (backend, _keep) in backends() {
        std::thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| use_it(&*backend));
            }
        });
        let [_, runtime] = runtimes();
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let backend = Arc::clone(&backend);
                runtime.spawn(async move { use_it(&*backend) })
            })
            .collect();
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
    }
}

/// Clients save in `Drop`, which may be when the runtime is already going.
#[test]
fn from_drop_while_the_runtime_shuts_down() {
    struct SaveOnDrop(Arc<dyn SessionBackend>, Arc<AtomicUsize>);
    impl Drop for SaveOnDrop {
        fn drop(&mut self) {
            use_it(&*self.0);
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    for (backend, _keep) in backends() {
        for runtime in runtimes() {
            let saved = Arc::new(AtomicUsize::new(0));
            let client = SaveOnDrop(Arc::clone(&backend), Arc::clone(&saved));
            runtime.block_on(async {
                let (started, has_started) = tokio::sync::oneshot::channel();
                tokio::spawn(async move {
                    let _client = client;
                    started.send(()).unwrap();
                    std::future::pending::<()>().await;
                });
                has_started.await.unwrap();
            });
            drop(runtime);
            assert_eq!(saved.load(Ordering::SeqCst), 1);
        }
    }
}

#[test]
fn the_writer_keeps_order_and_flushes() {
    for (backend, _keep) in backends() {
        for runtime in runtimes() {
            backend.delete().unwrap();
            let writer = SessionWriter::new(Arc::clone(&backend));
            runtime.block_on(async {
                writer.save(sized(2, 5, 0, 0)).await.unwrap();
                for n in 1..=500 {
                    let primary = UpdateStateChange::Primary {
                        pts: n,
                        date: n,
                        seq: n,
                    };
                    writer.apply_update_state(primary).await.unwrap();
                    let channel = UpdateStateChange::Channel {
                        id: i64::from(n % 7),
                        pts: n,
                    };
                    writer.apply_update_state(channel).await.unwrap();
                    if n % 100 == 0 {
                        writer.set_home_dc(n).await.unwrap();
                        let loaded = writer.load().await.unwrap().unwrap();
                        assert_eq!((loaded.home_dc_id, loaded.updates_state.pts), (n, n));
                    }
                }
                writer.flush().await.unwrap();
            });
            let state = backend.load().unwrap().unwrap().updates_state;
            assert_eq!((state.pts, state.channel_pts(500 % 7)), (500, 500));
        }
    }
}

#[test]
fn dropping_the_writer_stores_what_is_queued() {
    let backend = Arc::new(InMemoryBackend::new());
    for runtime in runtimes() {
        let writer = SessionWriter::new(backend.clone());
        runtime.block_on(async {
            for id in 0..200 {
                let peer = CachedPeer {
                    id,
                    access_hash: 1,
                    is_channel: false,
                    is_chat: false,
                    channel_kind: None,
                    is_community: false,
                };
                writer.cache_peer(peer).await.unwrap();
            }
            drop(writer);
        });
        assert_eq!(backend.snapshot().unwrap().peers.len(), 200);
        backend.delete().unwrap();
    }
}

/// A store that waits until it may go on, counts its batches, and can fail.
#[derive(Default)]
struct Slow {
    gate: tokio::sync::Mutex<()>,
    batches: Mutex<Vec<usize>>,
    fails: std::sync::atomic::AtomicBool,
    inner: InMemoryBackend,
}

impl SessionBackend for Slow {
    fn save(&self, session: &PersistedSession) -> std::io::Result<()> {
        self.inner.save(session)
    }
    fn load(&self) -> std::io::Result<Option<PersistedSession>> {
        self.inner.load()
    }
    fn delete(&self) -> std::io::Result<()> {
        self.inner.delete()
    }
    fn name(&self) -> &'static str {
        "slow"
    }
    fn apply(&self, changes: &[Change<'_>]) -> std::io::Result<()> {
        drop(self.gate.blocking_lock());
        self.batches.lock().unwrap().push(changes.len());
        if self.fails.load(Ordering::SeqCst) {
            return Err(std::io::Error::other("no"));
        }
        self.inner.apply(changes)
    }
}

#[test]
fn waiting_counters_become_one_batch_and_failures_reach_flush() {
    let backend = Arc::new(Slow::default());
    let writer = SessionWriter::new(backend.clone());
    let [runtime, _] = runtimes();
    runtime.block_on(async {
        let closed = backend.gate.lock().await;
        for n in 1..=100 {
            writer
                .apply_update_state(UpdateStateChange::Primary {
                    pts: n,
                    date: 0,
                    seq: 0,
                })
                .await
                .unwrap();
            writer
                .apply_update_state(UpdateStateChange::Secondary { qts: n })
                .await
                .unwrap();
        }
        drop(closed);
        writer.flush().await.unwrap();
        let batches = backend.batches.lock().unwrap().clone();
        assert!(
            batches.len() <= 3 && batches.iter().sum::<usize>() <= 6,
            "{batches:?}"
        );
        let state = backend.load().unwrap().unwrap().updates_state;
        assert_eq!((state.pts, state.qts), (100, 100));

        backend.fails.store(true, Ordering::SeqCst);
        writer
            .apply_update_state(UpdateStateChange::Secondary { qts: 5 })
            .await
            .unwrap();
        assert_eq!(writer.flush().await.unwrap_err().to_string(), "no");
        backend.fails.store(false, Ordering::SeqCst);
        writer.flush().await.unwrap();
    });
}
