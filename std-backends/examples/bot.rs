//! A bot on the names of `ferogram-session`: not one line differs from a program for that crate.
//!
//! ```text
//! cargo run -p mtsession --example bot -- bot.session
//! ```

use std::io;
use std::path::Path;

use mtsession::{
    BinaryFileBackend, DcEntry, DcFlags, PersistedSession, SessionBackend, UpdateStateChange,
};

/// Logs in where there is no session yet, and counts the updates of one run.
pub(crate) fn run(path: &Path) -> io::Result<PersistedSession> {
    let backend: Box<dyn SessionBackend> = Box::new(BinaryFileBackend::new(path));
    if backend.load()?.is_none() {
        let dc = DcEntry {
            dc_id: 2,
            addr: "149.154.167.51:443".to_owned(),
            // What the key exchange with Telegram gives.
            auth_key: Some([7; 256]),
            first_salt: 0,
            time_offset: 0,
            flags: DcFlags::NONE,
        };
        backend.save(&PersistedSession {
            home_dc_id: 2,
            dcs: vec![dc],
            ..PersistedSession::default()
        })?;
    }
    let before = backend.load()?.unwrap_or_default().updates_state;
    backend.apply_update_state(UpdateStateChange::Primary {
        pts: before.pts.saturating_add(1),
        date: 1_750_000_000,
        seq: before.seq.saturating_add(1),
    })?;
    backend.apply_update_state(UpdateStateChange::Secondary { qts: 5 })?;
    Ok(backend.load()?.unwrap_or_default())
}

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or("bot.session".to_owned());
    let session = run(Path::new(&path))?;
    println!("{path}: {} updates seen", session.updates_state.pts);
    Ok(())
}
