//! The unit of granular updates, of the file journal and of the flash log.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::counters::{ChannelPts, Counters};
use crate::dc::{DcRef, DcSlot};
use crate::entry::EntryKey;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError, Field};
use crate::login_state::LoginState;
use crate::names::NamesOf;
use crate::peer::{MinPeer, Peer};

/// One change of a session, carried out by [`SessionMut::apply`](crate::SessionMut::apply).
///
/// Encoded with [postcard](https://postcard.jamesmunns.com/wire-format): variants by their position
/// here, structs by the order of their fields.
///
/// ```
/// use mtsession_core::{Change, UpdateChange};
///
/// let change = Change::Update(UpdateChange::Secondary { qts: 3 });
/// let mut buffer = [0; 16];
/// let bytes = change.encode(&mut buffer)?;
/// assert_eq!(bytes, [2, 2, 6]);
/// assert_eq!(Change::decode(bytes), Ok((change, &[][..])));
/// # Ok::<(), mtsession_core::EncodeError<mtsession_core::wire::SliceFull>>(())
/// ```
// The order of variants and of the fields in them is a disk format. Variants are only ever added at the
// end, and a new field is a new variant.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Change<'a> {
    /// The account moved to another DC, or logged in.
    HomeDc(i32),
    /// A DC entry is new or changed.
    #[serde(borrow)]
    Dc(DcRef<'a>),
    /// The update counters moved.
    Update(UpdateChange),
    /// A peer is new or changed.
    Peer(Peer),
    /// A user was seen in a message.
    MinPeer(MinPeer),
    /// The future auth token was given out, or is used up.
    FutureAuthToken(#[serde(borrow)] Option<&'a [u8]>),
    /// Something was learnt about the account.
    Account(Account),
    /// What one peer is called, in place of what was known; none at all removes its names. Left out
    /// where the session does not have the peer.
    Names(#[serde(borrow)] NamesOf<'a>),
    /// Whether the login still holds.
    LoginState(#[serde(borrow)] LoginState<'a>),
    /// The salt and the clock of a DC entry moved, its key and address did not. Left out where there is
    /// no such entry.
    Salt {
        /// Which entry.
        dc: DcSlot,
        /// See [`DcRef::first_salt`].
        first_salt: i64,
        /// See [`DcRef::time_offset`].
        time_offset: i32,
    },
    /// An entry is removed from its list, and with a peer its names.
    Forget(EntryKey),
}

/// A change of the update counters.
// The order of variants and of the fields in them is a disk format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UpdateChange {
    /// All four counters at once.
    Counters(Counters),
    /// The message box moved.
    Primary {
        /// See [`Counters::pts`].
        pts: i32,
        /// See [`Counters::date`].
        date: i32,
        /// See [`Counters::seq`].
        seq: i32,
    },
    /// The secondary box moved.
    Secondary {
        /// See [`Counters::qts`].
        qts: i32,
    },
    /// A channel's box moved.
    Channel {
        /// Bare channel id.
        id: i64,
        /// See [`ChannelPts::pts`](crate::ChannelPts::pts).
        pts: i32,
    },
    /// Every channel's pts is forgotten; first step of replacing them all.
    ClearChannels,
    /// A channel is appended, even if it is known: the next steps of replacing them all.
    PushChannel {
        /// Bare channel id.
        id: i64,
        /// See [`ChannelPts::pts`](crate::ChannelPts::pts).
        pts: i32,
    },
}

impl UpdateChange {
    /// The counters after this change: the one update rule of every store. Values are taken as they
    /// come; they may go down.
    ///
    /// ```
    /// use mtsession_core::{Counters, UpdateChange};
    ///
    /// let known = Counters { pts: 9, qts: 4, ..Counters::default() };
    /// let update = UpdateChange::Primary { pts: 8, date: 7, seq: 6 };
    /// assert_eq!(update.counters_after(known), Counters { pts: 8, qts: 4, date: 7, seq: 6 });
    /// ```
    #[must_use]
    pub const fn counters_after(&self, known: Counters) -> Counters {
        match *self {
            Self::Counters(counters) => counters,
            Self::Primary { pts, date, seq } => Counters {
                pts,
                date,
                seq,
                ..known
            },
            Self::Secondary { qts } => Counters { qts, ..known },
            Self::Channel { .. } | Self::ClearChannels | Self::PushChannel { .. } => known,
        }
    }
}

impl<'a> Change<'a> {
    /// How many variants this release knows: the first number that only a newer one writes.
    const KNOWN: u32 = 11;

    /// The identity of the entry that the change stores; `None` for a change that is not of an entry, or
    /// that only appends.
    #[must_use]
    pub const fn key(&self) -> Option<EntryKey> {
        Some(match self {
            Self::Dc(dc) => EntryKey::Dc(dc.slot()),
            Self::Salt { dc, .. } => EntryKey::Dc(*dc),
            Self::Peer(peer) => EntryKey::Peer(peer.key()),
            Self::MinPeer(min_peer) => EntryKey::MinPeer(min_peer.user_id),
            Self::Update(UpdateChange::Channel { id, .. }) => EntryKey::Channel(*id),
            Self::Forget(key) => *key,
            _ => return None,
        })
    }

    /// Whether carrying the change out twice is the same as once: everything but
    /// [`PushChannel`](UpdateChange::PushChannel).
    #[must_use]
    pub const fn is_idempotent(&self) -> bool {
        !matches!(self, Self::Update(UpdateChange::PushChannel { .. }))
    }

    /// Encodes into `buffer` and returns the part that was used.
    ///
    /// # Errors
    /// [`EncodeError::Sink`] when the buffer is too small.
    pub fn encode<'b>(
        &self,
        buffer: &'b mut [u8],
    ) -> Result<&'b mut [u8], EncodeError<crate::wire::SliceFull>> {
        postcard::to_slice(self, buffer).map_err(|_| EncodeError::Sink(crate::wire::SliceFull))
    }

    /// Decodes one change from the start of `bytes`; also returns what follows it.
    ///
    /// # Errors
    /// [`DecodeErrorKind::NewerChange`] for a variant that only a newer release knows;
    /// [`DecodeErrorKind::Change`] for anything else that is not a change: cut short, an auth key that is
    /// not 256 bytes, text that is not UTF-8.
    pub fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), DecodeError> {
        postcard::take_from_bytes(bytes).map_err(|_| {
            let kind = match postcard::take_from_bytes(bytes) {
                Ok((number @ Self::KNOWN.., _)) => DecodeErrorKind::NewerChange(number),
                _ => DecodeErrorKind::Change,
            };
            DecodeError::new(kind, Field::Change, 0)
        })
    }
}

impl fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HomeDc(dc_id) => f.debug_tuple("HomeDc").field(dc_id).finish(),
            Self::Dc(dc) => f.debug_tuple("Dc").field(dc).finish(),
            Self::Update(update) => f.debug_tuple("Update").field(update).finish(),
            Self::Peer(peer) => f.debug_tuple("Peer").field(peer).finish(),
            Self::MinPeer(min_peer) => f.debug_tuple("MinPeer").field(min_peer).finish(),
            Self::FutureAuthToken(token) => {
                let length = token.map(<[u8]>::len);
                write!(f, "FutureAuthToken([redacted], {length:?} bytes)")
            }
            Self::Account(account) => f.debug_tuple("Account").field(account).finish(),
            Self::Names(names) => f.debug_tuple("Names").field(names).finish(),
            Self::LoginState(state) => f.debug_tuple("LoginState").field(state).finish(),
            Self::Salt { dc, .. } => f.debug_tuple("Salt").field(dc).finish(),
            Self::Forget(key) => f.debug_tuple("Forget").field(key).finish(),
        }
    }
}

impl From<ChannelPts> for Change<'_> {
    fn from(ChannelPts { id, pts }: ChannelPts) -> Self {
        Self::Update(UpdateChange::Channel { id, pts })
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Change<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::HomeDc(dc_id) => defmt::write!(f, "HomeDc({=i32})", *dc_id),
            Self::Dc(dc) => defmt::write!(f, "Dc({})", dc),
            Self::Update(update) => defmt::write!(f, "Update({})", update),
            Self::Peer(peer) => defmt::write!(f, "Peer({})", peer),
            Self::MinPeer(min_peer) => defmt::write!(f, "MinPeer({})", min_peer),
            Self::FutureAuthToken(_) => defmt::write!(f, "FutureAuthToken([redacted])"),
            Self::Account(account) => defmt::write!(f, "Account({})", account),
            Self::Names(names) => defmt::write!(f, "Names({=i64})", names.id),
            Self::LoginState(state) => defmt::write!(f, "LoginState({})", state),
            Self::Salt { dc, .. } => defmt::write!(f, "Salt({})", dc),
            Self::Forget(key) => defmt::write!(f, "Forget({})", key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth_key::AuthKeyRef;
    use crate::dc::DcFlags;
    use crate::peer::{ChannelKind, PeerKind};

    #[test]
    fn every_variant_survives_and_keeps_its_number() {
        let key = [9; 256];
        let changes = [
            (0, Change::HomeDc(-2)),
            (
                1,
                Change::Dc(DcRef {
                    dc_id: 2,
                    addr: "149.154.167.51:443",
                    auth_key: Some(AuthKeyRef::new(&key)),
                    first_salt: i64::MIN,
                    time_offset: -3,
                    flags: DcFlags::STATIC,
                }),
            ),
            (2, Change::Update(UpdateChange::ClearChannels)),
            (
                3,
                Change::Peer(Peer {
                    id: 1,
                    access_hash: -1,
                    kind: PeerKind::Channel,
                    channel_kind: Some(ChannelKind::Gigagroup),
                    is_community: true,
                }),
            ),
            (4, Change::MinPeer(MinPeer::default())),
            (5, Change::FutureAuthToken(Some(&[1, 2, 3]))),
            (6, Change::Account(Account::default())),
        ];
        for (number, change) in changes {
            let mut buffer = [0; 300];
            let bytes = change.encode(&mut buffer).unwrap();
            assert_eq!(bytes[0], number);
            assert_eq!(Change::decode(bytes), Ok((change, &[][..])));
            for cut in 0..bytes.len() {
                assert!(Change::decode(&bytes[..cut]).is_err());
            }
        }
    }
}
