//! Page headers: sixteen words.

use mtsession_core::Counters;

use crate::error::RegionShape;
use crate::format::crc::crc32c;
use crate::geometry::Geometry;
use crate::num::{Bytes, bytes, len};

/// Bytes of a header: whole units, whatever they are.
pub(crate) const HEADER: usize = 64;
/// Both headers of a page.
pub(crate) const HEADERS: Bytes = bytes(2 * HEADER);
const WORDS: usize = HEADER / 4;
const MAGIC: u32 = u32::from_le_bytes(*b"MTSL");
/// The format that is written.
pub(crate) const VERSION: u8 = 2;

/// Flags of a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u8);

impl Flags {
    /// The log holds a session.
    pub(crate) const PRESENT: u8 = 1;
    /// The session was deleted: every other page must be erased.
    pub(crate) const DELETED: u8 = 2;
    /// A key that was replaced may be on flash.
    pub(crate) const STALE: u8 = 4;

    pub(crate) const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    pub(crate) fn set(&mut self, flag: u8, on: bool) {
        self.0 = if on { self.0 | flag } else { self.0 & !flag };
    }
}

/// The name of a region, as words.
pub(crate) type Region = [u32; 4];

/// What a page's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) flags: Flags,
    /// One more with each page.
    pub(crate) sequence: u32,
    /// Erases of all pages since the first format.
    pub(crate) erases: u32,
    /// Of a saved session: which of its pages this is, from 1, and how many there are.
    pub(crate) part: u8,
    pub(crate) parts: u8,
    /// Names the region for ever.
    pub(crate) region: Region,
    /// When the page was closed: what no single rotten bit may take.
    pub(crate) counters: Counters,
    pub(crate) home_dc_id: i32,
    /// Whether it is of format 1, which only `format1` reads.
    pub(crate) is_old: bool,
}

/// What stands in a header's place. One byte: what the header says is in the caller's [`Header`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Header,
    /// A header of this version, for a region of another shape.
    Other,
    /// The header of another version; its check is not known.
    Version,
    /// A header whose check fails.
    Broken,
    Blank,
    Foreign,
}

impl Header {
    /// Says nothing.
    pub(crate) const NONE: Self = Self {
        flags: Flags(0),
        sequence: 0,
        erases: 0,
        part: 0,
        parts: 0,
        region: [0; 4],
        counters: Counters {
            pts: 0,
            qts: 0,
            date: 0,
            seq: 0,
        },
        home_dc_id: 0,
        is_old: false,
    };

    /// All but the check.
    #[inline(never)]
    fn words(&self, geometry: &Geometry) -> [u32; WORDS] {
        let k = &self.counters;
        let [pts, qts, date, seq, home] =
            [k.pts, k.qts, k.date, k.seq, self.home_dc_id].map(|value| !value.cast_unsigned());
        let [r0, r1, r2, r3] = self.region.map(|word| !word);
        [
            MAGIC,
            u32::from_le_bytes([VERSION, geometry.shift(), geometry.pages, self.flags.0]),
            geometry.page_size.0,
            self.sequence,
            self.erases,
            u32::from_le_bytes([self.part, self.parts, 0, 0]),
            r0,
            r1,
            r2,
            r3,
            pts,
            qts,
            date,
            seq,
            home,
            0,
        ]
    }

    /// Writes the header of a page.
    pub(crate) fn write(&self, page: u8, geometry: &Geometry, place: &mut [u8]) {
        let words = self.words(geometry);
        for (place, word) in place.as_chunks_mut().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        let (body, check) = place
            .split_at_mut_checked(HEADER.wrapping_sub(4))
            .unwrap_or_default();
        if let Some(check) = check.first_chunk_mut() {
            *check = crc32c(!u32::from(page), body).to_le_bytes();
        }
    }

    /// Reads what stands in a header's place.
    #[inline(never)]
    pub(crate) fn read(&mut self, page: u8, geometry: &Geometry, place: &[u8]) -> Found {
        let mut words = [0; WORDS];
        let mut all = u32::MAX;
        for (word, bytes) in words.iter_mut().zip(place.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
            all &= *word;
        }
        let [
            magic,
            kind,
            page_size,
            sequence,
            erases,
            parts,
            r0,
            r1,
            r2,
            r3,
            rest @ ..,
        ] = words;
        if all == u32::MAX {
            return Found::Blank;
        }
        if magic != MAGIC {
            return Found::Foreign;
        }
        let [version, shift, pages, flags] = kind.to_le_bytes();
        #[cfg(feature = "format1")]
        if version == crate::format1::VERSION
            && let Some(header) =
                crate::format1::header(page, geometry, place.get(..48).unwrap_or_default())
        {
            *self = header;
            return Found::Header;
        }
        if version != VERSION {
            return Found::Version;
        }
        let [.., check] = rest;
        let body = place.get(..HEADER.wrapping_sub(4)).unwrap_or_default();
        if check != crc32c(!u32::from(page), body) {
            return Found::Broken;
        }
        if (shift, pages, page_size) != (geometry.shift(), geometry.pages, geometry.page_size.0) {
            return Found::Other;
        }
        // Stored inverted: the header of an empty log has ones there, as erased flash.
        let [pts, qts, date, seq, home_dc_id, _] = rest.map(|value| (!value).cast_signed());
        let [part, parts, ..] = parts.to_le_bytes();
        self.flags = Flags(flags);
        self.sequence = sequence;
        self.erases = erases;
        self.part = part;
        self.parts = parts;
        self.region = [!r0, !r1, !r2, !r3];
        self.counters = Counters {
            pts,
            qts,
            date,
            seq,
        };
        self.home_dc_id = home_dc_id;
        self.is_old = false;
        Found::Header
    }

    /// The version of the header in a place, and the region that it is for.
    pub(crate) fn shape(place: &[u8]) -> (u8, RegionShape) {
        let (words, _) = place.as_chunks();
        let [version, shift, pages, _] = words.get(1).copied().unwrap_or_default();
        let page_size = words.get(2).copied().map_or(0, u32::from_le_bytes);
        let unit = 1 << (shift & 31);
        (
            version,
            RegionShape {
                pages,
                page_size,
                unit,
            },
        )
    }

    /// Whether a place holds a part of the header that a first format writes: every bit that the header has is
    /// still set. The check may be anything, and an id, which perhaps is drawn anew at each start. A word that
    /// cannot be read, which reads as zeros, may be in it.
    pub(crate) fn is_first_part(region: &Region, geometry: &Geometry, place: &[u8]) -> bool {
        let first = Self {
            sequence: 1,
            part: 1,
            parts: 1,
            region: if *region == [0; 4] { [0; 4] } else { [!0; 4] },
            ..Self::NONE
        };
        let mut unreadable = 0_u32;
        for (found, word) in place.as_chunks().0.iter().zip(first.words(geometry)) {
            let found = u32::from_le_bytes(*found);
            if found & word != word {
                unreadable = unreadable.wrapping_add(4);
                if found != 0 {
                    return false;
                }
            }
        }
        // One unit of it, where that is more than a word.
        let unit = geometry.unit().0;
        unreadable == 0 || unit > 4 && unreadable <= unit
    }
}

/// Whether flash is as it was erased.
#[inline(never)]
pub(crate) const fn is_blank(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let [first, others @ ..] = rest {
        if *first != 0xFF {
            return false;
        }
        rest = others;
    }
    true
}

/// Bytes of both headers in memory.
pub(crate) const BOTH: usize = len(HEADERS);
