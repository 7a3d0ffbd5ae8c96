//! What peers are called: kept in addition to the session by the backends that have room for it.

use std::collections::HashSet;

use mtsession_core::{Names, NamesBuf, NamesOf, PeerKind, SessionSource};

use crate::record::TooLong;

/// The names of a peer.
///
/// Files, databases and memory have room for them: see
/// [`set_peer_names`](crate::SessionBackendExt::set_peer_names).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerNames {
    /// Bare id of the peer.
    pub id: i64,
    /// What the peer is; ids of different kinds may be equal.
    pub kind: PeerKind,
    /// Usernames, the first one being the main one.
    pub usernames: Vec<String>,
    /// Phone number: digits without `+`.
    pub phone: Option<String>,
    /// Full name of a user, title of a chat or channel.
    pub title: Option<String>,
}

impl PeerNames {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.usernames.is_empty() && self.phone.is_none() && self.title.is_none()
    }
}

/// The identities of all peers.
fn peers_of(session: &impl SessionSource) -> HashSet<(PeerKind, i64)> {
    session.peers().map(|peer| (peer.kind, peer.id)).collect()
}

/// Encodes the names of those peers that `session` has.
pub(crate) fn encode(
    names: &[PeerNames],
    session: &impl SessionSource,
) -> Result<NamesBuf, TooLong> {
    let peers = peers_of(session);
    let mut encoded = NamesBuf::new();
    let is_kept = |names: &&PeerNames| !names.is_empty() && peers.contains(&(names.kind, names.id));
    for names in names.iter().filter(is_kept) {
        let record = NamesOf::new(names.id, names.kind)
            .with_phone(names.phone.as_deref())
            .with_title(names.title.as_deref());
        encoded.push(&record, names.usernames.iter().map(String::as_str))?;
    }
    Ok(encoded)
}

/// The names of a peer as a value.
pub(crate) fn owned(names: NamesOf<'_>) -> PeerNames {
    PeerNames {
        id: names.id,
        kind: names.kind,
        usernames: names.usernames().map(str::to_owned).collect(),
        phone: names.phone.map(str::to_owned),
        title: names.title.map(str::to_owned),
    }
}

/// What is left of `names` in a store whose session becomes `session`.
pub(crate) fn kept_by(names: Names<'_>, session: &impl SessionSource) -> NamesBuf {
    let mut kept = NamesBuf::from(names);
    if !names.is_empty() {
        let peers = peers_of(session);
        kept.retain(|names| peers.contains(&(names.kind, names.id)));
    }
    kept
}

/// Whether a peer of `old` is not in `new`.
#[cfg(any(feature = "sqlite", feature = "libsql"))]
pub(crate) fn loses_peers(old: &impl SessionSource, new: &impl SessionSource) -> bool {
    if old.peers().eq(new.peers()) {
        return false;
    }
    let peers = peers_of(new);
    old.peers()
        .any(|peer| !peers.contains(&(peer.kind, peer.id)))
}
