//! The DC table of a damaged session, entry by entry.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::layout::{HAS_DC_FLAGS, KEY_LEN, MAX_SHORT};
use super::reader::Reader;
use crate::bug::Certain as _;
use crate::clients::Server;
use crate::error::Field;

/// Most bytes of an entry: how far the next one is looked for after a damaged one.
const ENTRY_MAX: usize = 4 + 1 + KEY_LEN + 8 + 4 + 1 + MAX_SHORT + 1;

/// The largest id that is believed.
const MAX_ID: u32 = 100_000;

/// One entry, as far as it could be read.
#[derive(Clone)]
pub(super) struct Entry<'a> {
    pub(super) dc_id: i32,
    pub(super) key: Option<&'a [u8; KEY_LEN]>,
    /// Salt and time offset.
    times: [u8; 12],
    addr: Addr<'a>,
    flags: u8,
}

/// An address as it was read, or the known one of the DC.
#[derive(Clone)]
enum Addr<'a> {
    Read(&'a str),
    Known(String),
}

impl Addr<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Read(text) => text,
            Self::Known(text) => text,
        }
    }
}

impl Entry<'_> {
    /// Whether the entry has the address that this DC is known to have.
    pub(super) fn is_at(&self, dc_id: i32) -> bool {
        dc_of_address(self.addr.text()) == Some(dc_id)
    }

    /// Appends the entry to a DC table of this version.
    pub(super) fn put(&self, version: u8, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.dc_id.to_le_bytes());
        out.push(u8::from(self.key.is_some()));
        out.extend_from_slice(self.key.map_or(&[], |key| key.as_slice()));
        out.extend_from_slice(&self.times);
        let addr = self.addr.text();
        out.push(u8::try_from(addr.len()).certain("its length was a byte"));
        out.extend_from_slice(addr.as_bytes());
        if version >= HAS_DC_FLAGS {
            out.push(self.flags);
        }
    }
}

/// A DC table.
pub(super) struct Table<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    /// Where it ends, if that is known.
    pub(super) end: Option<usize>,
}

/// Whether an address is one that could be connected to.
pub(super) fn is_address(text: &str) -> bool {
    Server::parse(text).is_some()
}

/// The DC that is known to have this address.
fn dc_of_address(addr: &str) -> Option<i32> {
    (1..=5).find(|dc_id| {
        let known = Server::well_known(*dc_id, false).map(|server| server.to_string());
        known.is_some_and(|known| known == addr)
    })
}

/// Reads the table that begins at `at` with its count.
pub(super) fn read<'a>(
    input: &'a [u8],
    at: usize,
    version: u8,
    left_out: &mut Vec<String>,
) -> Table<'a> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let count = input.get(at).copied().map_or(0, usize::from);
    let mut at = at.saturating_add(1);
    let mut seen = 0_usize;
    let mut end = Some(at);
    while at < input.len() && seen < MAX_SHORT {
        if let Some((entry, after)) = whole(input, at, version) {
            entries.push(entry);
            (at, end) = (after, Some(after));
        } else if seen >= count {
            break;
        } else {
            let next = (at.saturating_add(1)..=at.saturating_add(ENTRY_MAX))
                .find(|next| whole(input, *next, version).is_some());
            end = None;
            match broken(input, at) {
                Some(entry) => {
                    left_out.push(format!(
                        "the entry of DC {} was altered or cut off: its key is there, and its \
                         address is taken to be the known one",
                        entry.dc_id
                    ));
                    entries.push(entry);
                }
                None => left_out.push(format!(
                    "an entry of the DC table at byte {at} is unreadable"
                )),
            }
            let Some(next) = next else {
                break;
            };
            at = next;
        }
        seen = seen.saturating_add(1);
    }
    if seen != count {
        left_out.push(format!("the DC table says {count} entries, and has {seen}"));
    }
    Table { entries, end }
}

/// The entry at `at`, if everything in it makes sense, and where it ends.
fn whole(input: &[u8], at: usize, version: u8) -> Option<(Entry<'_>, usize)> {
    let mut reader = Reader::new(input.get(at..)?);
    let dc_id = reader.i32(Field::DcId).ok()?;
    let key = if reader.presence(Field::DcHasKey).ok()? {
        Some(reader.array(Field::DcAuthKey).ok()?)
    } else {
        None
    };
    let times = reader.array(Field::DcFirstSalt).ok()?;
    let len = reader.len_u8(Field::DcAddrLen).ok()?;
    let addr = core::str::from_utf8(reader.bytes(len, Field::DcAddr).ok()?).ok()?;
    let flags = if version >= HAS_DC_FLAGS {
        reader.u8(Field::DcFlags).ok()?
    } else {
        0
    };
    let is_altered = !(1..=5).contains(&dc_id) && dc_of_address(addr).is_some();
    let makes_sense = !is_altered
        && (1..=MAX_ID).contains(&dc_id.unsigned_abs())
        && key.is_none_or(|key: &[u8; KEY_LEN]| key.iter().any(|byte| *byte != 0))
        && is_address(addr);
    let entry = Entry {
        dc_id,
        key,
        times: *times,
        addr: Addr::Read(addr),
        flags,
    };
    makes_sense.then(|| (entry, at.saturating_add(reader.offset())))
}

/// The key of an entry at `at` of which other parts are damaged.
fn broken(input: &[u8], at: usize) -> Option<Entry<'_>> {
    let mut reader = Reader::new(input.get(at..)?);
    let written = reader.i32(Field::DcId).ok()?;
    let has_key = reader.u8(Field::DcHasKey).ok()?;
    let key: &[u8; KEY_LEN] = reader.array(Field::DcAuthKey).ok()?;
    if !looks_random(key) {
        return None;
    }
    let times = reader
        .array(Field::DcFirstSalt)
        .map_or([0; 12], |times| *times);
    let read = || {
        let mut reader = reader;
        let len = reader.len_u8(Field::DcAddrLen).ok()?;
        let text = core::str::from_utf8(reader.bytes(len, Field::DcAddr).ok()?).ok()?;
        is_address(text).then_some(text)
    };
    let addr = read();
    // An altered id leaves the address, which tells the DC.
    let dc_id = if (1..=5).contains(&written) {
        written
    } else {
        dc_of_address(addr?)?
    };
    // A key is only there if something says so: its presence, or the address after it.
    if has_key != 1 && addr.is_none() {
        return None;
    }
    let addr = match addr {
        Some(text) => Addr::Read(text),
        None => Addr::Known(Server::well_known(dc_id, false)?.to_string()),
    };
    Some(Entry {
        dc_id,
        key: Some(key),
        times,
        addr,
        flags: 0,
    })
}

/// Whether these bytes could be a key, rather than text, numbers or zeros.
fn looks_random(key: &[u8; KEY_LEN]) -> bool {
    const DIFFERENT: usize = 100;

    let mut seen = [false; 256];
    for byte in key {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count() >= DIFFERENT
}
