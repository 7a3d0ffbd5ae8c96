//! The bytes of a session file around its snapshot: the header of the tail, and the footer of a file that
//! is written in place.
//!
//! ```text
//! 0        snapshot, L bytes
//! L..T     zeros, T = L rounded up to 4096
//! T        "MTST" | u8 1 | [3] 0 | u64 L | u32 snapshot's CRC | u64 salt | u32 CRC-32C of these 28      32 bytes
//! T+32     records, as in a journal
//! end-40   "MTSR" | u8 1 | [3] 0 | u64 at | u64 n | u64 salt | u32 CRC of the copy | u32 CRC of these 36
//! ```
//!
//! The tail begins in a block of its own, so that no append rewrites the block that holds a login. The salt
//! is random: a snapshot's checksum alone repeats when the same session is saved again, and stale blocks of
//! the earlier tail would continue it.
//!
//! Programs read such a file by [`PlainFile`](crate::PlainFile); these are the parts that a store needs.

use super::concat::concat_array;
use super::crc::Crc32c;
use super::layout::{FOLD_MAGIC, TAIL_MAGIC};
use super::trailer;

/// A tail begins at a multiple of this many bytes, which is what file systems write at once.
pub const BLOCK: usize = 4096;

/// Bytes of a tail's header.
pub const HEADER_LEN: usize = 32;

/// Bytes of the footer of a file that is written in place.
pub const FOOTER_LEN: usize = 40;

/// Bytes of a header before its salt.
const BEFORE_SALT: usize = 20;

const VERSION: [u8; 4] = [1, 0, 0, 0];

/// Where the tail of a snapshot begins that is `len` bytes long.
#[must_use]
pub const fn tail_start(len: usize) -> usize {
    len.next_multiple_of(BLOCK)
}

/// How a tail begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailHeader {
    /// Bytes of the snapshot.
    pub snapshot_len: u64,
    /// The snapshot's checksum.
    pub snapshot_crc: u32,
    /// A number that no other tail has.
    pub salt: u64,
}

impl TailHeader {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let len = self.snapshot_len.to_le_bytes();
        let crc = self.snapshot_crc.to_le_bytes();
        let covered = concat_array!(28; TAIL_MAGIC, VERSION, len, crc, self.salt.to_le_bytes());
        concat_array!(HEADER_LEN; covered, crc_of(&covered).to_le_bytes())
    }

    /// The header at the start of `bytes`, if its checksum holds.
    #[must_use]
    pub fn first(bytes: &[u8]) -> Option<Self> {
        let (header, _) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let (_, rest) = header.split_first_chunk::<8>()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (crc, rest) = rest.split_first_chunk()?;
        let (salt, _) = rest.split_first_chunk()?;
        let found = Self {
            snapshot_len: u64::from_le_bytes(*len),
            snapshot_crc: u32::from_le_bytes(*crc),
            salt: u64::from_le_bytes(*salt),
        };
        (found.to_bytes() == *header).then_some(found)
    }

    /// The checksum that the first record continues.
    #[must_use]
    pub fn chain(self) -> u32 {
        let [.., a, b, c, d] = self.to_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// Whether this header, which was found at `at`, continues a snapshot in `input`. A token can have the
    /// bytes of a header, but hardly those of the snapshot's end.
    fn continues(self, input: &[u8], at: usize) -> bool {
        let snapshot = usize::try_from(self.snapshot_len)
            .ok()
            .filter(|len| tail_start(*len) == at)
            .and_then(|len| input.get(..len));
        snapshot.is_some_and(|snapshot| {
            let crc = snapshot.last_chunk().copied().map(u32::from_le_bytes);
            crc == Some(self.snapshot_crc) || trailer::has_footer(snapshot)
        })
    }

    /// Whether `bytes` begin with a header of a version that only a newer release reads.
    pub(super) fn is_newer(bytes: &[u8]) -> bool {
        let Some((covered, rest)) = bytes.split_first_chunk::<{ HEADER_LEN - 4 }>() else {
            return false;
        };
        let stored = rest.first_chunk().copied().map(u32::from_le_bytes);
        covered.starts_with(&TAIL_MAGIC)
            && covered.get(4..8) != Some(&VERSION[..])
            && stored == Some(crc_of(covered))
    }

    /// Whether `bytes` begin like this header, whatever its salt is, with up to three bytes damaged.
    pub(super) fn is_almost(self, bytes: &[u8]) -> bool {
        const MOST_DAMAGED: usize = 3;

        let header = self.to_bytes();
        let known = header.get(..BEFORE_SALT).unwrap_or_default();
        let same = known
            .iter()
            .zip(bytes)
            .filter(|(known, byte)| known == byte);
        bytes.len() >= HEADER_LEN && same.count() >= BEFORE_SALT - MOST_DAMAGED
    }

    /// Whether `bytes`, fewer than a header has, are how it begins, whatever its salt is: a copy of the file
    /// ends there.
    pub(super) fn is_cut_to(self, bytes: &[u8]) -> bool {
        let header = self.to_bytes();
        let known = header.get(..BEFORE_SALT).unwrap_or_default();
        let compared = bytes.len().min(BEFORE_SALT);
        bytes.len() < HEADER_LEN && bytes.get(..compared) == known.get(..compared)
    }
}

/// The header of the tail in `input`, found by where it stands: where its own length of the snapshot puts
/// it, after what ends like that snapshot.
///
/// It says where a snapshot ends that does not read as a whole session any more.
#[must_use]
#[cold]
pub fn probe(input: &[u8]) -> Option<TailHeader> {
    let mut at = BLOCK;
    loop {
        let found = TailHeader::first(input.get(at..)?);
        if let Some(header) = found.filter(|header| header.continues(input, at)) {
            return Some(header);
        }
        at = at.checked_add(BLOCK)?;
    }
}

/// Where a file that is written in place has a complete copy of what it is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footer {
    /// Where the copy begins.
    pub at: u64,
    /// Bytes of the copy: a snapshot with zeros and the header of its tail. 0: the session is deleted.
    pub len: u64,
    /// The salt of the tail that the file had; 0 if it had none. Nobody who makes bytes for a session can
    /// know it.
    pub salt: u64,
    /// The checksum of the copy.
    pub crc: u32,
}

impl Footer {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; FOOTER_LEN] {
        let at = self.at.to_le_bytes();
        let len = self.len.to_le_bytes();
        let salt = self.salt.to_le_bytes();
        let covered = concat_array!(36; FOLD_MAGIC, VERSION, at, len, salt, self.crc.to_le_bytes());
        concat_array!(FOOTER_LEN; covered, crc_of(&covered).to_le_bytes())
    }

    /// The footer that ends `input`, and the copy that it leads to. `None` also where the copy is not whole.
    pub(super) fn last(input: &[u8]) -> Option<(Self, &[u8])> {
        let (before, footer) = input.split_last_chunk::<FOOTER_LEN>()?;
        if !footer.starts_with(&FOLD_MAGIC) {
            return None;
        }
        let (_, rest) = footer.split_first_chunk::<8>()?;
        let (at, rest) = rest.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (crc, _) = rest.split_first_chunk()?;
        let found = Self {
            at: u64::from_le_bytes(*at),
            len: u64::from_le_bytes(*len),
            salt: u64::from_le_bytes(*salt),
            crc: u32::from_le_bytes(*crc),
        };
        let copy = before.get(usize::try_from(found.at).ok()?..)?;
        let is_whole = u64::try_from(copy.len()).ok()? == found.len && crc_of(copy) == found.crc;
        (is_whole && found.to_bytes() == *footer).then_some((found, copy))
    }
}

/// Whether `input` ends like a file that is being written in place, whether the copy is whole or not.
#[must_use]
pub fn ends_with_footer(input: &[u8]) -> bool {
    let footer = input.last_chunk::<FOOTER_LEN>();
    footer.is_some_and(|footer| footer.starts_with(&FOLD_MAGIC))
}

/// The checksum of `bytes`.
fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc32c::new();
    crc.update(bytes);
    crc.value()
}
