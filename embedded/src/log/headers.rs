//! Headers: reading them, and what they say about the region.

use super::super::{NorFlash, bisync};
use super::Shell;
use super::flash::flip;
use super::read::LOOKS;
use crate::error::{Fail, RegionShape};
use crate::header::{Header, header_units};
use crate::locate::Locator;
use crate::state::{Page, seed};

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Finds the newest page and how many count. Reads only headers.
    pub(super) async fn locate(&mut self) -> Result<(), Fail> {
        self.check_region().await?;
        let geometry = self.state.geometry;
        let mut locator = Locator::new();
        for page in 0..geometry.pages {
            let mut header = self.header(page).await;
            if header == Err(Fail::Flash) {
                // An older page must not be taken for the newest.
                return Err(Fail::Flash);
            }
            if let Ok(other) = &header
                && !other.matches(&geometry)
            {
                let log = RegionShape {
                    pages: other.pages,
                    page_size: other.page_size,
                    unit: 1_u32.wrapping_shl(other.shift.into()),
                };
                self.chip.details.shapes = (log, (&geometry).into());
                header = Err(Fail::Geometry);
            }
            locator.see(page, header);
        }
        let (newest, chain) = match locator.finish() {
            Ok(found) => found,
            // A version that was not programmed yet looks like a newer one.
            Err(Fail::NotFormatted | Fail::Foreign | Fail::Corrupt | Fail::NewerFormat(_))
                if self.is_unformatted().await? =>
            {
                return Err(Fail::NotFormatted);
            }
            // Blank where headers would be, and not elsewhere.
            Err(Fail::NotFormatted) => return Err(Fail::Foreign),
            Err(fail) => return Err(fail),
        };
        self.state.page = Page::new(&geometry, newest.page, seed(newest.header.sequence));
        self.state.begin(&newest.header);
        self.state.erased = 0;
        self.state.chain = chain.min(geometry.pages.wrapping_sub(1));
        self.state.located = true;
        Ok(())
    }

    /// Reads the header of a page, or its copy. What is not a header is read once more: a word at which
    /// the power was lost may read differently from time to time. For the same reason a header without a
    /// copy has to be valid each time.
    pub(super) async fn header(&mut self, page: u8) -> Result<Header, Fail> {
        let mut fail = Fail::NotFormatted;
        for again in 0..2_u8 {
            match self.headers(page).await? {
                [Ok(header), Err(Fail::NotFormatted)] => {
                    for _ in 0..LOOKS {
                        let [first, _] = self.headers(page).await?;
                        first?;
                    }
                    return Ok(header);
                }
                [Ok(header), _] | [_, Ok(header)] => return Ok(header),
                [Err(Fail::NotFormatted), Err(Fail::NotFormatted)] => return Err(fail),
                // Where neither is a header, the first place says better what is there.
                [Err(first), _] if again == 0 => fail = first,
                _ => {}
            }
        }
        Err(fail)
    }

    /// Reads both headers of a page.
    pub(super) async fn headers(&mut self, page: u8) -> Result<[Result<Header, Fail>; 2], Fail> {
        let geometry = self.state.geometry;
        let units = header_units(&geometry);
        let bytes = self.buffer.units(units << 1, &geometry);
        self.chip.read(geometry.page_at(page), bytes).await?;
        let (first, second) = bytes.split_at_mut(bytes.len() >> 1);
        let mut headers = [Err(Fail::NotFormatted); 2];
        let mut is_flipped = false;
        for (bytes, place) in [first, second].into_iter().zip(&mut headers) {
            if is_flipped {
                flip(bytes, 0xFF);
            }
            *place = Header::decode(bytes, page);
            if *place == Err(Fail::Foreign) && !is_flipped {
                // Erased cells of this chip may read as zeros.
                flip(bytes, 0xFF);
                let flipped = Header::decode(bytes, page);
                if flipped.is_ok() {
                    is_flipped = true;
                    *self.chip.flip ^= 0xFF;
                    *place = flipped;
                }
            }
        }
        Ok(headers)
    }
}
