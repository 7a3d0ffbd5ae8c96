//! Where everything is: one entry per list position of the session, and the counters themselves.
//!
//! A slot is a position in the session's list, so order and duplicates survive. An entry keeps where
//! its record is and one byte of its identity; what looks like a match is confirmed on flash.

use core::ops::Range;

use mtsession_core::{Change, Counters, DcRef, Field, MinPeer, Peer, UpdateChange};

use crate::hot::{Base, Hot};

/// The location of what is not on flash.
pub(crate) const NOWHERE: u16 = u16::MAX;

/// Where a record is, and how many units it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) at: u16,
    pub(crate) units: u8,
    /// The low byte of the id.
    pub(crate) print: u8,
}

impl Entry {
    const NONE: Self = Self {
        at: NOWHERE,
        units: 0,
        print: 0,
    };

    pub(crate) const fn is_known(self) -> bool {
        self.at != NOWHERE
    }
}

/// A DC entry may have two copies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DcEntry {
    pub(crate) copies: [u16; 2],
    pub(crate) units: u8,
    pub(crate) print: u8,
    /// Counts the entry's versions, to know two copies of one version from two versions.
    pub(crate) generation: u8,
}

/// A channel lives in RAM: its pts changes all the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelEntry {
    /// As bytes: an i64 would align the entry to 8 and cost 4 bytes each.
    id: [u8; 8],
    pub(crate) pts: i32,
    /// The pts that flash has.
    pub(crate) written: i32,
    /// The latest absolute record.
    pub(crate) at: u16,
    pub(crate) units: u8,
}

impl ChannelEntry {
    pub(crate) const fn id(&self) -> i64 {
        i64::from_le_bytes(self.id)
    }
}

/// What a live record is the record of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A DC entry, and which copy.
    Dc(u16, bool),
    Channel(u16),
    Peer(u16),
    MinPeer(u16),
    Token,
    Account,
}

/// The index's memory, with its capacities.
#[cfg_attr(feature = "_test", derive(Clone))]
pub(crate) struct Memory<const D: usize, const C: usize, const P: usize, const M: usize> {
    dcs: [DcEntry; D],
    channels: [ChannelEntry; C],
    peers: [Entry; P],
    min_peers: [Entry; M],
    fixed: Fixed,
}

/// The part of the index that does not depend on capacities.
#[cfg_attr(feature = "_test", derive(Clone))]
pub(crate) struct Fixed {
    pub(crate) token: Entry,
    pub(crate) account: Entry,
    pub(crate) counters: Counters,
    /// The counters that flash has.
    pub(crate) written: Counters,
    pub(crate) home_dc_id: i32,
    pub(crate) own_id: i64,
    dcs: u16,
    channels: u16,
    peers: u16,
    min_peers: u16,
    /// Next victim of each cache's eviction.
    evict: [u16; 2],
}

impl<const D: usize, const C: usize, const P: usize, const M: usize> Memory<D, C, P, M> {
    pub(crate) const fn new() -> Self {
        const DC: DcEntry = DcEntry {
            copies: [NOWHERE; 2],
            units: 0,
            print: 0,
            generation: 0,
        };
        const CHANNEL: ChannelEntry = ChannelEntry {
            id: [0; 8],
            pts: 0,
            written: 0,
            at: NOWHERE,
            units: 0,
        };
        const ZERO: Counters = Counters {
            pts: 0,
            qts: 0,
            date: 0,
            seq: 0,
        };
        Self {
            dcs: [DC; D],
            channels: [CHANNEL; C],
            peers: [Entry::NONE; P],
            min_peers: [Entry::NONE; M],
            fixed: Fixed {
                token: Entry::NONE,
                account: Entry::NONE,
                counters: ZERO,
                written: ZERO,
                home_dc_id: 0,
                own_id: 0,
                dcs: 0,
                channels: 0,
                peers: 0,
                min_peers: 0,
                evict: [0; 2],
            },
        }
    }

    pub(crate) fn index(&mut self) -> Index<'_> {
        Index {
            dcs: &mut self.dcs,
            channels: &mut self.channels,
            peers: &mut self.peers,
            min_peers: &mut self.min_peers,
            fixed: &mut self.fixed,
        }
    }
}

/// The index as the log works with it: capacities are lengths.
pub(crate) struct Index<'a> {
    dcs: &'a mut [DcEntry],
    channels: &'a mut [ChannelEntry],
    peers: &'a mut [Entry],
    min_peers: &'a mut [Entry],
    pub(crate) fixed: &'a mut Fixed,
}

impl Index<'_> {
    pub(crate) fn clear(&mut self) {
        let fixed = &mut *self.fixed;
        (fixed.dcs, fixed.channels, fixed.peers, fixed.min_peers) = (0, 0, 0, 0);
        fixed.token = Entry::NONE;
        fixed.account = Entry::NONE;
        fixed.counters = Counters::default();
        fixed.written = Counters::default();
        fixed.home_dc_id = 0;
        fixed.own_id = 0;
    }

    pub(crate) fn dcs(&self) -> &[DcEntry] {
        used(self.dcs, self.fixed.dcs)
    }

    pub(crate) fn channels(&self) -> &[ChannelEntry] {
        used(self.channels, self.fixed.channels)
    }

    pub(crate) fn peers(&self) -> &[Entry] {
        used(self.peers, self.fixed.peers)
    }

    pub(crate) fn min_peers(&self) -> &[Entry] {
        used(self.min_peers, self.fixed.min_peers)
    }

    pub(crate) fn channel_mut(&mut self, slot: u16) -> Option<&mut ChannelEntry> {
        let len = usize::from(self.fixed.channels);
        self.channels
            .get_mut(..len)
            .and_then(|used| used.get_mut(usize::from(slot)))
    }

    pub(crate) fn find_channel(&self, id: i64) -> Option<u16> {
        let at = self.channels().iter().position(|known| known.id() == id)?;
        u16::try_from(at).ok()
    }

    /// Capacity for DC entries, channels, peers and min peers.
    pub(crate) const fn capacities(&self) -> [usize; 4] {
        [
            self.dcs.len(),
            self.channels.len(),
            self.peers.len(),
            self.min_peers.len(),
        ]
    }

    /// Slots that may hold this change's entry, from `first` on.
    pub(crate) fn candidate(&self, change: &Change<'_>, first: u16) -> Option<u16> {
        let print = print(change);
        let from = usize::from(first);
        let at = match change {
            Change::Dc(_) => self
                .dcs()
                .iter()
                .skip(from)
                .position(|known| known.print == print)?,
            Change::Peer(_) => search(self.peers(), from, print)?,
            Change::MinPeer(_) => search(self.min_peers(), from, print)?,
            Change::FutureAuthToken(_) if self.fixed.token.is_known() => 0,
            Change::Account(_) if self.fixed.account.is_known() => 0,
            _ => return None,
        };
        u16::try_from(from.saturating_add(at)).ok()
    }

    /// The slot for an entry that its list does not have yet: a hole, or the end.
    pub(crate) fn free_slot(&self, change: &Change<'_>) -> Result<u16, Field> {
        let (len, capacity, field) = match change {
            Change::Dc(_) => (self.fixed.dcs, self.dcs.len(), Field::Dcs),
            Change::Update(_) => (self.fixed.channels, self.channels.len(), Field::Channels),
            Change::Peer(_) => (self.fixed.peers, self.peers.len(), Field::Peers),
            Change::MinPeer(_) => (self.fixed.min_peers, self.min_peers.len(), Field::MinPeers),
            _ => return Ok(0),
        };
        let hole = match change {
            Change::Update(_) => self.channels().iter().position(|known| known.at == NOWHERE),
            Change::Peer(_) => self.peers().iter().position(|known| !known.is_known()),
            Change::MinPeer(_) => self.min_peers().iter().position(|known| !known.is_known()),
            _ => None,
        };
        if let Some(hole) = hole.and_then(|hole| u16::try_from(hole).ok()) {
            return Ok(hole);
        }
        if usize::from(len) < capacity {
            Ok(len)
        } else {
            Err(field)
        }
    }

    /// The slot of a cache to give up next; `None` for what is no cache.
    pub(crate) fn victim(&mut self, change: &Change<'_>) -> Option<u16> {
        let [peers, min_peers] = &mut self.fixed.evict;
        let (next, len) = match change {
            Change::Peer(_) => (peers, self.fixed.peers),
            Change::MinPeer(_) => (min_peers, self.fixed.min_peers),
            _ => return None,
        };
        let victim = if *next < len { *next } else { 0 };
        *next = victim.wrapping_add(1);
        (len > 0).then_some(victim)
    }

    /// Takes note of a change's record. Lists grow up to its slot; a list that cannot is named.
    pub(crate) fn note(
        &mut self,
        change: &Change<'_>,
        slot: u16,
        at: u16,
        units: u8,
    ) -> Result<(), Field> {
        let entry = Entry {
            at,
            units,
            print: print(change),
        };
        match change {
            Change::Dc(_) => {
                let [generation, slot] = slot.to_be_bytes();
                let grown = grow(self.dcs, &mut self.fixed.dcs, slot.into()).ok_or(Field::Dcs)?;
                let known = grown.copies.first().is_some_and(|at| *at != NOWHERE);
                let [last, _] = grown.copies;
                let second = if known && grown.generation == generation {
                    last
                } else {
                    NOWHERE
                };
                *grown = DcEntry {
                    copies: [at, second],
                    units,
                    print: entry.print,
                    generation,
                };
            }
            Change::Peer(_) => {
                let grown = grow(self.peers, &mut self.fixed.peers, slot);
                *grown.ok_or(Field::Peers)? = entry;
            }
            Change::MinPeer(_) => {
                let grown = grow(self.min_peers, &mut self.fixed.min_peers, slot);
                *grown.ok_or(Field::MinPeers)? = entry;
            }
            Change::FutureAuthToken(_) => self.fixed.token = entry,
            Change::Account(account) => {
                self.fixed.account = entry;
                self.fixed.own_id = account.user_id.unwrap_or_default();
            }
            Change::HomeDc(id) => self.fixed.home_dc_id = *id,
            Change::Update(UpdateChange::Channel { id, pts }) => {
                let grown = grow(self.channels, &mut self.fixed.channels, slot);
                *grown.ok_or(Field::Channels)? = ChannelEntry {
                    id: id.to_le_bytes(),
                    pts: *pts,
                    written: *pts,
                    at,
                    units,
                };
            }
            Change::Update(UpdateChange::ClearChannels) => self.fixed.channels = 0,
            Change::Update(update) => {
                if let Some(counters) = moved(self.fixed.counters, update) {
                    self.fixed.counters = counters;
                    self.fixed.written = counters;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes note of a hot record.
    pub(crate) fn note_hot(&mut self, hot: Hot) {
        match hot {
            Hot::Primary(counters) => {
                self.fixed.counters = counters;
                self.fixed.written = counters;
            }
            Hot::Channel { slot, pts } => {
                if let Some(channel) = self.channel_mut(slot) {
                    channel.pts = pts;
                    channel.written = pts;
                }
            }
        }
    }

    /// The hot record that would bring back what `hot` is about to change.
    pub(crate) fn undo(&self, hot: Hot) -> Hot {
        match hot {
            Hot::Primary(_) => Hot::Primary(self.fixed.written),
            Hot::Channel { slot, .. } => Hot::Channel {
                slot,
                pts: self.channel(slot).unwrap_or_default(),
            },
        }
    }

    /// Whether anything that a list position promises is missing on flash.
    pub(crate) fn has_holes(&self) -> bool {
        let hole = |entries: &[Entry]| entries.iter().any(|entry| !entry.is_known());
        hole(self.peers())
            || hole(self.min_peers())
            || self.dcs().iter().any(|dc| dc.copies == [NOWHERE; 2])
            || self.channels().iter().any(|channel| channel.at == NOWHERE)
    }

    /// The `n`th place where a live record may be, counted over all lists; `None` behind the last.
    pub(crate) fn place(&self, n: usize) -> Option<(Slot, u16, u8)> {
        let mut n = n;
        for second in [false, true] {
            if let Some((slot, dc)) = pick(self.dcs(), &mut n) {
                let [first_at, second_at] = dc.copies;
                let at = if second { second_at } else { first_at };
                return Some((Slot::Dc(slot, second), at, dc.units));
            }
        }
        if let Some((slot, channel)) = pick(self.channels(), &mut n) {
            return Some((Slot::Channel(slot), channel.at, channel.units));
        }
        if let Some((slot, peer)) = pick(self.peers(), &mut n) {
            return Some((Slot::Peer(slot), peer.at, peer.units));
        }
        if let Some((slot, peer)) = pick(self.min_peers(), &mut n) {
            return Some((Slot::MinPeer(slot), peer.at, peer.units));
        }
        let (slot, entry) = match n {
            0 => (Slot::Token, self.fixed.token),
            1 => (Slot::Account, self.fixed.account),
            _ => return None,
        };
        Some((slot, entry.at, entry.units))
    }

    /// Every live record: what it is, where, and how many units.
    pub(crate) fn live(&self) -> impl Iterator<Item = (Slot, u16, u8)> + '_ {
        (0..)
            .map_while(|n| self.place(n))
            .filter(|(_, at, _)| *at != NOWHERE)
    }

    /// Units of all live records in these units of the region.
    pub(crate) fn live_units(&self, within: &Range<u32>) -> u32 {
        self.live()
            .filter(|(_, at, _)| within.contains(&u32::from(*at)))
            .map(|(_, _, units)| u32::from(units))
            .fold(0, u32::wrapping_add)
    }

    /// A live record went to another place, or ([`NOWHERE`]) was lost.
    pub(crate) fn moved(&mut self, slot: Slot, at: u16, units: u8) {
        match slot {
            Slot::Dc(slot, second) => {
                if let Some(dc) = self.dcs.get_mut(usize::from(slot)) {
                    let [first_at, second_at] = dc.copies;
                    dc.copies = if second {
                        [first_at, at]
                    } else {
                        [at, second_at]
                    };
                }
            }
            Slot::Channel(slot) => {
                if let Some(channel) = self.channel_mut(slot) {
                    (channel.at, channel.units) = (at, units);
                    channel.written = channel.pts;
                }
            }
            Slot::Peer(slot) => relocate(self.peers.get_mut(usize::from(slot)), at),
            Slot::MinPeer(slot) => relocate(self.min_peers.get_mut(usize::from(slot)), at),
            Slot::Token => self.fixed.token.at = at,
            Slot::Account => self.fixed.account.at = at,
        }
    }
}

impl Base for Index<'_> {
    #[expect(clippy::misnamed_getters, reason = "the base is what flash has")]
    fn counters(&self) -> Counters {
        self.fixed.written
    }

    fn channel(&self, slot: u16) -> Option<i32> {
        let channel = self.channels().get(usize::from(slot))?;
        (channel.at != NOWHERE).then_some(channel.written)
    }
}

/// The counters after an update that is about them.
pub(crate) fn moved(known: Counters, update: &UpdateChange) -> Option<Counters> {
    match *update {
        UpdateChange::Counters(counters) => Some(counters),
        UpdateChange::Primary { pts, date, seq } => Some(Counters {
            pts,
            date,
            seq,
            ..known
        }),
        UpdateChange::Secondary { qts } => Some(Counters { qts, ..known }),
        _ => None,
    }
}

/// Whether two changes are about the same entry of a list.
pub(crate) fn same_entry(a: &Change<'_>, b: &Change<'_>) -> bool {
    match (a, b) {
        (Change::Dc(a), Change::Dc(b)) => DcRef::slot(a) == DcRef::slot(b),
        (Change::Peer(a), Change::Peer(b)) => Peer::key(a) == Peer::key(b),
        (Change::MinPeer(a), Change::MinPeer(b)) => user(a) == user(b),
        (Change::FutureAuthToken(_), Change::FutureAuthToken(_))
        | (Change::Account(_), Change::Account(_)) => true,
        _ => false,
    }
}

const fn user(min_peer: &MinPeer) -> i64 {
    min_peer.user_id
}

fn print(change: &Change<'_>) -> u8 {
    let id = match change {
        Change::Dc(dc) => i64::from(dc.dc_id),
        Change::Peer(peer) => peer.id,
        Change::MinPeer(min_peer) => min_peer.user_id,
        _ => 0,
    };
    let [low, ..] = id.to_le_bytes();
    low
}

fn used<T>(list: &[T], len: u16) -> &[T] {
    list.get(..usize::from(len)).unwrap_or_default()
}

fn search(entries: &[Entry], from: usize, print: u8) -> Option<usize> {
    entries
        .iter()
        .skip(from)
        .position(|known| known.is_known() && known.print == print)
}

/// The element at `n`, or `n` counted down by the list's length.
fn pick<'l, T>(list: &'l [T], n: &mut usize) -> Option<(u16, &'l T)> {
    if let Some(entry) = list.get(*n) {
        return Some((u16::try_from(*n).ok()?, entry));
    }
    *n = n.wrapping_sub(list.len());
    None
}

fn relocate(entry: Option<&mut Entry>, at: u16) {
    if let Some(entry) = entry {
        entry.at = at;
    }
}

/// What the index keeps an entry of a list as.
trait Blank: Copy {
    const BLANK: Self;
}

impl Blank for Entry {
    const BLANK: Self = Self::NONE;
}

impl Blank for DcEntry {
    const BLANK: Self = Self {
        copies: [NOWHERE; 2],
        units: 0,
        print: 0,
        generation: 0,
    };
}

impl Blank for ChannelEntry {
    const BLANK: Self = Self {
        id: [0; 8],
        pts: 0,
        written: 0,
        at: NOWHERE,
        units: 0,
    };
}

/// Lengthens a list up to `slot`; entries in between are holes until their records are seen.
fn grow<'l, T: Blank>(list: &'l mut [T], len: &mut u16, slot: u16) -> Option<&'l mut T> {
    if usize::from(slot) >= list.len() {
        return None;
    }
    while *len <= slot {
        *list.get_mut(usize::from(*len))? = T::BLANK;
        *len = len.wrapping_add(1);
    }
    list.get_mut(usize::from(slot))
}
