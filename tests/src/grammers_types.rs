//! Values of grammers, in short.

use std::collections::BTreeMap;

use grammers_session::Session;
use grammers_session::types::{ChannelKind, DcOption, PeerAuth, PeerId, PeerInfo};

/// Runs a future on a runtime of its own.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.build().unwrap().block_on(future)
}

/// A DC with an address of each family.
pub fn option(id: i32, last: u8, key: Option<u8>) -> DcOption {
    DcOption {
        id,
        ipv4: format!("149.154.167.{last}:443").parse().unwrap(),
        ipv6: format!("[2001:67c:4e8:f002::{last:x}]:443")
            .parse()
            .unwrap(),
        auth_key: key.map(|byte| [byte; 256]),
    }
}

/// A user as grammers has one.
pub fn user(id: i64, hash: Option<i64>, bot: Option<bool>, is_self: Option<bool>) -> PeerInfo {
    PeerInfo::User {
        id,
        auth: hash.map(PeerAuth::from_hash),
        bot,
        is_self,
    }
}

/// A channel as grammers has one.
pub fn channel(id: i64, hash: Option<i64>, kind: Option<ChannelKind>) -> PeerInfo {
    PeerInfo::Channel {
        id,
        auth: hash.map(PeerAuth::from_hash),
        kind,
    }
}

/// What a client can see of a session.
#[derive(Debug, PartialEq)]
pub struct Seen {
    pub home: i32,
    pub options: Vec<Option<DcOption>>,
    pub peers: Vec<Option<PeerInfo>>,
    pub refs: Vec<Option<i64>>,
    pub counters: [i32; 4],
    pub channels: BTreeMap<i64, i32>,
}

/// Looks at everything.
///
/// # Errors
/// Those of the session.
pub async fn look<S: Session>(session: &S) -> Result<Seen, S::Error> {
    let mut seen = Seen {
        home: session.home_dc_id()?,
        options: Vec::new(),
        peers: Vec::new(),
        refs: Vec::new(),
        counters: [0; 4],
        channels: BTreeMap::new(),
    };
    for id in [0, 1, 2, 3, 4, 5, 6, 203, 10_002, -2] {
        seen.options.push(session.dc_option(id)?);
    }
    for id in 1..=7 {
        for peer in [PeerId::user(id), PeerId::chat(id), PeerId::channel(id)] {
            let peer = peer.unwrap();
            seen.peers.push(session.peer(peer).await?);
            let auth = session.peer_ref(peer).await?.map(|peer| peer.auth.hash());
            seen.refs.push(auth);
        }
    }
    let state = session.updates_state().await?;
    seen.counters = [state.pts, state.qts, state.date, state.seq];
    for channel in state.channels {
        let twice = seen.channels.insert(channel.id, channel.pts);
        assert_eq!(twice, None, "channel {}", channel.id);
    }
    Ok(seen)
}
