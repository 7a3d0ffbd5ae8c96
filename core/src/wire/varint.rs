//! Postcard's varint: seven bits a byte, least significant first, the top bit says that more follow.

/// Hands the bytes of `value` to `put`, one at a time.
#[inline]
pub(super) fn put<E>(
    mut value: u32,
    mut put: impl FnMut(&[u8; 1]) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return put(&[low & 0x7F]);
        }
        put(&[low | 0x80])?;
    }
}

/// How many bytes `value` takes.
pub(super) const fn len(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        0x20_0000..=0x0FFF_FFFF => 4,
        _ => 5,
    }
}

/// Reads a number from the bytes that `next` gives; `None` where it is larger than 32 bits.
#[inline]
pub(super) fn read<E>(mut next: impl FnMut() -> Result<u8, E>) -> Result<Option<u32>, E> {
    let mut value = 0_u32;
    for shift in [0_u32, 7, 14, 21, 28] {
        let byte = next()?;
        let bits = u32::from(byte & 0x7F);
        let shifted = bits.checked_shl(shift).unwrap_or_default();
        if shifted.checked_shr(shift) != Some(bits) {
            return Ok(None);
        }
        value |= shifted;
        if byte & 0x80 == 0 {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_was_put_and_as_long_as_announced() {
        for value in [
            0,
            0x7F,
            0x80,
            0x3FFF,
            0x4000,
            0x1F_FFFF,
            0x20_0000,
            u32::MAX,
        ] {
            let mut bytes = heapless::Vec::<u8, 5>::new();
            put(value, |byte| bytes.extend_from_slice(byte)).unwrap();
            assert_eq!(bytes.len(), len(value));
            let mut rest = bytes.iter();
            assert_eq!(read(|| rest.next().copied().ok_or(())), Ok(Some(value)));
            assert_eq!(rest.next(), None);
        }
    }

    #[test]
    fn more_than_32_bits_are_not_a_number() {
        for bytes in [[0xFF, 0xFF, 0xFF, 0xFF, 0x10], [0x80; 5]] {
            let mut rest = bytes.iter();
            assert_eq!(read(|| rest.next().copied().ok_or(())), Ok(None));
        }
        assert_eq!(read(|| Err::<u8, _>("the end")), Err("the end"));
    }
}
