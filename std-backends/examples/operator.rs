//! An operator of many accounts: a writer for each, of which all share four threads; names, a backup, and what an
//! error means.
//!
//! ```text
//! cargo run -p mtsession --features sqlite,tokio --example operator -- sqlite:accounts.db sqlite:backup.db
//! ```
//!
//! `libsql://accounts.example.org` (feature `libsql-remote`) and `dir:accounts` do as well.

use core::time::Duration;
use std::io;

use mtsession::{
    LoginState, Outcome, PersistedSession, SessionBackendExt, StoreError, StoreErrorKind,
    StoreOptions, UpdateStateChange,
};

/// Has a thousand accounts in a store log in and count updates; gives their number in the backup.
pub(crate) async fn run(address: &str, backup: &str) -> io::Result<usize> {
    let token = std::env::var("LIBSQL_AUTH_TOKEN");
    let options = StoreOptions::new().deadline(Duration::from_secs(10));
    let store = match token {
        Ok(token) => options.auth_token(token).open(address)?,
        Err(_) => options.open(address)?,
    };
    for number in 1..=1_000 {
        let session = PersistedSession {
            home_dc_id: 2,
            ..PersistedSession::default()
        };
        store.backend(&format!("bot-{number:04}"))?.save(&session)?;
    }
    let writers: io::Result<Vec<_>> = store
        .names()?
        .iter()
        .map(|name| store.writer(name))
        .collect();
    let writers = writers?;
    for writer in &writers {
        let change = UpdateStateChange::Secondary { qts: 1 };
        writer.apply_update_state(change).await?;
    }
    for writer in &writers {
        writer.flush().await?;
    }
    drop(writers);
    store.rename("bot-0001", "first")?;
    store.delete("bot-0002")?;
    store.backup(backup)?;

    // Telegram says that this login is over.
    let revoked = LoginState::Revoked {
        at: 1_750_000_000,
        error: "AUTH_KEY_UNREGISTERED",
    };
    if let Err(error) = store.backend("bot-0003")?.set_login_state(revoked) {
        match StoreError::of(&error).map(|error| (error.kind(), error.outcome())) {
            Some((_, Outcome::Unknown)) => println!("look before the next change: {error}"),
            Some((StoreErrorKind::Unreachable | StoreErrorKind::Contended, _)) => {
                println!("nothing was changed, try again later: {error}");
            }
            _ => return Err(error),
        }
    }
    Ok(mtsession::Store::open(backup)?.names()?.len())
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: &str| arguments.next().unwrap_or(default.to_owned());
    let (address, backup) = (next("sqlite:accounts.db"), next("sqlite:backup.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let kept = runtime.block_on(run(&address, &backup))?;
    println!("{kept} accounts in {backup}");
    Ok(())
}
