//! Filling a session, and reading one, by list and slot: what the log needs of a caller's type.

use mtsession_core::{
    Change, ChannelPts, Counters, Field, Full, SessionMut, SessionSource, UpdateChange,
};

use crate::lists::{ACCOUNT, CHANNELS, DCS, LISTS, List, MIN_PEERS, PEERS, Slot, TOKEN};

/// Takes the changes that a log holds in the order of the log; a later one replaces an earlier one
/// of the same slot.
pub(crate) trait Receive {
    /// Forgets everything.
    fn reset(&mut self);

    /// Sets what is no list.
    fn set_header(&mut self, home_dc_id: i32, counters: Counters);

    /// `None`: the entry is the next of its list.
    fn receive(&mut self, slot: Option<u16>, change: &Change<'_>) -> Result<(), Full>;
}

/// Fills a session. Records come in the order of the log, lists are in the order of slots.
pub(crate) struct Fill<'s, S>(pub(crate) &'s mut S);

impl<S: SessionMut> Receive for Fill<'_, S> {
    fn reset(&mut self) {
        self.0.reset();
    }

    fn set_header(&mut self, home_dc_id: i32, counters: Counters) {
        self.0.set_home_dc_id(home_dc_id);
        self.0.set_counters(counters);
    }

    fn receive(&mut self, slot: Option<u16>, change: &Change<'_>) -> Result<(), Full> {
        let session = &mut *self.0;
        let Some(slot) = slot.map(usize::from) else {
            return push(session, change);
        };
        if slot < len(session, change) {
            return session.set_at(slot, change).map_err(Into::into);
        }
        // The entry stands in for those before it: they are still to come.
        for _ in len(session, change)..=slot {
            push(session, change)?;
        }
        // A list that pushes without growing evicts: it is full.
        if slot < len(session, change) {
            Ok(())
        } else {
            Err(Full(Field::Peers))
        }
    }
}

/// How long the list that a change is about is; what is no list has every slot.
#[inline(never)]
fn len<S: SessionMut>(session: &S, change: &Change<'_>) -> usize {
    match change {
        Change::Dc(_) => session.dcs().len(),
        Change::Peer(_) => session.peers().len(),
        Change::MinPeer(_) => session.min_peers().len(),
        _ => usize::MAX,
    }
}

/// Appends to the list that a change is about, or sets account or token.
#[inline(never)]
fn push<S: SessionMut>(session: &mut S, change: &Change<'_>) -> Result<(), Full> {
    let pushed = match change {
        Change::Dc(dc) => session.push_dc(dc),
        Change::Peer(peer) => session.push_peer(*peer),
        Change::MinPeer(min_peer) => session.push_min_peer(*min_peer),
        Change::Update(UpdateChange::Channel { id, pts }) => {
            session.push_channel(ChannelPts { id: *id, pts: *pts })
        }
        Change::FutureAuthToken(token) => session.set_future_auth_token(*token),
        Change::Account(account) => {
            session.set_account(*account);
            Ok(())
        }
        _ => Ok(()),
    };
    pushed.map_err(Into::into)
}

/// A session to be saved.
pub(crate) trait Entries {
    /// How many entries a list has; account and token do not count.
    fn len(&self, list: List) -> usize;

    fn get(&self, list: List, slot: u16) -> Option<Change<'_>>;

    /// What is no list: the home DC and the counters.
    fn header(&self) -> (i32, Counters);
}

impl<S: SessionSource> Entries for S {
    fn len(&self, list: List) -> usize {
        match list {
            DCS => self.dcs().len(),
            CHANNELS => self.channels().len(),
            PEERS => self.peers().len(),
            MIN_PEERS => self.min_peers().len(),
            _ => 0,
        }
    }

    fn get(&self, list: List, slot: u16) -> Option<Change<'_>> {
        let n = usize::from(slot);
        match list {
            ACCOUNT if slot == 0 => {
                let account = self.account();
                (!account.is_empty()).then_some(Change::Account(account))
            }
            TOKEN if slot == 0 => {
                let token = self.future_auth_token()?;
                Some(Change::FutureAuthToken(Some(token)))
            }
            DCS => self.dcs().nth(n).map(Change::Dc),
            CHANNELS => {
                let ChannelPts { id, pts } = self.channels().nth(n)?;
                Some(Change::Update(UpdateChange::Channel { id, pts }))
            }
            PEERS => self.peers().nth(n).map(Change::Peer),
            MIN_PEERS => self.min_peers().nth(n).map(Change::MinPeer),
            _ => None,
        }
    }

    fn header(&self) -> (i32, Counters) {
        (self.home_dc_id(), self.counters())
    }
}

/// The next entry of a session from `cursor` on.
pub(crate) fn next<'s>(source: &'s dyn Entries, cursor: &mut Slot) -> Option<Change<'s>> {
    while cursor.list < LISTS {
        if let Some(change) = source.get(cursor.list, cursor.slot) {
            return Some(change);
        }
        cursor.list = cursor.list.wrapping_add(1);
        cursor.slot = 0;
    }
    None
}
