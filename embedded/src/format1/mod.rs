//! Format 1, which earlier releases wrote: it is read, page by page, as pages of format 2 are. A page turn writes
//! what lives in the oldest page as format 2, so that a log becomes one of format 2 as it goes on.

mod hot;
mod payload;
mod record;
mod scan;

pub(crate) use scan::Old;

use mtsession_core::Counters;

use crate::format::crc::crc32c;
use crate::format::header::{Flags, Header};
use crate::format::record::up;
use crate::geometry::Geometry;
use crate::num::{Bytes, bytes};

/// The format.
pub(crate) const VERSION: u8 = 1;
/// Bytes of a header.
pub(crate) const HEADER: usize = 48;

/// Bytes that a header takes.
pub(crate) fn room(geometry: &Geometry) -> Bytes {
    up(bytes(HEADER), geometry.unit())
}

/// Reads a header of format 1.
pub(crate) fn header(page: u8, geometry: &Geometry, place: &[u8]) -> Option<Header> {
    let (body, rest) = place.split_at_checked(HEADER.wrapping_sub(4))?;
    if *rest.first_chunk()? != (!crc32c(!u32::from(page), body)).to_le_bytes() {
        return None;
    }
    let mut words = [0; 11];
    for (word, bytes) in words.iter_mut().zip(body.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    let [
        _,
        kind,
        page_size,
        sequence,
        erases,
        parts,
        home,
        pts,
        qts,
        date,
        seq,
    ] = words;
    let [_, shift, pages, old] = kind.to_le_bytes();
    if (shift, pages, page_size) != (geometry.shift(), geometry.pages, geometry.page_size.0) {
        return None;
    }
    let [part, parts, ..] = parts.to_le_bytes();
    let mut flags = Flags(old & (Flags::PRESENT | Flags::DELETED));
    // Two flags said where the key may be.
    flags.set(Flags::STALE, old & (4 | 8) != 0);
    Some(Header {
        flags,
        sequence,
        // Each page counted its own.
        erases: erases.saturating_mul(geometry.pages.into()),
        part,
        parts,
        region: [0; 4],
        counters: Counters {
            pts: pts.cast_signed(),
            qts: qts.cast_signed(),
            date: date.cast_signed(),
            seq: seq.cast_signed(),
        },
        home_dc_id: home.cast_signed(),
        is_old: true,
    })
}
