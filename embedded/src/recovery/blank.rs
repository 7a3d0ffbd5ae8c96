//! A region without a log: erased, what a first format left that was cut, or something else.

use crate::error::Fail;
use crate::format::header::{BOTH, Flags, HEADER, Header, VERSION, is_blank};
use crate::format::record::MAX_RECORD;
use crate::index::Table;
use crate::machine::{Job, Machine, Op, State};
use crate::num::{bytes, len};
use crate::recovery::Looks;

impl Machine {
    /// Looks at all of every page.
    pub(crate) fn look(&mut self, table: &mut dyn Table) -> Op {
        self.reading.looks = Looks::default();
        self.reading.page = 0;
        self.reading.pos = bytes(0);
        self.look_on(table)
    }

    fn look_on(&mut self, _: &mut dyn Table) -> Op {
        let left = self.geometry.page_size - self.reading.pos;
        let at = self.geometry.page_at(self.reading.page) + self.reading.pos;
        self.read(State::Blank, at, MAX_RECORD.min(len(left)))
    }

    /// A piece of a page was read.
    pub(crate) fn looked(&mut self, table: &mut dyn Table) -> Op {
        let (_, length) = self.io;
        let mut rest = self.buffer.first(length);
        if self.reading.pos.0 == 0 {
            let (headers, records) = rest.split_at_checked(BOTH).unwrap_or_default();
            let looks = &mut self.reading.looks;
            (looks.is_first, looks.is_other) = (false, false);
            for place in headers.as_chunks::<HEADER>().0 {
                if !is_blank(place) {
                    let is_first = Header::is_first_part(&self.new_region, &self.geometry, place);
                    looks.is_first |= is_first;
                    looks.is_other |= !is_first;
                }
            }
            rest = records;
        }
        self.reading.looks.is_other |= !is_blank(rest);
        self.reading.pos += bytes(length);
        if self.reading.pos < self.geometry.page_size && !self.reading.looks.is_other {
            return self.look_on(table);
        }
        let page = self.reading.page;
        let looks = &mut self.reading.looks;
        if looks.is_other {
            looks.others = looks.others.saturating_add(1);
            looks.other_page = Some(page);
        } else if looks.is_first {
            looks.firsts = looks.firsts.saturating_add(1);
        } else {
            looks.blank_page = looks.blank_page.or(Some(page));
        }
        self.reading.page = page.wrapping_add(1);
        self.reading.pos = bytes(0);
        if self.reading.page < self.geometry.pages {
            return self.look_on(table);
        }
        self.judge(table)
    }

    /// Every page was looked at.
    fn judge(&mut self, table: &mut dyn Table) -> Op {
        let looks = self.reading.looks;
        let is_another =
            self.reading.other.is_some() || looks.others > 0 && self.reading.version > VERSION;
        if !is_another && (looks.others == 0 || looks.others == 1 && looks.firsts > 0) {
            return (self.format)(self, table, true);
        }
        if self.flip == 0 {
            self.flip = 0xFF;
            return self.look(table);
        }
        self.flip = 0;
        if self.job == Job::Format {
            self.reading.checks_erased = true;
            return (self.format)(self, table, false);
        }
        let fail = if self.reading.version > VERSION {
            Fail::NewerFormat(self.reading.version)
        } else if self.reading.other.is_some() {
            Fail::Geometry
        } else if self.reading.version > 0 {
            Fail::OlderFormat(self.reading.version)
        } else if self.reading.is_broken {
            Fail::Corrupt
        } else {
            Fail::Foreign
        };
        self.done(Err(fail))
    }

    /// Begins none.
    pub(crate) fn refuse(&mut self, _: &mut dyn Table, _: bool) -> Op {
        self.done(Err(Fail::NotFormatted))
    }

    /// Begins a log in a region that is erased, or whatever there is.
    pub(crate) fn format(&mut self, table: &mut dyn Table, is_blank: bool) -> Op {
        if is_blank {
            self.format_first(table)
        } else {
            self.format_anew(table)
        }
    }

    /// Begins a log in a region that is erased.
    pub(crate) fn format_first(&mut self, table: &mut dyn Table) -> Op {
        let looks = self.reading.looks;
        let page = looks.blank_page.or(looks.other_page).unwrap_or(0);
        self.head = self.geometry.previous(page, 1);
        self.blank_ahead = looks.blank_page.is_some().into();
        self.sequence = 0;
        self.erases = 0;
        self.flags = Flags(0);
        self.begin_log(table)
    }

    /// Begins a log whatever there is; after the one that there is.
    fn format_anew(&mut self, table: &mut dyn Table) -> Op {
        if self.sequence == 0 {
            self.head = self.geometry.pages.wrapping_sub(1);
            self.erases = 0;
        }
        self.flags = Flags(Flags::DELETED);
        self.begin_log(table)
    }

    fn begin_log(&mut self, table: &mut dyn Table) -> Op {
        table.clear();
        self.region = self.new_region;
        self.used = 0;
        self.reading.suspects = 0;
        self.is_half = false;
        self.has_formatted = true;
        self.job = Job::Save;
        self.save(table)
    }

    /// What an erased page reads as.
    pub(crate) fn erased_value(&mut self, table: &mut dyn Table) -> Op {
        let (_, length) = self.io;
        let first = self.buffer.first(length).first().copied().unwrap_or(0xFF);
        let is_even = self.buffer.first(length).iter().all(|byte| *byte == first);
        if !is_even || first != 0 && first != 0xFF {
            let other = self.buffer.first(length).iter().find(|byte| **byte != 0xFF);
            let found = other.copied().unwrap_or(first);
            self.is_mounted = false;
            self.saved = None;
            self.turning = false;
            return self.done(Err(Fail::ErasedValue(found)));
        }
        self.flip = !first;
        self.erased(table)
    }
}
