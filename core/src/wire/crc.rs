//! CRC-32C (Castagnoli, as in iSCSI): the check of the trailer and of journals.
//!
//! With `std` the processor's carry-less multiplication computes it where there is one, faster than
//! `memcpy` moves the bytes; without, a table of 1 KiB does. The results are the same.

/// The checksum of everything that was fed so far.
///
/// ```
/// use mtsession_core::wire::Crc32c;
///
/// let mut crc = Crc32c::new();
/// crc.update(b"1234");
/// crc.update(b"56789");
/// assert_eq!(crc.value(), 0xE306_9283);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Crc32c(u32);

impl Crc32c {
    /// The checksum of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Feeds more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0 = append(self.0, bytes);
    }

    /// The checksum so far.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }
}

#[cfg(feature = "std")]
fn append(crc: u32, bytes: &[u8]) -> u32 {
    use crc_fast::{CrcAlgorithm, Digest, crc32_iscsi};

    if crc == 0 {
        // Nothing was fed, or what amounts to it: without a digest, which a short input would notice.
        return crc32_iscsi(bytes);
    }
    let register = u64::from(crc ^ u32::MAX);
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, register);
    digest.update(bytes);
    // The upper half of a 32-bit checksum is empty.
    let [a, b, c, d, ..] = digest.finalize().to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(not(feature = "std"))]
fn append(crc: u32, bytes: &[u8]) -> u32 {
    static CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

    // The register is taken as it is before the algorithm reflects it.
    let mut digest = CRC.digest_with_initial((crc ^ u32::MAX).reverse_bits());
    digest.update(bytes);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::Crc32c;

    #[test]
    fn matches_the_catalogue_in_any_split() {
        // "check" value of CRC-32/ISCSI.
        for split in 0..=9 {
            let mut crc = Crc32c::new();
            let (a, b) = b"123456789".split_at(split);
            crc.update(a);
            crc.update(b);
            assert_eq!(crc.value(), 0xE306_9283);
        }
    }
}
