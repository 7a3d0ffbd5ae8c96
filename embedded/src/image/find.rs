//! Where in a dump a log is: its headers say how the chip is cut into pages.

use core::ops::Range;

use super::{Layout, mounts};

/// What every header begins with, in all formats.
const MAGIC: [u8; 4] = *b"MTSL";
/// The smallest page, and the largest region: what says otherwise is no header.
const PAGES: Range<usize> = 1024..(2 << 20) + 1;

/// A log that was found in a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Where it is in the dump, in bytes.
    pub region: Range<usize>,
    /// The chip's geometry, as far as the log depends on it: the unit that records are aligned to, which is
    /// 4 where the program unit is smaller, and its pages.
    pub layout: Layout,
}

/// Finds the first log in a dump of a region, of a part of a chip or of the whole chip; with `offset` one
/// that begins there.
///
/// A log is found by the header of any of its pages and taken only if it can be opened.
///
/// ```
/// use mtsession_core::{FixedSession, SessionMut};
/// use mtsession_embedded::image::{self, Layout};
///
/// let mut session = FixedSession::<6, 32, 64, 0, 0>::new();
/// session.set_home_dc_id(4);
/// let nrf52840 = Layout { write: 4, erase: 4096 };
/// let mut dump = vec![0xFF; 8192];
/// dump.extend(image::provision(4 * 4096, nrf52840, &session)?);
///
/// let found = image::find(&dump, None).expect("a log");
/// assert_eq!(found.region, 8192..8192 + 4 * 4096);
/// assert_eq!(found.layout, nrf52840);
/// # Ok::<(), image::ImageError>(())
/// ```
#[must_use]
pub fn find(dump: &[u8], offset: Option<usize>) -> Option<Found> {
    let (words, _) = dump.as_chunks::<4>();
    for (n, word) in words.iter().enumerate() {
        // On chips whose erased cells read as zeros, every bit is stored flipped.
        let flip = if *word == MAGIC {
            0
        } else if *word == MAGIC.map(|byte| !byte) {
            0xFF
        } else {
            continue;
        };
        let at = n.saturating_mul(4);
        let Some(shape) = Shape::read(dump, at, flip) else {
            continue;
        };
        // The region's first page is this one or one before it.
        for start in shape.starts(at, dump.len()) {
            if offset.is_some_and(|offset| offset != start) {
                continue;
            }
            let found = shape.at(start);
            let image = dump.get(found.region.clone()).unwrap_or_default();
            if mounts(image, found.layout) {
                return Some(found);
            }
        }
    }
    None
}

/// What a header says of its region.
#[derive(Clone, Copy)]
struct Shape {
    unit: usize,
    page_size: usize,
    pages: usize,
}

impl Shape {
    fn read(dump: &[u8], at: usize, flip: u8) -> Option<Self> {
        let header = dump.get(at..)?.first_chunk::<12>()?;
        let [_, _, _, _, _, shift, pages, _, size @ ..] = header.map(|byte| byte ^ flip);
        let shape = Self {
            unit: 1_usize.checked_shl(shift.into())?,
            page_size: usize::try_from(u32::from_le_bytes(size)).ok()?,
            pages: pages.into(),
        };
        let is_sound = (4..=32).contains(&shape.unit)
            && pages >= 2
            && PAGES.contains(&shape.page_size)
            && PAGES.contains(&shape.len());
        is_sound.then_some(shape)
    }

    fn len(self) -> usize {
        self.page_size.saturating_mul(self.pages)
    }

    /// Where the region may begin that has a header at `at`.
    fn starts(self, at: usize, len: usize) -> impl Iterator<Item = usize> {
        let before = (0..self.pages).map(move |page| page.saturating_mul(self.page_size));
        let starts = before.filter_map(move |before| at.checked_sub(before));
        starts.filter(move |start| start.saturating_add(self.len()) <= len)
    }

    fn at(self, start: usize) -> Found {
        Found {
            region: start..start.saturating_add(self.len()),
            layout: Layout {
                write: self.unit,
                erase: self.page_size,
            },
        }
    }
}
