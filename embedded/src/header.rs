//! The header of a page: programmed last, twice, it is what makes a page count.

use mtsession_core::Counters;

use crate::check::crc32c;
use crate::error::Fail;
use crate::geometry::Geometry;

/// Bytes of one header; padded to the unit.
pub(crate) const HEADER_LEN: usize = 48;
const MAGIC: u32 = u32::from_le_bytes(*b"MTSL");
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

impl Header {
    #[inline(never)]
    pub(crate) fn encode(&self, page: u8, place: &mut [u8]) {
        let int = i32::cast_unsigned;
        let counters = self.counters;
        let words = [
            MAGIC,
            u32::from_le_bytes([FORMAT_VERSION, self.shift, self.pages, self.flags]),
            self.page_size,
            self.sequence,
            self.erases,
            u32::from_le_bytes([self.part, self.parts, 0, 0]),
            int(self.home_dc_id),
            int(counters.pts),
            int(counters.qts),
            int(counters.date),
            int(counters.seq),
            0,
        ];
        let (place, padding) = place.split_at_mut_checked(HEADER_LEN).unwrap_or_default();
        for (place, word) in place.as_chunks_mut().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        let check = checksum(place, page).to_le_bytes();
        if let Some(place) = place.last_chunk_mut() {
            *place = check;
        }
        padding.fill(0xFF);
    }

    /// Reads the header of page number `page`.
    #[inline(never)]
    pub(crate) fn decode(bytes: &[u8], page: u8) -> Result<Self, Fail> {
        let bytes = bytes.get(..HEADER_LEN).unwrap_or_default();
        let mut words = [0; HEADER_LEN / 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let [
            magic,
            form,
            page_size,
            sequence,
            erases,
            parts,
            home,
            pts,
            qts,
            date,
            seq,
            check,
        ] = words;
        if magic != MAGIC {
            let is_blank = words.iter().all(|word| *word == u32::MAX);
            return Err(if is_blank {
                Fail::NotFormatted
            } else {
                Fail::Foreign
            });
        }
        let [version, shift, pages, flags] = form.to_le_bytes();
        // Before the checksum: a newer format may have another one.
        if version != FORMAT_VERSION {
            return Err(Fail::NewerFormat(version));
        }
        if check != checksum(bytes, page) {
            return Err(Fail::Corrupt);
        }
        let [part, parts, ..] = parts.to_le_bytes();
        let int = u32::cast_signed;
        Ok(Self {
            page_size,
            pages,
            shift,
            flags,
            sequence,
            erases,
            part,
            parts,
            home_dc_id: int(home),
            counters: Counters {
                pts: int(pts),
                qts: int(qts),
                date: int(date),
                seq: int(seq),
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
fn checksum(bytes: &[u8], page: u8) -> u32 {
    let checked = bytes
        .split_last_chunk::<4>()
        .map_or(bytes, |(checked, _)| checked);
    !crc32c(u32::from(page) ^ u32::MAX, checked)
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
        let mut bytes = [0; HEADER_LEN];
        header.encode(3, &mut bytes);
        assert_eq!(Header::decode(&bytes, 3), Ok(header));
        assert_eq!(Header::decode(&bytes, 2), Err(Fail::Corrupt));
        for bit in 0..HEADER_LEN * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&bytes, 3).is_err(), "bit {bit}");
        }
    }
}
