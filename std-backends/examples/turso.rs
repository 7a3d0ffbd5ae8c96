//! A session on a libSQL server: Turso, or sqld on this machine.
//!
//! ```text
//! tests/sqld.sh run 8080 &
//! LIBSQL_URL=http://127.0.0.1:8080 cargo run -p mtsession --features libsql-remote --example turso
//!
//! LIBSQL_URL=libsql://my-db.turso.io LIBSQL_AUTH_TOKEN=… cargo run -p mtsession …
//! ```

use core::time::Duration;
use std::io;

use mtsession::{
    DcEntry, DcFlags, LibSqlBackend, PersistedSession, RemoteOptions, SessionBackend,
    UpdateStateChange,
};

fn main() -> io::Result<()> {
    let url = std::env::var("LIBSQL_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let token = std::env::var("LIBSQL_AUTH_TOKEN").unwrap_or_default();
    let options = RemoteOptions::default().request_timeout(Duration::from_secs(15));
    let backend = LibSqlBackend::open_remote_account(&url, &token, "example", options)?;

    // A login: one request, stored when it returns.
    let mut dc = DcEntry::from_parts(2, "149.154.167.51", 443, DcFlags::NONE);
    dc.auth_key = Some([7; 256]);
    backend.save(&PersistedSession {
        home_dc_id: 2,
        dcs: vec![dc],
        ..Default::default()
    })?;
    // From then on: small changes, carried out once however often the network loses them.
    backend.apply_update_state(UpdateStateChange::Primary {
        pts: 5,
        date: 1_750_000_000,
        seq: 1,
    })?;
    println!("{}: accounts {:?}", backend.name(), backend.accounts()?);

    // A copy to read from, also while the server is away.
    let copy = std::env::temp_dir().join("mtsession-turso-example.db");
    let replica = LibSqlBackend::open_replica_account(&copy, &url, &token, "example", options)?;
    replica.sync()?;
    let session = replica.load()?.unwrap_or_default();
    println!(
        "{}: pts {}, {} DC",
        replica.name(),
        session.updates_state.pts,
        session.dcs.len()
    );

    backend.delete()?;
    replica.sync()?;
    println!("deleted: {:?}", replica.load()?.is_none());
    Ok(())
}
