//! The header of a page: programmed last, twice, it is what makes a page count.

use mtsession_core::Counters;

use crate::check::crc32c;
use crate::codec::Codec;
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
/// Pages that do not count may hold keys that the session no longer has.
pub(crate) const STALE: u8 = 1 << 2;
/// So may records of pages that count.
pub(crate) const STALE_WITHIN: u8 = 1 << 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    pub(crate) fn encode(&mut self, page: u8, place: &mut [u8]) {
        let (place, padding) = place.split_at_mut_checked(HEADER_LEN).unwrap_or_default();
        padding.fill(0xFF);
        self.fields(&mut Codec::write(place));
        let check = checksum(place, page).to_le_bytes();
        if let Some(place) = place.last_chunk_mut() {
            *place = check;
        }
    }

    /// Reads the header of page number `page`.
    pub(crate) fn decode(bytes: &[u8], page: u8) -> Result<Self, Fail> {
        let bytes = bytes.get(..HEADER_LEN).unwrap_or_default();
        let Some([b'M', b'T', b'S', b'L', version, ..]) = bytes.first_chunk::<8>() else {
            return Err(if bytes.iter().all(|byte| *byte == 0xFF) {
                Fail::NotFormatted
            } else {
                Fail::Foreign
            });
        };
        // Before the checksum: a newer format may have another one.
        if *version != FORMAT_VERSION {
            return Err(Fail::NewerFormat(*version));
        }
        if bytes.last_chunk() != Some(&checksum(bytes, page).to_le_bytes()) {
            return Err(Fail::Corrupt);
        }
        let mut header = Self::default();
        header.fields(&mut Codec::read(bytes));
        Ok(header)
    }

    /// Writes or reads all but the checksum.
    #[inline(never)]
    fn fields(&mut self, codec: &mut Codec<'_, '_>) {
        let word = |codec: &mut Codec<'_, '_>, word: &mut u32| {
            *word = codec.word(word.cast_signed()).cast_unsigned();
        };
        word(codec, &mut { MAGIC });
        codec.byte(FORMAT_VERSION);
        self.shift = codec.byte(self.shift);
        self.pages = codec.byte(self.pages);
        self.flags = codec.byte(self.flags);
        word(codec, &mut self.page_size);
        word(codec, &mut self.sequence);
        word(codec, &mut self.erases);
        self.part = codec.byte(self.part);
        self.parts = codec.byte(self.parts);
        codec.fixed(0, 2);
        self.home_dc_id = codec.word(self.home_dc_id);
        let counters = &mut self.counters;
        counters.pts = codec.word(counters.pts);
        counters.qts = codec.word(counters.qts);
        counters.date = codec.word(counters.date);
        counters.seq = codec.word(counters.seq);
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
        let mut header = Header {
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
