//! Parts of a record as values of their own: its head, and single peers.

use core::fmt;
use std::collections::{BTreeMap, HashSet};

use mtsession_core::{Account, EntryKey, List, Peer, PeerKey, SessionSource as _};

use super::{Sections, SessionRecord};
use crate::drop_in::dc::DcEntry;
use crate::drop_in::peer::CachedPeer;
use crate::drop_in::update::UpdatesStateSnap;
use crate::record::login_state::OwnedLoginState;
use crate::record::peer_names::{self, PeerNames};

/// Everything of a record but peers and their names, and how many of those there are.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionHead {
    /// The home DC; 0 when not logged in.
    pub home_dc_id: i32,
    /// The DC table, keys included.
    pub dcs: Vec<DcEntry>,
    /// The update state.
    pub updates_state: UpdatesStateSnap,
    /// The future auth token.
    pub future_auth_token: Option<Vec<u8>>,
    /// What is known of the account.
    pub account: Account,
    /// Whether the login still holds.
    pub login_state: OwnedLoginState,
    /// How many peers there are.
    pub peers: u64,
    /// How many users are known only from messages.
    pub min_peers: u64,
}

/// Wiped as a session is.
impl Drop for SessionHead {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;

        for dc in &mut self.dcs {
            dc.zeroize();
        }
        self.future_auth_token.zeroize();
    }
}

/// Hides keys and token.
impl fmt::Debug for SessionHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHead")
            .field("home_dc_id", &self.home_dc_id)
            .field("dcs", &self.dcs)
            .field("account", &self.account)
            .field("login_state", &self.login_state)
            .field("peers", &self.peers)
            .field("min_peers", &self.min_peers)
            .finish_non_exhaustive()
    }
}

/// A peer and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownPeer {
    /// The peer.
    pub peer: CachedPeer,
    /// What it is called; empty where nothing is known.
    pub names: PeerNames,
}

impl KnownPeer {
    /// A peer with its names.
    #[must_use]
    pub const fn new(peer: CachedPeer, names: PeerNames) -> Self {
        Self { peer, names }
    }
}

/// Which peer is looked for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum PeerQuery<'a> {
    /// The one with this identity.
    Key(PeerKey),
    /// The one with this username, in any case, with or without `@`.
    Username(&'a str),
    /// The user with this phone number, with or without `+`.
    Phone(&'a str),
}

impl<'a> PeerQuery<'a> {
    /// The username or phone number as it is stored.
    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Self::Key(_) => None,
            Self::Username(name) => Some(name.trim_start_matches('@')),
            Self::Phone(phone) => Some(phone.trim_start_matches('+')),
        }
    }

    /// Whether a peer with these names is meant.
    fn is_of<'n>(self, mut usernames: impl Iterator<Item = &'n str>, phone: Option<&str>) -> bool {
        let text = self.text();
        match self {
            Self::Key(_) => false,
            Self::Username(_) => {
                usernames.any(|known| text.is_some_and(|text| known.eq_ignore_ascii_case(text)))
            }
            Self::Phone(_) => phone == text,
        }
    }

    /// Whether this peer is meant.
    #[cfg(any(feature = "sqlite", feature = "libsql"))]
    pub(crate) fn is_of_known(self, known: &KnownPeer) -> bool {
        let KnownPeer { peer, names } = known;
        match self {
            Self::Key(key) => Peer::from(peer).key() == key,
            _ => self.is_of(
                names.usernames.iter().map(String::as_str),
                names.phone.as_deref(),
            ),
        }
    }
}

impl SessionRecord {
    /// Everything but peers and names, which are counted.
    #[must_use]
    pub fn head(&self) -> SessionHead {
        let count = |list| u64::try_from(self.count(list)).unwrap_or(u64::MAX);
        let session = self.session();
        SessionHead {
            home_dc_id: session.home_dc_id,
            dcs: session.dcs.clone(),
            updates_state: session.updates_state.clone(),
            future_auth_token: session.future_auth_token.clone(),
            account: self.account(),
            login_state: self.login_state().into(),
            peers: count(List::Peers),
            min_peers: count(List::MinPeers),
        }
    }

    /// The first peer that is meant.
    #[must_use]
    pub fn find_peer(&self, query: PeerQuery<'_>) -> Option<KnownPeer> {
        let position = match query {
            PeerQuery::Key(key) => self.position(EntryKey::Peer(key)),
            _ => self
                .names()
                .iter()
                .filter(|names| query.is_of(names.usernames(), names.phone))
                .find_map(|names| self.position_of_named(names.kind, names.id)),
        };
        let peer = self.session().peers.get(position?)?;
        let key = Peer::from(peer).key();
        let names = self.names().of(key.kind(), key.id());
        Some(KnownPeer {
            peer: peer.clone(),
            names: names.map_or_else(|| nameless(key), peer_names::owned),
        })
    }

    /// At most `limit` peers after this one, ascending by kind and id; of duplicates the first.
    #[must_use]
    pub fn peers_after(&self, after: Option<PeerKey>, limit: usize) -> Vec<KnownPeer> {
        let mut page: BTreeMap<PeerKey, (&CachedPeer, Option<PeerNames>)> = BTreeMap::new();
        for peer in &self.session().peers {
            let key = Peer::from(peer).key();
            // Most peers are on another page, and cost nothing but this look.
            let is_before = after.is_some_and(|after| key <= after);
            let is_full = page.len() >= limit;
            if is_before || (is_full && page.last_key_value().is_none_or(|(last, _)| key >= *last))
            {
                continue;
            }
            // Of several entries of one peer the first counts.
            page.entry(key).or_insert((peer, None));
            if page.len() > limit {
                page.pop_last();
            }
        }
        for names in self.names().iter() {
            // A community is written as a user, and is called what the user of its number is.
            for is_community in [false, true] {
                let key = PeerKey::new(names.kind, is_community, names.id);
                if let Some((_, known)) = page.get_mut(&key) {
                    *known = Some(peer_names::owned(names));
                }
            }
        }
        page.into_iter()
            .map(|(key, (peer, names))| KnownPeer {
                peer: peer.clone(),
                names: names.unwrap_or_else(|| nameless(key)),
            })
            .collect()
    }

    /// Keeps the peers for which `keep` says so, and their names.
    pub fn retain_peers(&mut self, keep: &mut dyn FnMut(&KnownPeer) -> bool) {
        let all = self.peers_after(None, usize::MAX).into_iter();
        let gone: HashSet<PeerKey> = all
            .filter(|known| !keep(known))
            .map(|known| Peer::from(&known.peer).key())
            .collect();
        if gone.is_empty() {
            return;
        }
        self.changed.insert(Sections::SESSION);
        self.session
            .peers
            .retain(|peer| !gone.contains(&Peer::from(peer).key()));
        self.index.take();
        self.leave_out_orphaned_names();
    }

    /// What peers are called, in no order.
    #[must_use]
    pub fn peer_names(&self) -> Vec<PeerNames> {
        self.names().iter().map(peer_names::owned).collect()
    }

    /// Replaces what all peers are called. Names of peers that the session does not have are left out.
    ///
    /// # Errors
    /// `InvalidInput` for more than 255 usernames of one peer, and a name of more than 65,535 bytes.
    pub fn set_peer_names(&mut self, names: &[PeerNames]) -> std::io::Result<()> {
        let names = peer_names::encode(names, self.session())?;
        self.changed.insert(Sections::NAMES);
        self.names = names.into();
        Ok(())
    }
}

/// The names of a peer of which none are known.
pub(crate) fn nameless(key: PeerKey) -> PeerNames {
    PeerNames {
        id: key.id(),
        kind: key.kind(),
        ..PeerNames::default()
    }
}
