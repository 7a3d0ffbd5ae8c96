//! Where the records of a session's entries are: one place per list position.
//!
//! A slot is a position in the session's list, so order and duplicates survive. A place keeps where
//! the record is and one byte of the entry's identity; what looks like a match is confirmed on flash.

use core::ops::Range;

use mtsession_core::{Change, Field, UpdateChange};

use crate::index::{Channel, Fixed, Index};
use crate::record::Head;

/// The location of what is not on flash: a page's header is there.
pub(crate) const NOWHERE: u16 = 0;

/// A list of a session, in the order in which a session is filled. The account is first: it decides
/// which peer is never forgotten. Account and token are lists of at most one.
pub(crate) type List = usize;

pub(crate) const ACCOUNT: List = 0;
pub(crate) const TOKEN: List = 1;
pub(crate) const DCS: List = 2;
/// The second copies of DC entries, in the same slots.
pub(crate) const DC_COPIES: List = 3;
pub(crate) const CHANNELS: List = 4;
pub(crate) const PEERS: List = 5;
pub(crate) const MIN_PEERS: List = 6;
pub(crate) const LISTS: usize = 7;

const FIELDS: [Field; LISTS] = [
    Field::Change,
    Field::Token,
    Field::Dcs,
    Field::Dcs,
    Field::Channels,
    Field::Peers,
    Field::MinPeers,
];

/// What a list is called.
#[inline(never)]
pub(crate) fn field(list: List) -> Field {
    FIELDS.get(list).copied().unwrap_or(Field::Change)
}

/// The list that a change is about.
#[inline(never)]
pub(crate) const fn list_of(change: &Change<'_>) -> Option<List> {
    match change {
        Change::Account(_) => Some(ACCOUNT),
        Change::FutureAuthToken(_) => Some(TOKEN),
        Change::Dc(_) => Some(DCS),
        Change::Update(UpdateChange::Channel { .. } | UpdateChange::PushChannel { .. }) => {
            Some(CHANNELS)
        }
        Change::Peer(_) => Some(PEERS),
        Change::MinPeer(_) => Some(MIN_PEERS),
        _ => None,
    }
}

/// One byte of an entry's identity.
#[inline(never)]
pub(crate) fn print(change: &Change<'_>) -> u8 {
    let id = match change {
        Change::Dc(dc) => dc.dc_id.into(),
        Change::Peer(peer) => peer.id,
        Change::MinPeer(min_peer) => min_peer.user_id,
        _ => 0,
    };
    let [low, ..] = id.to_le_bytes();
    low
}

/// A slot as a change's record has it: of a DC with the version behind the `known` record's.
pub(crate) fn next_version(change: &Change<'_>, known: &[u8], slot: u16) -> u16 {
    let generation = Head::decode(known).map_or(0, |head| head.slot() >> 8);
    match change {
        Change::Dc(_) => generation.wrapping_add(1) << 8 | slot & 0xFF,
        _ => slot,
    }
}

/// Where a record is, and how many units it takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) at: u16,
    pub(crate) units: u8,
    /// The low byte of the id; of a second copy the entry's version, to know two copies of one
    /// version from two versions.
    pub(crate) print: u8,
}

/// A position in one of the lists.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    pub(crate) list: List,
    pub(crate) slot: u16,
}

/// The index's memory, with its capacities.
#[cfg_attr(feature = "_test", derive(Clone))]
pub(crate) struct Memory<const D: usize, const C: usize, const P: usize, const M: usize> {
    single: [[Place; 1]; 2],
    dcs: [[Place; D]; 2],
    channels: [Place; C],
    peers: [Place; P],
    min_peers: [Place; M],
    counters: [Channel; C],
    fixed: Fixed,
}

impl<const D: usize, const C: usize, const P: usize, const M: usize> Memory<D, C, P, M> {
    #[inline(never)]
    pub(crate) fn new() -> Self {
        Self {
            single: [[Place::default(); 1]; 2],
            dcs: [[Place::default(); D]; 2],
            channels: [Place::default(); C],
            peers: [Place::default(); P],
            min_peers: [Place::default(); M],
            counters: [Channel::default(); C],
            fixed: Fixed::default(),
        }
    }

    pub(crate) fn index(&mut self) -> Index<'_> {
        let [account, token] = &mut self.single;
        let [dcs, copies] = &mut self.dcs;
        Index {
            lists: Lists([
                account,
                token,
                dcs,
                copies,
                &mut self.channels,
                &mut self.peers,
                &mut self.min_peers,
            ]),
            channels: &mut self.counters,
            fixed: &mut self.fixed,
        }
    }
}

/// All lists; capacities are lengths. What is not used is blank.
pub(crate) struct Lists<'a>(pub(crate) [&'a mut [Place]; LISTS]);

impl Lists<'_> {
    #[inline(never)]
    pub(crate) fn get(&self, list: List, slot: u16) -> Place {
        let place = self
            .0
            .get(list)
            .and_then(|list| list.get(usize::from(slot)));
        place.copied().unwrap_or_default()
    }

    /// Units of an entry's record; 0 where there is none.
    pub(crate) fn units(&self, list: List, slot: u16) -> u32 {
        let place = self.get(list, slot);
        if place.at == NOWHERE {
            0
        } else {
            place.units.into()
        }
    }

    pub(crate) fn get_mut(&mut self, list: List, slot: u16) -> Option<&mut Place> {
        self.0.get_mut(list)?.get_mut(usize::from(slot))
    }

    pub(crate) fn capacity(&self, list: List) -> usize {
        self.0.get(list).map_or(0, |list| list.len())
    }

    #[inline(never)]
    pub(crate) fn clear(&mut self, list: List) {
        for place in self
            .0
            .get_mut(list)
            .into_iter()
            .flat_map(|list| list.iter_mut())
        {
            *place = Place::default();
        }
    }

    /// The next live record from `cursor` on that is in these units of the region and not longer
    /// than `room`.
    pub(crate) fn next(
        &self,
        cursor: &mut Slot,
        within: &Range<u32>,
        room: u32,
    ) -> Option<(Slot, Place)> {
        while let Some(list) = self.0.get(cursor.list) {
            while let Some(place) = list.get(usize::from(cursor.slot)) {
                let found = *cursor;
                cursor.slot = cursor.slot.wrapping_add(1);
                let is_here = place.at != NOWHERE && within.contains(&place.at.into());
                if is_here && u32::from(place.units) <= room {
                    return Some((found, *place));
                }
            }
            cursor.list = cursor.list.wrapping_add(1);
            cursor.slot = 0;
        }
        None
    }

    /// Units of all live records in these units of the region.
    pub(crate) fn live_units(&self, within: &Range<u32>) -> u32 {
        let mut cursor = Slot::default();
        let mut sum = 0_u32;
        while let Some((_, place)) = self.next(&mut cursor, within, u32::MAX) {
            sum = sum.wrapping_add(place.units.into());
        }
        sum
    }
}
