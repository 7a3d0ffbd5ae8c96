//! What is measured: the same code for both crates, which have the same names in `crate::api`.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::api::{
    CachedPeer, DcEntry, DcFlags, PersistedSession, SessionBackend, SqliteBackend,
    UpdateStateChange,
};

/// Two databases, with 10,000 and with 60,000 peers.
pub struct Workload {
    small: (SqliteBackend, PersistedSession),
    large: (SqliteBackend, PersistedSession),
    large_path: std::path::PathBuf,
    round: i32,
}

impl Workload {
    pub fn new(dir: &Path) -> Self {
        let open = |name: &str, peers| {
            let backend = SqliteBackend::open(dir.join(name)).expect("open");
            let session = session(peers);
            backend.save(&session).expect("save");
            (backend, session)
        };
        Self {
            small: open("small.db", 10_000),
            large: open("large.db", 60_000),
            large_path: dir.join("large.db"),
            round: 0,
        }
    }

    /// Carries an operation out that often, and says how long that took.
    pub fn run(&mut self, operation: &str, iterations: u64) -> Duration {
        let (backend, session) = &mut self.small;
        let mut total = Duration::ZERO;
        for _ in 0..iterations {
            self.round += 1;
            let round = self.round;
            let start = match operation {
                "save_100_of_10000" => {
                    for peer in session.peers.iter_mut().step_by(100) {
                        peer.access_hash += 1;
                    }
                    let start = Instant::now();
                    backend.save(session).expect("save");
                    start
                }
                "save_0_of_60000" => {
                    let start = Instant::now();
                    self.large.0.save(&self.large.1).expect("save");
                    start
                }
                "apply_update_state" => {
                    let start = Instant::now();
                    backend.apply_update_state(primary(round)).expect("apply");
                    start
                }
                "apply_32_times" => {
                    let start = Instant::now();
                    for n in 0..32 {
                        backend
                            .apply_update_state(primary(round + n))
                            .expect("apply");
                    }
                    start
                }
                "load_60000" => {
                    let start = Instant::now();
                    let loaded = self.large.0.load().expect("load").expect("a session");
                    assert_eq!(loaded.peers.len(), 60_000);
                    start
                }
                "open_and_load_60000" => {
                    let start = Instant::now();
                    let backend = SqliteBackend::open(&self.large_path).expect("open");
                    let loaded = backend.load().expect("load").expect("a session");
                    assert_eq!(loaded.peers.len(), 60_000);
                    start
                }
                other => panic!("no operation {other}"),
            };
            total += start.elapsed();
        }
        total
    }
}

pub fn primary(n: i32) -> UpdateStateChange {
    UpdateStateChange::Primary {
        pts: n,
        date: n,
        seq: n,
    }
}

fn session(peers: i64) -> PersistedSession {
    let dc = |dc_id| DcEntry {
        auth_key: Some([dc_id as u8; 256]),
        ..DcEntry::from_parts(dc_id, "149.154.167.51", 443, DcFlags::NONE)
    };
    PersistedSession {
        home_dc_id: 2,
        dcs: (1..=5).map(dc).collect(),
        peers: (1..=peers)
            .map(|id| CachedPeer {
                id,
                access_hash: id.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64),
                is_channel: id % 3 == 0,
                is_chat: false,
                channel_kind: None,
                is_community: false,
            })
            .collect(),
        ..Default::default()
    }
}
