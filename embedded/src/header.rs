//! The header of a page: programmed last, twice, it is what makes a page count.

use mtsession_core::Counters;

use crate::check::crc32c;
use crate::geometry::Geometry;

/// Bytes of one header; padded to the unit.
pub(crate) const HEADER_LEN: usize = 48;
const MAGIC: [u8; 4] = *b"MTSL";
/// The on-flash format that this release writes, and the only one it reads.
pub(crate) const FORMAT_VERSION: u8 = 1;

/// The page belongs to a log that holds a session.
pub(crate) const PRESENT: u8 = 1;
/// The session was deleted: every other page has to be erased before anything else happens.
pub(crate) const WIPE: u8 = 1 << 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) page_size: u32,
    pub(crate) pages: u8,
    pub(crate) shift: u8,
    pub(crate) flags: u8,
    /// Counts the pages ever written; neighbours in the ring differ by one.
    pub(crate) sequence: u32,
    /// How often the page was erased, as far as known.
    pub(crate) erases: u32,
    /// `1..=parts` in the pages of a saved session, before which nothing counts; else 0.
    pub(crate) part: u8,
    pub(crate) parts: u8,
    pub(crate) home_dc_id: i32,
    /// The counters when the page was begun; the page's hot records continue them.
    pub(crate) counters: Counters,
}

/// Why a header's place holds none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHeader {
    Blank,
    Foreign,
    Damaged,
    Newer(u8),
}

impl Header {
    pub(crate) fn encode(&self, page: u8) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let counters = self.counters;
        put(&mut bytes, 0, MAGIC);
        put(
            &mut bytes,
            4,
            [FORMAT_VERSION, self.shift, self.pages, self.flags],
        );
        put(&mut bytes, 8, self.page_size.to_le_bytes());
        put(&mut bytes, 12, self.sequence.to_le_bytes());
        put(&mut bytes, 16, self.erases.to_le_bytes());
        put(&mut bytes, 20, [self.part, self.parts, 0, 0]);
        put(&mut bytes, 24, self.home_dc_id.to_le_bytes());
        put(&mut bytes, 28, counters.pts.to_le_bytes());
        put(&mut bytes, 32, counters.qts.to_le_bytes());
        put(&mut bytes, 36, counters.date.to_le_bytes());
        put(&mut bytes, 40, counters.seq.to_le_bytes());
        let check = checksum(&bytes, page);
        put(&mut bytes, 44, check.to_le_bytes());
        bytes
    }

    /// Reads the header of page number `page`.
    pub(crate) fn decode(bytes: &[u8; HEADER_LEN], page: u8) -> Result<Self, NoHeader> {
        if bytes.iter().all(|byte| *byte == 0xFF) {
            return Err(NoHeader::Blank);
        }
        if word(bytes, 0) != MAGIC {
            return Err(NoHeader::Foreign);
        }
        let [version, shift, pages, flags] = word(bytes, 4);
        // Before the checksum: a newer format may have another one.
        if version != FORMAT_VERSION {
            return Err(NoHeader::Newer(version));
        }
        if word(bytes, 44) != checksum(bytes, page).to_le_bytes() {
            return Err(NoHeader::Damaged);
        }
        let [part, parts, ..] = word(bytes, 20);
        let int = |at| i32::from_le_bytes(word(bytes, at));
        Ok(Self {
            page_size: u32::from_le_bytes(word(bytes, 8)),
            pages,
            shift,
            flags,
            sequence: u32::from_le_bytes(word(bytes, 12)),
            erases: u32::from_le_bytes(word(bytes, 16)),
            part,
            parts,
            home_dc_id: int(24),
            counters: Counters {
                pts: int(28),
                qts: int(32),
                date: int(36),
                seq: int(40),
            },
        })
    }

    pub(crate) const fn matches(&self, geometry: &Geometry) -> bool {
        self.page_size == geometry.page_size
            && self.pages == geometry.pages
            && self.shift == geometry.shift
    }
}

/// Units that one header takes.
pub(crate) fn header_units(geometry: &Geometry) -> u32 {
    geometry.units(u32::try_from(HEADER_LEN).unwrap_or_default())
}

/// Seeded with the page's number: a header only counts where it was written.
fn checksum(bytes: &[u8; HEADER_LEN], page: u8) -> u32 {
    let (checked, _) = bytes.split_at(44);
    !crc32c(u32::from(page) ^ u32::MAX, checked)
}

fn word(bytes: &[u8; HEADER_LEN], at: usize) -> [u8; 4] {
    let (_, rest) = bytes.split_at_checked(at).unwrap_or_default();
    rest.first_chunk().copied().unwrap_or_default()
}

fn put(bytes: &mut [u8; HEADER_LEN], at: usize, word: [u8; 4]) {
    let end = at.saturating_add(4);
    if let Some(place) = bytes.get_mut(at..end) {
        place.copy_from_slice(&word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_and_notices_every_flip() {
        let header = Header {
            page_size: 4096,
            pages: 4,
            shift: 2,
            flags: PRESENT,
            sequence: 77,
            erases: 19,
            part: 1,
            parts: 2,
            home_dc_id: -2,
            counters: Counters {
                pts: 1,
                qts: 2,
                date: 3,
                seq: 4,
            },
        };
        let bytes = header.encode(3);
        assert_eq!(Header::decode(&bytes, 3), Ok(header));
        assert_eq!(Header::decode(&bytes, 2), Err(NoHeader::Damaged));
        for bit in 0..HEADER_LEN * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&bytes, 3).is_err(), "bit {bit}");
        }
    }
}
