//! Finding the newest page, and how many before it count, from the headers of all pages in order.

use crate::error::Fail;
use crate::header::Header;

/// The newest page of a log.
pub(crate) struct Newest {
    pub(crate) page: u8,
    pub(crate) header: Header,
    /// The pages that end with it.
    run: Run,
}

/// What is known after some of the pages.
pub(crate) struct Locator {
    newest: Option<Newest>,
    run: Run,
    /// The sequence number of page 0.
    first: Option<u32>,
    /// What the pages that do not count are, the most telling one.
    fail: Fail,
}

impl Locator {
    pub(crate) fn new() -> Self {
        Self {
            newest: None,
            run: Run::default(),
            first: None,
            fail: Fail::NotFormatted,
        }
    }

    /// Takes the next page.
    pub(crate) fn see(&mut self, page: u8, header: Result<Header, Fail>) {
        let header = match header {
            Ok(header) => header,
            Err(fail) => {
                self.run = Run::default();
                if rank(fail) >= rank(self.fail) {
                    self.fail = fail;
                }
                return;
            }
        };
        self.run.extend(page, &header);
        if page == 0 {
            self.first = Some(header.sequence);
        }
        // Pages of a save that was interrupted do not count. Sequence numbers do not wrap: a page
        // lasts for 100,000 of 4 billion erases.
        let is_newest = |known: &Newest| known.header.sequence < header.sequence;
        if header.part == header.parts && self.newest.as_ref().is_none_or(is_newest) {
            let run = self.run;
            self.newest = Some(Newest { page, header, run });
        }
    }

    /// The newest page, and how many count.
    pub(crate) fn finish(self) -> Result<(Newest, u8), Fail> {
        let newest = self.newest.ok_or(self.fail)?;
        let mut chain = newest.run.pages;
        let joins = |first: u32| self.run.last == Some(first.wrapping_sub(1));
        if newest.run.from_start && self.first.is_some_and(joins) {
            chain = chain.saturating_add(self.run.pages);
        }
        Ok((newest, chain))
    }
}

/// How much a page says about what a region is.
#[inline(never)]
const fn rank(fail: Fail) -> u8 {
    match fail {
        Fail::NotFormatted => 0,
        Fail::Foreign => 1,
        Fail::Corrupt => 2,
        _ => 3,
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
