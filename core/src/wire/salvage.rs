//! Reading what is left of a damaged session: the keys first.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::crc::Crc32c;
use super::layout::{
    CHANNEL_LEN, CRC_LEN, CURRENT, HAS_MIN_PEERS, HAS_STATE, HAS_TOKEN, MAX_SHORT, MIN_PEER_LEN,
    TRAILER_MAGIC, peer_len,
};
use super::salvage_dcs::{self, Entry};
use super::trailer;
use super::unflip::unflip;
use super::view::SessionView;
use crate::source::SessionSource as _;

/// What could be read of a damaged session.
pub struct Salvaged {
    /// A whole session, which [`SessionView::parse`] reads.
    pub bytes: Zeroizing<Vec<u8>>,
    /// What was left out or is uncertain, in sentences; empty when nothing was wrong.
    pub left_out: Vec<String>,
}

/// Reads as much of a session as there is, whether it was cut off or altered.
///
/// A single altered bit of a session with a checksum is found and set right. Of anything else the DC
/// table is read first, entry by entry, and then what follows it as far as it adds up. `None` when no
/// auth key is found.
///
/// ```
/// use mtsession_core::{SessionSource, SessionView};
/// # let key = [7; 256];
/// # let mut bytes = vec![8, 2, 0, 0, 0, 1, 2, 0, 0, 0, 1];
/// # bytes.extend(key);
/// # bytes.extend([0; 12]);
/// # bytes.push(18);
/// # bytes.extend(b"149.154.167.51:443\0");
/// // The first 400 bytes of a session file, up to somewhere after its DC table.
/// let salvaged = mtsession_core::wire::salvage(&bytes).expect("a key is there");
/// let view = SessionView::parse(&salvaged.bytes)?;
/// assert!(view.dcs().any(|dc| dc.auth_key.is_some()));
/// # Ok::<(), mtsession_core::DecodeError>(())
/// ```
#[must_use]
pub fn salvage(input: &[u8]) -> Option<Salvaged> {
    if SessionView::parse(input).is_ok() {
        return Some(Salvaged {
            bytes: Zeroizing::new(input.to_vec()),
            left_out: Vec::new(),
        });
    }
    if let Some((bytes, at)) = unflip(input)
        && SessionView::parse(&bytes).is_ok()
    {
        let note = format!("one bit of byte {at} was altered, and was set right by the checksum");
        return Some(Salvaged {
            bytes,
            left_out: alloc::vec![note],
        });
    }
    if let Some(bytes) = with_new_checksum(input) {
        let note = "the checksum does not hold: something was altered, and the keys may be too";
        return Some(Salvaged {
            bytes,
            left_out: alloc::vec![note.to_owned()],
        });
    }
    let first = *input.first()?;
    let versions = (HAS_STATE..=CURRENT)
        .rev()
        .filter(|version| *version != first);
    core::iter::once(first)
        .filter(|first| (HAS_STATE..=CURRENT).contains(first))
        .chain(versions)
        .chain([1])
        .find_map(|version| piece_together(input, version, first))
}

/// The input with the checksum that it should have, if everything else of it makes sense.
fn with_new_checksum(input: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (covered, _) = input.split_last_chunk::<CRC_LEN>()?;
    let mut crc = Crc32c::new();
    crc.update(covered);
    let mut bytes = Zeroizing::new(input.to_vec());
    let (_, stored) = bytes.split_last_chunk_mut::<CRC_LEN>()?;
    *stored = crc.value().to_le_bytes();
    let view = SessionView::parse(&bytes).ok()?;
    let home = view.home_dc_id();
    let is_plausible = trailer::has_footer(input)
        && view.dcs().all(|dc| salvage_dcs::is_address(dc.addr))
        && view
            .dcs()
            .any(|dc| dc.dc_id == home && dc.auth_key.is_some());
    is_plausible.then_some(bytes)
}

/// Reads the input as a session of this version, and builds a whole one of what is found.
fn piece_together(input: &[u8], version: u8, first: u8) -> Option<Salvaged> {
    let mut left_out = Vec::new();
    if version != first && version != 1 {
        left_out.push(format!(
            "the version was {first}, and is {version} by what follows it"
        ));
    }
    let home_at = usize::from(version != 1);
    let home: &[u8; 4] = input.get(home_at..)?.first_chunk()?;
    let table_at = home_at.checked_add(4)?;
    let mut table = salvage_dcs::read(input, table_at, version, &mut left_out);
    let home = home_dc(i32::from_le_bytes(*home), &mut table.entries, &mut left_out)?;

    // Long enough for everything: growing would leave keys in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(input.len().saturating_mul(2).max(4096)));
    if version != 1 {
        bytes.push(version);
    }
    bytes.extend_from_slice(&home.to_le_bytes());
    bytes.push(u8::try_from(table.entries.len().min(MAX_SHORT)).unwrap_or(u8::MAX));
    for entry in table.entries.iter().take(MAX_SHORT) {
        entry.put(version, &mut bytes);
    }
    if version != 1 {
        let rest = table.end.and_then(|end| input.get(end..));
        let is_cut = !trailer::has_footer(input);
        bytes.extend_from_slice(&rest_of(rest, version, is_cut, &mut left_out));
    }
    SessionView::parse(&bytes).ok()?;
    Some(Salvaged { bytes, left_out })
}

/// The home DC: as it is written, if it has a key, or else the one that has.
fn home_dc(written: i32, entries: &mut [Entry<'_>], left_out: &mut Vec<String>) -> Option<i32> {
    let has_key = |entry: &&mut Entry<'_>| entry.key.is_some();
    if entries
        .iter_mut()
        .filter(has_key)
        .any(|entry| entry.dc_id == written)
    {
        return Some(written);
    }
    if let Some(entry) = entries
        .iter_mut()
        .filter(has_key)
        .find(|entry| entry.is_at(written))
    {
        left_out.push(format!(
            "the entry of DC {} is taken to be that of DC {written}, whose address it has",
            entry.dc_id
        ));
        entry.dc_id = written;
        return Some(written);
    }
    let home = entries.iter_mut().find(has_key)?.dc_id;
    left_out.push(format!(
        "no key of the home DC, {written}, was found: it is taken to be DC {home}, which has one"
    ));
    Some(home)
}

/// What follows the DC table: counters, channels, peers, min peers, the token. What does not add up is
/// left out; so is what the trailer holds.
fn rest_of(rest: Option<&[u8]>, version: u8, is_cut: bool, left_out: &mut Vec<String>) -> Vec<u8> {
    const COUNTERS: usize = 16;

    let mut lists = Lists {
        rest: rest.unwrap_or_default(),
        built: Vec::new(),
        is_over: false,
        is_cut,
    };
    if let Some((counters, after)) = lists.rest.split_at_checked(COUNTERS) {
        lists.built.extend_from_slice(counters);
        lists.rest = after;
    } else {
        left_out.push("the update counters are missing".to_owned());
        lists.built.extend_from_slice(&[0; COUNTERS]);
        lists.is_over = true;
    }
    let counters = lists.built.clone();
    lists.take("channels", CHANNEL_LEN, left_out);
    lists.take("peers", peer_len(version), left_out);
    if version >= HAS_MIN_PEERS {
        lists.take("min peers", MIN_PEER_LEN, left_out);
    }
    let token = if version >= HAS_TOKEN {
        lists.token()
    } else {
        Some(&[][..])
    };
    // What follows is the trailer, or what a cut has left of it.
    let ends = lists.rest.starts_with(&TRAILER_MAGIC) || TRAILER_MAGIC.starts_with(lists.rest);
    match token {
        Some(token) if lists.is_over || ends => {
            if !ends || !lists.rest.is_empty() {
                let what = "what lies after the body, the account and the names, cannot be checked \
                            and is left out";
                left_out.push(what.to_owned());
            }
            if lists.is_over && version >= HAS_TOKEN {
                lists.built.push(0);
            } else {
                lists.built.extend_from_slice(token);
            }
            lists.built
        }
        _ => {
            let what = "the lists of channels and peers do not add up, and are left out, as is what \
                        follows them";
            left_out.push(what.to_owned());
            let count = 2_usize.saturating_add(usize::from(version >= HAS_MIN_PEERS));
            let mut built = counters;
            built.resize(built.len().saturating_add(count.saturating_mul(2)), 0);
            if version >= HAS_TOKEN {
                built.push(0);
            }
            built
        }
    }
}

/// The lists of a session, read as far as they go.
struct Lists<'a> {
    rest: &'a [u8],
    /// The lists with the counts that they really have.
    built: Vec<u8>,
    /// The input has ended, or what follows cannot be told.
    is_over: bool,
    /// Whether the input may have been cut off.
    is_cut: bool,
}

impl<'a> Lists<'a> {
    fn take(&mut self, name: &str, record_len: usize, left_out: &mut Vec<String>) {
        let head = self.rest.split_first_chunk().filter(|_| !self.is_over);
        let Some((count, after)) = head else {
            left_out.push(format!("the {name} are missing"));
            self.is_over = true;
            self.built.extend_from_slice(&[0, 0]);
            return;
        };
        let count = u16::from_le_bytes(*count);
        let wanted = usize::from(count).saturating_mul(record_len);
        if let Some((records, after)) = after.split_at_checked(wanted) {
            self.built.extend_from_slice(&count.to_le_bytes());
            self.built.extend_from_slice(records);
            self.rest = after;
            return;
        }
        self.is_over = true;
        let whole = if self.is_cut {
            after.len().checked_div(record_len).unwrap_or_default()
        } else {
            // It is not cut, so that the count is wrong, and so is where the records end.
            0
        };
        left_out.push(format!("of {count} {name}, {whole} are there"));
        let records = after
            .get(..whole.saturating_mul(record_len))
            .unwrap_or_default();
        let whole = u16::try_from(whole).unwrap_or(u16::MAX);
        self.built.extend_from_slice(&whole.to_le_bytes());
        self.built.extend_from_slice(records);
    }

    /// The token with its presence and length; `None` when there is nothing of the kind.
    fn token(&mut self) -> Option<&'a [u8]> {
        if self.is_over {
            return Some(&[]);
        }
        let whole = self.rest;
        let len = match whole {
            [] => {
                self.is_over = true;
                return Some(&[]);
            }
            [0, ..] => 1,
            [1, low, high, ..] => usize::from(u16::from_le_bytes([*low, *high])).saturating_add(3),
            _ => return None,
        };
        let (token, after) = whole.split_at_checked(len)?;
        self.rest = after;
        Some(token)
    }
}
