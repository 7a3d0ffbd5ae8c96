//! What a store holds, as one value that is moved whole.

mod index;
mod known;
pub(crate) mod login_state;
mod names_store;
pub(crate) mod peer_names;
pub(crate) mod prune;
mod room;
mod sections;
mod source;

use core::sync::atomic::{AtomicU32, Ordering};
use std::io;
use std::sync::OnceLock;

use mtsession_core::wire::encode_to_vec;
use mtsession_core::{
    Account, AuthKeyRef, Change, DecodeErrorKind, EntryKey, PeerKey, PeerKind, PlainFile,
    SessionMut as _, SessionSource, SessionView, TailEnd,
};
use zeroize::Zeroizing;

use self::index::Index;
use self::names_store::NamesStore;
use crate::backends::file::Newer;
use crate::drop_in::session::PersistedSession;
use crate::record::login_state::OwnedLoginState;

#[cfg(any(feature = "sqlite", feature = "libsql"))]
pub(crate) use self::known::nameless;
pub use self::known::{KnownPeer, PeerQuery, SessionHead};
pub(crate) use self::room::{TooLong, check};
pub use self::sections::{Keeps, Sections};

/// Searches that are made in place before an index is built: building one costs about as much as
/// this many searches.
const SEARCHES_IN_PLACE: u32 = 32;

/// What a store holds, as one value: a session, what is known of its account, what its peers are called, and
/// whether its login still holds. Wiped on drop.
///
/// A backend of your own that keeps a session as bytes needs nothing else: read them, change them, write
/// them. Where the place can replace bytes under a condition, [`BlobStore`](crate::blob::BlobStore) is less.
///
/// **Account, names and login state belong to the auth key that was the home DC's when they were stored**:
/// see [`set_session`](Self::set_session).
///
/// ```
/// use mtsession::codec::SessionSource as _;
/// use mtsession::{Account, Change, PersistedSession, SessionRecord};
///
/// let mut record = SessionRecord::from(PersistedSession { home_dc_id: 2, ..Default::default() });
/// let account = Account { is_bot: Some(true), ..Default::default() };
/// record.apply_all(&[Change::HomeDc(4), Change::Account(account)])?;
///
/// let read = SessionRecord::from_bytes(&record.to_bytes()?)?;
/// assert_eq!(read.account(), account);
/// assert_eq!(read.into_session().home_dc_id, 4);
/// # Ok::<(), std::io::Error>(())
/// ```
// Replaying a tail or caching a peer looks peers up by identity. Without an index that is one pass
// over the cache for each, and a hostile or merely long journal would cost the square of its length.
#[derive(Debug, Default)]
pub struct SessionRecord {
    session: Zeroizing<PersistedSession>,
    account: Account,
    login: OwnedLoginState,
    names: NamesStore,
    /// What differs from the store that it was read from. Of a record that was read from no store:
    /// everything.
    changed: Sections,
    /// Whether there is something that it was read from.
    origin: Origin,
    searches: AtomicU32,
    index: OnceLock<Index>,
}

/// Where a record comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Origin {
    /// The program made it: all of it counts as changed.
    #[default]
    Made,
    /// A store had it.
    Read,
    /// A store had nothing.
    Nothing,
}

/// A record of its own: put in the place of another one, all of it counts as changed.
impl Clone for SessionRecord {
    fn clone(&self) -> Self {
        Self {
            session: Zeroizing::new(self.session().clone()),
            account: self.account,
            login: self.login.clone(),
            names: self.names.clone(),
            ..Self::default()
        }
    }
}

/// Whether both hold the same, wherever they come from.
impl PartialEq for SessionRecord {
    fn eq(&self, other: &Self) -> bool {
        self.session() == other.session()
            && self.account == other.account
            && self.login == other.login
            && self.names == other.names
    }
}

impl From<PersistedSession> for SessionRecord {
    fn from(session: PersistedSession) -> Self {
        Self {
            session: Zeroizing::new(session),
            ..Self::default()
        }
    }
}

/// What it needs in memory.
#[cfg(any(feature = "sqlite", feature = "libsql"))]
impl SessionRecord {
    /// About as many bytes; names are left out, which no database keeps in memory.
    pub(crate) fn memory(&self) -> usize {
        fn list<T>(list: &Vec<T>) -> usize {
            list.capacity().saturating_mul(size_of::<T>())
        }

        let session = self.session();
        let addresses = session.dcs.iter().map(|dc| dc.addr.capacity());
        let lists = [
            size_of::<Self>(),
            list(&session.dcs),
            list(&session.updates_state.channels),
            list(&session.peers),
            list(&session.min_peers),
            self.index.get().map_or(0, Index::memory),
        ];
        lists.into_iter().chain(addresses).sum()
    }
}

impl SessionRecord {
    /// Decodes what [`to_bytes`](Self::to_bytes) made, and session files of every version.
    ///
    /// # Errors
    /// `InvalidData` with a [`DecodeError`](mtsession_core::DecodeError) inside, which says which
    /// field, where and why.
    pub fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        match SessionView::parse(bytes) {
            Err(error) if error.kind == DecodeErrorKind::HasChanges => Self::with_changes(bytes),
            parsed => Ok(Self::copy_of(&parsed?)),
        }
    }

    /// A session file whose snapshot is followed by changes.
    fn with_changes(bytes: &[u8]) -> io::Result<Self> {
        let file = PlainFile::parse(bytes)?;
        let mut record = Self::copy_of(&file.snapshot());
        let mut batches = file.tail().batches();
        for batch in batches.by_ref() {
            let changes: Vec<_> = batch.collect();
            record.replay(&changes);
        }
        match file.tail().end() {
            TailEnd::Newer { .. } => Err(Newer.into()),
            TailEnd::Whole | TailEnd::Torn | TailEnd::Damaged => Ok(record),
        }
    }

    /// The bytes of a session file: version 8 with a checksummed trailer.
    ///
    /// # Errors
    /// `InvalidInput` for what no session file can hold.
    pub fn to_bytes(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(encode_to_vec(self)?))
    }

    /// Whether it stands for a store that has no session yet, as in a closure of
    /// [`SessionBackend::update`](crate::SessionBackend::update).
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.origin == Origin::Nothing
    }

    /// What was changed since the record was read from its store: everything, of one that was not.
    #[must_use]
    pub fn changed(&self) -> Sections {
        match self.origin {
            Origin::Made => Sections::ALL,
            Origin::Read | Origin::Nothing => self.changed,
        }
    }

    /// The record of a store, or one for a store that has none, before anything in it is changed: what
    /// [`SessionBackend::update`](crate::SessionBackend::update) gives to its closure.
    #[must_use]
    pub fn of_store(stored: Option<Self>) -> Self {
        let origin = match stored {
            Some(_) => Origin::Read,
            None => Origin::Nothing,
        };
        Self {
            changed: Sections::NONE,
            origin,
            ..stored.unwrap_or_default()
        }
    }

    /// The session itself.
    #[must_use]
    pub fn session(&self) -> &PersistedSession {
        &self.session
    }

    /// Replaces the session. Account, login state and the names of the peers that stay are kept as long as
    /// the session still has the auth key that was the home DC's: a login that moves to another DC keeps its
    /// old entry. Without it, or without a key of its own home DC, the session is another login, of which
    /// nothing is known.
    ///
    /// ```
    /// use mtsession::codec::SessionSource as _;
    /// use mtsession::{Account, Change, DcEntry, DcFlags, PersistedSession, SessionRecord};
    ///
    /// let login = |key| PersistedSession {
    ///     home_dc_id: 2,
    ///     dcs: vec![DcEntry {
    ///         auth_key: Some([key; 256]),
    ///         ..DcEntry::from_parts(2, "149.154.167.51", 443, DcFlags::NONE)
    ///     }],
    ///     ..Default::default()
    /// };
    /// let mut record = SessionRecord::from(login(7));
    /// record.apply_all(&[Change::Account(Account::user(777_000))])?;
    /// record.set_session(login(7));
    /// assert_eq!(record.account().user_id, Some(777_000));
    /// record.set_session(login(8));
    /// assert_eq!(record.account().user_id, None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_session(&mut self, session: PersistedSession) {
        self.changed.insert(Sections::SESSION);
        let is_same_login = is_login_of(home_key(&*self.session), &session);
        self.session = Zeroizing::new(session);
        if is_same_login {
            self.leave_out_orphaned_names();
        } else {
            self.changed = Sections::ALL;
            self.account = Account::default();
            self.login = OwnedLoginState::default();
            self.names = NamesStore::default();
        }
        self.index.take();
        *self.searches.get_mut() = 0;
    }

    /// Names belong to their peers: those of peers that the session does not have go.
    fn leave_out_orphaned_names(&mut self) {
        if self.names().is_empty() {
            return;
        }
        let kept = peer_names::kept_by(self.names(), &*self.session);
        if kept.as_names() != self.names() {
            self.changed.insert(Sections::NAMES);
            self.names = kept.into();
        }
    }

    /// A copy of any session.
    pub(crate) fn copy_of(source: &impl SessionSource) -> Self {
        let mut record = Self::default();
        let Ok(()) = record.copy_from(source);
        record
    }

    /// Carries out a batch, all of it or, if the result could not be encoded, nothing.
    ///
    /// # Errors
    /// [`TooLong`](mtsession_core::EncodeError::TooLong), which becomes an `io::Error` of the kind `InvalidInput`.
    pub fn apply_all(&mut self, changes: &[Change<'_>]) -> Result<(), TooLong> {
        self.check_room(changes)?;
        self.replay(changes);
        Ok(())
    }

    /// Carries out changes that were checked before.
    pub(crate) fn replay(&mut self, changes: &[Change<'_>]) {
        for change in changes {
            let Ok(()) = self.apply(change);
        }
    }

    /// The session itself; the rest is wiped.
    #[must_use]
    pub fn into_session(mut self) -> PersistedSession {
        core::mem::take(&mut *self.session)
    }

    /// Where the peer is that names of this kind and id are of.
    fn position_of_named(&self, kind: PeerKind, id: i64) -> Option<usize> {
        [false, true].into_iter().find_map(|is_community| {
            let key = PeerKey::new(kind, is_community, id);
            self.position(EntryKey::Peer(key))
        })
    }

    fn index(&self) -> Option<&Index> {
        // Exact enough for several threads, and never back to 0 in a lifetime.
        let searches = self.searches.fetch_add(1, Ordering::Relaxed);
        if searches < SEARCHES_IN_PLACE {
            return None;
        }
        Some(self.index.get_or_init(|| Index::of(&self.session)))
    }
}

/// The auth key of the home DC.
pub(crate) fn home_key(session: &impl SessionSource) -> Option<AuthKeyRef<'_>> {
    let home = session.home_dc_id();
    session
        .dcs()
        .find_map(|dc| dc.auth_key.filter(|_| dc.dc_id == home))
}

/// Whether what belongs to the login with this key, or was stored before there was a key, is true of
/// `session`.
pub(crate) fn is_login_of(key: Option<AuthKeyRef<'_>>, session: &impl SessionSource) -> bool {
    let Some(key) = key else {
        return true;
    };
    home_key(session).is_some() && session.dcs().any(|dc| dc.auth_key == Some(key))
}
