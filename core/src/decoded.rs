//! A session from a string of any kind.

use crate::account::Account;
use crate::clients::{Login, StringFormat};
use crate::counters::{ChannelPts, Counters};
use crate::dc::DcRef;
use crate::login_state::LoginState;
use crate::names::Names;
use crate::peer::{MinPeer, Peer};
use crate::source::SessionSource;
use crate::text::CompactSession;
use crate::wire::{PackedPeer, SessionView};

/// A session from a string: one of our own, or one of another library.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "no heap to put the key on")]
pub enum Decoded<'b> {
    /// A whole session of ours, read in place.
    Native(SessionView<'b>),
    /// A string of ours with what a login needs.
    Compact(CompactSession),
    /// A string of another library, and which.
    Client(StringFormat, Login),
}

impl Decoded<'_> {
    /// The format of the string.
    #[must_use]
    pub const fn format(&self) -> StringFormat {
        match self {
            Self::Native(_) => StringFormat::Native,
            Self::Compact(_) => StringFormat::Compact,
            Self::Client(format, _) => *format,
        }
    }
}

/// The answer of whichever session there is.
macro_rules! ask {
    ($decoded:ident.$method:ident()) => {
        match $decoded {
            Self::Native(session) => session.$method(),
            Self::Compact(session) => session.$method(),
            Self::Client(_, session) => session.$method(),
        }
    };
}

/// The list of whichever session there is.
macro_rules! list {
    ($decoded:ident.$method:ident()) => {
        match $decoded {
            Self::Native(session) => Entries::Native(session.$method()),
            Self::Compact(session) => Entries::Compact(session.$method()),
            Self::Client(_, session) => Entries::Client(session.$method()),
        }
    };
}

impl SessionSource for Decoded<'_> {
    fn home_dc_id(&self) -> i32 {
        ask!(self.home_dc_id())
    }

    fn counters(&self) -> Counters {
        ask!(self.counters())
    }

    fn account(&self) -> Account {
        ask!(self.account())
    }

    fn login_state(&self) -> LoginState<'_> {
        ask!(self.login_state())
    }

    fn names(&self) -> Names<'_> {
        ask!(self.names())
    }

    fn future_auth_token(&self) -> Option<&[u8]> {
        ask!(self.future_auth_token())
    }

    fn dcs(&self) -> impl ExactSizeIterator<Item = DcRef<'_>> {
        list!(self.dcs())
    }

    fn channels(&self) -> impl ExactSizeIterator<Item = ChannelPts> {
        list!(self.channels())
    }

    fn peers(&self) -> impl ExactSizeIterator<Item = Peer> {
        list!(self.peers())
    }

    fn packed_peers(&self) -> impl ExactSizeIterator<Item = PackedPeer> {
        list!(self.packed_peers())
    }

    fn min_peers(&self) -> impl ExactSizeIterator<Item = MinPeer> {
        list!(self.min_peers())
    }
}

/// A list of whichever session there is.
enum Entries<N, C, L> {
    Native(N),
    Compact(C),
    Client(L),
}

impl<T, N, C, L> Iterator for Entries<N, C, L>
where
    N: Iterator<Item = T>,
    C: Iterator<Item = T>,
    L: Iterator<Item = T>,
{
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Self::Native(list) => list.next(),
            Self::Compact(list) => list.next(),
            Self::Client(list) => list.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Native(list) => list.size_hint(),
            Self::Compact(list) => list.size_hint(),
            Self::Client(list) => list.size_hint(),
        }
    }

    /// Only the list of a native string is long.
    fn fold<B, F: FnMut(B, T) -> B>(self, init: B, f: F) -> B {
        match self {
            Self::Native(list) => list.fold(init, f),
            Self::Compact(list) => list.fold(init, f),
            Self::Client(list) => list.fold(init, f),
        }
    }
}

impl<T, N, C, L> ExactSizeIterator for Entries<N, C, L>
where
    N: ExactSizeIterator<Item = T>,
    C: ExactSizeIterator<Item = T>,
    L: ExactSizeIterator<Item = T>,
{
}
