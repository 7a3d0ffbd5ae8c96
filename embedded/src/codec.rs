//! Bytes of a payload, one after another.
//!
//! Writing, comparing and reading go through the same fields by the same calls: each is given what the
//! field holds and says what it holds then. Nothing stops at a mistake, it is asked for at the end: no
//! call has a result to look at, which is a good part of a microcontroller's code.

/// What is done with each byte.
enum Way<'b, 'p> {
    Write(&'p mut [u8]),
    Compare(&'b [u8]),
    Read(&'b [u8]),
}

pub(crate) struct Codec<'b, 'p> {
    way: Way<'b, 'p>,
    len: usize,
    /// Bits in which any byte was not what it should be.
    bad: u8,
}

impl<'b, 'p> Codec<'b, 'p> {
    pub(crate) const fn write(place: &'p mut [u8]) -> Self {
        Self::new(Way::Write(place))
    }

    /// Compares fields with bytes. Takes as long whatever differs.
    pub(crate) const fn compare(bytes: &'b [u8]) -> Self {
        Self::new(Way::Compare(bytes))
    }

    /// Reads zeros from where something is wrong.
    pub(crate) const fn read(bytes: &'b [u8]) -> Self {
        Self::new(Way::Read(bytes))
    }

    const fn new(way: Way<'b, 'p>) -> Self {
        Self {
            way,
            len: 0,
            bad: 0,
        }
    }

    /// The length of all fields so far; `None` if one did not fit, differs or makes no sense.
    pub(crate) fn done(&self) -> Option<usize> {
        (self.bad == 0).then_some(self.len)
    }

    pub(crate) const fn refuse(&mut self) {
        self.bad = 1;
    }

    #[inline(never)]
    pub(crate) fn byte(&mut self, byte: u8) -> u8 {
        let at = self.len;
        self.len = at.wrapping_add(1);
        match &mut self.way {
            Way::Write(place) => {
                if let Some(place) = place.get_mut(at) {
                    *place = byte;
                    return byte;
                }
            }
            Way::Compare(bytes) => {
                if let Some(known) = bytes.get(at) {
                    self.bad |= *known ^ byte;
                    return byte;
                }
            }
            Way::Read(bytes) => {
                if let Some(byte) = bytes.get(at) {
                    return *byte;
                }
            }
        }
        self.bad = 1;
        byte
    }

    /// A number of `len` bytes, the lowest first, with its sign.
    #[inline(never)]
    pub(crate) fn fixed(&mut self, value: i64, len: usize) -> i64 {
        let mut bytes = value.to_le_bytes();
        let mut sign = 0;
        for (n, place) in bytes.iter_mut().enumerate() {
            if n < len {
                *place = self.byte(*place);
                sign = if *place < 0x80 { 0 } else { 0xFF };
            } else {
                *place = sign;
            }
        }
        i64::from_le_bytes(bytes)
    }

    /// A number of 4 bytes.
    #[inline(never)]
    pub(crate) fn word(&mut self, value: i32) -> i32 {
        i32::try_from(self.fixed(value.into(), 4)).unwrap_or_default()
    }

    /// The last field: as few bytes as hold the number.
    pub(crate) fn rest(&mut self, value: i64) -> i64 {
        let len = if let Way::Read(bytes) = self.way {
            bytes.len().wrapping_sub(self.len)
        } else {
            // The sign bit has to be in the last byte that is kept.
            let spare = (value ^ (value >> 63)).leading_zeros().wrapping_sub(1) >> 3;
            usize::try_from(8_u32.wrapping_sub(spare)).unwrap_or(8)
        };
        if len == 0 || len > 8 {
            self.refuse();
        }
        self.fixed(value, len)
    }

    /// Seven bits a byte, the lowest first.
    #[inline(never)]
    fn varint(&mut self, value: u64) -> u64 {
        let mut found = 0;
        let mut left = value;
        for shift in (0..64).step_by(7) {
            let [low, ..] = left.to_le_bytes();
            left >>= 7;
            let more = if left == 0 { 0 } else { 0x80 };
            let byte = self.byte(low & 0x7F | more);
            found |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return found;
            }
        }
        self.refuse();
        0
    }

    #[inline(never)]
    pub(crate) fn signed(&mut self, value: i64) -> i64 {
        let value = self.varint(((value << 1) ^ (value >> 63)).cast_unsigned());
        (value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg()
    }

    #[inline(never)]
    pub(crate) fn int(&mut self, value: i32) -> i32 {
        let value = i32::try_from(self.signed(value.into()));
        if value.is_err() {
            self.refuse();
        }
        value.unwrap_or_default()
    }

    #[inline(never)]
    pub(crate) fn bytes(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let len = self.varint(u64::try_from(bytes.len()).unwrap_or_default());
        if let Way::Read(bytes) = self.way {
            let start = self.len;
            self.len = start.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
            let found = bytes.get(start..self.len);
            if found.is_none() {
                self.refuse();
            }
            return found.unwrap_or_default();
        }
        for byte in bytes {
            self.byte(*byte);
        }
        bytes
    }

    #[inline(never)]
    pub(crate) fn flag(&mut self, flag: bool) -> bool {
        let byte = self.byte(flag.into());
        if byte > 1 {
            self.refuse();
        }
        byte == 1
    }

    pub(crate) fn optional<T: Default>(
        &mut self,
        value: Option<T>,
        field: impl FnOnce(&mut Self, T) -> T,
    ) -> Option<T> {
        self.flag(value.is_some())
            .then(|| field(self, value.unwrap_or_default()))
    }
}
