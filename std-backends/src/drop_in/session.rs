//! The drop-in session.

use core::convert::Infallible;
use core::fmt;
use std::io;
use std::path::Path;

use mtsession_core::Certain as _;
use mtsession_core::text::{Base64Sink, decode_any, encoded_text_len};
use mtsession_core::wire::{PackedPeer, Sink, encode_to_vec, encoded_len};
use mtsession_core::{
    Account, Change, ChannelPts, Counters, DcRef, DcSlot, EntryKey, List, LoginState, MinPeer,
    Names, NamesOf, Peer, SessionMut, SessionSource, SessionView, UpdateChange,
};
use zeroize::{Zeroize, Zeroizing};

use crate::backend::SessionBackend;
use crate::backends::file::BinaryFileBackend;
use crate::drop_in::dc::DcEntry;
use crate::drop_in::peer::{CachedMinPeer, CachedPeer};
use crate::drop_in::update::UpdatesStateSnap;
use crate::record::TooLong;
use crate::secret_bytes::SecretBytes;

/// A whole session.
///
/// The fields are those of `ferogram-session` 0.6.6; more about the account is kept in addition
/// ([`SessionRecord`](crate::SessionRecord)).
///
/// `Debug` hides keys and token. **`Display` is the session string**, that is, the account itself:
/// prefer [`to_session_string`](Self::to_session_string), which wipes what it returns.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PersistedSession {
    /// The DC that the account lives on; 0 when not logged in.
    pub home_dc_id: i32,
    /// The DC table.
    #[cfg_attr(feature = "serde", serde(default))]
    pub dcs: Vec<DcEntry>,
    /// The update state.
    #[cfg_attr(feature = "serde", serde(default))]
    pub updates_state: UpdatesStateSnap,
    /// The peer cache.
    #[cfg_attr(feature = "serde", serde(default))]
    pub peers: Vec<CachedPeer>,
    /// The contexts of users known only from messages.
    #[cfg_attr(feature = "serde", serde(default))]
    pub min_peers: Vec<CachedMinPeer>,
    /// The token that lets a logged-out account log in again without a code.
    #[cfg_attr(feature = "serde", serde(default))]
    pub future_auth_token: Option<Vec<u8>>,
}

impl PersistedSession {
    /// The session encoded as version 8 with a checksummed trailer, which older readers ignore.
    ///
    /// What no file can hold (more than 255 DC entries, an address of more than 255 bytes, a token of
    /// more than 65,535) encodes to nothing, which every reader refuses; use
    /// [`try_to_bytes`](Self::try_to_bytes) to learn which it is.
    ///
    /// ```
    /// use mtsession::PersistedSession;
    ///
    /// let session = PersistedSession { home_dc_id: 2, ..Default::default() };
    /// assert_eq!(PersistedSession::from_bytes(&session.to_bytes())?, session);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.try_to_bytes().unwrap_or_default()
    }

    /// Like [`to_bytes`](Self::to_bytes), but says what does not fit.
    ///
    /// # Errors
    /// `InvalidInput` with an [`TooLong`](mtsession_core::EncodeError::TooLong) inside.
    pub fn try_to_bytes(&self) -> io::Result<Vec<u8>> {
        Ok(encode_to_vec(self)?)
    }

    /// Decodes any version, with or without trailer.
    ///
    /// # Errors
    /// `InvalidData` with a [`DecodeError`](mtsession_core::DecodeError) inside, which says which
    /// field, where and why.
    pub fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        Ok(Self::copy_of(&SessionView::parse(bytes)?))
    }

    /// Decodes a session string: native or compact, in whatever it was pasted with.
    ///
    /// # Errors
    /// `InvalidData` with a [`DecodeError`](mtsession_core::DecodeError) inside.
    pub fn from_string(text: &str) -> io::Result<Self> {
        let mut buffer = SecretBytes::zeros(text.len());
        Ok(Self::copy_of(&decode_any(text, &mut buffer)?))
    }

    /// The native session string, wiped when dropped.
    ///
    /// # Errors
    /// As [`try_to_bytes`](Self::try_to_bytes).
    pub fn to_session_string(&self) -> io::Result<Zeroizing<String>> {
        Ok(encode_to_string(self)?)
    }

    /// Saves to a file as [`BinaryFileBackend`] does.
    ///
    /// # Errors
    /// As [`SessionBackend::save`].
    pub fn save(&self, path: &Path) -> io::Result<()> {
        BinaryFileBackend::new(path).save(self)
    }

    /// Loads from a file as [`BinaryFileBackend`] does.
    ///
    /// # Errors
    /// As [`SessionBackend::load`]; `NotFound` when there is no file.
    pub fn load(path: &Path) -> io::Result<Self> {
        BinaryFileBackend::new(path).load()?.ok_or_else(|| {
            let message = format!("no session at {}", path.display());
            io::Error::new(io::ErrorKind::NotFound, message)
        })
    }

    /// The entry to connect to `dc_id` with: of the preferred address family if there is one, else
    /// the first. Media-only and CDN entries are never chosen.
    #[must_use]
    pub fn dc_for(&self, dc_id: i32, prefer_ipv6: bool) -> Option<&DcEntry> {
        let chosen = SessionSource::dc_for(self, dc_id, prefer_ipv6)?;
        self.dcs.iter().find(|dc| dc.as_dc_ref() == chosen)
    }

    /// Every entry of `dc_id`, of any kind.
    pub fn all_dcs_for(&self, dc_id: i32) -> impl Iterator<Item = &DcEntry> {
        self.dcs.iter().filter(move |dc| dc.dc_id == dc_id)
    }

    /// Counts what the session holds.
    ///
    /// ```
    /// use mtsession::PersistedSession;
    ///
    /// let session = PersistedSession::default();
    /// let stats = session.stats();
    /// assert_eq!((stats.peers_total, stats.approx_bytes), (0, session.to_bytes().len()));
    /// ```
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        let stats = SessionSource::stats(self);
        SessionStats {
            home_dc_id: self.home_dc_id,
            dcs_total: stats.dcs,
            dcs_with_auth_key: stats.dcs_with_auth_key,
            peers_total: stats.peers,
            peers_users: stats.users,
            peers_channels: stats.peer_channels,
            peers_chats: stats.chats,
            peers_communities: stats.communities,
            min_peers: stats.min_peers,
            channel_pts_entries: stats.channels,
            updates_initialised: self.updates_state.is_initialised(),
            approx_bytes: encoded_len(self).unwrap_or_default(),
        }
    }

    /// A copy of any session.
    pub(crate) fn copy_of(source: &impl SessionSource) -> Self {
        let mut session = Self::default();
        let Ok(()) = session.copy_from(source);
        session
    }
}

/// Makes room for more entries. A vector that grows by itself leaves its keys where it was.
fn move_wiping(dcs: &mut Vec<DcEntry>) {
    const LEAST: usize = 4;

    let capacity = dcs.len().saturating_mul(2).max(LEAST);
    let mut moved = Vec::with_capacity(capacity);
    moved.extend(dcs.iter().cloned());
    for entry in dcs.iter_mut() {
        entry.zeroize();
    }
    *dcs = moved;
}

/// Why the characters of a string are text.
const ASCII: &str = "base64 is ASCII";

/// Encodes any session as a native string.
pub(crate) fn encode_to_string<S: SessionSource>(source: &S) -> Result<Zeroizing<String>, TooLong> {
    let bytes = SecretBytes::from(encode_to_vec(source)?);
    let mut text = Vec::with_capacity(encoded_text_len(bytes.len()));
    let Ok(()) = write_base64(&bytes, &mut text);
    Ok(Zeroizing::new(String::from_utf8(text).certain(ASCII)))
}

/// Writes bytes as the characters of a string. Encoding a session into memory first takes less time
/// than gathering its fields for the sink.
fn write_base64<W: Sink>(bytes: &[u8], sink: &mut W) -> Result<(), W::Error> {
    let mut base64 = Base64Sink::new(sink);
    base64.write(bytes)?;
    base64.finish()
}

/// What a [`PersistedSession`] holds; made by [`PersistedSession::stats`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStats {
    /// The home DC.
    pub home_dc_id: i32,
    /// DC entries; IPv4, IPv6 and media entries of one DC count each.
    pub dcs_total: usize,
    /// DC entries with an auth key.
    pub dcs_with_auth_key: usize,
    /// All cached peers: the sum of the next four.
    pub peers_total: usize,
    /// Cached users.
    pub peers_users: usize,
    /// Cached channels and supergroups.
    pub peers_channels: usize,
    /// Cached basic groups.
    pub peers_chats: usize,
    /// Cached communities, which older releases counted as users.
    pub peers_communities: usize,
    /// Users known only from messages: what makes sessions grow.
    pub min_peers: usize,
    /// Channels with a known pts.
    pub channel_pts_entries: usize,
    /// Whether a real update state was ever stored.
    pub updates_initialised: bool,
    /// Size in bytes of [`PersistedSession::to_bytes`], computed without encoding.
    pub approx_bytes: usize,
}

impl SessionSource for PersistedSession {
    fn home_dc_id(&self) -> i32 {
        self.home_dc_id
    }

    fn counters(&self) -> Counters {
        self.updates_state.counters()
    }

    /// Nothing: see [`SessionRecord`](crate::SessionRecord).
    fn account(&self) -> Account {
        Account::default()
    }

    /// Active: see [`SessionRecord`](crate::SessionRecord).
    fn login_state(&self) -> LoginState<'_> {
        LoginState::Active
    }

    /// None: see [`SessionRecord`](crate::SessionRecord).
    fn names(&self) -> Names<'_> {
        Names::NONE
    }

    fn future_auth_token(&self) -> Option<&[u8]> {
        self.future_auth_token.as_deref()
    }

    fn dcs(&self) -> impl ExactSizeIterator<Item = DcRef<'_>> {
        self.dcs.iter().map(DcEntry::as_dc_ref)
    }

    fn channels(&self) -> impl ExactSizeIterator<Item = ChannelPts> {
        let channels = self.updates_state.channels.iter();
        channels.map(|&(id, pts)| ChannelPts { id, pts })
    }

    fn peers(&self) -> impl ExactSizeIterator<Item = Peer> {
        self.peers.iter().map(Peer::from)
    }

    fn packed_peers(&self) -> impl ExactSizeIterator<Item = PackedPeer> {
        self.peers.iter().map(PackedPeer::from)
    }

    fn min_peers(&self) -> impl ExactSizeIterator<Item = MinPeer> {
        self.min_peers.iter().map(MinPeer::from)
    }

    fn get(&self, list: List, position: usize) -> Option<Change<'_>> {
        Some(match list {
            List::Singles => return self.single(position),
            List::Dcs => Change::Dc(self.dcs.get(position)?.as_dc_ref()),
            List::Channels => {
                let &(id, pts) = self.updates_state.channels.get(position)?;
                Change::from(ChannelPts { id, pts })
            }
            List::Peers => Change::Peer(self.peers.get(position)?.into()),
            List::MinPeers => Change::MinPeer(self.min_peers.get(position)?.into()),
            _ => return None,
        })
    }
}

impl SessionMut for PersistedSession {
    type Error = Infallible;

    fn reset(&mut self) {
        self.zeroize();
    }

    fn reserve(&mut self, source: &impl SessionSource) {
        self.dcs.reserve(source.dcs().len());
        self.updates_state.channels.reserve(source.channels().len());
        self.peers.reserve(source.peers().len());
        self.min_peers.reserve(source.min_peers().len());
    }

    fn set_home_dc_id(&mut self, dc_id: i32) {
        self.home_dc_id = dc_id;
    }

    fn set_counters(&mut self, counters: Counters) {
        self.updates_state.set_counters(counters);
    }

    /// Has no place for it.
    fn set_account(&mut self, _: Account) {}

    /// Has no place for it.
    fn set_login_state(&mut self, _: LoginState<'_>) -> Result<(), Infallible> {
        Ok(())
    }

    /// Has no place for them.
    fn set_names(&mut self, _: Names<'_>) {}

    /// Has no place for them.
    fn put_names(&mut self, _: &NamesOf<'_>) {}

    fn set_future_auth_token(&mut self, token: Option<&[u8]>) -> Result<(), Infallible> {
        self.future_auth_token.zeroize();
        self.future_auth_token = token.map(<[u8]>::to_vec);
        Ok(())
    }

    fn set_at(&mut self, position: usize, change: &Change<'_>) -> Result<(), Infallible> {
        match change {
            Change::Dc(dc) => {
                while self.dcs.len() < position {
                    self.push_dc(&DcRef::EMPTY)?;
                }
                match self.dcs.get_mut(position) {
                    Some(known) => known.replace_by(dc),
                    None => self.push_dc(dc)?,
                }
            }
            Change::Update(
                UpdateChange::Channel { id, pts } | UpdateChange::PushChannel { id, pts },
            ) => {
                let channels = &mut self.updates_state.channels;
                set_in(channels, position, (*id, *pts), (0, 0));
            }
            Change::Peer(peer) => {
                let empty = CachedPeer::from(Peer::default());
                set_in(&mut self.peers, position, CachedPeer::from(*peer), empty);
            }
            Change::MinPeer(min_peer) => {
                let empty = CachedMinPeer::from(MinPeer::default());
                let min_peer = CachedMinPeer::from(*min_peer);
                set_in(&mut self.min_peers, position, min_peer, empty);
            }
            Change::HomeDc(_)
            | Change::Update(_)
            | Change::FutureAuthToken(_)
            | Change::Account(_)
            | Change::LoginState(_) => self.apply(change)?,
            _ => {}
        }
        Ok(())
    }

    fn forget(&mut self, key: EntryKey) -> bool {
        let before = self.count(key.list());
        match key {
            EntryKey::Dc(slot) => {
                while let Some(position) = self.position(EntryKey::Dc(slot)) {
                    remove_wiping(&mut self.dcs, position);
                }
            }
            EntryKey::Channel(id) => self.updates_state.channels.retain(|known| known.0 != id),
            EntryKey::Peer(key) => self.peers.retain(|known| Peer::from(known).key() != key),
            EntryKey::MinPeer(id) => self.min_peers.retain(|known| known.user_id != id),
            _ => return false,
        }
        self.count(key.list()) < before
    }

    fn clear(&mut self, list: List) {
        match list {
            List::Singles => {
                self.home_dc_id = 0;
                self.updates_state.set_counters(Counters::default());
                self.future_auth_token.zeroize();
                self.future_auth_token = None;
            }
            List::Dcs => {
                for dc in &mut self.dcs {
                    dc.zeroize();
                }
                self.dcs.clear();
            }
            List::Channels => self.updates_state.channels.clear(),
            List::Peers => self.peers.clear(),
            List::MinPeers => self.min_peers.clear(),
            _ => {}
        }
    }

    #[inline]
    fn push_dc(&mut self, dc: &DcRef<'_>) -> Result<(), Infallible> {
        if self.dcs.len() == self.dcs.capacity() {
            move_wiping(&mut self.dcs);
        }
        self.dcs.push(DcEntry::from(dc));
        Ok(())
    }

    fn push_channel(&mut self, channel: ChannelPts) -> Result<(), Infallible> {
        self.updates_state.channels.push((channel.id, channel.pts));
        Ok(())
    }

    fn push_peer(&mut self, peer: Peer) -> Result<(), Infallible> {
        self.peers.push(CachedPeer::from(peer));
        Ok(())
    }

    fn extend_peers(
        &mut self,
        peers: impl ExactSizeIterator<Item = Peer>,
    ) -> Result<(), Infallible> {
        self.peers.reserve(peers.len());
        peers.for_each(|peer| self.peers.push(CachedPeer::from(peer)));
        Ok(())
    }

    fn push_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Infallible> {
        self.min_peers.push(CachedMinPeer::from(min_peer));
        Ok(())
    }

    fn put_salt(&mut self, slot: DcSlot, first_salt: i64, time_offset: i32) {
        let entry = self.dcs.iter_mut().find(|dc| dc.as_dc_ref().slot() == slot);
        if let Some(dc) = entry {
            dc.first_salt = first_salt;
            dc.time_offset = time_offset;
        }
    }
}

/// Removes an entry. Entries are moved by swapping, so that no copy of a key is left after the last one.
fn remove_wiping(dcs: &mut Vec<DcEntry>, position: usize) {
    if let Some(rest) = dcs.get_mut(position..)
        && let Some(entry) = rest.first_mut()
    {
        entry.zeroize();
        rest.rotate_left(1);
        dcs.pop();
    }
}

/// Stores an item at a position that the list grows to.
fn set_in<T: Clone>(list: &mut Vec<T>, position: usize, item: T, empty: T) {
    if list.len() < position {
        list.resize(position, empty);
    }
    match list.get_mut(position) {
        Some(known) => *known = item,
        None => list.push(item),
    }
}

impl Zeroize for PersistedSession {
    /// Wipes keys and token, and forgets the rest: afterwards the session is the default one.
    fn zeroize(&mut self) {
        for dc in &mut self.dcs {
            dc.zeroize();
        }
        self.future_auth_token.zeroize();
        *self = Self::default();
    }
}

/// Hides keys and token.
impl fmt::Debug for PersistedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.future_auth_token.as_ref().map(|_| "[redacted]");
        f.debug_struct("PersistedSession")
            .field("home_dc_id", &self.home_dc_id)
            .field("dcs", &self.dcs)
            .field("updates_state", &self.updates_state)
            .field("peers", &self.peers)
            .field("min_peers", &self.min_peers)
            .field("future_auth_token", &token)
            .finish()
    }
}

/// Writes the **session string**: anyone who reads it owns the account. Nothing is written for a session
/// that no string can hold; see [`PersistedSession::to_bytes`].
impl fmt::Display for PersistedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct ToFormatter<'f, 'b>(&'f mut fmt::Formatter<'b>);

        impl Sink for ToFormatter<'_, '_> {
            type Error = fmt::Error;

            fn write(&mut self, bytes: &[u8]) -> fmt::Result {
                self.0.write_str(str::from_utf8(bytes).certain(ASCII))
            }
        }

        match encode_to_vec(self) {
            Ok(bytes) => write_base64(&SecretBytes::from(bytes), &mut ToFormatter(f)),
            Err(_) => Ok(()),
        }
    }
}
