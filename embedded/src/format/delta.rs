//! Delta records: counters in 4 or 8 bytes. The low bits of values, under a check of the whole ones.
//!
//! | form | bits from the top |
//! |---|---|
//! | short, 4 bytes, unit 4 | tag `00`, pts 3, date 8, seq 3; or tag `01`, position 8, pts 6; then check 11, zeros 5 |
//! | long, 8 bytes | tag `100`, pts 13, date 16, seq 8; or tag `101`, position 13, pts 16, zeros 8; then check 24 |
//!
//! "Zeros" is the number of 0 bits before it: a Berger code, which notices every error that only ever turns
//! bits one way, as an interrupted program does.

/// Three counters; of a channel its position, its pts and 0.
pub(crate) type Values = [i32; 3];

/// Widths of the fields, of the counters and of a channel.
static SHORT: [[u8; 3]; 2] = [[3, 8, 3], [8, 6, 0]];
/// The third field is in the second word.
static LONG: [[u8; 3]; 2] = [[13, 16, 8], [13, 16, 0]];

/// A multiplication and a shift: what a check of three numbers needs, at a fraction of a CRC's cost.
pub(crate) const fn mix(hash: u32, value: u32) -> u32 {
    let hash = (hash ^ value).wrapping_mul(0x9E37_79B1);
    hash ^ hash >> 15
}

fn check(seed: u32, is_channel: bool, values: Values) -> u32 {
    let seed = if is_channel { !seed } else { seed };
    values
        .iter()
        .fold(seed, |hash, value| mix(hash, value.cast_unsigned()))
}

const fn zeros(word: u32) -> u32 {
    27_u32.wrapping_sub((word >> 5).count_ones())
}

const fn mask(width: u8) -> u32 {
    (1_u32 << (width & 31)).wrapping_sub(1)
}

/// The low bits of what a record leads to, if it does so from each of two bases.
fn fields(widths: [u8; 3], from: [Values; 2], to: Values) -> Option<[u32; 3]> {
    let mut fields = [0; 3];
    for from in from {
        let all = fields.iter_mut().zip(from).zip(to).zip(widths);
        for (((field, from), to), width) in all {
            if to.wrapping_sub(from).cast_unsigned() > mask(width) {
                return None;
            }
            *field = to.cast_unsigned() & mask(width);
        }
    }
    Some(fields)
}

fn widths(table: [[u8; 3]; 2], is_channel: bool) -> [u8; 3] {
    let [counters, channel] = table;
    if is_channel { channel } else { counters }
}

/// The record that leads to `to` from each of two bases, and its length; `None` where a step is too wide.
pub(crate) fn encode(
    is_short: bool,
    seed: u32,
    is_channel: bool,
    from: [Values; 2],
    to: Values,
) -> Option<([u32; 2], usize)> {
    let check = check(seed, is_channel, to);
    let tag = u32::from(is_channel);
    if is_short && let Some([first, second, third]) = fields(widths(SHORT, is_channel), from, to) {
        let [_, middle, last] = widths(SHORT, is_channel);
        let word = (tag << 14 | (first << (middle & 31) | second) << (last & 31) | third) << 16;
        let word = word | check >> 21 << 5;
        return Some(([word | zeros(word), 0], 4));
    }
    let [first, second, third] = fields(widths(LONG, is_channel), from, to)?;
    let word = (4 | tag) << 29 | first << 16 | second;
    Some(([word, third << 24 | check >> 8], 8))
}

/// Whether a record that starts like this has 8 bytes.
pub(crate) const fn is_long(word: u32) -> bool {
    word >> 31 == 1
}

/// The position of the channel that a record is about.
pub(crate) const fn position(word: u32) -> Option<u32> {
    match word >> 29 {
        2 | 3 => Some(word >> 22 & 0xFF),
        5 => Some(word >> 16 & 0x1FFF),
        _ => None,
    }
}

/// The values that a record says, if it is right: the first at or above those of `base`.
pub(crate) fn decode(word: u32, second: u32, seed: u32, base: Values) -> Option<Values> {
    let is_channel = position(word).is_some();
    let (widths, mut left) = if is_long(word) {
        (widths(LONG, is_channel), word << 3)
    } else if zeros(word) == word & 31 {
        (widths(SHORT, is_channel), word << 2)
    } else {
        return None;
    };
    let mut values = base;
    for (n, (value, width)) in values.iter_mut().zip(widths).enumerate() {
        if n == 2 && is_long(word) {
            left = second;
        }
        if width != 0 {
            let field = left >> (32_u32.wrapping_sub(width.into()) & 31);
            left <<= width & 31;
            let step = field.wrapping_sub(value.cast_unsigned()) & mask(width);
            *value = value.wrapping_add(step.cast_signed());
        }
    }
    let check = check(seed, is_channel, values);
    let is_right = if is_long(word) {
        check >> 8 == second & 0xFF_FFFF
    } else {
        check >> 21 == word >> 5 & 0x7FF
    };
    is_right.then_some(values)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, is_long, position};

    #[test]
    fn a_step_that_does_not_fit_the_short_form_takes_the_long_one_or_none() {
        let record = |to, is_channel| encode(true, 7, is_channel, [[0, 100, 0]; 2], to);
        let (words, len) = record([255, 163, 0], true).unwrap();
        assert_eq!((len, position(words[0])), (4, Some(255)));
        let (words, len) = record([256, 101, 0], true).unwrap();
        assert_eq!((len, position(words[0])), (8, Some(256)));
        assert_eq!(record([8192, 101, 0], true), None);
        assert_eq!(record([1, 99, 0], true), None);
    }

    #[test]
    fn a_record_leads_from_both_bases() {
        let to = [12, 40, 31];
        for (weak, length) in [([10, 35, 30], 4), ([4, 35, 30], 8), ([10, 41, 30], 0)] {
            let from = [weak, [10, 35, 30]];
            let Some((words, found)) = encode(true, 99, false, from, to) else {
                assert_eq!(length, 0);
                continue;
            };
            assert_eq!(found, length);
            for base in from {
                assert_eq!(decode(words[0], words[1], 99, base), Some(to));
            }
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        for (is_short, step) in [(true, 2), (false, 300)] {
            let from = [10, 20, 30];
            let to = [10 + step, 25, 31];
            let (words, _) = encode(is_short, 99, false, [from; 2], to).unwrap();
            assert_eq!(decode(words[0], words[1], 99, from), Some(to));
            for bit in 0..32 {
                let flipped = words[0] ^ 1 << bit;
                if flipped >> 30 == 3 {
                    // No delta record: it is judged by another check.
                    continue;
                }
                let found = decode(flipped, words[1], 99, from);
                assert!(
                    found.is_none() || is_long(flipped) != is_long(words[0]),
                    "{bit}"
                );
                if is_long(words[0]) {
                    assert_eq!(decode(words[0], words[1] ^ 1 << bit, 99, from), None);
                }
            }
        }
    }
}
