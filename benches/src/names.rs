//! The names of many peers on their way into a database.

use std::io;
use std::path::Path;

use cpu_time::ProcessTime;
use mtsession::{
    CachedPeer, LibSqlBackend, PeerNames, PersistedSession, SessionBackend, SessionBackendExt as _,
    SqliteBackend,
};

use crate::OURS;
use crate::figures::{Figures, unit};

/// The area of these figures.
pub const AREA: &str = "names of peers, processor time";

/// How many peers there are, each with a name.
pub const SIZE: &str = "300,000";
const PEERS: i64 = 300_000;

/// What is done, one after the other.
pub const STEPS: [&str; 3] = ["store", "store again", "read"];

/// The databases.
pub const STORES: [&str; 2] = ["SQLite", "libSQL file"];

/// Measures once each: the steps take seconds, and processor time hardly varies.
///
/// # Errors
/// Of the stores.
pub fn measure() -> io::Result<Figures> {
    let mut figures = Figures::default();
    let dir = tempfile::tempdir()?;
    for store in STORES {
        let path = dir
            .path()
            .join(store.replace(' ', "-"))
            .with_extension("db");
        let times = measure_store(&*open(store, &path)?)?;
        for (step, nanoseconds) in STEPS.into_iter().zip(times) {
            let key = [
                AREA,
                &format!("{store}, {step}"),
                SIZE,
                OURS,
                unit::NANOSECONDS,
            ];
            figures.put(key, nanoseconds);
        }
    }
    Ok(figures)
}

fn open(store: &str, path: &Path) -> io::Result<Box<dyn SessionBackend>> {
    Ok(if store == "SQLite" {
        Box::new(SqliteBackend::open(path)?)
    } else {
        Box::new(LibSqlBackend::open_local(path)?)
    })
}

fn measure_store(backend: &dyn SessionBackend) -> io::Result<[f64; 3]> {
    let peers = (1..=PEERS).map(|id| CachedPeer {
        id,
        access_hash: id.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64),
        is_channel: false,
        is_chat: false,
        channel_kind: None,
        is_community: false,
    });
    let session = PersistedSession {
        peers: peers.collect(),
        ..PersistedSession::default()
    };
    let names: Vec<_> = (1..=PEERS)
        .map(|id| PeerNames {
            id,
            usernames: vec![format!("user_number_{id}")],
            ..PeerNames::default()
        })
        .collect();
    backend.save(&session)?;
    let store = timed(|| backend.set_peer_names(&names))?;
    let again = timed(|| backend.set_peer_names(&names))?;
    let mut found = Vec::new();
    let read = timed(|| {
        found = backend.peer_names()?;
        Ok(())
    })?;
    assert_eq!(found.len(), names.len());
    Ok([store, again, read])
}

fn timed(step: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
    let start = ProcessTime::try_now()?;
    step()?;
    Ok(start.try_elapsed()?.as_nanos() as f64)
}
