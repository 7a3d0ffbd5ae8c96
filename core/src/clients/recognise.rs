//! The decoded bytes of one string: every format is told apart by its structure, never by prefix or
//! length alone.

use super::damage::Sample;
use super::format::StringFormat;
use super::login::Login;
use super::{gramjs, mtcute, mtkruto, pyrogram, telethon};
use crate::decoded::Decoded;
use crate::error::{DecodeError, DecodeErrorKind, Field};
use crate::source::SessionSource as _;
use crate::text::{CompactSession, decode_cleaned};
use crate::wire::{Integrity, SessionView};

/// How the bytes of a string are read.
pub(super) type Read = for<'b> fn(&'b [u8]) -> Result<Decoded<'b>, DecodeError>;

/// Decodes the characters of one string, in place.
pub(super) fn read_cleaned(cleaned: &mut [u8]) -> Result<Decoded<'_>, DecodeError> {
    let sample = Sample::of(cleaned);
    let found = match cleaned {
        [b'1', body @ ..] => decode_cleaned(body).and_then(after_one),
        body => decode_cleaned(body).and_then(without_prefix),
    };
    found.map_err(|error| sample.explain(error))
}

/// Telethon and GramJS begin with the same character.
pub(super) fn after_one(bytes: &[u8]) -> Result<Decoded<'_>, DecodeError> {
    first_that_fits(
        bytes,
        &[
            (StringFormat::GramJs, gramjs::decode),
            (StringFormat::Telethon, telethon::decode),
        ],
    )
}

pub(super) fn without_prefix(bytes: &[u8]) -> Result<Decoded<'_>, DecodeError> {
    if CompactSession::is_laid_out_like_one(bytes) {
        let compact = CompactSession::decode(bytes)?;
        return Ok(Decoded::Compact(compact));
    }
    let native = SessionView::parse(bytes);
    if let Ok(view) = native
        && is_unmistakable(&view)
    {
        return Ok(Decoded::Native(view));
    }
    let foreign = first_that_fits(
        bytes,
        &[
            (StringFormat::Pyrogram, pyrogram::decode_new),
            (StringFormat::PyrogramOld64, pyrogram::decode_old64),
            (StringFormat::PyrogramOld32, pyrogram::decode_old32),
            (StringFormat::Mtcute, mtcute::decode),
            (StringFormat::Mtkruto, mtkruto::decode_new),
            (StringFormat::MtkrutoOld, mtkruto::decode_old),
        ],
    );
    match (foreign, native) {
        (Err(error), native) if error.kind == DecodeErrorKind::NotASessionString => native
            .map(Decoded::Native)
            .map_err(|native| match native.kind {
                // Base64 of who knows what: the version byte of a string that has none says
                // nothing.
                DecodeErrorKind::UnknownVersion(_) | DecodeErrorKind::Foreign(_) => error,
                _ => native,
            }),
        (foreign, _) => foreign,
    }
}

/// Nothing but a native string has a checksum that holds, and no other string parses as one with a
/// home DC that can be: where the home DC stands, others have bytes of a key or of an api id.
fn is_unmistakable(view: &SessionView<'_>) -> bool {
    view.integrity() == Integrity::Checksummed || u16::try_from(view.home_dc_id()).is_ok()
}

/// How each library's decoder looks: `None` when the bytes are not laid out like its strings.
type Decode = fn(&[u8]) -> Result<Option<Login>, DecodeError>;

fn first_that_fits<'b>(
    bytes: &[u8],
    decoders: &[(StringFormat, Decode)],
) -> Result<Decoded<'b>, DecodeError> {
    for (format, decode) in decoders {
        if let Some(login) = decode(bytes)? {
            return Ok(Decoded::Client(*format, login));
        }
    }
    let kind = DecodeErrorKind::NotASessionString;
    Err(DecodeError::new(kind, Field::StringText, 0))
}
