//! The one entry for session text.

use super::damage::Sample;
use super::pasted;
use super::recognise::{Read, after_one, read_cleaned, without_prefix};
use crate::bug::Certain as _;
use crate::decoded::Decoded;
use crate::error::DecodeError;
use crate::text::{clean, decode, is_base64_text};

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
/// A character that is not base64; [`DamagedString`](crate::DecodeErrorKind::DamagedString) with the most
/// likely format and damage; [`NotASessionString`](crate::DecodeErrorKind::NotASessionString) where nothing is
/// likely; [`SeveralStrings`](crate::DecodeErrorKind::SeveralStrings) where the text holds two different ones;
/// [`NotLoggedIn`](crate::DecodeErrorKind::NotLoggedIn) where the key is all zeros.
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
