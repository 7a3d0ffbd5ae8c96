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
    Address, DcEntry, DcFlags, Location, PersistedSession, StoreOptions, UpdateStateChange,
};

fn main() -> io::Result<()> {
    let url = std::env::var("LIBSQL_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let token = std::env::var("LIBSQL_AUTH_TOKEN").unwrap_or_default();
    let address = Address::from(Location::Server(url));
    let options = StoreOptions::new()
        .auth_token(token)
        .deadline(Duration::from_secs(15));
    let store = options.clone().open(&address)?;
    let backend = store.backend("example")?;

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
    println!("{}: accounts {:?}", backend.name(), store.names()?);

    // A copy to read from, also while the server is away. It is brought up to date when it is connected to.
    let copy = std::env::temp_dir().join("mtsession-turso-example.db");
    let replica = options.replica(&copy).open(&address)?;
    let there = replica.backend("example")?;
    let session = there.load()?.unwrap_or_default();
    println!(
        "{}: pts {}, {} DC",
        there.name(),
        session.updates_state.pts,
        session.dcs.len()
    );

    store.delete("example")?;
    let there = replica.backend("example")?;
    println!("deleted: {:?}", there.load()?.is_none());
    Ok(())
}
