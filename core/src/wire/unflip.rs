//! Finding the one bit that was flipped in a checksummed session.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::crc::Crc32c;
use super::layout::CRC_LEN;

/// CRC-32C's polynomial, with its bits in the order in which they are stored.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// The input with one bit turned over such that its checksum holds, and the byte that it lies in.
///
/// A checksum is linear: what one bit changes in it depends on nothing but how far the bit is from the
/// end, and differs for any two bits of less than 256 MiB. So there is at most one such bit.
pub(super) fn unflip(input: &[u8]) -> Option<(Zeroizing<Vec<u8>>, usize)> {
    let (covered, stored) = input.split_last_chunk::<CRC_LEN>()?;
    let mut crc = Crc32c::new();
    crc.update(covered);
    let difference = crc.value() ^ u32::from_le_bytes(*stored);
    if difference == 0 {
        return None;
    }
    let (at, mask) = if difference.is_power_of_two() {
        // The checksum itself was hit.
        let bit = difference.trailing_zeros();
        let at = covered.len().checked_add(usize::try_from(bit / 8).ok()?)?;
        (at, 1_u8.checked_shl(bit % 8)?)
    } else {
        find(covered.len(), difference)?
    };
    let mut bytes = Zeroizing::new(input.to_vec());
    *bytes.get_mut(at)? ^= mask;
    Some((bytes, at))
}

/// The bit whose turning makes this difference: from the last one backwards, each makes what the one after
/// it makes, shifted once more.
fn find(len: usize, difference: u32) -> Option<(usize, u8)> {
    let mut made = POLYNOMIAL;
    for at in (0..len).rev() {
        for bit in (0..u8::BITS).rev() {
            if made == difference {
                return Some((at, 1_u8.checked_shl(bit)?));
            }
            let carry = if made & 1 == 0 { 0 } else { POLYNOMIAL };
            made = (made >> 1) ^ carry;
        }
    }
    None
}
