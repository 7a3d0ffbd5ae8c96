//! Base64 in constant time, into the caller's memory: the one cleaning of session text, the one
//! decoding, and an encoder for every alphabet that session strings are written in.
//!
//! Most of a text is handled in [blocks](vector) where the processor has vectors, and in [words](word)
//! of four characters elsewhere. What does not fill a word is left to `base64ct`, which also knows
//! padding and which last bits are possible.

mod sink;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "lengths of test data")]
mod tests;
mod vector;
mod word;

pub use self::sink::Base64Sink;

use base64ct::{Base64, Base64Url, Base64UrlUnpadded, Encoding};

use crate::bug::Certain as _;
use crate::error::{DecodeError, DecodeErrorKind, Field};
use crate::wire::Scratch;

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

/// Whether the target has vectors by default. A microcontroller would take the loops over blocks
/// apart again, for more code and no time.
const HAS_VECTORS: bool = cfg!(any(
    target_feature = "sse2",
    target_feature = "neon",
    target_feature = "simd128",
    target_feature = "v",
));

/// Characters that a word leaves over at most.
const TAIL: usize = 3;

/// What a pass over a text did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Done {
    /// Characters that were read or written.
    chars: usize,
    /// Bytes that were written or read.
    bytes: usize,
    /// Whether all of the characters were base64. Known at the end only: a branch before would tell
    /// where the first other character is.
    is_base64: bool,
}

impl Done {
    const NOTHING: Self = Self {
        chars: 0,
        bytes: 0,
        is_base64: true,
    };

    /// Both passes, of which `next` went on where this one ended.
    const fn and(self, next: Self) -> Self {
        Self {
            chars: self.chars.saturating_add(next.chars),
            bytes: self.bytes.saturating_add(next.bytes),
            is_base64: self.is_base64 && next.is_base64,
        }
    }
}

/// The last two characters of an alphabet, as distances.
#[derive(Clone, Copy, Debug)]
struct Symbols {
    /// How far the second last character is below the one after `9`.
    below_digits: u8,
    /// How far the last character is above the one after the second last.
    above_second_last: u8,
}

impl Symbols {
    const fn new(second_last: u8, last: u8) -> Self {
        Self {
            below_digits: (b'9' + 1).wrapping_sub(second_last),
            above_second_last: last.wrapping_sub(second_last.wrapping_add(1)),
        }
    }
}

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
    const fn symbols(self) -> Symbols {
        match self {
            Self::UrlSafe | Self::UrlSafePadded => Symbols::new(b'-', b'_'),
            Self::StandardPadded => Symbols::new(b'+', b'/'),
        }
    }

    /// Encodes into `text`, which has room by construction; returns how many characters there are.
    pub(crate) fn encode(self, bytes: &[u8], text: &mut [u8]) -> usize {
        let symbols = self.symbols();
        let mut done = Done::NOTHING;
        if HAS_VECTORS {
            done = vector::encode(bytes, text, symbols);
        }
        let (rest, free) = after(done.bytes, bytes, done.chars, text);
        done = done.and(word::encode(rest, free, symbols));
        let (rest, free) = after(done.bytes, bytes, done.chars, text);
        let tail = match self {
            Self::UrlSafe => Base64UrlUnpadded::encode(rest, free),
            Self::UrlSafePadded => Base64Url::encode(rest, free),
            Self::StandardPadded => Base64::encode(rest, free),
        };
        done.chars.saturating_add(tail.map_or(0, str::len))
    }
}

/// What is left of both sides after `read` and `written`.
fn after<'r, 'w>(
    read: usize,
    from: &'r [u8],
    written: usize,
    to: &'w mut [u8],
) -> (&'r [u8], &'w mut [u8]) {
    (
        from.get(read..).certain("more was read than there is"),
        to.get_mut(written..)
            .certain("more was written than there is room"),
    )
}

/// Decodes characters of either alphabet, without padding, to the last bit; returns how many bytes
/// there are, or `None` where one of the characters is none, characters are missing or `bytes` has no
/// room. Takes as long for any characters.
pub(crate) fn decode(text: &[u8], bytes: &mut [u8]) -> Option<usize> {
    let mut done = Done::NOTHING;
    if HAS_VECTORS {
        done = vector::decode(text, bytes);
    }
    let (rest, free) = after(done.chars, text, done.bytes, bytes);
    done = done.and(word::decode(rest, free));
    let (rest, free) = after(done.chars, text, done.bytes, bytes);
    let mut tail = Scratch::<TAIL>::new();
    let tail = tail.get_mut(..rest.len())?;
    for (slot, char) in tail.iter_mut().zip(rest) {
        *slot = to_url_safe(*char);
    }
    let tail = Base64UrlUnpadded::decode(&*tail, free).map(<[u8]>::len);
    match tail {
        Ok(tail) if done.is_base64 => Some(done.bytes.saturating_add(tail)),
        _ => None,
    }
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
pub(crate) fn to_url_safe(byte: u8) -> u8 {
    let plus = u8::from(byte == b'+').wrapping_mul(b'-'.wrapping_sub(b'+'));
    let slash = u8::from(byte == b'/').wrapping_mul(b'_'.wrapping_sub(b'/'));
    byte.wrapping_add(plus).wrapping_add(slash)
}
