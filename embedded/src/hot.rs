//! Hot records: a counter's low bits in 4 or 8 bytes, for the one thing that changes for ever.
//!
//! A record holds low bits, not differences, and its check covers the absolute value that they
//! resolve to: nothing is misapplied when a record before it was lost.
//!
//! A 16-bit check alone would accept one torn record in 65,536. Flash tears in one direction only:
//! bits that should have become 0 are still 1. A Berger code (the number of zeros, appended) notices
//! every error of one direction, so together with it a short CRC is enough: a tear and a single
//! flipped bit are noticed always, anything else nearly always.

use crate::check::crc32c;

/// What hot records are about: a channel's slot, or this.
pub(crate) const PRIMARY: u16 = u16::MAX;

/// Values of a counter: pts, date and seq of the primary one, slot and pts of a channel's.
pub(crate) type Values = [i32; 3];

/// A change of a counter that may fit a hot record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hot {
    pub(crate) counter: u16,
    pub(crate) values: Values,
}

/// What hot records continue: the values as they are on flash.
pub(crate) trait Base {
    /// `None` for a channel whose absolute record is not known.
    fn base(&self, counter: u16) -> Option<Values>;
}

/// How a record of one size is laid out, from the top bit: tag, kind, fields, CRC, zeros. All in bits.
struct Form {
    size: u8,
    /// With the last bit, the kind, 0.
    tag: u8,
    tag_len: u8,
    /// Of the primary counter, and of a channel.
    fields: [[u8; 3]; 2],
    crc: u8,
    zeros: u8,
}

static NARROW: Form = Form {
    size: 32,
    tag: 0,
    tag_len: 2,
    fields: [[3, 8, 3], [8, 6, 0]],
    crc: 11,
    zeros: 5,
};
static MIDDLE: Form = Form {
    size: 64,
    tag: 4,
    tag_len: 3,
    fields: [[13, 15, 11], [8, 31, 0]],
    crc: 16,
    zeros: 6,
};
/// For program units of 8 and more, where a record cannot be shorter than 8 bytes.
static WIDE: Form = Form {
    size: 64,
    tag: 0,
    tag_len: 2,
    fields: [[10, 12, 8], [16, 14, 0]],
    crc: 32,
    zeros: 0,
};

/// Writes `hot`, which continues `from`, in the shortest form that it fits; returns the record's
/// length. `None` where it fits none.
///
/// `seed` is of the page and the position.
pub(crate) fn encode(
    shift: u8,
    seed: u32,
    from: Values,
    hot: Hot,
    place: &mut [u8],
) -> Option<u32> {
    let forms: &[&Form] = if shift > 2 {
        &[&WIDE]
    } else {
        &[&NARROW, &MIDDLE]
    };
    forms.iter().find_map(|form| {
        let bytes = form.encode(seed, from, hot)?.to_be_bytes();
        debug_assert_eq!(
            decode(shift, seed, &Only(from), &bytes),
            Decoded::Valid(hot),
            "what is written is what will be read"
        );
        place
            .iter_mut()
            .zip(bytes)
            .for_each(|(place, byte)| *place = byte);
        Some(u32::from(form.size >> 3))
    })
}

/// A base that is known already, whichever counter is asked for.
struct Only(Values);

impl Base for Only {
    fn base(&self, _: u16) -> Option<Values> {
        Some(self.0)
    }
}

/// What the bytes of a hot record say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    Valid(Hot),
    /// A channel's record whose base is not known.
    Unresolved,
    Bad,
}

/// Decodes the record at the start of `bytes`.
pub(crate) fn decode(shift: u8, seed: u32, base: &impl Base, bytes: &[u8]) -> Decoded {
    let Some(first) = bytes.first() else {
        return Decoded::Bad;
    };
    let form = match (shift, first >> 6) {
        (_, 3) | (3.., 2) => return Decoded::Bad,
        (3.., _) => &WIDE,
        (_, 2) => &MIDDLE,
        _ => return narrow(seed, base, bytes),
    };
    form.decode(seed, base, bytes).unwrap_or(Decoded::Bad)
}

/// Decodes a short record: nearly all that a page holds are of this form, so it has a reader of its own,
/// in words of 32 bits.
pub(crate) fn narrow(seed: u32, base: &impl Base, bytes: &[u8]) -> Decoded {
    let Some(word) = bytes.first_chunk() else {
        return Decoded::Bad;
    };
    let word = u32::from_be_bytes(*word);
    let zeros = (word >> 5).count_zeros().wrapping_sub(5);
    if zeros != word & 31 {
        return Decoded::Bad;
    }
    let is_channel = word >> 30 == 1;
    let counter = if is_channel {
        u16::try_from(word >> 22 & 0xFF).unwrap_or(PRIMARY)
    } else {
        PRIMARY
    };
    let Some([first, second, third]) = base.base(counter) else {
        return Decoded::Unresolved;
    };
    let values = if is_channel {
        [first, rise(second, word >> 16, 6), 0]
    } else {
        [
            rise(first, word >> 27, 3),
            rise(second, word >> 19, 8),
            rise(third, word >> 16, 3),
        ]
    };
    let hot = Hot { counter, values };
    if (word >> 5 ^ NARROW.check(seed, hot)) & mask(NARROW.crc) != 0 {
        return Decoded::Bad;
    }
    Decoded::Valid(hot)
}

/// The first value at or above `from` with these low bits.
fn rise(from: i32, low: u32, width: u8) -> i32 {
    let step = low.wrapping_sub(from.cast_unsigned()) & mask(width);
    from.wrapping_add(step.cast_signed())
}

impl Form {
    fn encode(&self, seed: u32, from: Values, hot: Hot) -> Option<u64> {
        let is_channel = hot.counter != PRIMARY;
        let [primary, channel] = &self.fields;
        let widths = if is_channel { channel } else { primary };
        let [slot, ..] = *widths;
        // Of a slot there are no bits but these: nothing tells which 256 of them it is among.
        if is_channel && u32::from(hot.counter) > mask(slot) {
            return None;
        }
        let mut record = 0;
        push(
            &mut record,
            u32::from(self.tag | u8::from(is_channel)),
            self.tag_len,
        );
        for ((from, to), width) in from.into_iter().zip(hot.values).zip(widths) {
            let step = to.wrapping_sub(from).cast_unsigned();
            // The low bits say which value at or above `from` is meant.
            if step > mask(*width) {
                return None;
            }
            push(&mut record, to.cast_unsigned(), *width);
        }
        push(&mut record, self.check(seed, hot), self.crc);
        let zeros = self.zeros(record);
        push(&mut record, zeros, self.zeros);
        Some(record << 64_u8.wrapping_sub(self.size))
    }

    fn decode(&self, seed: u32, base: &impl Base, bytes: &[u8]) -> Option<Decoded> {
        let mut whole = [0; 8];
        let len = usize::from(self.size >> 3);
        let (place, _) = whole.split_at_mut_checked(len)?;
        place.copy_from_slice(bytes.get(..len)?);
        let mut record = u64::from_be_bytes(whole);
        let whole = record >> 64_u8.wrapping_sub(self.size);
        let [.., last] = whole.to_be_bytes();
        if (u32::from(last) ^ self.zeros(whole >> self.zeros)) & mask(self.zeros) != 0 {
            return None;
        }
        let is_channel = take(&mut record, self.tag_len) & 1 == 1;
        let [primary, channel] = &self.fields;
        let widths = if is_channel { channel } else { primary };
        let counter = if is_channel {
            let [slot, ..] = *widths;
            u16::try_from(take(&mut record.clone(), slot)).ok()?
        } else {
            PRIMARY
        };
        let Some(mut values) = base.base(counter) else {
            return Some(Decoded::Unresolved);
        };
        for (value, width) in values.iter_mut().zip(widths) {
            *value = rise(*value, take(&mut record, *width), *width);
        }
        let hot = Hot { counter, values };
        let differs = (take(&mut record, self.crc) ^ self.check(seed, hot)) & mask(self.crc);
        (differs == 0).then_some(Decoded::Valid(hot))
    }

    /// How many zeros a whole record has in front of this count.
    #[inline(never)]
    fn zeros(&self, checked: u64) -> u32 {
        u32::from(self.size.wrapping_sub(self.zeros)).wrapping_sub(checked.count_ones())
    }

    /// The check of the absolute value, folded to its bits; those above are to be cut off.
    fn check(&self, seed: u32, hot: Hot) -> u32 {
        let [first, second, third] = hot.values;
        let (seed, values, len) = if hot.counter == PRIMARY {
            (seed, [first, second, third], 12)
        } else {
            (!seed, [second, hot.counter.into(), 0], 6)
        };
        let mut bytes = [0; 12];
        for (place, value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
            *place = value.to_le_bytes();
        }
        let (bytes, _) = bytes.split_at(len);
        let crc = crc32c(seed, bytes);
        match self.crc {
            11 => crc ^ crc >> 11 ^ crc >> 22,
            16 => crc ^ crc >> 16,
            _ => crc,
        }
    }
}

fn mask(bits: u8) -> u32 {
    let others = 32_u32.wrapping_sub(bits.into());
    u32::MAX.checked_shr(others).unwrap_or_default()
}

/// Appends the low bits of a value.
#[inline(never)]
fn push(record: &mut u64, value: u32, bits: u8) {
    *record = *record << bits | u64::from(value & mask(bits));
}

/// Cuts bits off the top, at most 32.
#[inline(never)]
fn take(record: &mut u64, bits: u8) -> u32 {
    let value = *record >> 1 >> 63_u8.wrapping_sub(bits);
    *record <<= bits;
    u32::try_from(value).unwrap_or_default()
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests"
)]
mod tests {
    use super::*;

    struct Known;

    const FROM: Values = [-3, 1_750_000_000, 6];

    impl Base for Known {
        fn base(&self, counter: u16) -> Option<Values> {
            match counter {
                PRIMARY => Some(FROM),
                0..40 => Some([counter.into(), i32::MAX - 2, 0]),
                _ => None,
            }
        }
    }

    fn encode(shift: u8, seed: u32, hot: Hot) -> Option<([u8; 8], u32)> {
        let mut bytes = [0xFF; 8];
        let len = super::encode(shift, seed, Known.base(hot.counter)?, hot, &mut bytes)?;
        Some((bytes, len))
    }

    fn cases() -> impl Iterator<Item = Hot> {
        let [pts, date, seq] = FROM;
        [
            (0, 0, 0),
            (1, 1, 1),
            (7, 255, 7),
            (8, 0, 0),
            (1000, 4000, 200),
        ]
        .map(|(a, b, c)| Hot {
            counter: PRIMARY,
            values: [pts + a, date + b, seq + c],
        })
        .into_iter()
        .chain([0, 1, 63, 64, 9000].map(|pts: i32| Hot {
            counter: 39,
            values: [39, (i32::MAX - 2).wrapping_add(pts), 0],
        }))
    }

    #[test]
    fn survives() {
        for shift in 2..=5 {
            for hot in cases() {
                let (bytes, _) = encode(shift, 5, hot).unwrap();
                let decoded = decode(shift, 5, &Known, &bytes);
                assert_eq!(decoded, Decoded::Valid(hot));
                let elsewhere = decode(shift, 6, &Known, &bytes);
                assert_eq!(elsewhere, Decoded::Bad, "another position");
            }
        }
        let back = Hot {
            counter: PRIMARY,
            values: [-4, 1_750_000_000, 6],
        };
        assert!(encode(2, 5, back).is_none());
    }

    #[test]
    fn a_slot_that_a_form_has_no_bits_for_takes_another_form() {
        let slots = [0, 255, 256, 257, 300, 511, 512, 0xFFFE];
        let pairs = slots
            .into_iter()
            .flat_map(|slot| [1, 9000, 16_384].map(|step| (slot, step)));
        for (shift, (slot, step)) in
            (2..=5).flat_map(|shift| pairs.clone().map(move |pair| (shift, pair)))
        {
            let from = [i32::from(slot), 10, 0];
            let hot = Hot {
                counter: slot,
                values: [slot.into(), 10 + step, 0],
            };
            let mut bytes = [0xFF; 8];
            let len = super::encode(shift, 5, from, hot, &mut bytes);
            // Short forms have 8 bits of a slot, the wide one has 16, and 14 of a pts.
            let fits = if shift == 2 {
                slot < 256
            } else {
                step < 16_384
            };
            assert_eq!(
                len.is_some(),
                fits,
                "unit {}, slot {slot}, step {step}",
                1 << shift
            );
            if len.is_some() {
                let decoded = decode(shift, 5, &Only(from), &bytes);
                assert_eq!(decoded, Decoded::Valid(hot));
            }
        }
    }

    #[test]
    fn notices_every_tear_of_a_short_record() {
        for hot in cases() {
            let (bytes, len) = encode(2, 5, hot).unwrap();
            if len != 4 {
                continue;
            }
            let [a, b, c, d, ..] = bytes;
            let whole = u32::from_be_bytes([a, b, c, d]);
            // Every subset of the zeros that stayed ones.
            let zeros = !whole;
            let mut stuck = zeros;
            while stuck != 0 {
                let torn = (whole | stuck).to_be_bytes();
                let decoded = decode(2, 5, &Known, &torn);
                assert!(!matches!(decoded, Decoded::Valid(_)), "{hot:?} {stuck:x}");
                stuck = (stuck - 1) & zeros;
            }
        }
    }

    #[test]
    fn notices_every_flip() {
        for hot in cases() {
            let (record, len) = encode(2, 5, hot).unwrap();
            for bit in 0..len * 8 {
                let mut bytes = record;
                bytes[(bit / 8) as usize] ^= 0x80 >> (bit % 8);
                if let Decoded::Valid(wrong) = decode(2, 5, &Known, &bytes) {
                    panic!("{hot:?} became {wrong:?} at bit {bit}");
                }
            }
        }
    }
}
