//! The most likely cause of a string that fits no format: what it begins like, and by how many
//! characters it is too short or too long.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::{Zeroize, Zeroizing};

use super::format::StringFormat;
use super::{gramjs, mtcute, mtkruto, pyrogram, telethon};
use crate::error::{DecodeError, DecodeErrorKind, Field};
use crate::text::{CompactSession, encoded_text_len, to_url_safe};

/// What happened to a string, most likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Damage {
    /// Its first character is missing.
    FirstMissing,
    /// So many characters are missing; the last ones, most likely.
    EndMissing(usize),
    /// Its end is missing; how long it was cannot be known.
    Cut,
    /// It has so many characters too many.
    TooLong(usize),
    /// It has the right length, but parts that contradict each other.
    Content,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstMissing => f.write_str("with its first character missing"),
            Self::EndMissing(1) => f.write_str("with its last character missing"),
            Self::EndMissing(count) => {
                write!(f, "with its last {count} characters missing")
            }
            Self::Cut => f.write_str("with its end missing"),
            Self::TooLong(1) => f.write_str("with one character too many"),
            Self::TooLong(count) => write!(f, "with {count} characters too many"),
            Self::Content => f.write_str("with characters missing or changed inside it"),
        }
    }
}

/// Characters kept for the explanation: more than any format has before its key.
const SAMPLE: usize = 192;

/// The beginning of a string in the URL-safe alphabet, kept where decoding happens in place. Wiped on
/// drop: most of it is key.
pub(super) struct Sample {
    chars: [u8; SAMPLE],
    kept: usize,
    len: usize,
}

impl Drop for Sample {
    fn drop(&mut self) {
        self.chars.zeroize();
    }
}

impl Sample {
    /// Of the characters of a string, in either alphabet and without padding.
    pub(super) fn of(chars: &[u8]) -> Self {
        let mut sample = Self {
            chars: [0; SAMPLE],
            kept: chars.len().min(SAMPLE),
            len: chars.len(),
        };
        for (slot, char) in sample.chars.iter_mut().zip(chars) {
            *slot = to_url_safe(*char);
        }
        sample
    }

    /// Whether a native session begins like this: its version, and a home DC.
    fn is_native(&self) -> bool {
        let mut bytes = Zeroizing::new([0; 6]);
        let head = self.chars.first_chunk::<8>();
        let head = head.and_then(|head| Base64UrlUnpadded::decode(head, &mut *bytes).ok());
        matches!(head, Some([2..=8, 1..=5 | 203, 0, 0, 0, ..]))
    }

    /// The same string with one character more at its beginning.
    fn preceded_by(&self, first: u8) -> Self {
        let mut sample = Self {
            chars: [first; SAMPLE],
            kept: self.kept.saturating_add(1).min(SAMPLE),
            len: self.len.saturating_add(1),
        };
        for (slot, char) in sample.chars.iter_mut().skip(1).zip(&self.chars) {
            *slot = *char;
        }
        sample
    }

    /// Replaces an error by the likely damage, where there is one: the decoders' own errors are
    /// about the format that was tried last.
    pub(super) fn explain(&self, error: DecodeError) -> DecodeError {
        if error.kind.is_of_a_known_string() {
            return error;
        }
        let is_cut = matches!(
            error.kind,
            DecodeErrorKind::Truncated | DecodeErrorKind::Base64Length
        );
        let native = || (is_cut && self.is_native()).then_some((StringFormat::Native, Damage::Cut));
        self.likely()
            .or_else(native)
            .map_or(error, |(format, damage)| DecodeError {
                kind: DecodeErrorKind::DamagedString(format, damage),
                field: Field::StringText,
                offset: self.len,
            })
    }

    fn likely(&self) -> Option<(StringFormat, Damage)> {
        // A string that begins like another format after the lost prefix has an address to prove it.
        if let Some(format) = self.fits_behind(b'1') {
            return Some((format, Damage::FirstMissing));
        }
        if let Some((format, expected)) = self.announced() {
            let damage = match expected {
                Some(expected) if self.len < expected => {
                    Damage::EndMissing(expected.saturating_sub(self.len))
                }
                Some(expected) if self.len > expected => {
                    Damage::TooLong(self.len.saturating_sub(expected))
                }
                _ => Damage::Content,
            };
            return Some((format, damage));
        }
        // Every other format begins with one of these: a small number, or DC 203.
        [b'A', b'B', b'y']
            .into_iter()
            .find_map(|first| Some((self.fits_behind(first)?, Damage::FirstMissing)))
    }

    /// The format that the string would have with this character before it.
    fn fits_behind(&self, first: u8) -> Option<StringFormat> {
        let whole = self.preceded_by(first);
        let (format, expected) = whole.announced()?;
        let fits = expected.is_none_or(|expected| expected == whole.len);
        fits.then_some(format)
    }

    /// The format that the string begins like, and how many characters it should have (`None` where
    /// that depends on its content).
    fn announced(&self) -> Option<(StringFormat, Option<usize>)> {
        let kept = self.chars.get(..self.kept)?;
        let (prefix, body) = match kept {
            [b'1', body @ ..] => (1_usize, body),
            body => (0, body),
        };
        // Whole groups of four, which decode by themselves.
        let (groups, _) = body.as_chunks::<4>();
        let mut bytes = Zeroizing::new([0; SAMPLE]);
        let head = Base64UrlUnpadded::decode(groups.as_flattened(), &mut *bytes).ok()?;
        let chars = |bytes: usize| Some(encoded_text_len(bytes).saturating_add(prefix));

        if prefix > 0 {
            let gramjs = gramjs::announced_len(head).map(|len| (StringFormat::GramJs, chars(len)));
            return gramjs.or_else(|| {
                telethon::announced_len(head).map(|len| (StringFormat::Telethon, chars(len)))
            });
        }
        if mtkruto::begins(head) {
            return Some((StringFormat::Mtkruto, None));
        }
        if let Some(len) = mtcute::announced_len(head) {
            return Some((StringFormat::Mtcute, chars(len)));
        }
        // A native session: its own decoder says which field it ends in.
        if matches!(head, [2..=8, _, 0, 0, 0, ..]) {
            return None;
        }
        if let Some(len) = CompactSession::announced_len(head) {
            return Some((StringFormat::Compact, chars(len)));
        }
        let bytes_about = self.len.saturating_mul(3) / 4;
        pyrogram::announced_len(head, bytes_about).map(|(format, len)| (format, chars(len)))
    }
}
