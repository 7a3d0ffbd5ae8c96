//! Bytes of a payload, one after another. Writer and reader go on after a mistake and are asked at the
//! end: no call has a result to look at, which is a good part of a microcontroller's code.

/// Writes into a place, or compares with what is there.
pub(crate) struct Writer<'p> {
    place: &'p mut [u8],
    len: usize,
    compares: bool,
    /// Bits in which any byte differed from what is in the place now.
    differs: u8,
}

impl<'p> Writer<'p> {
    pub(crate) const fn new(place: &'p mut [u8], compares: bool) -> Self {
        Self {
            place,
            len: 0,
            compares,
            differs: 0,
        }
    }

    /// The length of what was written; `None` if it did not fit.
    pub(crate) fn written(&self) -> Option<u32> {
        let fits = self.len <= self.place.len();
        u32::try_from(self.len).ok().filter(|_| fits)
    }

    /// Whether the place held exactly what was written. Takes as long whatever differs.
    pub(crate) const fn is_same(&self) -> bool {
        self.len == self.place.len() && self.differs == 0
    }

    #[inline(never)]
    pub(crate) fn byte(&mut self, byte: u8) {
        if let Some(place) = self.place.get_mut(self.len) {
            if !self.compares {
                *place = byte;
            }
            self.differs |= *place ^ byte;
        }
        self.len = self.len.wrapping_add(1);
    }

    /// The lowest `len` bytes, the lowest first.
    #[inline(never)]
    pub(crate) fn fixed(&mut self, value: i64, len: usize) {
        for byte in value.to_le_bytes().into_iter().take(len) {
            self.byte(byte);
        }
    }

    /// Seven bits a byte, the lowest first.
    fn varint(&mut self, mut value: u64) {
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            if value == 0 {
                return self.byte(low);
            }
            self.byte(low | 0x80);
        }
    }

    #[inline(never)]
    pub(crate) fn signed(&mut self, value: i64) {
        self.varint(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    #[inline(never)]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.varint(u64::try_from(bytes.len()).unwrap_or_default());
        for byte in bytes {
            self.byte(*byte);
        }
    }

    #[inline(never)]
    pub(crate) fn optional_bytes(&mut self, bytes: Option<&[u8]>) {
        self.byte(bytes.is_some().into());
        if let Some(bytes) = bytes {
            self.bytes(bytes);
        }
    }

    #[inline(never)]
    pub(crate) fn optional(&mut self, value: Option<i64>) {
        self.byte(value.is_some().into());
        if let Some(value) = value {
            self.signed(value);
        }
    }

    pub(crate) fn optional_bool(&mut self, value: Option<bool>) {
        self.byte(value.is_some().into());
        if let Some(value) = value {
            self.byte(value.into());
        }
    }
}

/// Reads zeros from where something is wrong.
pub(crate) struct Reader<'b> {
    rest: &'b [u8],
    bad: bool,
}

impl<'b> Reader<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self {
            rest: bytes,
            bad: false,
        }
    }

    /// Whether everything so far was there and made sense.
    pub(crate) const fn is_good(&self) -> bool {
        !self.bad
    }

    #[inline(never)]
    pub(crate) fn byte(&mut self) -> u8 {
        if let Some((byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            return *byte;
        }
        self.bad = true;
        0
    }

    /// Everything that is left as one number, the lowest byte first, with its sign.
    pub(crate) fn rest(&mut self) -> i64 {
        let len = self.rest.len();
        self.bad |= len == 0 || len > 8;
        self.fixed(len)
    }

    /// A number of `len` bytes, the lowest first, with its sign.
    #[inline(never)]
    pub(crate) fn fixed(&mut self, len: usize) -> i64 {
        let bytes = self.take(len);
        let mut value = match bytes.last() {
            Some(0x80..) => -1,
            _ => 0,
        };
        for byte in bytes.iter().rev() {
            value = value << 8 | i64::from(*byte);
        }
        value
    }

    fn take(&mut self, len: usize) -> &'b [u8] {
        if let Some((bytes, rest)) = self.rest.split_at_checked(len) {
            self.rest = rest;
            return bytes;
        }
        self.bad = true;
        &[]
    }

    fn varint(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return value;
            }
        }
        self.bad = true;
        0
    }

    #[inline(never)]
    pub(crate) fn signed(&mut self) -> i64 {
        let value = self.varint();
        (value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg()
    }

    #[inline(never)]
    pub(crate) fn int(&mut self) -> i32 {
        let value = i32::try_from(self.signed());
        self.bad |= value.is_err();
        value.unwrap_or_default()
    }

    #[inline(never)]
    pub(crate) fn bytes(&mut self) -> &'b [u8] {
        let len = self.varint();
        self.take(usize::try_from(len).unwrap_or(usize::MAX))
    }

    #[inline(never)]
    pub(crate) fn flag(&mut self) -> bool {
        let byte = self.byte();
        self.bad |= byte > 1;
        byte == 1
    }

    pub(crate) fn optional_bytes(&mut self) -> Option<&'b [u8]> {
        self.flag().then(|| self.bytes())
    }

    pub(crate) fn optional_bool(&mut self) -> Option<bool> {
        self.flag().then(|| self.flag())
    }
}
