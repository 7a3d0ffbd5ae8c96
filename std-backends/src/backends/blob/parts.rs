//! A session in two parts: its lists of peers, and all the rest.

use mtsession_core::{Change, EntryKey, SessionSource, forward_session_source};

use crate::drop_in::session::PersistedSession;
use crate::record::SessionRecord;

/// The session of `rest` with the peers, min peers and names of `lists`.
pub(super) struct Joined<R, L> {
    pub(super) rest: R,
    pub(super) lists: L,
}

impl<R: SessionSource, L: SessionSource> SessionSource for Joined<R, L> {
    forward_session_source!(self => self.rest;
        home_dc_id counters account login_state future_auth_token dcs channels);
    forward_session_source!(self => self.lists; names peers packed_peers min_peers);
}

/// A session without its lists.
pub(super) fn without_lists(record: &SessionRecord) -> impl SessionSource {
    Joined {
        rest: record,
        lists: PersistedSession::default(),
    }
}

/// The lists of a session, in one that is empty otherwise.
pub(super) fn lists_of(record: &SessionRecord) -> impl SessionSource {
    Joined {
        rest: PersistedSession::default(),
        lists: record,
    }
}

/// What a change makes of the lists.
pub(super) enum ListChange {
    /// They are as they were.
    None,
    /// These changes were made, encoded one after the other.
    Some(Vec<u8>),
    /// They are others.
    All,
}

/// Whether a change is one of the lists.
pub(super) const fn is_of_lists(change: &Change<'_>) -> bool {
    matches!(
        change,
        Change::Peer(_)
            | Change::MinPeer(_)
            | Change::Names(_)
            | Change::Forget(EntryKey::Peer(_) | EntryKey::MinPeer(_))
    )
}

/// Whether two sessions have the same peers and min peers.
pub(super) fn have_same_peers(one: &PersistedSession, other: &PersistedSession) -> bool {
    one.peers == other.peers && one.min_peers == other.min_peers
}
