//! Reading the log from its oldest page to its newest: builds the index, and fills a session on the
//! way.
//!
//! A page is read up to two blank units in a row. What is no valid record was torn, or rotted; then
//! the next record with a 32-bit check is looked for, or two hot records in a row: a single one could
//! be found in the middle of random bytes.

use core::ops::Range;

use super::super::{NorFlash, bisync};
use super::{Buffer, Shell};
use crate::error::Error;
use crate::fill::Receive;
use crate::geometry::Geometry;
use crate::header::{Header, NoHeader, PRESENT};
use crate::hot::{self, Hot};
use crate::record::{self, Head, Kind, MAX_RECORD};
use crate::state::{Page, seed};

/// A piece of a page in RAM that moves forward with the reader.
struct Window {
    bytes: Buffer,
    /// Position of the first byte.
    at: u32,
    /// Bytes that are valid.
    len: usize,
}

/// How reading goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Behind a valid record.
    Reading,
    /// Behind one blank unit.
    Gap,
    /// Behind something that is no record.
    Hunting,
}

/// What is at a position.
enum Found {
    Blank,
    Bad,
    /// A channel's hot record whose base was not seen: a newer base will be.
    Unresolved,
    Hot(Hot),
    Record(Head),
}

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Finds the newest page and how many count. Reads only headers.
    pub(crate) async fn locate(&mut self) -> Result<(), Error<F::Error>> {
        let geometry = self.state.geometry;
        let mut newest: Option<(u8, Header, Run)> = None;
        let mut error = Error::NotFormatted;
        let mut run = Run::default();
        let mut first = None;
        for number in 0..geometry.pages {
            let header = match self.header(number).await {
                Ok(Ok(header)) if header.matches(&geometry) => header,
                other => {
                    run = Run::default();
                    error = match (other, error) {
                        (Ok(Ok(header)), _) => Error::Geometry {
                            pages: header.pages,
                            page_size: header.page_size,
                            unit: 1_u32.wrapping_shl(header.shift.into()),
                        },
                        (Err(failure), _) => Error::Flash(failure),
                        (Ok(Err(NoHeader::Newer(version))), _) => Error::NewerFormat { version },
                        (Ok(Err(NoHeader::Damaged)), Error::NotFormatted | Error::Foreign) => {
                            Error::Corrupt
                        }
                        (Ok(Err(NoHeader::Foreign)), Error::NotFormatted) => Error::Foreign,
                        (_, error) => error,
                    };
                    continue;
                }
            };
            run.extend(number, &header);
            if number == 0 {
                first = Some(header.sequence);
            }
            // Pages of a save that was interrupted do not count.
            let complete = header.part == header.parts;
            if complete && newest.is_none_or(|(_, known, _)| is_older(&known, &header)) {
                newest = Some((number, header, run));
            }
        }
        let Some((number, header, before)) = newest else {
            return Err(error);
        };
        let mut chain = before.pages;
        let joins = |first: u32| run.last == Some(first.wrapping_sub(1));
        if before.from_start && first.is_some_and(joins) {
            chain = chain.saturating_add(run.pages);
        }
        let chain = chain.min(geometry.pages.wrapping_sub(1));
        let page = Page::new(&geometry, number, seed(header.sequence));
        self.state.begin(page, &header);
        self.state.chain = chain;
        self.state.located = true;
        Ok(())
    }

    /// Reads every page that counts.
    pub(super) async fn scan(&mut self, receive: &mut dyn Receive) -> Result<(), Error<F::Error>> {
        if !self.state.located {
            self.locate().await?;
        }
        self.index.clear();
        receive.reset();
        self.state.lazy = 0;
        self.state.tail_unknown = true;
        self.state.next_erased = false;
        let geometry = self.state.geometry;
        for back in (0..self.state.chain).rev() {
            let number = geometry.previous(self.state.head.number, back);
            let seed = seed(self.state.sequence.wrapping_sub(back.into()));
            let page = Page::new(&geometry, number, seed);
            self.scan_page(page, back == 0, receive).await?;
        }
        self.state.indexed = true;
        Ok(())
    }

    #[expect(clippy::too_many_lines, reason = "one state machine")]
    async fn scan_page(
        &mut self,
        page: Page,
        is_head: bool,
        receive: &mut dyn Receive,
    ) -> Result<(), Error<F::Error>> {
        let shift = self.state.geometry.shift;
        if let Ok(header) = self.header(page.number).await.map_err(Error::Flash)? {
            self.index.fixed.counters = header.counters;
            self.index.fixed.written = header.counters;
            self.index.fixed.home_dc_id = header.home_dc_id;
            self.state.present |= header.flags & PRESENT != 0;
        }
        let mut window = Window {
            bytes: Buffer::new([0; MAX_RECORD]),
            at: page.tail,
            len: 0,
        };
        let mut at = page.tail;
        // Behind the last valid record.
        let mut tail = at;
        let mut mode = Mode::Reading;
        // Where a single hot record is accepted although hunting: right behind a bad one.
        let mut successor = 0..0;
        // A first hot record found while hunting, as what undoes it.
        let mut trial: Option<Hot> = None;
        // The commit record up to which pending changes are being applied.
        let mut batch_end = None;
        while at < page.end {
            if batch_end.is_some_and(|end| at >= end) {
                // Behind the commit record.
                at = tail;
                batch_end = None;
                continue;
            }
            let found = self.classify(&mut window, page, at).await?;
            let units = match &found {
                Found::Record(head) => head.units(&self.state.geometry),
                Found::Hot(_) | Found::Unresolved => window.hot_units(at, shift),
                Found::Blank | Found::Bad => 1,
            };
            let next = at.wrapping_add(units);
            if batch_end.is_some() {
                if let Found::Record(head) = found
                    && head.pending
                    && head.is_change()
                {
                    self.take(&mut window, at, head, receive)?;
                }
                at = next;
                continue;
            }
            match found {
                Found::Blank => {
                    self.revert(&mut trial);
                    match mode {
                        Mode::Reading => mode = Mode::Gap,
                        Mode::Gap => break,
                        Mode::Hunting => {}
                    }
                }
                Found::Unresolved if mode == Mode::Reading => tail = next,
                Found::Bad | Found::Unresolved => {
                    self.revert(&mut trial);
                    // Hot records that continue a lost one are bad in a row. Behind a gap there was a
                    // sync record, perhaps on a weak word that an earlier one left.
                    let in_row = successor.contains(&at) && window.looks_hot(at, shift);
                    if mode != Mode::Hunting || in_row {
                        successor = window.successor(at, &self.state.geometry);
                    }
                    mode = Mode::Hunting;
                    at = at.wrapping_add(1);
                    continue;
                }
                Found::Hot(hot) => {
                    let undo = self.index.undo(hot);
                    self.index.note_hot(hot);
                    let follows = mode == Mode::Reading;
                    if follows || trial.take().is_some() || successor.contains(&at) {
                        if !follows {
                            self.count_damage();
                        }
                        self.state.present = true;
                        mode = Mode::Reading;
                        tail = next;
                    } else {
                        mode = Mode::Hunting;
                        trial = Some(undo);
                    }
                }
                Found::Record(head) => {
                    if mode == Mode::Hunting && head.kind != Kind::Sync {
                        self.count_damage();
                    }
                    trial = None;
                    mode = Mode::Reading;
                    tail = next;
                    match head.kind {
                        Kind::Commit => {
                            let start = self.state.geometry.page_at(page.number);
                            let start = start.wrapping_add(head.slot.into());
                            if start < at {
                                batch_end = Some(at);
                                at = start;
                                continue;
                            }
                        }
                        Kind::Change | Kind::Packed if !head.pending => {
                            self.take(&mut window, at, head, receive)?;
                        }
                        Kind::Wiped if is_head => self.state.wipe = false,
                        _ => {}
                    }
                }
            }
            at = next;
        }
        self.revert(&mut trial);
        if is_head {
            self.state.head.tail = tail;
        }
        Ok(())
    }

    /// Looks at what is at `at`.
    async fn classify(
        &mut self,
        window: &mut Window,
        page: Page,
        at: u32,
    ) -> Result<Found, Error<F::Error>> {
        let shift = self.state.geometry.shift;
        let seed = page.seed ^ at;
        self.fill(window, page, at, 8).await?;
        let bytes = window.from(at, shift);
        let unit = usize::try_from(self.state.geometry.unit()).unwrap_or_default();
        if bytes.iter().take(unit).all(|byte| *byte == 0xFF) {
            return Ok(Found::Blank);
        }
        let Some(head) = bytes.first_chunk().and_then(|first| Head::decode(*first)) else {
            return Ok(match hot::decode(shift, seed, &self.index, bytes) {
                hot::Decoded::Valid(hot) => Found::Hot(hot),
                hot::Decoded::Unresolved => Found::Unresolved,
                hot::Decoded::Bad => Found::Bad,
            });
        };
        self.fill(window, page, at, head.record_len()).await?;
        let bytes = window.from(at, shift);
        Ok(match record::open(bytes, seed) {
            Some((head, _)) => Found::Record(head),
            None => Found::Bad,
        })
    }

    /// Makes the window hold `len` bytes from `at`, as far as the page goes.
    async fn fill(
        &mut self,
        window: &mut Window,
        page: Page,
        at: u32,
        len: usize,
    ) -> Result<(), Error<F::Error>> {
        let shift = self.state.geometry.shift;
        let left = usize::try_from(page.end.saturating_sub(at) << shift).unwrap_or_default();
        if window.from(at, shift).len() >= len.min(left) {
            return Ok(());
        }
        let kept = window.keep(at, shift);
        let total = left.min(MAX_RECORD);
        let missing = at.wrapping_add(u32::try_from(kept >> shift).unwrap_or_default());
        if let Some(bytes) = window.bytes.get_mut(kept..total) {
            self.read(missing, bytes).await.map_err(Error::Flash)?;
            window.len = total;
        }
        Ok(())
    }

    /// Applies the change at `at`, which is valid and in the window.
    fn take(
        &mut self,
        window: &mut Window,
        at: u32,
        head: Head,
        receive: &mut dyn Receive,
    ) -> Result<(), Error<F::Error>> {
        let units = head.units(&self.state.geometry);
        let bytes = window.from(at, self.state.geometry.shift);
        let Some(change) = record::decode(head, record::payload_of(bytes, head)) else {
            // Valid but unknown: a newer release's change that this one can do without.
            self.count_damage();
            return Ok(());
        };
        self.state.present = true;
        let units = u8::try_from(units).unwrap_or(u8::MAX);
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        self.index
            .note(&change, head.slot, at, units)
            .map_err(Error::Capacity)?;
        receive.receive(head.slot, &change).map_err(Error::Session)
    }

    fn revert(&mut self, trial: &mut Option<Hot>) {
        if let Some(hot) = trial.take() {
            self.index.note_hot(hot);
        }
    }

    fn count_damage(&mut self) {
        self.state.damaged = self.state.damaged.saturating_add(1);
    }
}

impl Window {
    /// The window's bytes from a position on; none where it is not in the window.
    fn from(&self, at: u32, shift: u8) -> &[u8] {
        let Some(units) = at.checked_sub(self.at) else {
            return &[];
        };
        let start = usize::try_from(units << shift).unwrap_or(usize::MAX);
        self.bytes.get(start..self.len).unwrap_or_default()
    }

    /// Moves what is known from `at` on to the window's start; returns how many bytes that are.
    fn keep(&mut self, at: u32, shift: u8) -> usize {
        let kept = self.from(at, shift).len();
        let start = self.len.saturating_sub(kept);
        if kept > 0 {
            self.bytes.copy_within(start..self.len, 0);
        }
        self.at = at;
        self.len = kept;
        kept
    }

    /// Units of the hot record at `at`.
    fn hot_units(&self, at: u32, shift: u8) -> u32 {
        match self.from(at, shift).first() {
            Some(first) if shift == 2 && first >> 6 == 2 => 2,
            _ => 1,
        }
    }

    /// Whether what is at `at` was a hot record, going by its first bits.
    fn looks_hot(&self, at: u32, shift: u8) -> bool {
        let first = self.from(at, shift).first();
        first.is_some_and(|first| first >> 6 != 3)
    }

    /// Where the record behind the bad one at `at` may start, if its first bits are right.
    fn successor(&self, at: u32, geometry: &Geometry) -> Range<u32> {
        let bytes = self.from(at, geometry.shift);
        let head = bytes.first_chunk().and_then(|first| Head::decode(*first));
        let (first, last) = match head {
            Some(head) => {
                let units = head.units(geometry);
                (units, units)
            }
            // A flipped bit makes a long hot record look like a short one, and the other way round.
            None if geometry.shift == 2 => (1, 2),
            None => (1, 1),
        };
        at.wrapping_add(first)..at.wrapping_add(last).wrapping_add(1)
    }
}

/// Neighbouring pages whose sequence numbers follow each other.
#[derive(Clone, Copy, Default)]
struct Run {
    pages: u8,
    /// The last sequence number.
    last: Option<u32>,
    /// Whether the run began with page 0, so that the ring's last page may come before it.
    from_start: bool,
}

impl Run {
    fn extend(&mut self, number: u8, header: &Header) {
        let follows = self.last.map(|last| last.wrapping_add(1)) == Some(header.sequence);
        // Nothing before a saved session's first page counts.
        let begins = header.part == 1;
        if !follows || begins {
            self.pages = 0;
            self.from_start = number == 0 && !begins;
        }
        self.pages = self.pages.saturating_add(1);
        self.last = Some(header.sequence);
    }
}

fn is_older(known: &Header, other: &Header) -> bool {
    // Sequence numbers do not wrap: a page lasts for 100,000 of 4 billion erases.
    known.sequence < other.sequence
}
