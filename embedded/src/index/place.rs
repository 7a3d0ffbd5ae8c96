//! Places: a list, and a position in it.

use mtsession_core::Field;

/// The lists of a session. The order is the one that a compaction writes them in, the number is on flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// Counters, home DC, account, future auth token.
    Singles,
    Channels,
    Peers,
    MinPeers,
    Dcs,
    /// The DC entries once more, on other pages.
    Copies,
}

impl List {
    pub(crate) const ALL: [Self; 6] = [
        Self::Singles,
        Self::Channels,
        Self::Peers,
        Self::MinPeers,
        Self::Dcs,
        Self::Copies,
    ];

    /// Those of a session.
    pub(crate) const KEPT: [Self; 5] = [
        Self::Singles,
        Self::Channels,
        Self::Peers,
        Self::MinPeers,
        Self::Dcs,
    ];

    /// The field that a list with too many entries is.
    pub(crate) const fn field(self) -> Field {
        match self {
            Self::Peers => Field::Peers,
            Self::MinPeers => Field::MinPeers,
            Self::Channels => Field::Channels,
            Self::Singles | Self::Dcs | Self::Copies => Field::Dcs,
        }
    }

    pub(crate) const fn of(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Singles,
            1 => Self::Channels,
            2 => Self::Peers,
            3 => Self::MinPeers,
            4 => Self::Dcs,
            5 => Self::Copies,
            _ => return None,
        })
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Singles => 0,
            Self::Channels => 1,
            Self::Peers => 2,
            Self::MinPeers => 3,
            Self::Dcs => 4,
            Self::Copies => 5,
        }
    }
}

/// A list above a position. They are passed over in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u32);

impl Place {
    pub(crate) const COUNTERS: Self = Self(0);
    pub(crate) const HOME_DC: Self = Self(1);
    /// The first after the counters, which headers and records of their own say.
    pub(crate) const FIRST: Self = Self(1);
    pub(crate) const COPIES: Self = Self(5 << 16);
    pub(crate) const END: Self = Self(6 << 16);

    pub(crate) fn new(list: List, position: usize) -> Self {
        Self(u32::from(list.number()) << 16 | crate::num::bytes(position).0.min(0xFFFF))
    }

    pub(crate) fn list(self) -> List {
        let [.., list, _] = self.0.to_le_bytes();
        List::of(list).unwrap_or(List::Copies)
    }

    pub(crate) const fn position(self) -> usize {
        crate::num::len(core::num::Wrapping(self.0 & 0xFFFF))
    }

    pub(crate) const fn is_end(self) -> bool {
        self.0 >= Self::END.0
    }

    /// The next position.
    pub(crate) const fn after(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// The start of the next list.
    pub(crate) const fn next_list(self) -> Self {
        Self((self.0 >> 16).wrapping_add(1) << 16)
    }
}
