//! Base64 in constant time, into the caller's memory: the one cleaning of session text, the one
//! decoding, and an encoder for every alphabet that session strings are written in.

use base64ct::{Base64, Base64Url, Base64UrlUnpadded, Encoding};

use super::scan::{Scan, Token};
use crate::error::{DecodeError, DecodeErrorKind, Field};
use crate::wire::{Scratch, Sink, copy_bytes};

/// Characters that `len` bytes take.
///
/// ```
/// assert_eq!(mtsession_core::text::encoded_text_len(273), 364);
/// ```
#[must_use]
pub const fn encoded_text_len(len: usize) -> usize {
    let (whole, rest) = (len / 3, len % 3);
    let rest_chars = match rest {
        0 => 0,
        1 => 2,
        _ => 3,
    };
    whole.saturating_mul(4).saturating_add(rest_chars)
}

/// Bytes that are gathered before they are encoded: a multiple of three, and long enough that the
/// encoder's own start does not count. A microcontroller's stack is smaller.
const BLOCK: usize = if cfg!(feature = "std") { 1536 } else { 96 };
/// Characters of a full block.
const BLOCK_CHARS: usize = encoded_text_len(BLOCK);

/// The alphabets and paddings that session strings are written in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alphabet {
    /// `-_`, no padding: our own strings, Pyrogram, mtcute, MTKruto.
    UrlSafe,
    /// `-_` with `=`: Telethon.
    UrlSafePadded,
    /// `+/` with `=`: GramJS.
    StandardPadded,
}

impl Alphabet {
    /// Encodes into `text`, which has room by construction.
    fn encode<'t>(self, bytes: &[u8], text: &'t mut [u8]) -> &'t str {
        let encoded = match self {
            Self::UrlSafe => Base64UrlUnpadded::encode(bytes, text),
            Self::UrlSafePadded => Base64Url::encode(bytes, text),
            Self::StandardPadded => Base64::encode(bytes, text),
        };
        encoded.unwrap_or_default()
    }
}

/// Encodes what is written to it and passes the characters on.
///
/// Call [`finish`](Self::finish) at the end. What it gathers is wiped on drop.
///
/// ```
/// use mtsession_core::text::Base64Sink;
/// use mtsession_core::wire::Sink;
///
/// let mut text = heapless::Vec::<u8, 512>::new();
/// let mut sink = Base64Sink::new(&mut text);
/// sink.write(&[0xFB, 0xFF])?;
/// sink.finish()?;
/// assert_eq!(text, b"-_8");
/// # Ok::<(), mtsession_core::wire::SliceFull>(())
/// ```
#[derive(Debug)]
pub struct Base64Sink<'s, S: Sink> {
    sink: &'s mut S,
    alphabet: Alphabet,
    /// The bytes that do not make a whole block yet.
    bytes: Scratch<BLOCK>,
    filled: usize,
    /// The characters of the last block that did.
    text: Scratch<BLOCK_CHARS>,
}

impl<'s, S: Sink> Base64Sink<'s, S> {
    /// Encodes into `sink`, URL-safe and without padding.
    pub fn new(sink: &'s mut S) -> Self {
        Self::with_alphabet(Alphabet::UrlSafe, sink)
    }

    /// Encodes into `sink` as another library would.
    pub(crate) fn with_alphabet(alphabet: Alphabet, sink: &'s mut S) -> Self {
        Self {
            sink,
            alphabet,
            bytes: Scratch::new(),
            filled: 0,
            text: Scratch::new(),
        }
    }

    /// Writes what is left.
    pub fn finish(mut self) -> Result<(), S::Error> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), S::Error> {
        let bytes = self.bytes.get(..self.filled).unwrap_or_default();
        self.filled = 0;
        // Padding fills up to a multiple of four characters, which the text of a whole block is.
        let text = self.alphabet.encode(bytes, &mut self.text);
        self.sink.write(text.as_bytes())
    }
}

impl<S: Sink> Sink for Base64Sink<'_, S> {
    type Error = S::Error;

    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let free = self.bytes.get_mut(self.filled..).unwrap_or_default();
            let (head, tail) = rest.split_at_checked(free.len()).unwrap_or((rest, &[]));
            copy_bytes(free, head);
            self.filled = self.filled.saturating_add(head.len());
            rest = tail;
            if self.filled >= BLOCK {
                self.flush()?;
            }
        }
        Ok(())
    }
}

/// Decodes session text into `buffer`, which must be as long as the text: the text is cleaned and
/// decoded in place.
///
/// Both alphabets, white space, line breaks, quotes, padding and the escapes of shells, URLs, JSON and
/// HTML are accepted. What is left must be base64 to the last bit; [`detect`](crate::foreign::detect)
/// also finds a session string in other text.
///
/// # Errors
/// Names the first character that is not base64 by its position, or says that characters are
/// missing.
pub fn decoded<'b>(text: &str, buffer: &'b mut [u8]) -> Result<&'b [u8], DecodeError> {
    decode_cleaned(clean(text, buffer)?)
}

/// Decodes what [`clean`] left, in place.
pub(crate) fn decode_cleaned(cleaned: &mut [u8]) -> Result<&[u8], DecodeError> {
    let error = |kind, offset| DecodeError::new(kind, Field::StringText, offset);
    if cleaned.is_empty() {
        return Err(error(DecodeErrorKind::Empty, 0));
    }
    let chars = cleaned.len();
    Base64UrlUnpadded::decode_in_place(cleaned)
        .map_err(|_| error(DecodeErrorKind::Base64Length, chars))
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
    Ok(buffer.get_mut(..len).unwrap_or_default())
}

/// Whether a text is nothing but base64 characters.
pub(crate) fn is_base64_text(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & is_base64(byte))
}

/// Whether either alphabet has the character, without a branch on it.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a lazy operator would branch on a character of the key"
)]
pub(super) fn is_base64(byte: u8) -> bool {
    let within = |first: u8, last: u8| byte.wrapping_sub(first) <= last.wrapping_sub(first);
    within(b'A', b'Z')
        | within(b'a', b'z')
        | within(b'0', b'9')
        | (byte == b'-')
        | (byte == b'_')
        | (byte == b'+')
        | (byte == b'/')
}

/// `+` to `-`, `/` to `_`, without a branch on the character.
pub(super) fn to_url_safe(byte: u8) -> u8 {
    let plus = u8::from(byte == b'+').wrapping_mul(b'-'.wrapping_sub(b'+'));
    let slash = u8::from(byte == b'/').wrapping_mul(b'_'.wrapping_sub(b'/'));
    byte.wrapping_add(plus).wrapping_add(slash)
}
