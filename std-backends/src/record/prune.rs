//! Leaving a bounded number of peers.

use std::collections::{HashMap, HashSet};

use mtsession_core::{Change, EntryKey, List, NamesOf, PeerKey, PeerKind, SessionSource as _};

use super::{Sections, SessionRecord};
use crate::store::PeerLimits;

/// How many peers of each kind were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// Users.
    pub users: usize,
    /// Channels.
    pub channels: usize,
    /// Chats.
    pub chats: usize,
    /// Users that are known only from messages.
    pub min_peers: usize,
}

/// The kinds of entries that have a limit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Channel,
    Chat,
    MinPeer,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::User, Self::Channel, Self::Chat, Self::MinPeer];

    pub(crate) fn of(key: EntryKey) -> Option<Self> {
        match key {
            EntryKey::Peer(key) => Some(match key.kind() {
                PeerKind::User => Self::User,
                PeerKind::Channel => Self::Channel,
                PeerKind::Chat => Self::Chat,
            }),
            EntryKey::MinPeer(_) => Some(Self::MinPeer),
            _ => None,
        }
    }

    pub(crate) fn limit(self, limits: PeerLimits) -> Option<usize> {
        let limit = match self {
            Self::User => limits.users,
            Self::Channel => limits.channels,
            Self::Chat => limits.chats,
            Self::MinPeer => limits.min_peers,
        }?;
        Some(usize::try_from(limit).unwrap_or(usize::MAX))
    }
}

/// What goes, and what moves to the end of its list instead, because it was used.
#[derive(Default)]
pub(crate) struct Leaving {
    pub(crate) gone: Vec<EntryKey>,
    moved: Vec<EntryKey>,
}

impl Leaving {
    /// Of a record that has more entries of a kind than `room` says, so many that the rest is as many as `keep`
    /// says. The oldest go first, and those that `is_used` only where nothing else is left.
    pub(crate) fn of(
        record: &SessionRecord,
        named: &[PeerKey],
        room: impl Fn(Kind) -> Option<usize>,
        keep: impl Fn(usize) -> usize,
        is_used: impl Fn(EntryKey) -> bool,
    ) -> Self {
        let protected = protected(record, named);
        let mut leaving = Self::default();
        for kind in Kind::ALL {
            let Some(limit) = room(kind) else {
                continue;
            };
            let entries = entries(record, kind);
            if entries.len() <= limit {
                continue;
            }
            let excess = entries.len().saturating_sub(keep(limit));
            let free = entries.into_iter().filter(|key| !protected.contains(key));
            let (mut gone, mut used) = (Vec::new(), Vec::new());
            for key in free {
                if gone.len() == excess {
                    break;
                }
                if is_used(key) {
                    used.push(key);
                } else {
                    gone.push(key);
                }
            }
            let missing = excess.saturating_sub(gone.len()).min(used.len());
            gone.extend(used.drain(..missing));
            leaving.gone.extend(gone);
            leaving.moved.extend(used);
        }
        leaving
    }

    /// The changes that do it, in addition to those that made the record what it is.
    pub(crate) fn changes<'r>(&self, record: &'r SessionRecord) -> Vec<Change<'r>> {
        let names: HashMap<(PeerKind, i64), NamesOf<'r>> = if self.moved.is_empty() {
            HashMap::new()
        } else {
            let names = record.names().iter();
            names.map(|names| ((names.kind, names.id), names)).collect()
        };
        let mut changes: Vec<_> = self.gone.iter().copied().map(Change::Forget).collect();
        for key in &self.moved {
            let Some(position) = record.position(*key) else {
                continue;
            };
            let Some(entry) = record.get(key.list(), position) else {
                continue;
            };
            changes.extend([Change::Forget(*key), entry]);
            if let EntryKey::Peer(peer) = key
                && let Some(names) = names.get(&(peer.kind(), peer.id()))
            {
                changes.push(Change::Names(*names));
            }
        }
        changes
    }
}

/// The entries of one kind in the order of their list, each once.
fn entries(record: &SessionRecord, kind: Kind) -> Vec<EntryKey> {
    let list = match kind {
        Kind::MinPeer => List::MinPeers,
        _ => List::Peers,
    };
    let mut seen = HashSet::new();
    (0..record.count(list))
        .filter_map(|position| record.get(list, position)?.key())
        .filter(|key| Kind::of(*key) == Some(kind) && seen.insert(*key))
        .collect()
}

/// The account itself, channels whose updates are followed, and what the caller has named.
fn protected(record: &SessionRecord, named: &[PeerKey]) -> HashSet<EntryKey> {
    let both = |kind, id| [false, true].map(|is_community| PeerKey::new(kind, is_community, id));
    let own = record.account().user_id;
    let own_peers = own.into_iter().flat_map(|id| both(PeerKind::User, id));
    let channels = record.channels();
    let channels = channels.flat_map(|channel| both(PeerKind::Channel, channel.id));
    own_peers
        .chain(channels)
        .chain(named.iter().copied())
        .map(EntryKey::Peer)
        .chain(own.map(EntryKey::MinPeer))
        .collect()
}

impl SessionRecord {
    /// Leaves at most so many peers of each kind, those that were stored last, and says how many went. The account
    /// itself, channels with a pts and the peers that are `named` stay in any case; names go with their peers.
    ///
    /// ```
    /// use mtsession::codec::{Peer, SessionMut};
    /// use mtsession::{Account, PeerLimits, SessionRecord};
    ///
    /// let mut record = SessionRecord::default();
    /// for id in 1..=10 {
    ///     record.push_peer(Peer::user(id, 0))?;
    /// }
    /// record.set_account(Account::user(1));
    /// let pruned = record.prune(PeerLimits::default().users(4), &[]);
    /// assert_eq!(pruned.users, 6);
    /// let left: Vec<_> = record.session().peers.iter().map(|peer| peer.id).collect();
    /// assert_eq!(left, [1, 8, 9, 10]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prune(&mut self, limits: PeerLimits, named: &[PeerKey]) -> Pruned {
        self.leave(limits, named, |_| false)
    }

    /// The same, sparing those that were used.
    pub(crate) fn leave(
        &mut self,
        limits: PeerLimits,
        named: &[PeerKey],
        is_used: impl Fn(EntryKey) -> bool,
    ) -> Pruned {
        let room = |kind: Kind| kind.limit(limits);
        let Leaving { gone, .. } = Leaving::of(self, named, room, |limit| limit, is_used);
        let count = |kind| {
            gone.iter()
                .filter(|key| Kind::of(**key) == Some(kind))
                .count()
        };
        let pruned = Pruned {
            users: count(Kind::User),
            channels: count(Kind::Channel),
            chats: count(Kind::Chat),
            min_peers: count(Kind::MinPeer),
        };
        let gone: HashSet<EntryKey> = gone.into_iter().collect();
        if gone.len() > pruned.min_peers {
            self.retain_peers(&mut |known| {
                let key = mtsession_core::Peer::from(&known.peer).key();
                !gone.contains(&EntryKey::Peer(key))
            });
        }
        if pruned.min_peers > 0 {
            self.changed.insert(Sections::SESSION);
            self.index.take();
            let stays = |id| !gone.contains(&EntryKey::MinPeer(id));
            self.session.min_peers.retain(|peer| stays(peer.user_id));
        }
        pruned
    }
}
