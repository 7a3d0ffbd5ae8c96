//! An async client: one atomic login, queued counters, one look-up. Any executor will do.
//!
//! ```text
//! cargo run -p mtsession --features sqlite,tokio --example async_client -- sqlite:accounts.db#alice
//! ```

use std::io;

use mtsession::codec::{DcRef, Peer};
use mtsession::{
    Account, CachedPeer, Change, PeerNames, SessionBackendExt, SessionWriter, UpdateStateChange,
    connect,
};

/// What an update of Telegram says of a user.
fn bob() -> PeerNames {
    PeerNames {
        id: 5,
        usernames: vec!["bob".to_owned()],
        ..PeerNames::default()
    }
}

/// Logs in to the account that `address` names; gives the id of the user `bob`.
pub(crate) async fn run(address: &str) -> io::Result<Option<i64>> {
    let writer = SessionWriter::new(connect(address)?);
    writer
        .run(|backend| {
            let dc = DcRef::new(2, "149.154.167.51:443").with_key(&[7; 256]);
            let me = Account::user(777_000);
            // All of it is stored, or nothing.
            backend.apply(&[Change::Dc(dc), Change::HomeDc(2), Change::Account(me)])
        })
        .await?;
    // These return as soon as they are in the queue.
    let primary = UpdateStateChange::Primary {
        pts: 10,
        date: 1_750_000_000,
        seq: 1,
    };
    writer.apply_update_state(primary).await?;
    writer
        .cache_peer(CachedPeer::from(Peer::user(5, 7)))
        .await?;
    writer
        .run(|backend| backend.set_peer_names(&[bob()]))
        .await?;
    let found = writer
        .run(|backend| backend.peer_by_username("@Bob"))
        .await?;
    writer.flush().await?;
    Ok(found.map(|known| known.peer.id))
}

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or("sqlite:accounts.db#alice".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    println!("bob is {:?}", runtime.block_on(run(&address))?);
    Ok(())
}
