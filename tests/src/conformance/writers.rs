//! Several who write at the same time: threads, backends, clients.

use std::sync::Arc;

use mtsession::{DcFlags, SessionBackend, UpdateStateChange};

use super::{Fixture, loaded, some_dc, user};
use crate::client::{self, Client};
use crate::random::sized;

/// Rule 6, within a process.
pub fn threads_do_not_lose_each_others_changes(fixture: &dyn Fixture) {
    if !fixture.is_atomic() {
        eprintln!("skipped: the store cannot tell writers apart");
        return;
    }
    let backend: Arc<dyn SessionBackend> = fixture.open().into();
    backend.save(&sized(2, 0, 0, 0)).unwrap();
    in_threads(|thread| {
        let backend = Arc::clone(&backend);
        move || write_own(&*backend, thread)
    });
    assert_all_there(&*backend);
}

/// Rule 6, as between processes.
pub fn two_backends_do_not_lose_each_others_changes(fixture: &dyn Fixture) {
    if !fixture.is_shared() {
        eprintln!("skipped: two backends of this kind are two stores");
        return;
    }
    fixture.open().save(&sized(2, 0, 0, 0)).unwrap();
    let backends: Vec<_> = (0..THREADS).map(|_| Arc::from(fixture.open())).collect();
    in_threads(|thread| {
        let backend: Arc<dyn SessionBackend> =
            Arc::clone(&backends[usize::try_from(thread).unwrap()]);
        move || write_own(&*backend, thread)
    });
    assert_all_there(&*fixture.open());
}

const THREADS: i64 = 4;
const WRITES: i64 = 10;

fn in_threads<F: FnOnce() + Send + 'static>(work: impl Fn(i64) -> F) {
    let threads: Vec<_> = (0..THREADS).map(|n| std::thread::spawn(work(n))).collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

/// Writes of every kind that no other thread makes.
fn write_own(backend: &dyn SessionBackend, thread: i64) {
    for n in 0..WRITES {
        let id = thread * 100 + n;
        backend.cache_peer(&user(id)).unwrap();
        backend
            .apply_update_state(UpdateStateChange::Channel { id, pts: 1 })
            .unwrap();
        if n % 5 == 0 {
            let dc_id = i32::try_from(1_000 + id).unwrap();
            backend.update_dc(&some_dc(dc_id, DcFlags::NONE)).unwrap();
        }
    }
}

fn assert_all_there(backend: &dyn SessionBackend) {
    let session = loaded(backend);
    let ids = || (0..THREADS).flat_map(|thread| (0..WRITES).map(move |n| thread * 100 + n));
    for id in ids() {
        assert!(
            session.peers.iter().any(|peer| peer.id == id),
            "peer {id} is lost"
        );
        assert_eq!(
            session.updates_state.channel_pts(id),
            1,
            "channel {id} is lost"
        );
        if id % 5 == 0 {
            let dc_id = i32::try_from(1_000 + id).unwrap();
            assert!(
                session.dcs.iter().any(|dc| dc.dc_id == dc_id),
                "DC {dc_id} is lost"
            );
        }
    }
    assert_eq!(session.peers.len(), ids().count());
}

/// Rule 6: a save that meets granular writes is before or after each of them, never in the middle.
pub fn save_beside_granular_writes_keeps_the_session_whole(fixture: &dyn Fixture) {
    if !fixture.is_atomic() {
        eprintln!("skipped: the store cannot tell writers apart");
        return;
    }
    let backend: Arc<dyn SessionBackend> = fixture.open().into();
    let base = sized(3, 10, 0, 0);
    backend.save(&base).unwrap();
    let saver = {
        let (backend, base) = (Arc::clone(&backend), base.clone());
        std::thread::spawn(move || (0..10).for_each(|_| backend.save(&base).unwrap()))
    };
    let mut last = 0;
    while !saver.is_finished() || last < 20 {
        last += 1;
        backend
            .apply_update_state(UpdateStateChange::Primary {
                pts: last,
                date: last,
                seq: last,
            })
            .unwrap();
        let state = loaded(&*backend).updates_state;
        let whole = (state.pts, state.date, state.seq);
        let saved = (
            base.updates_state.pts,
            base.updates_state.date,
            base.updates_state.seq,
        );
        assert!(whole == (last, last, last) || whole == saved, "{whole:?}");
    }
    saver.join().unwrap();
    backend
        .apply_update_state(UpdateStateChange::Secondary { qts: 31 })
        .unwrap();
    let session = loaded(&*backend);
    assert_eq!((session.dcs, session.peers), (base.dcs, base.peers));
    assert_eq!(session.updates_state.qts, 31);
}

/// A client connects, works and disconnects, on either runtime, and then connects again. Its timers
/// store at the same time, so a store that loads and saves can lose what one of them wrote: such a
/// store is for one writer.
pub fn a_client_loses_nothing(fixture: &dyn Fixture) {
    if !fixture.is_atomic() {
        eprintln!("skipped: the store cannot tell writers apart");
        return;
    }
    for runtime in client::runtimes() {
        let backend: Arc<dyn SessionBackend> = fixture.open().into();
        let known = runtime.block_on(async {
            let client = Client::connect(Arc::clone(&backend)).await;
            client.work().await;
            client.disconnect().await
        });
        drop(runtime);
        assert_eq!(backend.load().unwrap(), Some(known));
    }
}

/// Rule 7: the key was acknowledged. What was stored when the runtime stopped is not known, but it is
/// whole.
pub fn a_client_whose_runtime_goes_away_keeps_its_login(fixture: &dyn Fixture) {
    for runtime in client::runtimes() {
        let backend: Arc<dyn SessionBackend> = fixture.open().into();
        let client = runtime.block_on(async {
            let client = Client::connect(Arc::clone(&backend)).await;
            client.work().await;
            client
        });
        drop(runtime);
        let (stored, known) = (backend.load().unwrap().unwrap(), client.session());
        assert_eq!(stored.dcs.first(), known.dcs.first());
        assert!(known.dcs.starts_with(&stored.dcs));
        assert!(known.peers.starts_with(&stored.peers));
    }
}
