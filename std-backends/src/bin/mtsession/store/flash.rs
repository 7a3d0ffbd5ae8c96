//! Dumps of flash: the region of a device, or a larger part of its chip.

use core::fmt;
use core::ops::Range;
use std::path::Path;

use mtsession::SessionRecord;
use mtsession::clients;
use mtsession::codec::SessionSource;
use mtsession_embedded::image::{self, Layout};
use zeroize::Zeroizing;

use super::{FlashLayout, Loaded, Origin, Store};
use crate::failure::Failure;
use crate::report;

/// What the chips of the usual boards hold: what is larger is not read into memory to find out that it is
/// no dump of one.
const LARGEST_DUMP: u64 = 16 << 20;

impl Store {
    pub(super) fn load_flash(&self, path: &Path, said: FlashLayout) -> Result<Loaded, Failure> {
        let len = path.metadata().map_or(0, |found| found.len());
        if len > LARGEST_DUMP {
            return Err(self.unreadable(
                "it is larger than 16 MiB; cut the log's region out of it, which has 2 MiB at most",
            ));
        }
        let dump = Zeroizing::new(self.read(path)?);
        let place = self.place(&dump, said)?;
        let image = dump.get(place.region).unwrap_or_default();
        let mut session = SessionRecord::default();
        let loaded = image::load(image, place.layout, &mut session);
        if !loaded.as_ref().is_ok_and(|report| report.present)
            && let Ok(import) = clients::read(path)
        {
            let found = report::origin(&Origin::Foreign(import.format, import.version));
            return Err(self.unreadable(format!("it is no flash image but {found}")));
        }
        let report = loaded.map_err(|error| self.unreadable(error))?;
        if !report.present {
            return Err(self.not_found());
        }
        let origin = Origin::Flash(report.stats.damaged);
        let mut loaded = Loaded::whole(session, origin);
        loaded.notes.extend(place.guessed);
        Ok(loaded)
    }

    /// An image of a region that holds a session.
    pub(super) fn flash_image(
        &self,
        said: FlashLayout,
        session: &impl SessionSource,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let refused =
            |why: &dyn fmt::Display| Failure::Usage(format!("cannot write {self}: {why}"));
        if said.offset.is_some() {
            return Err(refused(
                &"an image is the region alone, offset= is for dumps",
            ));
        }
        let size = said.size.unwrap_or(FlashLayout::SIZE);
        let image =
            image::provision(size, said.chip(), session).map_err(|error| refused(&error))?;
        Ok(Zeroizing::new(image))
    }

    /// Where the log is: as was said, or as its headers say.
    fn place(&self, dump: &[u8], said: FlashLayout) -> Result<Place, Failure> {
        let start = said.offset.unwrap_or_default();
        if start > dump.len() {
            let len = dump.len();
            return Err(self.unreadable(format!(
                "offset={start} is after the end of its {len} bytes"
            )));
        }
        let is_said = said.write.is_some() || said.erase.is_some();
        let known = is_said && (said.size.is_some() || said.offset.is_none());
        let found = if known {
            None
        } else {
            image::find(dump, said.offset)
        };
        let end = said.size.filter(|_| said.offset.is_some());
        let end = end.map_or(dump.len(), |size| start.saturating_add(size));
        if end > dump.len() {
            let len = dump.len();
            return Err(self.unreadable(format!(
                "offset={start} and size= go beyond its {len} bytes"
            )));
        }
        Ok(match found {
            // The page size and unit that were said are taken, and found to be wrong if they are.
            Some(found) if is_said => Place {
                region: found.region,
                layout: said.chip(),
                guessed: None,
            },
            Some(found) => Place {
                guessed: Some(described(&found)),
                region: found.region,
                layout: found.layout,
            },
            None => Place {
                region: start..end,
                layout: said.chip(),
                guessed: None,
            },
        })
    }
}

/// Where a log is in a dump.
struct Place {
    region: Range<usize>,
    layout: Layout,
    /// What was not said but found.
    guessed: Option<String>,
}

fn described(found: &image::Found) -> String {
    let Range { start, end } = found.region;
    let Layout { write, erase } = found.layout;
    let pages = found.region.len().checked_div(erase).unwrap_or_default();
    let size = found.region.len();
    format!(
        "its headers say: the log is at {start:#x}..{end:#x}, {pages} pages of {erase} bytes, units of {write} \
         (offset={start}&size={size}&erase={erase}&write={write})"
    )
}
