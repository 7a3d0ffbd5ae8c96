//! The one entry for session text: tells every format apart by its structure, never by prefix or
//! length alone.

use super::damage::Sample;
use super::format::StringFormat;
use super::login::Login;
use super::{gramjs, mtcute, mtkruto, pasted, pyrogram, telethon};
use crate::bug::Certain as _;
use crate::decoded::Decoded;
use crate::error::{DecodeError, DecodeErrorKind, Field};
use crate::source::SessionSource as _;
use crate::text::{CompactSession, clean, decode, decode_cleaned, is_base64_text};
use crate::wire::{Integrity, SessionView};

/// Decodes a session string of any format; `buffer` must be at least as long as the text.
///
/// The text may be what a string was pasted from or along with: a line of a `.env` file, YAML, JSON, a
/// piece of code, a message with quotes or marks around it; wrapped, escaped for a URL, HTML or a
/// shell, in either alphabet, with or without padding, in UTF-16 that is read as UTF-8. One session is
/// found in it, never one of two.
///
/// What `buffer` holds afterwards is the decoded session: wipe it when done.
///
/// ```
/// use mtsession_core::clients::detect;
///
/// // A Telethon string of which half was copied.
/// let text = "1ApWapzMBuwMKERgfJi00O0JJUFdeZWxzeoGIj5adpKuyucDHztXc4-rx-P8GDRQbIikwNz5FTFNaYWhvdn2E\
///     i5KZoKeutbzDytHY3-bt9PsCCRAXHiUsMzpBSE9WXWRrcnmAh46VnKOqsbi_xs3U2-Lp8Pf-BQwTGiEoLzY9REtSW";
/// let mut buffer = [0; 512];
/// let error = detect(text, &mut buffer).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "session string is damaged: it looks like a Telethon string with its last 178 characters \
///      missing (174 of 352 are there)"
/// );
/// ```
///
/// # Errors
/// A character that is not base64; [`DecodeErrorKind::DamagedString`] with the most likely format
/// and damage; [`DecodeErrorKind::NotASessionString`] where nothing is likely;
/// [`DecodeErrorKind::SeveralStrings`] where the text holds two different ones;
/// [`DecodeErrorKind::NotLoggedIn`] where the key is all zeros.
pub fn detect<'b>(text: &str, buffer: &'b mut [u8]) -> Result<Decoded<'b>, DecodeError> {
    let word = text.trim_ascii();
    let chars = word.trim_end_matches('=');
    // Symbols before it are markup: no session begins with one.
    if !word.starts_with(['-', '_', '+', '/']) {
        let (read, body): (Read, &[u8]) = match chars.as_bytes() {
            [b'1', body @ ..] => (after_one, body),
            body => (without_prefix, body),
        };
        // As nearly every string is written: decoded in one pass, from where it is.
        if let Some(len @ 1..) = decode(body, buffer) {
            let bytes = buffer.get(..len).certain("as much was decoded");
            return read(bytes).map_err(|error| Sample::of(chars.as_bytes()).explain(error));
        }
        if is_base64_text(chars) {
            return read_cleaned(clean(word, buffer)?);
        }
    }
    pasted::find(text, buffer)
}

/// How the bytes of a string are read.
type Read = for<'b> fn(&'b [u8]) -> Result<Decoded<'b>, DecodeError>;

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
fn after_one(bytes: &[u8]) -> Result<Decoded<'_>, DecodeError> {
    first_that_fits(
        bytes,
        &[
            (StringFormat::GramJs, gramjs::decode),
            (StringFormat::Telethon, telethon::decode),
        ],
    )
}

fn without_prefix(bytes: &[u8]) -> Result<Decoded<'_>, DecodeError> {
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
