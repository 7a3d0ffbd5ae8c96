//! Blocks of 64 characters, for processors with vectors: loops over bytes without tables and branches,
//! which the compiler turns into instructions that handle 16 or more characters each.
//!
//! What is safe and portable here is as fast as a table on x86-64 without any extension. The
//! instructions that need an extension would be faster still, but calling them is `unsafe`.

use core::hint::black_box;

use super::{Done, Symbols};
use crate::wire::copy_bytes;

/// Characters of a block.
const CHARS: usize = 64;
/// Bytes that they stand for.
const LEN: usize = 48;
/// Words that a block is packed in, of eight characters or six bytes each.
const WORDS: usize = 8;
/// Bytes of a word that mean something.
const WORD_LEN: usize = 6;
/// A block's bytes are read and written as words of eight bytes that overlap, so that the last one
/// touches two bytes after the block.
const WINDOW: usize = LEN + 2;

/// `byte` where `is`, else zero; without a branch.
#[inline]
fn when(is: bool, byte: u8) -> u8 {
    0_u8.wrapping_sub(u8::from(is)) & byte
}

const ALL: u8 = 0xFF;

/// The six-bit value of a character of either alphabet, and zero if it is one.
///
/// Comparing signed numbers is one instruction of x86-64, comparing unsigned ones is two.
#[inline]
fn value(char: u8) -> (u8, u8) {
    let letter = (char | 0x20).wrapping_sub(b'a').saturating_sub(25);
    let digit = char.wrapping_sub(b'0').saturating_sub(9);
    let url_safe = letter.min(digit).min(char ^ b'-').min(char ^ b'_');
    let signed = char.cast_signed();
    // From one range of the alphabet to the next the distance to the value changes.
    let value = char
        .wrapping_add(62 - b'-')
        .wrapping_sub(when(signed > b'/'.cast_signed(), 13))
        .wrapping_sub(when(signed > b'@'.cast_signed(), 69))
        .wrapping_add(when(signed > b'^'.cast_signed(), 33))
        .wrapping_sub(when(signed > b'`'.cast_signed(), 39))
        .wrapping_add(when(char == b'+', 2))
        .wrapping_sub(when(char == b'/', 1));
    (
        value,
        url_safe & !when(char == b'+', ALL) & !when(char == b'/', ALL),
    )
}

/// The character of a six-bit value.
#[inline]
fn char(value: u8, symbols: Symbols) -> u8 {
    value
        .wrapping_add(b'A')
        .wrapping_add(when(value > 25, b'a' - 26 - b'A'))
        .wrapping_sub(when(value > 51, b'a' + 26 - b'0'))
        .wrapping_sub(when(value > 61, symbols.below_digits))
        .wrapping_add(when(value > 62, symbols.above_second_last))
}

/// Packs eight values, in the upper 48 bits with the first one on top.
#[inline]
fn joined(values: [u8; 8]) -> u64 {
    const PAIRS: u64 = 0x00FF_00FF_00FF_00FF;
    const FOURS: u64 = 0x0000_FFFF_0000_FFFF;

    let values = u64::from_le_bytes(values);
    let pairs = ((values & PAIRS) << 6) | ((values >> 8) & PAIRS);
    let fours = ((pairs & FOURS) << 12) | ((pairs >> 16) & FOURS);
    // What is left in the lowest byte is written over or cut off.
    (fours << 40) | (fours >> 16)
}

/// The opposite of [`joined`].
#[inline]
fn split(word: u64) -> [u8; 8] {
    let fours = (word >> 40) | ((word << 16) & 0x00FF_FFFF_0000_0000);
    let pairs = ((fours >> 12) & 0x0000_0FFF_0000_0FFF) | ((fours << 16) & 0x0FFF_0000_0FFF_0000);
    (((pairs >> 6) & 0x003F_003F_003F_003F) | ((pairs << 8) & 0x3F00_3F00_3F00_3F00)).to_le_bytes()
}

#[inline]
fn decode_block(text: &[u8; CHARS], bytes: &mut [u8; WINDOW], bad: &mut [u8; CHARS]) {
    let mut values = [0; CHARS];
    for ((slot, bad), char) in values.iter_mut().zip(bad).zip(text) {
        let (value, is_bad) = value(*char);
        *slot = value;
        *bad |= is_bad;
    }
    let mut words = [0; WORDS];
    for (word, values) in words.iter_mut().zip(values.as_chunks().0) {
        *word = joined(*values);
    }
    // Reversing the bytes of a word is one instruction, which a vector does not have: the compiler must
    // not put it into the loop above.
    for (at, word) in black_box(words).into_iter().enumerate() {
        let rest = bytes.get_mut(at.wrapping_mul(WORD_LEN)..);
        if let Some(slot) = rest.and_then(|rest| rest.first_chunk_mut()) {
            *slot = word.to_be_bytes();
        }
    }
}

#[inline]
fn encode_block(bytes: &[u8; WINDOW], text: &mut [u8; CHARS], symbols: Symbols) {
    let mut values = [0; CHARS];
    for (at, values) in values.as_chunks_mut().0.iter_mut().enumerate() {
        let rest = bytes.get(at.wrapping_mul(WORD_LEN)..);
        if let Some(word) = rest.and_then(|rest| rest.first_chunk()) {
            *values = split(u64::from_be_bytes(*word));
        }
    }
    for (slot, value) in text.iter_mut().zip(values) {
        *slot = char(value, symbols);
    }
}

/// Decodes all blocks of `text` that `bytes` has room for.
pub(super) fn decode(text: &[u8], bytes: &mut [u8]) -> Done {
    let mut bad = [0; CHARS];
    let mut done = Done::NOTHING;
    for block in text.as_chunks().0 {
        let free = bytes.get_mut(done.bytes..).unwrap_or_default();
        let Some(window) = free.first_chunk_mut() else {
            break;
        };
        decode_block(block, window, &mut bad);
        done.chars = done.chars.saturating_add(CHARS);
        done.bytes = done.bytes.saturating_add(LEN);
    }
    done.is_base64 = bad.iter().fold(0, |all, bad| all | bad) == 0;
    done
}

/// Encodes all blocks of `bytes` that `text` has room for.
pub(super) fn encode(bytes: &[u8], text: &mut [u8], symbols: Symbols) -> Done {
    let mut done = Done::NOTHING;
    for block in text.as_chunks_mut().0 {
        let rest = bytes.get(done.bytes..).unwrap_or_default();
        if let Some(window) = rest.first_chunk() {
            encode_block(window, block, symbols);
        } else if let Some(last) = rest.first_chunk::<LEN>() {
            let mut window = [0; WINDOW];
            copy_bytes(&mut window, last);
            encode_block(&window, block, symbols);
        } else {
            break;
        }
        done.chars = done.chars.saturating_add(CHARS);
        done.bytes = done.bytes.saturating_add(LEN);
    }
    done
}
