//! Four characters at a time in one `u32`: what a processor without vectors does, and what is left of a
//! text after its last whole [block](super::vector).
//!
//! Every byte of the word is one character or one six-bit value. Additions never carry from one byte
//! into the next, and nothing is looked up or branched on.
//!
//! Instructions for 2,048 characters on a Cortex-M0+ and a Cortex-M4 at `opt-level = "s"`, and bytes of
//! code on the latter, both ways:
//!
//! | | decode | encode | code |
//! |---|---|---|---|
//! | `base64ct` | 240,640 and 195,840 | 152,640 and 140,120 | |
//! | `u64`, eight characters | 88,920 and 49,960 | 43,880 and 21,800 | 1,066 |
//! | `u32`, four characters | 76,920 and 44,040 | 41,080 and 22,560 | 622 |

use super::{Done, Symbols};

/// Characters of a word.
const CHARS: usize = 4;
/// Bytes that they stand for.
const LEN: usize = 3;

/// A byte in every place of a word.
const fn all(byte: u8) -> u32 {
    u32::from_le_bytes([byte; CHARS])
}

/// The top bit of every byte, which no character has.
const TOP: u32 = all(0x80);

/// The top bit of every byte that is at least `least`; all must be below 0x80.
const fn at_least(word: u32, least: u8) -> u32 {
    word.wrapping_add(all(0x80_u8.wrapping_sub(least))) & TOP
}

/// The top bit of every byte from `first` to `last`; all must be below 0x80.
const fn within(word: u32, first: u8, last: u8) -> u32 {
    at_least(word, first) & !at_least(word, last.wrapping_add(1))
}

/// `byte` in every place whose top bit is set in `tops`.
const fn where_set(tops: u32, byte: u8) -> u32 {
    tops.wrapping_shl(1).wrapping_sub(tops >> 7) & all(byte)
}

/// The six-bit values of four characters of either alphabet; `bad` gets a bit for what is none.
const fn values(text: [u8; CHARS], bad: &mut u32) -> u32 {
    let word = u32::from_le_bytes(text);
    let chars = word & !TOP;
    let upper = within(chars, b'A', b'Z');
    let lower = within(chars, b'a', b'z');
    let digit = within(chars, b'0', b'9');
    let [plus, minus] = [within(chars, b'+', b'+'), within(chars, b'-', b'-')];
    let [slash, line] = [within(chars, b'/', b'/'), within(chars, b'_', b'_')];
    let (second_last, last) = (plus | minus, slash | line);
    *bad |= (word & TOP) | (TOP & !(upper | lower | digit | second_last | last));
    // Nothing is subtracted from a byte that is smaller: upper case is the least that is left.
    let letters_and_digits = chars & where_set(upper | lower | digit, 0x7F);
    letters_and_digits
        .wrapping_add(where_set(digit, 4))
        .wrapping_sub(where_set(upper, b'A'))
        .wrapping_sub(where_set(lower, b'a' - 26))
        | where_set(second_last, 62)
        | where_set(last, 63)
}

/// The three bytes of four values.
const fn joined(values: u32) -> [u8; LEN] {
    let pairs = ((values & 0x00FF_00FF) << 6) | ((values >> 8) & 0x00FF_00FF);
    let [_, a, b, c] = (((pairs & 0xFFFF) << 12) | (pairs >> 16)).to_be_bytes();
    [a, b, c]
}

/// The four values of three bytes.
const fn split([a, b, c]: [u8; LEN]) -> u32 {
    let bytes = u32::from_be_bytes([0, a, b, c]);
    let pairs = (bytes >> 12) | ((bytes & 0x0FFF) << 16);
    ((pairs >> 6) & 0x003F_003F) | ((pairs << 8) & 0x3F00_3F00)
}

/// The characters of four values.
const fn chars(values: u32, symbols: Symbols) -> [u8; CHARS] {
    let from_a = values
        .wrapping_add(all(b'A'))
        .wrapping_add(where_set(at_least(values, 26), b'a' - 26 - b'A'))
        .wrapping_sub(where_set(at_least(values, 52), b'a' + 26 - b'0'));
    from_a
        .wrapping_sub(where_set(at_least(values, 62), symbols.below_digits))
        .wrapping_add(where_set(at_least(values, 63), symbols.above_second_last))
        .to_le_bytes()
}

/// Decodes all whole words of `text` that `bytes` has room for.
pub(super) fn decode(text: &[u8], bytes: &mut [u8]) -> Done {
    let mut bad = 0;
    let mut words = 0_usize;
    let slots = bytes.as_chunks_mut::<LEN>().0;
    for (text, slot) in text.as_chunks::<CHARS>().0.iter().zip(slots) {
        *slot = joined(values(*text, &mut bad));
        words = words.saturating_add(1);
    }
    Done {
        chars: words.saturating_mul(CHARS),
        bytes: words.saturating_mul(LEN),
        is_base64: bad == 0,
    }
}

/// Encodes all whole words of `bytes` that `text` has room for.
pub(super) fn encode(bytes: &[u8], text: &mut [u8], symbols: Symbols) -> Done {
    let mut words = 0_usize;
    let slots = text.as_chunks_mut::<CHARS>().0;
    for (bytes, slot) in bytes.as_chunks::<LEN>().0.iter().zip(slots) {
        *slot = chars(split(*bytes), symbols);
        words = words.saturating_add(1);
    }
    Done {
        chars: words.saturating_mul(CHARS),
        bytes: words.saturating_mul(LEN),
        is_base64: true,
    }
}
