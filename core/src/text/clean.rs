//! The base64 characters of a text, without what is written around and between them.

use super::base64::{decode, decode_cleaned, is_base64_text, to_url_safe};
use super::scan::{Scan, Token};
use crate::bug::Certain as _;
use crate::error::{DecodeError, DecodeErrorKind, Field};

/// Decodes session text into `buffer`, which must be as long as the text: the text is cleaned and
/// decoded in place.
///
/// Both alphabets, white space, line breaks, quotes, padding and the escapes of shells, URLs, JSON and
/// HTML are accepted. What is left must be base64 to the last bit; [`detect`](crate::clients::detect)
/// also finds a session string in other text.
///
/// # Errors
/// Names the first character that is not base64 by its position, or says that characters are
/// missing.
pub fn decoded<'b>(text: &str, buffer: &'b mut [u8]) -> Result<&'b [u8], DecodeError> {
    let plain = text.trim_ascii().trim_end_matches('=').as_bytes();
    match decode(plain, buffer) {
        Some(len @ 1..) => Ok(buffer.get(..len).certain("as much was decoded")),
        _ => decode_cleaned(clean(text, buffer)?),
    }
}

/// Copies the base64 characters of `text`, in the URL-safe alphabet, to the start of `buffer`.
pub(crate) fn clean<'b>(text: &str, buffer: &'b mut [u8]) -> Result<&'b mut [u8], DecodeError> {
    let error = |kind, offset| DecodeError::new(kind, Field::StringText, offset);
    let plain = text.trim_ascii().trim_end_matches('=');
    if is_base64_text(plain) {
        // As it was written: nothing to leave out.
        let needed = plain.len();
        let Some(copy) = buffer.get_mut(..needed) else {
            return Err(error(DecodeErrorKind::BufferTooSmall { needed }, 0));
        };
        for (slot, byte) in copy.iter_mut().zip(plain.bytes()) {
            *slot = to_url_safe(byte);
        }
        return Ok(copy);
    }
    let mut len = 0_usize;
    let mut ended = false;
    let mut scan = Scan::new(text);
    while let Some(token) = scan.next() {
        let char = match token {
            Token::Joint | Token::Line => continue,
            Token::Equals => {
                ended = true;
                continue;
            }
            Token::Char(char) if !ended => char,
            Token::Char(_) | Token::Break | Token::Stray => {
                return Err(error(DecodeErrorKind::Character, scan.position(text)));
            }
        };
        let Some(slot) = buffer.get_mut(len) else {
            let needed = text.len();
            return Err(error(DecodeErrorKind::BufferTooSmall { needed }, len));
        };
        *slot = char;
        len = len.saturating_add(1);
    }
    Ok(buffer.get_mut(..len).certain("as much was cleaned"))
}
