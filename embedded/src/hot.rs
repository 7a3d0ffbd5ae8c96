//! Hot records: a counter's low bits in 4 or 8 bytes, for the one thing that changes for ever.
//!
//! A record holds low bits, not differences, and its check covers the absolute value that they
//! resolve to: nothing is misapplied when a record before it was lost.
//!
//! A 16-bit check alone would accept one torn record in 65,536. Flash tears in one direction only:
//! bits that should have become 0 are still 1. A Berger code (the number of zeros, appended) notices
//! every error of one direction, so together with it a short CRC is enough: a tear and a single
//! flipped bit are noticed always, anything else nearly always.

use mtsession_core::Counters;

use crate::check::crc32c;

/// A change of a counter that may fit a hot record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hot {
    /// pts, date and seq; qts stays.
    Primary(Counters),
    /// The pts of the channel in this slot.
    Channel { slot: u16, pts: i32 },
}

/// What hot records continue: the values as they are on flash.
pub(crate) trait Base {
    fn counters(&self) -> Counters;

    /// The pts of a channel whose absolute record is known.
    fn channel(&self, slot: u16) -> Option<i32>;
}

/// How a record of one size is laid out, from the top bit: 2 bits of tag, fields, CRC, zeros.
struct Form {
    /// Bits of the record.
    size: u32,
    /// Bits between the tag and the primary's fields: 1 where the tag alone does not tell the kind.
    kind: u32,
    pts: u32,
    date: u32,
    seq: u32,
    slot: u32,
    channel_pts: u32,
    crc: u32,
    zeros: u32,
}

const NARROW: Form = Form {
    size: 32,
    kind: 0,
    pts: 3,
    date: 8,
    seq: 3,
    slot: 8,
    channel_pts: 6,
    crc: 11,
    zeros: 5,
};
const MIDDLE: Form = Form {
    size: 64,
    kind: 1,
    pts: 13,
    date: 15,
    seq: 11,
    slot: 8,
    channel_pts: 31,
    crc: 16,
    zeros: 6,
};
/// For program units of 8 and more, where a record cannot be shorter than 8 bytes.
const WIDE: Form = Form {
    size: 64,
    kind: 0,
    pts: 10,
    date: 12,
    seq: 8,
    slot: 16,
    channel_pts: 14,
    crc: 32,
    zeros: 0,
};

const PRIMARY: u64 = 0;
const CHANNEL: u64 = 1;
const MIDDLE_TAG: u64 = 2;

/// A hot record's bytes; the unused end is as erased.
pub(crate) struct Encoded {
    pub(crate) bytes: [u8; 8],
    pub(crate) len: u32,
}

/// Encodes `hot` in the shortest form that it fits; `None` where it fits none.
///
/// `seed` is of the page and the position.
pub(crate) fn encode(shift: u8, seed: u32, base: &impl Base, hot: Hot) -> Option<Encoded> {
    if shift > 2 {
        return WIDE.encode(seed, base, hot);
    }
    NARROW
        .encode(seed, base, hot)
        .or_else(|| MIDDLE.encode(seed, base, hot))
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
        _ => &NARROW,
    };
    form.decode(seed, base, bytes).unwrap_or(Decoded::Bad)
}

impl Form {
    fn encode(&self, seed: u32, base: &impl Base, hot: Hot) -> Option<Encoded> {
        let (kind, fields) = match hot {
            Hot::Primary(to) => {
                let from = base.counters();
                let fits = to.qts == from.qts
                    && near(from.pts, to.pts, self.pts)
                    && near(from.date, to.date, self.date)
                    && near(from.seq, to.seq, self.seq);
                if !fits {
                    return None;
                }
                let fields = low(to.pts, self.pts) << self.date | low(to.date, self.date);
                (PRIMARY, fields << self.seq | low(to.seq, self.seq))
            }
            Hot::Channel { slot, pts } => {
                let from = base.channel(slot)?;
                if u32::from(slot) >> self.slot != 0 || !near(from, pts, self.channel_pts) {
                    return None;
                }
                let fields = u64::from(slot) << self.channel_pts | low(pts, self.channel_pts);
                (CHANNEL, fields)
            }
        };
        let head = if self.kind == 0 {
            kind
        } else {
            MIDDLE_TAG << 1 | kind
        };
        let data = head << self.field_bits() | fields;
        let checked = data << self.crc | u64::from(self.crc(seed, hot));
        let record =
            (checked << self.zeros | self.zeros(checked)) << 64_u32.wrapping_sub(self.size);
        Some(Encoded {
            bytes: record.to_be_bytes(),
            len: self.size >> 3,
        })
    }

    fn decode(&self, seed: u32, base: &impl Base, bytes: &[u8]) -> Option<Decoded> {
        let record = if self.size == 32 {
            u64::from(u32::from_be_bytes(*bytes.first_chunk()?))
        } else {
            u64::from_be_bytes(*bytes.first_chunk()?)
        };
        let checked = record >> self.zeros;
        if record & mask(self.zeros) != self.zeros(checked) {
            return None;
        }
        let data = checked >> self.crc;
        let kind = data >> self.field_bits();
        let take = |shift: u32, bits: u32| data >> shift & mask(bits);
        let hot = if kind & 1 == PRIMARY {
            let from = base.counters();
            Hot::Primary(Counters {
                pts: resolve(
                    from.pts,
                    take(self.date.wrapping_add(self.seq), self.pts),
                    self.pts,
                ),
                date: resolve(from.date, take(self.seq, self.date), self.date),
                seq: resolve(from.seq, take(0, self.seq), self.seq),
                qts: from.qts,
            })
        } else {
            let slot = u16::try_from(take(self.channel_pts, self.slot)).ok()?;
            let Some(from) = base.channel(slot) else {
                return Some(Decoded::Unresolved);
            };
            let pts = resolve(from, take(0, self.channel_pts), self.channel_pts);
            Hot::Channel { slot, pts }
        };
        let valid = checked & mask(self.crc) == u64::from(self.crc(seed, hot));
        valid.then_some(Decoded::Valid(hot))
    }

    /// Bits of the fields; primary and channel records of one form have as many.
    const fn field_bits(&self) -> u32 {
        self.slot.wrapping_add(self.channel_pts)
    }

    /// How many zeros a whole record has in front of this count.
    fn zeros(&self, checked: u64) -> u64 {
        let bits = self.size.wrapping_sub(self.zeros);
        if self.zeros == 0 {
            return 0;
        }
        u64::from(bits.wrapping_sub(checked.count_ones()))
    }

    /// The check of the absolute value, folded to its bits.
    fn crc(&self, seed: u32, hot: Hot) -> u32 {
        let crc = match hot {
            Hot::Primary(to) => {
                let crc = crc32c(seed, &to.pts.to_le_bytes());
                let crc = crc32c(crc, &to.date.to_le_bytes());
                crc32c(crc, &to.seq.to_le_bytes())
            }
            Hot::Channel { slot, pts } => {
                let crc = crc32c(!seed, &pts.to_le_bytes());
                crc32c(crc, &slot.to_le_bytes())
            }
        };
        match self.crc {
            11 => (crc ^ crc >> 11 ^ crc >> 22) & 0x7FF,
            16 => (crc ^ crc >> 16) & 0xFFFF,
            _ => crc,
        }
    }
}

const fn mask(bits: u32) -> u64 {
    (1_u64 << bits).wrapping_sub(1)
}

fn low(value: i32, bits: u32) -> u64 {
    u64::from(value.cast_unsigned()) & mask(bits)
}

/// Whether the low bits say which value above `from` is meant.
fn near(from: i32, to: i32, bits: u32) -> bool {
    u64::from(to.wrapping_sub(from).cast_unsigned()) <= mask(bits)
}

/// The first value at or above `from` with these low bits.
fn resolve(from: i32, low_bits: u64, bits: u32) -> i32 {
    let step = low_bits.wrapping_sub(low(from, bits)) & mask(bits);
    // At most 31 bits are ever kept.
    from.wrapping_add(i32::try_from(step).unwrap_or_default())
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

    impl Base for Known {
        fn counters(&self) -> Counters {
            Counters {
                pts: -3,
                qts: 9,
                date: 1_750_000_000,
                seq: 6,
            }
        }

        fn channel(&self, slot: u16) -> Option<i32> {
            (slot < 40).then_some(i32::MAX - 2)
        }
    }

    fn cases() -> impl Iterator<Item = Hot> {
        let from = Known.counters();
        let primary = |pts, date, seq| {
            Hot::Primary(Counters {
                pts: from.pts + pts,
                date: from.date + date,
                seq: from.seq + seq,
                ..from
            })
        };
        [
            (0, 0, 0),
            (1, 1, 1),
            (7, 255, 7),
            (8, 0, 0),
            (1000, 4000, 200),
        ]
        .map(|(pts, date, seq)| primary(pts, date, seq))
        .into_iter()
        .chain([0, 1, 63, 64, 9000].map(|pts: i32| Hot::Channel {
            slot: 39,
            pts: (i32::MAX - 2).wrapping_add(pts),
        }))
    }

    #[test]
    fn survives() {
        for shift in 2..=5 {
            for hot in cases() {
                let record = encode(shift, 5, &Known, hot).unwrap();
                let decoded = decode(shift, 5, &Known, &record.bytes);
                assert_eq!(decoded, Decoded::Valid(hot));
                let elsewhere = decode(shift, 6, &Known, &record.bytes);
                assert_eq!(elsewhere, Decoded::Bad, "another position");
            }
        }
        let back = Hot::Primary(Counters {
            pts: -4,
            ..Known.counters()
        });
        assert!(encode(2, 5, &Known, back).is_none());
        assert!(encode(2, 5, &Known, Hot::Channel { slot: 40, pts: 1 }).is_none());
    }

    #[test]
    fn notices_every_tear_of_a_short_record() {
        for hot in cases() {
            let record = encode(2, 5, &Known, hot).unwrap();
            if record.len != 4 {
                continue;
            }
            let [a, b, c, d, ..] = record.bytes;
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
            let record = encode(2, 5, &Known, hot).unwrap();
            for bit in 0..record.len * 8 {
                let mut bytes = record.bytes;
                bytes[(bit / 8) as usize] ^= 0x80 >> (bit % 8);
                if let Decoded::Valid(wrong) = decode(2, 5, &Known, &bytes) {
                    panic!("{hot:?} became {wrong:?} at bit {bit}");
                }
            }
        }
    }
}
