//! How many peers are kept.

/// How many peers a store keeps of each kind; those that were not used for longest go first. No limit where
/// none is given.
///
/// For [`StoreOptions::limits`](crate::StoreOptions::limits) and [`SessionRecord::prune`](crate::SessionRecord::prune);
/// [`retain_peers`](crate::SessionBackend::retain_peers) removes peers by a rule of one's own.
///
/// ```
/// let limits = mtsession::PeerLimits::default().users(5_000).min_peers(0);
/// assert_eq!((limits.users, limits.channels, limits.min_peers), (Some(5_000), None, Some(0)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerLimits {
    /// Users.
    pub users: Option<u32>,
    /// Channels.
    pub channels: Option<u32>,
    /// Chats.
    pub chats: Option<u32>,
    /// Users that are known only from messages.
    pub min_peers: Option<u32>,
}

impl PeerLimits {
    /// At most this many users.
    #[must_use]
    pub const fn users(self, limit: u32) -> Self {
        Self {
            users: Some(limit),
            ..self
        }
    }

    /// At most this many channels.
    #[must_use]
    pub const fn channels(self, limit: u32) -> Self {
        Self {
            channels: Some(limit),
            ..self
        }
    }

    /// At most this many chats.
    #[must_use]
    pub const fn chats(self, limit: u32) -> Self {
        Self {
            chats: Some(limit),
            ..self
        }
    }

    /// At most this many users that are known only from messages.
    #[must_use]
    pub const fn min_peers(self, limit: u32) -> Self {
        Self {
            min_peers: Some(limit),
            ..self
        }
    }
}
