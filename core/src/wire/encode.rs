//! The one encoder: always version 8, from anything that can enumerate a session.

use core::convert::Infallible;

use super::block::write_records;
use super::crc::Crc32c;
use super::layout::{
    CHANNEL_LEN, CURRENT, DC_LEN, FIXED_LEN, KEY_LEN, MAX_LONG, MAX_SHORT, MIN_PEER_LEN, PEER_LEN,
};
use super::sink::{Sink, SliceFull};
use super::trailer;
use crate::counters::Counters;
use crate::dc::DcRef;
use crate::error::{EncodeError, Field};
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
/// let mut bytes = Vec::new();
/// encode(&session, &mut bytes)?;
/// assert_eq!(SessionView::parse(&bytes)?.home_dc_id(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn encode<S: SessionSource, W: Sink>(
    source: &S,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    check(source)?;
    let mut checked = Checksummed {
        sink,
        crc: Crc32c::new(),
    };
    body(source, &mut checked)?;
    trailer::write(source, body_len(source), checked)
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
    check(source)?;
    check_body_alone(source)?;
    body(source, sink)
}

/// [`encode`] into a buffer; returns the part that was used.
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
    fill(buffer, |free| encode(source, free))
}

/// [`encode_body`] into a buffer; returns the part that was used.
pub fn encode_body_to_slice<'b, S: SessionSource>(
    source: &S,
    buffer: &'b mut [u8],
) -> Result<&'b mut [u8], EncodeError<SliceFull>> {
    fill(buffer, |free| encode_body(source, free))
}

/// Runs `write` on the whole buffer and returns what it filled.
pub(crate) fn fill<'b, E>(
    buffer: &'b mut [u8],
    write: impl FnOnce(&mut &mut [u8]) -> Result<(), EncodeError<E>>,
) -> Result<&'b mut [u8], EncodeError<E>> {
    let len = buffer.len();
    let mut free = &mut *buffer;
    write(&mut free)?;
    let used = len.saturating_sub(free.len());
    Ok(buffer.get_mut(..used).unwrap_or_default())
}

/// Bytes that [`encode`] writes.
pub fn encoded_len<S: SessionSource>(source: &S) -> Result<usize, EncodeError<Infallible>> {
    check(source)?;
    trailer::len(source).map(|trailer| body_len(source).saturating_add(trailer))
}

/// Bytes that [`encode_body`] writes.
pub fn encoded_body_len<S: SessionSource>(source: &S) -> Result<usize, EncodeError<Infallible>> {
    check(source)?;
    check_body_alone(source)?;
    Ok(body_len(source))
}

/// Refuses what no part of the format can hold.
fn check<E>(source: &impl SessionSource) -> Result<(), EncodeError<E>> {
    at_most(Field::Dcs, source.dcs().len(), MAX_SHORT)?;
    at_most(
        Field::Token,
        source.future_auth_token().map_or(0, <[u8]>::len),
        MAX_LONG,
    )?;
    source
        .dcs()
        .try_for_each(|dc| at_most(Field::DcAddr, dc.addr.len(), MAX_SHORT))
}

/// Refuses what only the trailer can hold.
fn check_body_alone<E>(source: &impl SessionSource) -> Result<(), EncodeError<E>> {
    at_most(Field::Channels, source.channels().len(), MAX_LONG)?;
    at_most(Field::Peers, source.peers().len(), MAX_LONG)?;
    at_most(Field::MinPeers, source.min_peers().len(), MAX_LONG)
}

fn at_most<E>(field: Field, len: usize, max: usize) -> Result<(), EncodeError<E>> {
    if len > max {
        return Err(EncodeError::TooLong { field, len, max });
    }
    Ok(())
}

fn body_len(source: &impl SessionSource) -> usize {
    let list = |count: usize, record: usize| count.min(MAX_LONG).saturating_mul(record);
    let dcs = source.dcs().fold(0_usize, |sum, dc| {
        let key = if dc.auth_key.is_some() { KEY_LEN } else { 0 };
        sum.saturating_add(DC_LEN)
            .saturating_add(dc.addr.len())
            .saturating_add(key)
    });
    let token = source
        .future_auth_token()
        .map_or(0, |token| token.len().saturating_add(size_of::<u16>()));
    FIXED_LEN
        .saturating_add(dcs)
        .saturating_add(list(source.channels().len(), CHANNEL_LEN))
        .saturating_add(list(source.peers().len(), PEER_LEN))
        .saturating_add(list(source.min_peers().len(), MIN_PEER_LEN))
        .saturating_add(token)
}

/// Writes the body; lists are cut at what their counts can say.
fn body<S: SessionSource, W: Sink>(source: &S, sink: &mut W) -> Result<(), EncodeError<W::Error>> {
    put(sink, &[CURRENT])?;
    put(sink, &source.home_dc_id().to_le_bytes())?;
    let dcs = source.dcs();
    put(sink, &[short(Field::Dcs, dcs.len())?])?;
    for dc in dcs {
        put_dc(sink, &dc)?;
    }
    let Counters {
        pts,
        qts,
        date,
        seq,
    } = source.counters();
    for counter in [pts, qts, date, seq] {
        put(sink, &counter.to_le_bytes())?;
    }
    put_list(sink, source.channels())?;
    put_list(sink, source.peers())?;
    put_list(sink, source.min_peers())?;
    match source.future_auth_token() {
        None => put(sink, &[0]),
        Some(token) => {
            put(sink, &[1])?;
            put(sink, &long(Field::Token, token.len())?.to_le_bytes())?;
            put(sink, token)
        }
    }
}

fn put_dc<W: Sink>(sink: &mut W, dc: &DcRef<'_>) -> Result<(), EncodeError<W::Error>> {
    put(sink, &dc.dc_id.to_le_bytes())?;
    match dc.auth_key {
        None => put(sink, &[0])?,
        Some(key) => {
            put(sink, &[1])?;
            put(sink, key.as_bytes())?;
        }
    }
    put(sink, &dc.first_salt.to_le_bytes())?;
    put(sink, &dc.time_offset.to_le_bytes())?;
    put(sink, &[short(Field::DcAddr, dc.addr.len())?])?;
    put(sink, dc.addr.as_bytes())?;
    put(sink, &[dc.flags.0])
}

fn put_list<const LEN: usize, T, W>(
    sink: &mut W,
    records: impl ExactSizeIterator<Item = T>,
) -> Result<(), EncodeError<W::Error>>
where
    T: super::records::Record<Bytes = [u8; LEN]>,
    W: Sink,
{
    let count = u16::try_from(records.len()).unwrap_or(u16::MAX);
    put(sink, &count.to_le_bytes())?;
    write_records(records.take(MAX_LONG), sink).map_err(EncodeError::Sink)
}

fn short<E>(field: Field, len: usize) -> Result<u8, EncodeError<E>> {
    u8::try_from(len).map_err(|_| EncodeError::TooLong {
        field,
        len,
        max: MAX_SHORT,
    })
}

fn long<E>(field: Field, len: usize) -> Result<u16, EncodeError<E>> {
    u16::try_from(len).map_err(|_| EncodeError::TooLong {
        field,
        len,
        max: MAX_LONG,
    })
}

#[inline]
pub(super) fn put<W: Sink>(sink: &mut W, bytes: &[u8]) -> Result<(), EncodeError<W::Error>> {
    sink.write(bytes).map_err(EncodeError::Sink)
}

/// Passes bytes on and keeps their checksum, while they are still in the first-level cache.
pub(super) struct Checksummed<'s, S> {
    sink: &'s mut S,
    crc: Crc32c,
}

impl<S: Sink> Checksummed<'_, S> {
    /// Writes the checksum of everything so far.
    pub(super) fn finish(self) -> Result<(), S::Error> {
        self.sink.write(&self.crc.value().to_le_bytes())
    }
}

impl<S: Sink> Sink for Checksummed<'_, S> {
    type Error = S::Error;

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        self.crc.update(bytes);
        self.sink.write(bytes)
    }
}
