//! The one encoder: always version 8, from anything that can enumerate a session.

use core::convert::Infallible;

use super::concat::concat_array;
use super::layout::{
    CHANNEL_LEN, CURRENT, DC_LEN, FIXED_LEN, KEY_LEN, MAX_LONG, MAX_SHORT, MIN_PEER_LEN, PEER_LEN,
};
use super::out::{Gather, InPlace, Out, put};
use super::packed_peer::PackedPeer;
use super::records::Record;
use super::sink::{Sink, SliceFull};
use super::trailer;
use super::view::FencingToken;
use crate::counters::Counters;
use crate::dc::DcRef;
use crate::error::{EncodeError, Field};
use crate::login_state::LOGIN_TEXT_MAX;
use crate::source::SessionSource;

/// Encodes a session: the version 8 body, then the trailer with what the body has no room for and a
/// checksum over everything. Older readers ignore the trailer.
///
/// Everything that the format cannot hold is refused before the first byte is written. Nothing is
/// allocated.
///
/// ```
/// use mtsession_core::{FixedSession, SessionMut, SessionSource, SessionView, encode};
///
/// let mut session = FixedSession::<1, 1, 1, 1, 1>::new();
/// session.set_home_dc_id(4);
///
/// let mut bytes = heapless::Vec::<u8, 64>::new();
/// encode(&session, &mut bytes)?;
/// assert_eq!(SessionView::parse(&bytes)?.home_dc_id(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn encode<S: SessionSource, W: Sink>(
    source: &S,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    let mut gather = Gather::new(sink);
    with_trailer(source, &mut gather)?;
    gather.flush().map_err(EncodeError::Sink)
}

/// Encodes the version 8 body alone: byte for byte what ferogram-session 0.6.6 writes.
///
/// # Errors
/// [`EncodeError::TooLong`] also for more than 65,535 channels, peers or min peers, which only the
/// trailer can hold.
pub fn encode_body<S: SessionSource, W: Sink>(
    source: &S,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    let mut gather = Gather::new(sink);
    without_trailer(source, &mut gather)?;
    gather.flush().map_err(EncodeError::Sink)
}

/// [`encode`] into a buffer; returns the part that was used. The fastest way: every byte is formed
/// where it stays.
///
/// ```
/// use mtsession_core::wire::encode_to_slice;
/// use mtsession_core::{SessionSource, SessionView};
///
/// // A version 1 file of nobody: home DC 2, no DC table.
/// let old = SessionView::parse(&[2, 0, 0, 0, 0])?;
/// let mut buffer = [0; 64];
/// let new = encode_to_slice(&old, &mut buffer)?;
/// assert_eq!(new.first(), Some(&8));
/// assert_eq!(SessionView::parse(new)?.home_dc_id(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn encode_to_slice<'b, S: SessionSource>(
    source: &S,
    buffer: &'b mut [u8],
) -> Result<&'b mut [u8], EncodeError<SliceFull>> {
    let mut out = InPlace::new(buffer);
    with_trailer(source, &mut out)?;
    Ok(out.into_filled())
}

/// [`encode`] into a list that is as long as it must be from the start: one allocation, and no copy of
/// a key left in a list that was outgrown.
#[cfg(feature = "alloc")]
pub fn encode_to_vec<S: SessionSource>(
    source: &S,
) -> Result<alloc::vec::Vec<u8>, EncodeError<Infallible>> {
    to_vec(source, None)
}

/// [`encode_to_vec`] for a store that a program owns: with the token that every writer compares with its own.
/// Older releases refuse it.
///
/// ```
/// use mtsession_core::wire::{encode_owned_to_vec, encode_to_vec};
/// use mtsession_core::{SessionSource, SessionView};
///
/// let session = SessionView::parse(&[2, 0, 0, 0, 0])?;
/// let bytes = encode_owned_to_vec(&session, &[7; 16])?;
/// let owned = SessionView::parse(&bytes)?;
/// assert_eq!(owned.fencing_token(), Some(&[7; 16]));
/// assert_eq!(encode_to_vec(&owned)?, encode_to_vec(&session)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "alloc")]
pub fn encode_owned_to_vec<S: SessionSource>(
    source: &S,
    token: &FencingToken,
) -> Result<alloc::vec::Vec<u8>, EncodeError<Infallible>> {
    to_vec(source, Some(token))
}

#[cfg(feature = "alloc")]
fn to_vec<S: SessionSource>(
    source: &S,
    owner: Option<&FencingToken>,
) -> Result<alloc::vec::Vec<u8>, EncodeError<Infallible>> {
    let len = checked_body_len(source)?.saturating_add(trailer::len(source, owner)?);
    let mut bytes = alloc::vec![0; len];
    let mut out = InPlace::new(&mut bytes);
    let done = with_trailer_unchecked(source, owner, &mut out);
    if done.is_err() || !out.is_full() {
        super::scratch::wipe(&mut bytes);
        let bug = crate::bug!("a session changed while it was encoded");
        return Err(EncodeError::Bug(bug));
    }
    Ok(bytes)
}

/// [`encode_body`] into a buffer; returns the part that was used.
pub fn encode_body_to_slice<'b, S: SessionSource>(
    source: &S,
    buffer: &'b mut [u8],
) -> Result<&'b mut [u8], EncodeError<SliceFull>> {
    let mut out = InPlace::new(buffer);
    without_trailer(source, &mut out)?;
    Ok(out.into_filled())
}

/// The body with its trailer.
fn with_trailer<S: SessionSource, O: Out>(
    source: &S,
    out: &mut O,
) -> Result<(), EncodeError<O::Error>> {
    check(source)?;
    with_trailer_unchecked(source, None, out)
}

fn with_trailer_unchecked<S: SessionSource, O: Out>(
    source: &S,
    owner: Option<&FencingToken>,
    out: &mut O,
) -> Result<(), EncodeError<O::Error>> {
    body(source, out)?;
    trailer::write(source, owner, out)
}

fn without_trailer<S: SessionSource, O: Out>(
    source: &S,
    out: &mut O,
) -> Result<(), EncodeError<O::Error>> {
    check(source)?;
    check_body_alone(source)?;
    body(source, out)
}

/// Bytes that [`encode`] writes.
pub fn encoded_len<S: SessionSource>(source: &S) -> Result<usize, EncodeError<Infallible>> {
    let body = checked_body_len(source)?;
    trailer::len(source, None).map(|trailer| body.saturating_add(trailer))
}

/// Bytes that [`encode_body`] writes.
pub fn encoded_body_len<S: SessionSource>(source: &S) -> Result<usize, EncodeError<Infallible>> {
    check_body_alone(source)?;
    checked_body_len(source)
}

/// Refuses what no part of the format can hold.
fn check<E>(source: &impl SessionSource) -> Result<(), EncodeError<E>> {
    checked_body_len(source).map(|_| ())
}

/// Refuses what only the trailer can hold.
fn check_body_alone<E>(source: &impl SessionSource) -> Result<(), EncodeError<E>> {
    check_len(Field::Channels, source.channels().len(), MAX_LONG)?;
    check_len(Field::Peers, source.peers().len(), MAX_LONG)?;
    check_len(Field::MinPeers, source.min_peers().len(), MAX_LONG)
}

fn check_len<E>(field: Field, len: usize, max: usize) -> Result<(), EncodeError<E>> {
    if len > max {
        return Err(EncodeError::TooLong { field, len, max });
    }
    Ok(())
}

/// Bytes of the body; refuses what no part of the format can hold.
fn checked_body_len<E>(source: &impl SessionSource) -> Result<usize, EncodeError<E>> {
    let list = |count: usize, record: usize| count.min(MAX_LONG).saturating_mul(record);
    let dcs = source.dcs();
    check_len(Field::Dcs, dcs.len(), MAX_SHORT)?;
    let token = match source.future_auth_token() {
        Some(token) => {
            check_len(Field::Token, token.len(), MAX_LONG)?;
            token.len().saturating_add(size_of::<u16>())
        }
        None => 0,
    };
    let login_text = source.login_state().text().len();
    check_len(Field::LoginState, login_text, LOGIN_TEXT_MAX)?;
    let mut len = FIXED_LEN
        .saturating_add(token)
        .saturating_add(list(source.channels().len(), CHANNEL_LEN))
        .saturating_add(list(source.peers().len(), PEER_LEN))
        .saturating_add(list(source.min_peers().len(), MIN_PEER_LEN));
    for dc in dcs {
        check_len(Field::DcAddr, dc.addr.len(), MAX_SHORT)?;
        let key = if dc.auth_key.is_some() { KEY_LEN } else { 0 };
        len = len
            .saturating_add(DC_LEN)
            .saturating_add(dc.addr.len())
            .saturating_add(key);
    }
    Ok(len)
}

/// Writes the body; lists are cut at what their counts can say.
fn body<S: SessionSource, O: Out>(source: &S, out: &mut O) -> Result<(), EncodeError<O::Error>> {
    let dcs = source.dcs();
    let dc_count = short(Field::Dcs, dcs.len())?;
    put(
        out,
        &concat_array!(6; [CURRENT], source.home_dc_id().to_le_bytes(), [dc_count]),
    )?;
    for dc in dcs {
        put_dc(out, &dc)?;
    }
    let Counters {
        pts,
        qts,
        date,
        seq,
    } = source.counters();
    let [pts, qts, date, seq] = [pts, qts, date, seq].map(i32::to_le_bytes);
    put(out, &concat_array!(16; pts, qts, date, seq))?;
    put_list(out, source.channels().map(|channel| channel.to_bytes()))?;
    put_list(out, source.packed_peers().map(PackedPeer::into_bytes))?;
    put_list(out, source.min_peers().map(|peer| peer.to_bytes()))?;
    match source.future_auth_token() {
        None => put(out, &[0]),
        Some(token) => {
            put(out, &[1])?;
            put(out, &long(Field::Token, token.len())?.to_le_bytes())?;
            put(out, token)
        }
    }
}

fn put_dc<O: Out>(out: &mut O, dc: &DcRef<'_>) -> Result<(), EncodeError<O::Error>> {
    let has_key = u8::from(dc.auth_key.is_some());
    put(out, &concat_array!(5; dc.dc_id.to_le_bytes(), [has_key]))?;
    if let Some(key) = dc.auth_key {
        put(out, key.as_bytes())?;
    }
    let addr_len = short(Field::DcAddr, dc.addr.len())?;
    let salt = dc.first_salt.to_le_bytes();
    put(
        out,
        &concat_array!(13; salt, dc.time_offset.to_le_bytes(), [addr_len]),
    )?;
    put(out, dc.addr.as_bytes())?;
    put(out, &[dc.flags.0])
}

fn put_list<const LEN: usize, O: Out>(
    out: &mut O,
    records: impl ExactSizeIterator<Item = [u8; LEN]>,
) -> Result<(), EncodeError<O::Error>> {
    let count = u16::try_from(records.len()).unwrap_or(u16::MAX);
    put(out, &count.to_le_bytes())?;
    out.put_records(records, usize::from(count))
        .map_err(EncodeError::Sink)
}

fn short<E>(field: Field, len: usize) -> Result<u8, EncodeError<E>> {
    let max = MAX_SHORT;
    u8::try_from(len).map_err(|_| EncodeError::TooLong { field, len, max })
}

fn long<E>(field: Field, len: usize) -> Result<u16, EncodeError<E>> {
    let max = MAX_LONG;
    u16::try_from(len).map_err(|_| EncodeError::TooLong { field, len, max })
}
