//! Hot records: the low bits of counters in 4 or 8 bytes, under a check of the whole values.

use crate::format::crc::crc32c;
use crate::format::delta::Values;

/// How a record of one size is laid out, from the top bit: tag, kind, fields, CRC, zeros. All in bits.
struct Form {
    tag: u8,
    fields: [[u8; 3]; 2],
    crc: u8,
    zeros: u8,
}

static NARROW: Form = Form {
    tag: 2,
    fields: [[3, 8, 3], [8, 6, 0]],
    crc: 11,
    zeros: 5,
};
static MIDDLE: Form = Form {
    tag: 3,
    fields: [[13, 15, 11], [8, 31, 0]],
    crc: 16,
    zeros: 6,
};
/// For program units of 8 and more.
static WIDE: Form = Form {
    tag: 2,
    fields: [[10, 12, 8], [16, 14, 0]],
    crc: 32,
    zeros: 0,
};

/// A record as its bits, the first one on top, and how many they are.
pub(crate) struct Hot {
    form: &'static Form,
    bits: u64,
    /// Bytes of the record.
    pub(crate) size: usize,
}

impl Hot {
    /// The record that starts with these bytes.
    pub(crate) fn of(shift: u8, first: u32, second: u32) -> Self {
        let (form, size) = match (shift, first >> 31) {
            (3.., _) => (&WIDE, 8),
            (_, 1) => (&MIDDLE, 8),
            _ => (&NARROW, 4),
        };
        let second = if size == 4 { 0 } else { second };
        let bits = u64::from(first) << 32 | u64::from(second);
        Self { form, bits, size }
    }

    fn is_channel(&self) -> bool {
        take(&mut self.bits.clone(), self.form.tag) & 1 == 1
    }

    /// The position of the channel that it is about.
    pub(crate) fn channel(&self) -> Option<u32> {
        let mut bits = self.bits;
        take(&mut bits, self.form.tag);
        let [_, [width, ..]] = self.form.fields;
        self.is_channel().then(|| take(&mut bits, width))
    }

    /// The values that it says, if it is right: the first at or above those of `base`.
    pub(crate) fn decode(&self, seed: u32, base: Values) -> Option<Values> {
        let form = self.form;
        let size = u32::try_from(self.size).unwrap_or_default() << 3;
        let whole = self.bits >> (64_u32.wrapping_sub(size) & 63);
        let [low, ..] = whole.to_le_bytes();
        let checked = whole >> form.zeros;
        let zeros = size
            .wrapping_sub(form.zeros.into())
            .wrapping_sub(checked.count_ones());
        if (u32::from(low) ^ zeros) & mask(form.zeros) != 0 {
            return None;
        }
        let mut bits = self.bits;
        take(&mut bits, form.tag);
        let [primary, channel] = form.fields;
        let widths = if self.is_channel() { channel } else { primary };
        let mut values = base;
        for (value, width) in values.iter_mut().zip(widths) {
            let step = take(&mut bits, width).wrapping_sub(value.cast_unsigned()) & mask(width);
            *value = value.wrapping_add(step.cast_signed());
        }
        let differs = take(&mut bits, form.crc) ^ self.check(seed, values);
        (differs & mask(form.crc) == 0).then_some(values)
    }

    /// The check of the whole values, folded to its bits; those above are to be cut off.
    fn check(&self, seed: u32, [first, second, third]: Values) -> u32 {
        let (seed, values, len) = if self.is_channel() {
            (!seed, [second, first, 0], 6)
        } else {
            (seed, [first, second, third], 12)
        };
        let mut bytes = [0; 12];
        for (place, value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
            *place = value.to_le_bytes();
        }
        let crc = crc32c(seed, bytes.get(..len).unwrap_or_default());
        match self.form.crc {
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

/// Cuts bits off the top, at most 32.
fn take(record: &mut u64, bits: u8) -> u32 {
    let value = *record >> 1 >> (63_u8.wrapping_sub(bits) & 63);
    *record <<= bits & 63;
    u32::try_from(value).unwrap_or_default()
}
