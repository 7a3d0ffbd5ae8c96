//! A client like `ferogram` 0.6.6, as far as its store can tell: who calls what, from where, and what
//! runs at the same time.
//!
//! `connect` loads inside a runtime. One timer stores the counters at every tick, another the whole
//! session at every twelfth, both by `spawn_blocking` and neither waiting for the other, and both
//! once more at shutdown, at the same time. Ticks are sent instead of slept for.

use std::sync::{Arc, Mutex};

use mtsession::{
    CachedPeer, DcEntry, DcFlags, PersistedSession, SessionBackend, UpdateStateChange,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::random::key_of;

/// Ticks of a connection, so that the whole session is stored several times.
const TICKS: i32 = 40;
const TICKS_PER_SAVE: i32 = 12;

/// The runtimes that clients run on.
pub fn runtimes() -> [Runtime; 2] {
    let multi_thread = Builder::new_multi_thread().worker_threads(2).build();
    let current_thread = Builder::new_current_thread().build();
    [current_thread.unwrap(), multi_thread.unwrap()]
}

/// A connected client.
pub struct Client {
    backend: Arc<dyn SessionBackend>,
    /// What the client knows, which is ahead of its store.
    session: Arc<Mutex<PersistedSession>>,
    shutdown: watch::Sender<bool>,
    timers: Vec<Timer>,
}

struct Timer {
    ticks: mpsc::Sender<()>,
    task: JoinHandle<()>,
}

impl Client {
    /// Loads the session, logs in if there is none, and starts the timers.
    pub async fn connect(backend: Arc<dyn SessionBackend>) -> Self {
        let session = backend.load().unwrap().unwrap_or_else(|| PersistedSession {
            home_dc_id: 2,
            ..PersistedSession::default()
        });
        let (shutdown, is_shutdown) = watch::channel(false);
        let mut client = Self {
            backend,
            session: Arc::new(Mutex::new(session)),
            shutdown,
            timers: Vec::new(),
        };
        if client.session().dcs.is_empty() {
            client.negotiate_key(2);
            store(&client.backend, client.session(), save).await;
        }
        client.timers = [store_counters as Job, save_and_store_counters]
            .map(|job| client.start_timer(job, is_shutdown.clone()))
            .into();
        client
    }

    fn start_timer(&self, job: Job, mut is_shutdown: watch::Receiver<bool>) -> Timer {
        let (backend, session) = (Arc::clone(&self.backend), Arc::clone(&self.session));
        let (ticks, mut ticked) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            loop {
                let is_last = tokio::select! {
                    biased;
                    _ = is_shutdown.wait_for(|is_shutdown| *is_shutdown) => true,
                    tick = ticked.recv() => tick.is_none(),
                };
                let session = session.lock().unwrap().clone();
                store(&backend, session, job).await;
                if is_last {
                    return;
                }
            }
        });
        Timer { ticks, task }
    }

    /// What the client knows now.
    pub fn session(&self) -> PersistedSession {
        self.session.lock().unwrap().clone()
    }

    fn negotiate_key(&self, dc_id: i32) {
        self.session.lock().unwrap().dcs.push(DcEntry {
            auth_key: Some(key_of(dc_id as u8)),
            ..DcEntry::from_parts(dc_id, "149.154.167.51", 443, DcFlags::NONE)
        });
    }

    /// Receives updates, and lets the timers tick for each.
    pub async fn work(&self) {
        for tick in 1..=TICKS {
            self.receive();
            for (timer, every) in self.timers.iter().zip([1, TICKS_PER_SAVE]) {
                if tick % every == 0 {
                    timer.ticks.send(()).await.unwrap();
                }
            }
            if tick == TICKS / 2 {
                self.negotiate_key(4);
            }
        }
    }

    fn receive(&self) {
        let mut session = self.session.lock().unwrap();
        let state = &mut session.updates_state;
        state.pts += 3;
        state.qts += 1;
        state.date += 60;
        state.seq += 2;
        let pts = state.pts;
        state.set_channel_pts(i64::from(pts % 7), pts);
        session.peers.push(CachedPeer {
            id: i64::from(pts),
            access_hash: -i64::from(pts),
            is_channel: false,
            is_chat: false,
            channel_kind: None,
            is_community: false,
        });
    }

    /// Stops both timers at the same time, each of which stores for the last time.
    pub async fn disconnect(self) -> PersistedSession {
        self.shutdown.send(true).unwrap();
        for timer in self.timers {
            timer.task.await.unwrap();
        }
        let session = self.session.lock().unwrap();
        session.clone()
    }
}

type Job = fn(&dyn SessionBackend, &PersistedSession);

async fn store(backend: &Arc<dyn SessionBackend>, session: PersistedSession, job: Job) {
    let backend = Arc::clone(backend);
    spawn_blocking(move || job(&*backend, &session))
        .await
        .unwrap();
}

fn save(backend: &dyn SessionBackend, session: &PersistedSession) {
    backend.save(session).unwrap();
}

fn store_counters(backend: &dyn SessionBackend, session: &PersistedSession) {
    let state = &session.updates_state;
    let (pts, date, seq, qts) = (state.pts, state.date, state.seq, state.qts);
    for change in [
        UpdateStateChange::Primary { pts, date, seq },
        UpdateStateChange::Secondary { qts },
    ] {
        backend.apply_update_state(change).unwrap();
    }
}

fn save_and_store_counters(backend: &dyn SessionBackend, session: &PersistedSession) {
    save(backend, session);
    store_counters(backend, session);
}
