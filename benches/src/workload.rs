//! What is asked of a backend. The same text is compiled for both crates: they have the same names, and
//! where this module is included, `super::api` is the crate that is measured.

use core::time::Duration;
use std::io;
use std::time::Instant;

use super::api::{CachedPeer, PersistedSession, SessionBackend, UpdateStateChange};

/// A backend, or why there is none.
pub type Open = io::Result<Box<dyn SessionBackend>>;

/// One backend that holds one session.
pub struct Workload {
    open: Box<dyn Fn() -> Open>,
    backend: Box<dyn SessionBackend>,
    session: PersistedSession,
    round: i32,
}

/// What some calls cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    /// How long they took together.
    pub time: Duration,
    /// Bytes that this process handed to the kernel to be written.
    pub written: u64,
}

impl Workload {
    /// Opens a backend and saves the session, given in the format that both crates read.
    pub fn new(session: &[u8], open: Box<dyn Fn() -> Open>) -> Self {
        let session = PersistedSession::from_bytes(session).expect("a session");
        let backend = open().expect("open");
        backend.save(&session).expect("save");
        Self {
            open,
            backend,
            session,
            round: 0,
        }
    }

    /// Carries an operation out that often.
    pub fn run(&mut self, operation: &str, iterations: u64) -> Took {
        let before = written();
        let time = (0..iterations).map(|_| self.once(operation)).sum();
        Took {
            time,
            written: written() - before,
        }
    }

    fn once(&mut self, operation: &str) -> Duration {
        self.round += 1;
        let round = self.round;
        let Self {
            backend, session, ..
        } = self;
        let pick = |len: usize| usize::try_from(round).expect("positive") % len;
        match operation {
            // What a client saves after some time: other counters, and one peer in a hundred.
            "save" => {
                session.updates_state.pts += 1;
                for peer in session.peers.iter_mut().step_by(100) {
                    peer.access_hash ^= i64::from(round);
                }
                timed(|| backend.save(session))
            }
            "load" => timed(|| found(backend.as_ref())),
            "open and load" => timed(|| found((self.open)()?.as_ref())),
            "apply_update_state" => timed(|| {
                backend.apply_update_state(UpdateStateChange::Primary {
                    pts: 4_211_000 + round,
                    date: 1_750_000_000 + round,
                    seq: 900,
                })
            }),
            "cache_peer" => {
                if session.peers.is_empty() {
                    session.peers.push(someone());
                }
                let at = pick(session.peers.len());
                let peer = &mut session.peers[at];
                peer.access_hash ^= i64::from(round);
                timed(|| backend.cache_peer(peer))
            }
            "update_dc" => {
                let at = pick(session.dcs.len());
                let dc = &mut session.dcs[at];
                dc.first_salt ^= i64::from(round);
                timed(|| backend.update_dc(dc))
            }
            other => panic!("no operation {other}"),
        }
    }
}

/// The first peer of a session that had none.
fn someone() -> CachedPeer {
    CachedPeer {
        id: 5_000_000_777,
        access_hash: 0,
        is_channel: false,
        is_chat: false,
        channel_kind: None,
        is_community: false,
    }
}

fn found(backend: &dyn SessionBackend) -> io::Result<()> {
    let session = backend.load()?;
    drop(session.ok_or_else(|| io::Error::other("the session is gone"))?);
    Ok(())
}

fn timed(call: impl FnOnce() -> io::Result<()>) -> Duration {
    let start = Instant::now();
    call().expect("the operation");
    start.elapsed()
}

/// What this process has written to files so far; 0 where the system does not say.
fn written() -> u64 {
    let Ok(counts) = std::fs::read_to_string("/proc/self/io") else {
        return 0;
    };
    let mut lines = counts.lines();
    let count = lines.find_map(|line| line.strip_prefix("wchar: "));
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}
