//! The log: events, each with its length and a checksum, little-endian.
//!
//! ```text
//! u32 length of all of it | u64 id | i32 kind | i32 flags | u64 extra | data | u32 CRC-32 of what is before
//! ```
//!
//! A later event can replace one by its id, or remove it. Events that are marked as parts count from the next
//! one that is not. After an event that says how, everything is encrypted.

use core::ops::RangeInclusive;
use std::collections::BTreeMap;

use crc::{CRC_32_ISO_HDLC, Crc};
use ctr::cipher::StreamCipher as _;
use zeroize::Zeroizing;

use super::cipher;
use crate::clients::cursor::Cursor;
use crate::clients::error::ForeignError;

/// What every event has next to its data.
const LEAST: usize = 32;
const SIZES: RangeInclusive<u32> = 32..=16 << 20;
const CRC_LEN: usize = 4;
const CRC_32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Kinds of events.
const HEADER: i32 = -1;
const EMPTY: i32 = -2;
const ENCRYPTION: i32 = -3;
const NO_ENCRYPTION: i32 = -4;
/// The store of the client, and that of its options.
const KEY_VALUE: i32 = 0x4327;
const OPTIONS: i32 = 0x1F18;

/// Flags of events.
const REWRITE: i32 = 1;
const PARTIAL: i32 = 2;

/// Whether a file begins with an event: length, id and kind. The first one says how the others are encrypted,
/// or is one of the key-value stores.
pub(in crate::clients) fn is_binlog(bytes: &[u8]) -> bool {
    const KINDS: [i32; 6] = [HEADER, EMPTY, ENCRYPTION, NO_ENCRYPTION, KEY_VALUE, OPTIONS];

    let mut head = Cursor::new(bytes);
    let (Ok(size), Ok(id), Ok(kind)) = (head.u32("size"), head.i64("id"), head.i32("kind")) else {
        return false;
    };
    // Nobody has had as many events as need the upper half of an id.
    SIZES.contains(&size)
        && size % 4 == 0
        && (0..=u32::MAX.into()).contains(&id)
        && KINDS.contains(&kind)
}

/// What the client's key-value store holds, by the events' ids. Wiped on drop: there are keys in it.
#[derive(Default)]
pub(super) struct Values {
    entries: BTreeMap<i64, (Vec<u8>, Zeroizing<Vec<u8>>)>,
    /// Where the log could not be read any further.
    pub(super) ends_early_at: Option<usize>,
}

impl Values {
    /// The value of a key: the one that was stored last.
    pub(super) fn get(&self, key: &str) -> Option<&[u8]> {
        let mut newest_first = self.entries.values().rev();
        newest_first
            .find(|(known, _)| known == key.as_bytes())
            .map(|(_, value)| value.as_slice())
    }

    /// The values of the keys that are `prefix` and a number, by that.
    pub(super) fn numbered(&self, prefix: &str) -> BTreeMap<i32, &[u8]> {
        let number = |key: &[u8]| str::from_utf8(key).ok()?.strip_prefix(prefix)?.parse().ok();
        let oldest_first = self.entries.values();
        oldest_first
            .filter_map(|(key, value)| Some((number(key)?, value.as_slice())))
            .collect()
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        str::from_utf8(self.get(key)?).ok()
    }

    fn replay(&mut self, event: Event<'_>) -> Result<(), ForeignError> {
        let replaces = event.flags & REWRITE != 0 && self.entries.contains_key(&event.id);
        match event.kind {
            KEY_VALUE => {
                let mut data = Cursor::new(event.data);
                let key = data.tl_bytes("key of a value")?.to_vec();
                let value = Zeroizing::new(data.tl_bytes("value")?.to_vec());
                self.entries.insert(event.id, (key, value));
            }
            // What is replaced by something else is gone as well.
            _ if replaces => {
                self.entries.remove(&event.id);
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Event<'a> {
    id: i64,
    kind: i32,
    flags: i32,
    data: &'a [u8],
}

/// The event at a place, and its length. `None` where there is no whole one.
fn next(log: &[u8], at: usize) -> Option<(Event<'_>, usize)> {
    let log = log.get(at..)?;
    let mut head = Cursor::new(log);
    let size = head.u32("size").ok().filter(|size| SIZES.contains(size))?;
    let size = usize::try_from(size).ok()?;
    let (covered, crc) = log.get(..size)?.split_last_chunk::<CRC_LEN>()?;
    if size % 4 != 0 || CRC_32.checksum(covered) != u32::from_le_bytes(*crc) {
        return None;
    }
    let mut event = Event {
        id: head.i64("id").ok()?,
        kind: head.i32("kind").ok()?,
        flags: head.i32("flags").ok()?,
        data: &[],
    };
    head.i64("extra").ok()?;
    let len = size.checked_sub(LEAST)?;
    event.data = head.bytes(len, "data").ok()?;
    Some((event, size))
}

/// Replays a log. `key` is what the program encrypts it with; empty for none of its own.
///
/// # Errors
/// A key that is missing or does not open it, and values that are none.
pub(super) fn replay(log: &[u8], key: &[u8]) -> Result<Values, ForeignError> {
    let mut log = Zeroizing::new(log.to_vec());
    let mut values = Values::default();
    let mut parts = Vec::new();
    let mut is_encrypted = false;
    let mut at = 0_usize;
    while let Some((event, size)) = next(&log, at) {
        let after = at.saturating_add(size);
        if event.kind == ENCRYPTION {
            if core::mem::replace(&mut is_encrypted, true) {
                return Err(ForeignError::damaged("it is encrypted twice"));
            }
            let mut cipher = cipher::open(event.data, key)?;
            cipher.apply_keystream(log.get_mut(after..).unwrap_or_default());
        } else if event.flags & PARTIAL != 0 {
            parts.push(at);
        } else {
            for part in parts.drain(..) {
                if let Some((part, _)) = next(&log, part) {
                    values.replay(part)?;
                }
            }
            values.replay(event)?;
        }
        at = after;
    }
    values.ends_early_at = (at < log.len()).then_some(at);
    Ok(values)
}
