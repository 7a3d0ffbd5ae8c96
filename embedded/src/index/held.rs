//! The session that a log holds, and any other one that is to be saved.

use mtsession_core::{
    Account, Change, ChannelPts, Counters, EntryKey, Field, FixedSession, Full, SessionMut,
    SessionSource, UpdateChange, WhenFull,
};

use super::{Entries, List, NOWHERE, Place, Table};

/// The session of a log, with a mark for each entry.
pub(crate) struct Held<
    const D: usize,
    const C: usize,
    const P: usize,
    const M: usize,
    const T: usize,
> {
    pub(crate) session: FixedSession<D, C, P, M, T>,
    singles: [u8; mtsession_core::List::SINGLES],
    dcs: [u8; D],
    copies: [u8; D],
    channels: [u8; C],
    lags: [u8; C],
    peers: [u8; P],
    min_peers: [u8; M],
    /// Whether keys are kept twice.
    pub(crate) twice: bool,
    pub(crate) when_full: WhenFull,
    /// What a full cache forgets next: positions are for ever, so it forgets in place.
    goes: u16,
}

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize>
    Held<D, C, P, M, T>
{
    pub(crate) const fn new() -> Self {
        Self {
            session: FixedSession::new(),
            singles: [NOWHERE; mtsession_core::List::SINGLES],
            dcs: [NOWHERE; D],
            copies: [NOWHERE; D],
            channels: [NOWHERE; C],
            lags: [0; C],
            peers: [NOWHERE; P],
            min_peers: [NOWHERE; M],
            twice: false,
            when_full: WhenFull::Refuse,
            goes: 0,
        }
    }

    /// A position for a new entry of a cache.
    fn room(&mut self, list: List, len: usize, capacity: usize) -> Result<Place, Full> {
        if len < capacity {
            return Ok(Place::new(list, len));
        }
        let field = if list == List::Peers {
            Field::Peers
        } else {
            Field::MinPeers
        };
        if self.when_full == WhenFull::Refuse {
            return Err(Full(field));
        }
        for _ in 0..capacity {
            let position = usize::from(self.goes)
                .checked_rem(capacity)
                .unwrap_or_default();
            self.goes = self.goes.wrapping_add(1);
            if list == List::MinPeers || self.session.may_forget_peer(position) {
                return Ok(Place::new(list, position));
            }
        }
        Err(Full(field))
    }
}

/// The list of core that a list is.
const fn core_list(list: List) -> mtsession_core::List {
    match list {
        List::Singles => mtsession_core::List::Singles,
        List::Channels => mtsession_core::List::Channels,
        List::Peers => mtsession_core::List::Peers,
        List::MinPeers => mtsession_core::List::MinPeers,
        List::Dcs | List::Copies => mtsession_core::List::Dcs,
    }
}

#[inline(never)]
fn len<S: SessionSource>(session: &S, list: List, twice: bool) -> usize {
    if list == List::Copies && !twice {
        return 0;
    }
    session.count(core_list(list))
}

fn get<S: SessionSource>(session: &S, place: Place) -> Option<Change<'_>> {
    session.get(core_list(place.list()), place.position())
}

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize> Entries
    for Held<D, C, P, M, T>
{
    fn len(&self, list: List) -> usize {
        len(&self.session, list, self.twice)
    }

    fn get(&self, place: Place) -> Option<Change<'_>> {
        get(&self.session, place)
    }
}

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize> Table
    for Held<D, C, P, M, T>
{
    fn clear(&mut self) {
        self.session.clear(mtsession_core::List::Singles);
        for list in List::ALL {
            self.truncate(list, 0);
        }
    }

    #[inline(never)]
    fn truncate(&mut self, list: List, len: usize) {
        self.session.truncate(core_list(list), len);
        if list == List::Channels {
            self.lags.get_mut(len..).unwrap_or_default().fill(0);
        }
        self.marks(list)
            .get_mut(len..)
            .unwrap_or_default()
            .fill(NOWHERE);
        if list == List::Dcs {
            self.copies.get_mut(len..).unwrap_or_default().fill(NOWHERE);
        }
    }

    fn set(&mut self, place: Place, change: &Change<'_>) -> Result<(), Full> {
        self.session.set_at(place.position(), change)
    }

    fn fits(&self, change: &Change<'_>) -> Result<(), Full> {
        match change {
            Change::FutureAuthToken(Some(token)) if token.len() > T => Err(Full(Field::Token)),
            Change::Dc(dc) if dc.addr.len() > mtsession_core::FIXED_ADDR_LEN => {
                Err(Full(Field::DcAddr))
            }
            Change::LoginState(state)
                if state.text().len() > mtsession_core::FIXED_LOGIN_TEXT_LEN =>
            {
                Err(Full(Field::LoginState))
            }
            _ => Ok(()),
        }
    }

    fn knows(&self, change: &Change<'_>) -> bool {
        key_of(change).is_none_or(|key| self.session.position(key).is_some())
    }

    fn capacity(&self, list: List) -> usize {
        FixedSession::<D, C, P, M, T>::capacity(core_list(list))
    }

    fn evicts(&self) -> bool {
        self.when_full == WhenFull::EvictOldest
    }

    fn is_twice(&self) -> bool {
        self.twice
    }

    fn find(&mut self, change: &Change<'_>) -> Result<Place, Full> {
        self.fits(change)?;
        let known = key_of(change).and_then(|key| self.session.position(key));
        let (list, position) = match change {
            Change::HomeDc(_) => (List::Singles, 1),
            Change::Account(_) => (List::Singles, 2),
            Change::FutureAuthToken(_) => (List::Singles, 3),
            Change::LoginState(_) => (List::Singles, 4),
            Change::Dc(_) => (List::Dcs, known.unwrap_or(self.len(List::Dcs))),
            Change::Update(UpdateChange::Channel { .. } | UpdateChange::PushChannel { .. }) => {
                (List::Channels, known.unwrap_or(self.len(List::Channels)))
            }
            Change::Peer(_) => match known {
                Some(position) => (List::Peers, position),
                None => return self.room(List::Peers, self.len(List::Peers), P),
            },
            Change::MinPeer(_) => match known {
                Some(position) => (List::MinPeers, position),
                None => return self.room(List::MinPeers, self.len(List::MinPeers), M),
            },
            _ => (List::Singles, 0),
        };
        match list {
            List::Dcs if position >= D => Err(Full(Field::Dcs)),
            List::Channels if position >= C => Err(Full(Field::Channels)),
            _ => Ok(Place::new(list, position)),
        }
    }

    fn position(&self, key: EntryKey) -> Option<Place> {
        let list = match key.list() {
            mtsession_core::List::Dcs => List::Dcs,
            mtsession_core::List::Channels => List::Channels,
            mtsession_core::List::Peers => List::Peers,
            _ => List::MinPeers,
        };
        self.session
            .position(key)
            .map(|position| Place::new(list, position))
    }

    fn set_salt(&mut self, change: &Change<'_>) {
        if let Change::Salt {
            dc,
            first_salt,
            time_offset,
        } = change
        {
            self.session.put_salt(*dc, *first_salt, *time_offset);
        }
    }

    fn counters(&self) -> Counters {
        self.session.counters()
    }

    fn set_counters(&mut self, counters: Counters) {
        self.session.set_counters(counters);
    }

    fn pts(&self, position: usize) -> Option<i32> {
        self.session.channels().nth(position).map(|known| known.pts)
    }

    fn set_pts(&mut self, position: usize, pts: i32) {
        let known = self.session.channels().nth(position);
        if let Some(known) = known {
            let change = Change::from(ChannelPts { pts, ..known });
            // It is there, so that nothing grows.
            let result = self.session.set_at(position, &change);
            debug_assert_eq!(result, Ok(()));
        }
    }

    #[inline(never)]
    fn marks(&mut self, list: List) -> &mut [u8] {
        match list {
            List::Singles => &mut self.singles,
            List::Channels => &mut self.channels,
            List::Peers => &mut self.peers,
            List::MinPeers => &mut self.min_peers,
            List::Dcs => &mut self.dcs,
            List::Copies => &mut self.copies,
        }
    }

    fn lags(&mut self) -> &mut [u8] {
        &mut self.lags
    }
}

/// Any session, to be measured before it is saved.
pub(crate) struct View<'s, S> {
    pub(crate) session: &'s S,
    pub(crate) twice: bool,
}

impl<S: SessionSource> Entries for View<'_, S> {
    fn len(&self, list: List) -> usize {
        len(self.session, list, self.twice)
    }

    fn get(&self, place: Place) -> Option<Change<'_>> {
        get(self.session, place)
    }
}

/// Whether a single entry says nothing: it needs no record.
pub(crate) fn is_nothing(change: &Change<'_>) -> bool {
    match change {
        Change::HomeDc(id) => *id == 0,
        Change::Account(account) => *account == Account::default(),
        Change::FutureAuthToken(token) => token.is_none(),
        Change::LoginState(state) => state.is_active(),
        _ => false,
    }
}

/// The entry of a list that a change is about; `None` for a pushed channel, which is always a new one.
fn key_of(change: &Change<'_>) -> Option<EntryKey> {
    match change {
        Change::Dc(dc) => Some(EntryKey::Dc(dc.slot())),
        Change::Update(UpdateChange::Channel { id, .. }) => Some(EntryKey::Channel(*id)),
        Change::Peer(peer) => Some(EntryKey::Peer(peer.key())),
        Change::MinPeer(peer) => Some(EntryKey::MinPeer(peer.user_id)),
        _ => None,
    }
}

/// Keys are not copied lightly: only tests do.
#[cfg(feature = "_test")]
impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize> Clone
    for Held<D, C, P, M, T>
{
    fn clone(&self) -> Self {
        let mut session = FixedSession::new();
        // The same type: it fits.
        let copied = session.copy_from(&self.session);
        debug_assert_eq!(copied, Ok(()));
        Self {
            session,
            singles: self.singles,
            dcs: self.dcs,
            copies: self.copies,
            channels: self.channels,
            lags: self.lags,
            peers: self.peers,
            min_peers: self.min_peers,
            twice: self.twice,
            when_full: self.when_full,
            goes: self.goes,
        }
    }
}
