//! Filling a session, and reading one, by list and slot: what the log needs of a caller's type.

use mtsession_core::{
    Change, ChannelPts, DcFlags, DcRef, Field, Full, MinPeer, Peer, SessionMut, SessionSource,
    UpdateChange,
};

use crate::lists::{ACCOUNT, CHANNELS, DCS, LISTS, List, MIN_PEERS, PEERS, Slot, TOKEN};

/// Takes the changes that a log holds in the order of the log; a later one replaces an earlier one
/// of the same slot.
pub(crate) trait Receive {
    /// Forgets everything.
    fn reset(&mut self);

    /// `None`: the entry is the next of its list.
    fn receive(&mut self, slot: Option<u16>, change: &Change<'_>) -> Result<(), Full>;
}

/// For building only the index.
pub(crate) struct Ignore;

impl Receive for Ignore {
    fn reset(&mut self) {}

    fn receive(&mut self, _: Option<u16>, _: &Change<'_>) -> Result<(), Full> {
        Ok(())
    }
}

/// Fills a session. Records come in the order of the log, lists are in the order of slots, so slots
/// not seen yet are filled with placeholders.
pub(crate) struct Fill<'s, S>(pub(crate) &'s mut S);

const NO_DC: DcRef<'static> = DcRef {
    dc_id: 0,
    addr: "",
    auth_key: None,
    first_salt: 0,
    time_offset: 0,
    flags: DcFlags::NONE,
};

impl<S: SessionMut> Receive for Fill<'_, S> {
    fn reset(&mut self) {
        self.0.reset();
    }

    fn receive(&mut self, slot: Option<u16>, change: &Change<'_>) -> Result<(), Full> {
        let session = &mut *self.0;
        let Some(slot) = slot.map(usize::from) else {
            return push(session, change);
        };
        let blank = match change {
            Change::Dc(_) => Change::Dc(NO_DC),
            Change::Peer(_) => Change::Peer(Peer::default()),
            Change::MinPeer(_) => Change::MinPeer(MinPeer::default()),
            _ => return push(session, change),
        };
        let mut len = len(session, change);
        while len <= slot {
            push(session, &blank)?;
            let longer = self::len(session, change);
            // A list that pushes without growing evicts: it is full.
            if longer <= len {
                return Err(Full(Field::Peers));
            }
            len = longer;
        }
        match change {
            Change::Dc(dc) => session.replace_dc(slot, dc)?,
            Change::Peer(peer) => session.replace_peer(slot, *peer),
            Change::MinPeer(min_peer) => session.replace_min_peer(slot, *min_peer),
            _ => {}
        }
        Ok(())
    }
}

fn len<S: SessionMut>(session: &S, change: &Change<'_>) -> usize {
    match change {
        Change::Dc(_) => session.dcs().len(),
        Change::Peer(_) => session.peers().len(),
        _ => session.min_peers().len(),
    }
}

/// Appends to the list that a change is about, or sets what is no list.
#[inline(never)]
fn push<S: SessionMut>(session: &mut S, change: &Change<'_>) -> Result<(), Full> {
    match change {
        Change::Dc(dc) => return session.push_dc(dc),
        Change::Peer(peer) => return session.push_peer(*peer),
        Change::MinPeer(min_peer) => return session.push_min_peer(*min_peer),
        Change::Update(UpdateChange::Channel { id, pts }) => {
            return session.push_channel(ChannelPts { id: *id, pts: *pts });
        }
        Change::FutureAuthToken(token) => return session.set_future_auth_token(*token),
        Change::HomeDc(id) => session.set_home_dc_id(*id),
        Change::Account(account) => session.set_account(*account),
        Change::Update(UpdateChange::Counters(counters)) => session.set_counters(*counters),
        _ => {}
    }
    Ok(())
}

/// A session to be saved.
pub(crate) trait Entries {
    /// How many entries a list has; account and token do not count.
    fn len(&self, list: List) -> usize;

    fn get(&self, list: List, slot: u16) -> Option<Change<'_>>;

    /// What is no list.
    fn header(&self) -> [Change<'static>; 2];
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

    fn header(&self) -> [Change<'static>; 2] {
        let counters = UpdateChange::Counters(self.counters());
        [Change::HomeDc(self.home_dc_id()), Change::Update(counters)]
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
