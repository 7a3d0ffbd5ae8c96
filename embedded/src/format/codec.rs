//! One pass over the fields of an entry writes them, reads them, or measures them.

use heapless::String;
use mtsession_core::FIXED_ADDR_LEN;

use crate::num::low;

/// Memory for the text of an entry that is read.
pub(crate) type Text = String<FIXED_ADDR_LEN, u8>;

/// What the pass does.
enum Way<'b, 'p> {
    Write(&'p mut [u8]),
    Read(&'b [u8]),
    Measure,
}

/// A pass over fields: each method gives the field as it is on flash, which is what was handed in unless the
/// pass reads.
pub(crate) struct Codec<'b, 'p> {
    way: Way<'b, 'p>,
    /// Bytes passed so far.
    pub(crate) len: usize,
    /// Whether the room or the bytes ended, or what was read is no entry.
    pub(crate) bad: bool,
}

impl<'b, 'p> Codec<'b, 'p> {
    pub(crate) fn write(room: &'p mut [u8]) -> Self {
        Self::new(Way::Write(room))
    }

    pub(crate) fn read(bytes: &'b [u8]) -> Self {
        Self::new(Way::Read(bytes))
    }

    pub(crate) fn measure() -> Self {
        Self::new(Way::Measure)
    }

    fn new(way: Way<'b, 'p>) -> Self {
        Self {
            way,
            len: 0,
            bad: false,
        }
    }

    /// Whether everything was read.
    pub(crate) fn is_done(&self) -> bool {
        match &self.way {
            Way::Read(bytes) => self.bad || self.len >= bytes.len(),
            Way::Write(_) | Way::Measure => true,
        }
    }

    #[inline(never)]
    pub(crate) fn byte(&mut self, byte: u8) -> u8 {
        let at = self.len;
        self.len = at.wrapping_add(1);
        match &mut self.way {
            Way::Write(room) => {
                if let Some(place) = room.get_mut(at) {
                    *place = byte;
                    return byte;
                }
            }
            Way::Read(bytes) => {
                if let Some(byte) = bytes.get(at) {
                    return *byte;
                }
            }
            Way::Measure => return byte,
        }
        self.bad = true;
        0
    }

    /// Seven bits a byte, the sign in the lowest bit.
    #[inline(never)]
    pub(crate) fn num(&mut self, value: i64) -> i64 {
        let mut left = ((value << 1) ^ (value >> 63)).cast_unsigned();
        let (mut found, mut shift) = (0_u64, 0_u32);
        loop {
            let [lowest, ..] = left.to_le_bytes();
            let more = if left < 0x80 { 0 } else { 0x80 };
            let byte = self.byte(lowest & 0x7F | more);
            left >>= 7;
            found |= u64::from(byte & 0x7F).wrapping_shl(shift);
            shift = shift.wrapping_add(7);
            if byte & 0x80 == 0 || shift > 63 {
                break;
            }
        }
        (found >> 1).cast_signed() ^ (found & 1).cast_signed().wrapping_neg()
    }

    #[inline(never)]
    pub(crate) fn int(&mut self, value: i32) -> i32 {
        let found = self.num(value.into());
        i32::try_from(found).unwrap_or_else(|_| {
            self.bad = true;
            0
        })
    }

    /// A position in a list, or a length.
    pub(crate) fn position(&mut self, value: usize) -> usize {
        let found = self.int(i32::try_from(value).unwrap_or(i32::MAX));
        usize::try_from(found).unwrap_or_else(|_| {
            self.bad = true;
            0
        })
    }

    /// Four bytes as they are: the length of an entry does not grow with its counter.
    #[inline(never)]
    pub(crate) fn word(&mut self, value: i32) -> i32 {
        let mut bytes = value.to_le_bytes();
        for byte in &mut bytes {
            *byte = self.byte(*byte);
        }
        i32::from_le_bytes(bytes)
    }

    /// Eight bytes as they are.
    #[inline(never)]
    pub(crate) fn long(&mut self, value: i64) -> i64 {
        let mut bytes = value.to_le_bytes();
        for byte in &mut bytes {
            *byte = self.byte(*byte);
        }
        i64::from_le_bytes(bytes)
    }

    /// A length and so many bytes.
    #[inline(never)]
    pub(crate) fn bytes<'x>(&mut self, bytes: &'x [u8]) -> &'x [u8]
    where
        'b: 'x,
    {
        let len = self.position(bytes.len());
        self.pass(len, bytes)
    }

    /// So many bytes that are read.
    #[cfg(feature = "format1")]
    pub(crate) fn take<'x>(&mut self, len: usize) -> &'x [u8]
    where
        'b: 'x,
    {
        self.pass(len, &[])
    }

    fn pass<'x>(&mut self, len: usize, bytes: &'x [u8]) -> &'x [u8]
    where
        'b: 'x,
    {
        let from = self.len;
        self.len = from.saturating_add(len);
        let found = match &mut self.way {
            Way::Read(all) => all.get(from..self.len),
            Way::Write(room) => room.get_mut(from..self.len).map(|place| {
                for (place, byte) in place.iter_mut().zip(bytes) {
                    *place = *byte;
                }
                bytes
            }),
            Way::Measure => Some(bytes),
        };
        self.bad |= found.is_none();
        found.unwrap_or_default()
    }

    /// A text, as its bytes; `room` is for one that is read.
    ///
    /// What is read is under a check, so that its letters are put together without looking for every way in which
    /// they could be wrong: that takes tables.
    pub(crate) fn text<'x>(&mut self, text: &str, room: &'x mut Text) -> &'x str {
        self.bad |= !Self::letters(self.bytes(text.as_bytes()), room);
        room
    }

    /// Puts a text together; whether it is one that there is room for.
    #[inline(never)]
    pub(crate) fn letters(bytes: &[u8], room: &mut Text) -> bool {
        let (mut letter, mut left, mut is_good) = (0_u32, 0_u8, true);
        for byte in bytes {
            let bits = u32::from(*byte);
            match byte.leading_ones() {
                0 => (letter, left) = (bits, 0),
                1 => (letter, left) = (letter << 6 | bits & 0x3F, left.wrapping_sub(1)),
                ones => (letter, left) = (bits & 0xFF >> (ones & 7), low(ones).wrapping_sub(1)),
            }
            if left == 0 {
                let letter = char::from_u32(letter);
                is_good &= letter.is_some_and(|letter| room.push(letter).is_ok());
            }
        }
        is_good
    }

    /// A value that may be missing, as two bits: not known, no, yes.
    pub(crate) fn three(value: Option<bool>) -> u8 {
        value.map_or(0, |value| 2 | u8::from(value))
    }

    /// What [`three`](Self::three) wrote.
    pub(crate) fn two(bits: u8) -> Option<bool> {
        (bits & 2 != 0).then_some(bits & 1 != 0)
    }

    /// The lowest bits of a position, which an entry of its own kind is told by.
    pub(crate) fn bits(position: usize) -> u8 {
        u32::try_from(position).map_or(31, low) & 31
    }
}
