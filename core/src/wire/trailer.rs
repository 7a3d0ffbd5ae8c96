//! The trailer: after the version 8 body, ignored by older readers. Drawn in
//! [`format`](crate::format).

use super::concat::concat_array;
use super::crc::Crc32c;
use super::layout::{
    CHANNEL_LEN, CRC_LEN, CURRENT, FOOTER_LEN, MAX_LONG, MIN_PEER_LEN, PEER_LEN, TAG_ACCOUNT,
    TAG_CHANNELS, TAG_END, TAG_FOOTER, TAG_LOGIN_STATE, TAG_MIN_PEERS, TAG_NAMES, TAG_OPTIONAL,
    TAG_OWNER, TAG_PEERS, TRAILER_MAGIC, TRAILER_VERSION,
};
use super::out::{Out, put};
use super::packed_peer::PackedPeer;
use super::reader::Reader;
use super::records::Record;
use super::varint;
use super::view::FencingToken;
use crate::account::Account;
use crate::bug::Certain as _;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError, Field};
use crate::login_state::{LOGIN_TEXT_MAX, LoginState};
use crate::names::Names;
use crate::source::SessionSource;

/// Most bytes of an encoded [`Account`]: four options, an `i64`, an `i32` and two flags.
const ACCOUNT_MAX: usize = 4 + 10 + 5 + 2;

/// Most bytes of an encoded [`LoginState`]: its number, an `i64`, a length and its text.
const LOGIN_STATE_MAX: usize = 1 + 10 + 2 + LOGIN_TEXT_MAX;

/// Bytes from the footer's tag to the end of the input.
const FROM_FOOTER: usize = 2 + FOOTER_LEN + 1 + CRC_LEN;

/// Tag and length of the footer, whose numbers are varints of one byte.
const FOOTER_HEAD: [u8; 2] = [one_byte(TAG_FOOTER), 8];
const _: () = assert!(FOOTER_LEN == 8);
/// The tag that ends the sections.
const END: [u8; 1] = [one_byte(TAG_END)];

const fn one_byte(tag: u32) -> u8 {
    assert!(varint::len(tag) == 1, "longer than a byte");
    tag.to_le_bytes()[0]
}

/// What a trailer adds to the body.
#[derive(Debug, Default)]
pub(super) struct Trailer<'a> {
    pub(super) account: Account,
    pub(super) channels: &'a [u8],
    pub(super) peers: &'a [u8],
    pub(super) min_peers: &'a [u8],
    pub(super) names: Names<'a>,
    pub(super) login_state: LoginState<'a>,
    pub(super) owner: Option<&'a FencingToken>,
}

/// Writes the trailer of `source`, whose body is all that was put before.
pub(super) fn write<S: SessionSource, O: Out>(
    source: &S,
    owner: Option<&FencingToken>,
    out: &mut O,
) -> Result<(), EncodeError<O::Error>> {
    let body_len = out.len();
    put(out, &concat_array!(5; TRAILER_MAGIC, [TRAILER_VERSION]))?;
    let mut buffer = [0; ACCOUNT_MAX];
    let account = encode_account(&source.account(), &mut buffer);
    if !account.is_empty() {
        put_section(out, TAG_ACCOUNT, account.len())?;
        put(out, account)?;
    }
    let channels = source.channels().map(|channel| channel.to_bytes());
    put_overflow(out, TAG_CHANNELS, channels)?;
    let peers = source.packed_peers().map(PackedPeer::into_bytes);
    put_overflow(out, TAG_PEERS, peers)?;
    let min_peers = source.min_peers().map(|peer| peer.to_bytes());
    put_overflow(out, TAG_MIN_PEERS, min_peers)?;
    put_login_state(&source.login_state(), out)?;
    if let Some(owner) = owner {
        put_section(out, TAG_OWNER, owner.len())?;
        put(out, owner)?;
    }
    let names = source.names().as_bytes();
    if !names.is_empty() {
        put_section(out, TAG_NAMES, names.len())?;
        put(out, names)?;
    }
    let body_len = to_u32(Field::Trailer, body_len)?.to_le_bytes();
    put(
        out,
        &concat_array!(FROM_FOOTER - CRC_LEN; FOOTER_HEAD, TRAILER_MAGIC, body_len, END),
    )?;
    let checksum = out.checksum().map_err(EncodeError::Sink)?;
    put(out, &checksum.to_le_bytes())
}

/// Bytes of the trailer of `source`.
pub(super) fn len<E>(
    source: &impl SessionSource,
    owner: Option<&FencingToken>,
) -> Result<usize, EncodeError<E>> {
    let section = |payload: usize| {
        if payload == 0 {
            return Ok(0);
        }
        let head = varint::len(to_u32(Field::TrailerSection, payload)?).saturating_add(1);
        Ok(head.saturating_add(payload))
    };
    let mut buffer = [0; ACCOUNT_MAX];
    let account = encode_account(&source.account(), &mut buffer).len();
    let parts = [
        TRAILER_MAGIC.len().saturating_add(1),
        section(account)?,
        section(overflow_len(source.channels().len(), CHANNEL_LEN))?,
        section(overflow_len(source.peers().len(), PEER_LEN))?,
        section(overflow_len(source.min_peers().len(), MIN_PEER_LEN))?,
        section(login_state_len(&source.login_state())?)?,
        section(owner.map_or(0, |owner| owner.len()))?,
        section(source.names().as_bytes().len())?,
        FROM_FOOTER,
    ];
    Ok(parts.into_iter().fold(0, usize::saturating_add))
}

/// An account of which nothing is known takes no bytes.
fn encode_account<'b>(account: &Account, buffer: &'b mut [u8; ACCOUNT_MAX]) -> &'b [u8] {
    if account.is_empty() {
        return &[];
    }
    // The buffer holds the longest account there is.
    postcard::to_slice(account, buffer)
        .map(|bytes| &*bytes)
        .certain("the longest account there is does not fit")
}

/// Bytes of the section of a login state, which an active one does not have.
fn login_state_len<E>(state: &LoginState<'_>) -> Result<usize, EncodeError<E>> {
    if state.is_active() {
        return Ok(0);
    }
    let len = state.text().len();
    // Postcard writes signed numbers with their sign in the lowest bit.
    let zigzag = state.at().wrapping_shl(1) ^ state.at().wrapping_shr(63);
    let bits = 64_u32.saturating_sub(zigzag.leading_zeros()).max(1);
    let at = usize::try_from(bits.div_ceil(7)).unwrap_or(usize::MAX);
    let text = varint::len(to_u32(Field::LoginState, len)?).saturating_add(len);
    Ok(1_usize.saturating_add(at).saturating_add(text))
}

// Not inlined: sessions whose login holds pay for none of its 270 bytes of stack.
#[inline(never)]
#[cold]
fn put_inactive<O: Out>(
    state: &LoginState<'_>,
    len: usize,
    out: &mut O,
) -> Result<(), EncodeError<O::Error>> {
    let mut buffer = [0; LOGIN_STATE_MAX];
    // The buffer holds the longest state there is.
    let bytes = postcard::to_slice(state, &mut buffer).map_or(&[][..], |bytes| bytes);
    debug_assert_eq!(bytes.len(), len, "the length that was announced");
    put_section(out, TAG_LOGIN_STATE, bytes.len())?;
    put(out, bytes)
}

fn put_login_state<O: Out>(
    state: &LoginState<'_>,
    out: &mut O,
) -> Result<(), EncodeError<O::Error>> {
    match login_state_len(state)? {
        0 => Ok(()),
        len => put_inactive(state, len, out),
    }
}

fn overflow_len(count: usize, record_len: usize) -> usize {
    count.saturating_sub(MAX_LONG).saturating_mul(record_len)
}

fn put_overflow<const LEN: usize, O: Out>(
    out: &mut O,
    tag: u32,
    records: impl ExactSizeIterator<Item = [u8; LEN]>,
) -> Result<(), EncodeError<O::Error>> {
    let count = records.len().saturating_sub(MAX_LONG);
    if count == 0 {
        return Ok(());
    }
    put_section(out, tag, overflow_len(records.len(), LEN))?;
    out.put_records(records.skip(MAX_LONG), count)
        .map_err(EncodeError::Sink)
}

fn put_section<O: Out>(out: &mut O, tag: u32, payload: usize) -> Result<(), EncodeError<O::Error>> {
    put_varint(out, tag)?;
    put_varint(out, to_u32(Field::TrailerSection, payload)?)
}

fn to_u32<E>(field: Field, len: usize) -> Result<u32, EncodeError<E>> {
    u32::try_from(len).map_err(|_| EncodeError::TooLong {
        field,
        len,
        max: usize::try_from(u32::MAX).unwrap_or(usize::MAX),
    })
}

fn put_varint<O: Out>(out: &mut O, value: u32) -> Result<(), EncodeError<O::Error>> {
    varint::put(value, |byte| put(out, byte))
}

fn read_varint(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let start = *reader;
    let value = varint::read(|| reader.u8(Field::TrailerSection))?;
    value.ok_or_else(|| start.error(DecodeErrorKind::Trailer, Field::TrailerSection))
}

/// Where the trailer says that the body ends, going by the footer at the end of `input`.
///
/// `None` when there is no footer: then the body's own end decides whether there is a trailer.
fn body_len_by_footer(input: &[u8]) -> Option<usize> {
    let at = input.len().checked_sub(FROM_FOOTER)?;
    let mut reader = Reader::new(input.get(at..)?);
    let tag = read_varint(&mut reader).ok()?;
    let len = read_varint(&mut reader).ok()?;
    let magic = reader.array(Field::Trailer).ok()?;
    let body_len = reader.array(Field::Trailer).ok()?;
    let found = tag == TAG_FOOTER
        && usize::try_from(len).ok() == Some(FOOTER_LEN)
        && *magic == TRAILER_MAGIC;
    found.then(|| usize::try_from(u32::from_le_bytes(*body_len)).unwrap_or(usize::MAX))
}

/// Whether the input ends like something that this library wrote.
pub(super) fn has_footer(input: &[u8]) -> bool {
    body_len_by_footer(input).is_some()
}

/// Where a session ends by its own account, whose body ends where `reader` stands; `None` where its trailer
/// does not say.
pub(super) fn end_of_session(reader: Reader<'_>, version: u8) -> Option<usize> {
    if version == CURRENT && reader.rest().starts_with(&TRAILER_MAGIC) {
        return end(reader);
    }
    Some(reader.offset())
}

/// Reads what follows the body, which ends where `reader` stands.
///
/// Nothing is a file of an older release. A trailer must end the input and its checksum must hold.
pub(super) fn read<'a>(
    input: &'a [u8],
    reader: &mut Reader<'a>,
) -> Result<Option<Trailer<'a>>, DecodeError> {
    let body_end = *reader;
    let expected = body_len_by_footer(input);
    if expected.is_some_and(|len| len != body_end.offset()) {
        // The body was damaged in a way that makes its own parse end elsewhere.
        return Err(checksum_error(input));
    }
    if reader.rest().is_empty() {
        return Ok(None);
    }
    if !reader.rest().starts_with(&TRAILER_MAGIC) {
        return Err(body_end.error(DecodeErrorKind::TrailingBytes, Field::Trailer));
    }
    check(input, reader.offset()).map_err(|error| match end(*reader) {
        // All of it is good, and then more was appended.
        Some(end)
            if input
                .get(..end)
                .is_some_and(|whole| check(whole, 0).is_ok()) =>
        {
            DecodeError::new(DecodeErrorKind::TrailingBytes, Field::Trailer, end)
        }
        _ => error,
    })?;
    reader.array::<{ TRAILER_MAGIC.len() }>(Field::Trailer)?;
    let version_at = *reader;
    let version = reader.u8(Field::TrailerVersion)?;
    if version != TRAILER_VERSION {
        let kind = DecodeErrorKind::NewerTrailer(u32::from(version));
        return Err(version_at.error(kind, Field::TrailerVersion));
    }
    read_sections(reader, body_end.offset()).map(Some)
}

/// The last four bytes must be the checksum of all bytes before them.
fn check(input: &[u8], body_len: usize) -> Result<(), DecodeError> {
    let Some((covered, stored)) = input.split_last_chunk::<CRC_LEN>() else {
        return Err(checksum_error(input));
    };
    let mut crc = Crc32c::new();
    crc.update(covered);
    if covered.len() <= body_len || crc.value() != u32::from_le_bytes(*stored) {
        return Err(checksum_error(input));
    }
    Ok(())
}

/// Where a trailer that starts at `reader` ends by its own account.
fn end(mut reader: Reader<'_>) -> Option<usize> {
    let header = TRAILER_MAGIC.len().saturating_add(1);
    reader.bytes(header, Field::Trailer).ok()?;
    while read_varint(&mut reader).ok()? != TAG_END {
        let len = usize::try_from(read_varint(&mut reader).ok()?).ok()?;
        reader.bytes(len, Field::TrailerSection).ok()?;
    }
    reader.bytes(CRC_LEN, Field::TrailerChecksum).ok()?;
    Some(reader.offset())
}

fn checksum_error(input: &[u8]) -> DecodeError {
    let offset = input.len().saturating_sub(CRC_LEN);
    DecodeError::new(DecodeErrorKind::Checksum, Field::TrailerChecksum, offset)
}

/// Sections stand in the order of their tags, each once.
fn read_sections<'a>(reader: &mut Reader<'a>, body_len: usize) -> Result<Trailer<'a>, DecodeError> {
    let mut trailer = Trailer::default();
    let mut last = TAG_END;
    loop {
        let at = *reader;
        let malformed = || at.error(DecodeErrorKind::Trailer, Field::TrailerSection);
        let tag = read_varint(reader)?;
        if tag == TAG_END {
            if reader.rest().len() != CRC_LEN {
                return Err(malformed());
            }
            return Ok(trailer);
        }
        if tag <= last {
            return Err(malformed());
        }
        last = tag;
        let len = usize::try_from(read_varint(reader)?).map_err(|_| malformed())?;
        let payload = reader.bytes(len, Field::TrailerSection)?;
        let whole = |record_len: usize| match payload.len().checked_rem(record_len) {
            Some(0) if !payload.is_empty() => Ok(payload),
            _ => Err(malformed()),
        };
        match tag {
            TAG_ACCOUNT => {
                trailer.account = match postcard::take_from_bytes(payload) {
                    Ok((account, [])) => account,
                    _ => return Err(at.error(DecodeErrorKind::Trailer, Field::TrailerAccount)),
                };
            }
            TAG_CHANNELS => trailer.channels = whole(CHANNEL_LEN)?,
            TAG_PEERS => trailer.peers = whole(PEER_LEN)?,
            TAG_MIN_PEERS => trailer.min_peers = whole(MIN_PEER_LEN)?,
            TAG_LOGIN_STATE => {
                // The checksum holds: what is not understood was written by a release that knows more.
                let newer = || at.error(DecodeErrorKind::NewerTrailer(tag), Field::TrailerSection);
                trailer.login_state = match postcard::take_from_bytes(payload) {
                    Ok((state, [])) => state,
                    Ok(_) | Err(_) => return Err(newer()),
                };
            }
            TAG_OWNER => {
                trailer.owner = Some(payload.try_into().map_err(|_| malformed())?);
            }
            TAG_FOOTER => {
                let (_, stored) = payload.split_last_chunk().ok_or_else(malformed)?;
                if usize::try_from(u32::from_le_bytes(*stored)) != Ok(body_len) {
                    return Err(malformed());
                }
            }
            TAG_NAMES => trailer.names = Names::parse(payload).map_err(|_| malformed())?,
            // Nothing of the login, whatever it is: a newer release adds it again.
            TAG_OPTIONAL.. if tag < TAG_FOOTER => {}
            newer => {
                return Err(at.error(DecodeErrorKind::NewerTrailer(newer), Field::TrailerSection));
            }
        }
    }
}
