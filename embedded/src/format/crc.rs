//! CRC-32C (Castagnoli), the check of headers and records.
//!
//! By a table of 16 entries: a table of 256 costs 1 KiB of flash, and no table at all four times the
//! instructions of a counter update.

const POLYNOMIAL: u32 = 0x82F6_3B78;

static TABLE: [u32; 16] = table();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
#[expect(clippy::as_conversions, reason = "const, and below 16")]
const fn table() -> [u32; 16] {
    let mut table = [0; 16];
    let mut n = 0_u32;
    while n < 16 {
        let mut crc = n;
        let mut bit = 0_u32;
        while bit < 4 {
            crc = (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg());
            bit = bit.wrapping_add(1);
        }
        table[n as usize] = crc;
        n = n.wrapping_add(1);
    }
    table
}

/// Continues the register `crc` over `bytes`.
///
/// Two registers that differ before the same bytes differ after them, so a position mixed into the
/// first register makes a record invalid anywhere else.
#[inline(never)]
pub(crate) fn crc32c(mut crc: u32, bytes: &[u8]) -> u32 {
    for byte in bytes {
        crc = step(crc ^ u32::from(*byte));
        crc = step(crc);
    }
    crc
}

fn step(crc: u32) -> u32 {
    let [low, ..] = crc.to_le_bytes();
    let entry = TABLE.get(usize::from(low & 15)).copied();
    (crc >> 4) ^ entry.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn matches_the_catalogue() {
        // "check" value of CRC-32/ISCSI.
        assert_eq!(!crc32c(u32::MAX, b"123456789"), 0xE306_9283);
    }
}
