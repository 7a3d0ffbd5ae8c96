//! The one decoder: a session read in place, whatever version it was written in.

use core::fmt;

use super::dcs::Dcs;
use super::layout::{
    CHANNEL_LEN, CURRENT, HAS_MIN_PEERS, HAS_STATE, HAS_TOKEN, MAX_LONG, MIN_PEER_LEN, PEER_LEN,
    peer_len,
};
use super::reader::Reader;
use super::records::{Record, Records};
use super::session_file;
use super::trailer::{self, Trailer};
use crate::account::Account;
use crate::counters::{ChannelPts, Counters};
use crate::dc::DcRef;
use crate::error::{DecodeError, DecodeErrorKind, Field, Foreign};
use crate::login_state::LoginState;
use crate::names::Names;
use crate::peer::{MinPeer, Peer};
use crate::source::SessionSource;

/// Whether a session's bytes could be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Integrity {
    /// A trailer's checksum covers every byte, and holds.
    Checksummed,
    /// Written by a release without trailers: only the structure could be checked.
    StructureOnly,
}

/// What tells the writes of one owner of a store from those of another one: random, new for each ownership.
pub type FencingToken = [u8; 16];

/// A session in its encoded form, version 1 to 8, with or without trailer.
///
/// [`parse`](Self::parse) checks everything once; reading it afterwards cannot fail, copies nothing
/// and allocates nothing. The cost of parsing does not depend on the number of peers, except for the
/// checksum where there is a trailer.
///
/// ```
/// use mtsession_core::{SessionSource, SessionView};
///
/// // Written by a release of 2025: a version byte, then home DC 5 and nothing else.
/// let mut bytes = [0; 29];
/// bytes[..2].copy_from_slice(&[8, 5]);
/// let view = SessionView::parse(&bytes)?;
/// assert_eq!((view.version(), view.home_dc_id()), (8, 5));
/// # Ok::<(), mtsession_core::DecodeError>(())
/// ```
#[derive(Clone, Copy)]
pub struct SessionView<'a> {
    version: u8,
    integrity: Integrity,
    home_dc_id: i32,
    counters: Counters,
    account: Account,
    login_state: LoginState<'a>,
    owner: Option<&'a FencingToken>,
    token: Option<&'a [u8]>,
    dcs: Dcs<'a>,
    channels: Records<'a, ChannelPts>,
    peers: Records<'a, Peer>,
    min_peers: Records<'a, MinPeer>,
    names: Names<'a>,
}

impl<'a> SessionView<'a> {
    /// The session that `input` begins with, and its bytes; what follows it is not looked at.
    pub(super) fn parse_first(input: &'a [u8]) -> Result<(Self, &'a [u8]), DecodeError> {
        match Self::parse_bytes(input, Extent::First) {
            Err(error) if error.kind == DecodeErrorKind::TrailingBytes => {
                let bytes = input.get(..error.offset).ok_or(error)?;
                Self::parse_bytes(bytes, Extent::All).map(|view| (view, bytes))
            }
            parsed => parsed.map(|view| (view, input)),
        }
    }

    /// See [`parse`](Self::parse).
    pub(super) fn parse_bytes(input: &'a [u8], extent: Extent) -> Result<Self, DecodeError> {
        let Some(&first) = input.first() else {
            return Err(DecodeError::new(DecodeErrorKind::Empty, Field::Version, 0));
        };
        let looks_like_v1 = match input {
            [_, 0, 0, 0] | [_, 0, 0, 0, 0] => true,
            // A footer ends what this library wrote, and version 1 it never wrote.
            [_, 0, 0, 0, dc_count, ..] => {
                *dc_count != 0 && !trailer::has_footer(input) && !extent.has_tail(input)
            }
            _ => false,
        };
        if (HAS_STATE..=CURRENT).contains(&first) && !looks_like_v1 {
            return Self::parse_versioned(input, first, extent);
        }
        Self::parse_v1(input).map_err(|error| {
            if looks_like_v1 && first != 0 {
                error
            } else {
                unknown(input, first)
            }
        })
    }

    fn parse_v1(input: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(input);
        let view = Self {
            version: 1,
            integrity: Integrity::StructureOnly,
            home_dc_id: reader.i32(Field::HomeDcId)?,
            counters: Counters::default(),
            account: Account::default(),
            login_state: LoginState::Active,
            owner: None,
            token: None,
            dcs: Dcs::read(&mut reader, 1)?,
            channels: Records::EMPTY,
            peers: Records::EMPTY,
            min_peers: Records::EMPTY,
            names: Names::NONE,
        };
        if !reader.rest().is_empty() {
            return Err(reader.error(DecodeErrorKind::TrailingBytes, Field::Trailer));
        }
        Ok(view)
    }

    fn parse_versioned(input: &'a [u8], version: u8, extent: Extent) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(input);
        reader.u8(Field::Version)?;
        let home_dc_id = reader.i32(Field::HomeDcId)?;
        let dcs = Dcs::read(&mut reader, version)?;
        let counters = counters(&mut reader)?;
        let channels = list(
            &mut reader,
            Field::ChannelCount,
            Field::Channels,
            CHANNEL_LEN,
        )?;
        let peer_len = peer_len(version);
        let peers = list(&mut reader, Field::PeerCount, Field::Peers, peer_len)?;
        let min_peers = min_peers(&mut reader, version)?;
        let token = token(&mut reader, version)?;
        let trailer_at = reader;
        extent.check(input, reader, version)?;
        let trailer = trailer_of(input, &mut reader, version)?;
        let integrity = trailer
            .as_ref()
            .map_or(Integrity::StructureOnly, |_| Integrity::Checksummed);
        let trailer = trailer.unwrap_or_default();
        for (list, more) in [
            (&channels, trailer.channels),
            (&peers, trailer.peers),
            (&min_peers, trailer.min_peers),
        ] {
            // A list goes on in the trailer only where the body had no room left.
            if !more.is_empty() && list.count != MAX_LONG {
                return Err(trailer_at.error(DecodeErrorKind::Trailer, Field::Trailer));
            }
        }
        let Trailer {
            account,
            channels: more_channels,
            peers: more_peers,
            min_peers: more_min_peers,
            names,
            login_state,
            owner,
        } = trailer;
        Ok(Self {
            version,
            integrity,
            home_dc_id,
            counters,
            account,
            login_state,
            owner,
            token,
            dcs,
            channels: channels
                .records(CHANNEL_LEN)
                .continued(more_channels, CHANNEL_LEN),
            peers: peers.records(peer_len).continued(more_peers, PEER_LEN),
            min_peers: min_peers
                .records(MIN_PEER_LEN)
                .continued(more_min_peers, MIN_PEER_LEN),
            names,
        })
    }

    /// The token of the program that owns the session, where one does. It belongs to the store that these
    /// bytes are in, and is not copied with the session: see [`encode_owned_to_vec`](super::encode_owned_to_vec).
    #[must_use]
    pub const fn fencing_token(&self) -> Option<&'a FencingToken> {
        self.owner
    }

    /// The version that the session was written in, 1 to 8.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// Whether a checksum covers the session.
    #[must_use]
    pub const fn integrity(&self) -> Integrity {
        self.integrity
    }
}

/// How much of the input a session takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    All,
    /// As much as it says itself, which is told as trailing bytes.
    First,
}

impl Extent {
    /// Says where the session ends whose body ends where `reader` stands, if more may follow it and does.
    fn check(self, input: &[u8], reader: Reader<'_>, version: u8) -> Result<(), DecodeError> {
        // Asked only where it matters: most sessions are parsed as all of their bytes.
        if self == Self::First
            && let Some(end) = trailer::end_of_session(reader, version)
            && end < input.len()
        {
            let kind = DecodeErrorKind::TrailingBytes;
            return Err(DecodeError::new(kind, Field::Trailer, end));
        }
        Ok(())
    }

    /// Whether more may follow the session, and the tail of a session file does.
    fn has_tail(self, input: &[u8]) -> bool {
        self == Self::First && session_file::probe(input).is_some()
    }
}

/// The bytes of one list in the body.
struct List<'a> {
    count: usize,
    bytes: &'a [u8],
}

impl<'a> List<'a> {
    const EMPTY: Self = Self {
        count: 0,
        bytes: &[],
    };

    const fn records<T: Record>(&self, record_len: usize) -> Records<'a, T> {
        Records::new(self.bytes, record_len, self.count)
    }
}

/// What follows the body, which only the current version has.
fn trailer_of<'a>(
    input: &'a [u8],
    reader: &mut Reader<'a>,
    version: u8,
) -> Result<Option<Trailer<'a>>, DecodeError> {
    if version == CURRENT {
        trailer::read(input, reader)
    } else if reader.rest().is_empty() {
        Ok(None)
    } else {
        Err(reader.error(DecodeErrorKind::TrailingBytes, Field::Trailer))
    }
}

fn counters(reader: &mut Reader<'_>) -> Result<Counters, DecodeError> {
    Ok(Counters {
        pts: reader.i32(Field::Counters)?,
        qts: reader.i32(Field::Counters)?,
        date: reader.i32(Field::Counters)?,
        seq: reader.i32(Field::Counters)?,
    })
}

/// The min peers, which older versions do not have.
fn min_peers<'a>(reader: &mut Reader<'a>, version: u8) -> Result<List<'a>, DecodeError> {
    if version < HAS_MIN_PEERS {
        return Ok(List::EMPTY);
    }
    list(reader, Field::MinPeerCount, Field::MinPeers, MIN_PEER_LEN)
}

/// The future auth token, which older versions do not have.
fn token<'a>(reader: &mut Reader<'a>, version: u8) -> Result<Option<&'a [u8]>, DecodeError> {
    if version < HAS_TOKEN || !reader.presence(Field::TokenPresence)? {
        return Ok(None);
    }
    let len = reader.len_u16(Field::TokenLen)?;
    reader.bytes(len, Field::Token).map(Some)
}

fn list<'a>(
    reader: &mut Reader<'a>,
    count: Field,
    records: Field,
    record_len: usize,
) -> Result<List<'a>, DecodeError> {
    let count = reader.len_u16(count)?;
    let bytes = reader.bytes(count.saturating_mul(record_len), records)?;
    Ok(List { count, bytes })
}

/// Names what is neither a versioned session nor version 1.
fn unknown(input: &[u8], first: u8) -> DecodeError {
    let foreign = |foreign| Some(DecodeErrorKind::Foreign(foreign));
    let text = || {
        let head = input.get(..64).unwrap_or(input);
        let printable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
        head.iter().all(printable)
    };
    let base64 = || {
        let (head, _) = input.split_at_checked(64).unwrap_or((input, &[]));
        let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+/=".contains(byte);
        head.len() == 64 && head.iter().all(alphabet)
    };
    let kind = match input {
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', b'f', ..] => foreign(Foreign::Sqlite),
        [b'T', b'D', b'F', b'$', ..] => foreign(Foreign::Tdata),
        [0xCE, 0xB8, 0x3E, 0xA7, ..] => foreign(Foreign::GrammersTl),
        [b'M', b'T', b'S', b'J', ..] => foreign(Foreign::Journal),
        [b'M', b'T', b'S', b'E', 0xFF, ..] => Some(DecodeErrorKind::Sealed),
        [b'{', ..] if text() => foreign(Foreign::Json),
        _ if base64() => foreign(Foreign::SessionString),
        _ if text() => foreign(Foreign::Text),
        _ if input.iter().all(|byte| *byte == 0) => Some(DecodeErrorKind::Zeroed),
        _ => None,
    };
    let kind = kind.unwrap_or(DecodeErrorKind::UnknownVersion(first));
    DecodeError::new(kind, Field::Version, 0)
}

impl SessionSource for SessionView<'_> {
    fn home_dc_id(&self) -> i32 {
        self.home_dc_id
    }

    fn counters(&self) -> Counters {
        self.counters
    }

    fn account(&self) -> Account {
        self.account
    }

    fn login_state(&self) -> LoginState<'_> {
        self.login_state
    }

    fn future_auth_token(&self) -> Option<&[u8]> {
        self.token
    }

    fn names(&self) -> Names<'_> {
        self.names
    }

    fn dcs(&self) -> impl ExactSizeIterator<Item = DcRef<'_>> {
        self.dcs
    }

    fn channels(&self) -> impl ExactSizeIterator<Item = ChannelPts> {
        self.channels
    }

    fn peers(&self) -> impl ExactSizeIterator<Item = Peer> {
        self.peers
    }

    fn min_peers(&self) -> impl ExactSizeIterator<Item = MinPeer> {
        self.min_peers
    }
}

/// Shows what kind of bytes these are and how much they hold; no keys, tokens or hashes.
impl fmt::Debug for SessionView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionView")
            .field("version", &self.version)
            .field("integrity", &self.integrity)
            .field("home_dc_id", &self.home_dc_id)
            .field("counters", &self.counters)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
