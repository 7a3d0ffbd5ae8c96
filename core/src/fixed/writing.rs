//! Changes of a fixed session: what does not fit is refused, or makes room.

use heapless::Vec;
use zeroize::Zeroize as _;

use super::{FIXED_ADDR_LEN, FIXED_LOGIN_TEXT_LEN, FixedDc, FixedSession, WhenFull};
use crate::account::Account;
use crate::bug::Certain as _;
use crate::change::{Change, UpdateChange};
use crate::counters::{ChannelPts, Counters};
use crate::dc::{DcRef, DcSlot};
use crate::entry::{EntryKey, List};
use crate::error::{Field, Full};
use crate::login_state::LoginState;
use crate::names::{Names, NamesOf};
use crate::peer::{MinPeer, Peer, PeerKey};
use crate::session_mut::SessionMut;
use crate::source::SessionSource;

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize>
    FixedSession<D, C, P, M, T>
{
    /// Stores an entry at a position that the table grows to. In place: an entry is large, and has a key.
    fn set_dc_at(&mut self, position: usize, dc: &DcRef<'_>) -> Result<(), Full> {
        check_len(dc.addr.len(), FIXED_ADDR_LEN, Field::DcAddr)?;
        check_len(position, D.saturating_sub(1), Field::Dcs)?;
        while self.dcs.len() <= position {
            self.dcs
                .push(FixedDc::new())
                .map_err(|_| Full(Field::Dcs))?;
        }
        match self.dcs.get_mut(position) {
            Some(known) => known.set(dc),
            None => Err(Full(Field::Dcs)),
        }
    }

    /// Entries after the one that goes are copied over it, and what is left over is wiped in its place: an
    /// entry that is moved leaves a copy of its key.
    fn forget_dc(&mut self, slot: DcSlot) {
        let at = |dcs: &[FixedDc]| dcs.iter().position(|known| known.as_ref().slot() == slot);
        while let Some(position) = at(&self.dcs) {
            let rest = self.dcs.get_mut(position..).unwrap_or_default();
            for at in 1..rest.len() {
                if let Some((before, after)) = rest.split_at_mut_checked(at)
                    && let ([.., gone], [next, ..]) = (before, after)
                {
                    let copied = gone.set(&next.as_ref());
                    copied.ok().certain("its address fits an entry");
                }
            }
            self.dcs.truncate(self.dcs.len().saturating_sub(1));
        }
    }

    fn refuses(&self, len: usize, capacity: usize, field: Field) -> Result<(), Full> {
        if len > capacity && self.when_full == WhenFull::Refuse {
            return Err(Full(field));
        }
        Ok(())
    }
}

fn check_len(len: usize, capacity: usize, field: Field) -> Result<(), Full> {
    if len > capacity {
        return Err(Full(field));
    }
    Ok(())
}

/// Stores an item at a position that the list grows to.
fn set_in<T: Copy + Default, const N: usize>(
    list: &mut Vec<T, N>,
    position: usize,
    item: T,
    field: Field,
) -> Result<(), Full> {
    if position >= N {
        return Err(Full(field));
    }
    while list.len() <= position {
        list.push(T::default()).map_err(|_| Full(field))?;
    }
    match list.get_mut(position) {
        Some(known) => *known = item,
        None => return Err(Full(field)),
    }
    Ok(())
}

/// Appends to a cache; when it is full, the first element that `may_go` makes room.
fn push_to_cache<T, const N: usize>(
    list: &mut Vec<T, N>,
    item: T,
    when_full: WhenFull,
    field: Field,
    may_go: impl Fn(&T) -> bool,
) -> Result<(), Full> {
    let Err(mut item) = list.push(item) else {
        return Ok(());
    };
    if when_full == WhenFull::Refuse {
        return Err(Full(field));
    }
    // Without room even now, the new one is the one that goes.
    let goes = list.iter().position(may_go).unwrap_or(N);
    for known in list.iter_mut().skip(goes).rev() {
        core::mem::swap(known, &mut item);
    }
    Ok(())
}

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize> SessionMut
    for FixedSession<D, C, P, M, T>
{
    type Error = Full;

    fn reset(&mut self) {
        for list in [
            List::Singles,
            List::Dcs,
            List::Channels,
            List::Peers,
            List::MinPeers,
        ] {
            self.clear(list);
        }
    }

    fn fits(&self, source: &impl SessionSource) -> Result<(), Full> {
        check_len(source.dcs().len(), D, Field::Dcs)?;
        check_len(source.channels().len(), C, Field::Channels)?;
        self.refuses(source.peers().len(), P, Field::Peers)?;
        self.refuses(source.min_peers().len(), M, Field::MinPeers)?;
        check_len(
            source.future_auth_token().map_or(0, <[u8]>::len),
            T,
            Field::Token,
        )?;
        check_len(
            source.login_state().text().len(),
            FIXED_LOGIN_TEXT_LEN,
            Field::LoginState,
        )?;
        source
            .dcs()
            .try_for_each(|dc| check_len(dc.addr.len(), FIXED_ADDR_LEN, Field::DcAddr))
    }

    fn set_home_dc_id(&mut self, dc_id: i32) {
        self.home_dc_id = dc_id;
    }

    fn set_counters(&mut self, counters: Counters) {
        self.counters = counters;
    }

    fn set_account(&mut self, account: Account) {
        self.account = account;
    }

    fn set_login_state(&mut self, state: LoginState<'_>) -> Result<(), Full> {
        check_len(state.text().len(), FIXED_LOGIN_TEXT_LEN, Field::LoginState)?;
        self.login_text.clear();
        self.login_text
            .push_str(state.text())
            .map_err(|_| Full(Field::LoginState))?;
        self.login_state = state.number();
        self.login_at = state.at();
        Ok(())
    }

    fn set_names(&mut self, _: Names<'_>) {
        // Left out: see the type's documentation.
    }

    fn put_names(&mut self, _: &NamesOf<'_>) {
        // Left out: see the type's documentation.
    }

    fn set_future_auth_token(&mut self, token: Option<&[u8]>) -> Result<(), Full> {
        let bytes = token.unwrap_or_default();
        if bytes.len() > T {
            return Err(Full(Field::Token));
        }
        self.token.zeroize();
        self.has_token = token.is_some();
        self.token
            .extend_from_slice(bytes)
            .map_err(|_| Full(Field::Token))
    }

    fn set_at(&mut self, position: usize, change: &Change<'_>) -> Result<(), Full> {
        match change {
            Change::Dc(dc) => self.set_dc_at(position, dc),
            Change::Update(
                UpdateChange::Channel { id, pts } | UpdateChange::PushChannel { id, pts },
            ) => {
                let channel = ChannelPts { id: *id, pts: *pts };
                set_in(&mut self.channels, position, channel, Field::Channels)
            }
            Change::Peer(peer) => set_in(&mut self.peers, position, *peer, Field::Peers),
            Change::MinPeer(peer) => set_in(&mut self.min_peers, position, *peer, Field::MinPeers),
            _ => self.set_single(change),
        }
    }

    fn put_salt(&mut self, dc: DcSlot, first_salt: i64, time_offset: i32) {
        let entry = self
            .dcs
            .iter_mut()
            .find(|known| known.as_ref().slot() == dc);
        if let Some(entry) = entry {
            entry.set_salt(first_salt, time_offset);
        }
    }

    fn forget(&mut self, key: EntryKey) -> bool {
        let before = self.count(key.list());
        match key {
            EntryKey::Dc(slot) => self.forget_dc(slot),
            EntryKey::Channel(id) => self.channels.retain(|known| known.id != id),
            EntryKey::Peer(key) => self.peers.retain(|known| known.key() != key),
            EntryKey::MinPeer(id) => self.min_peers.retain(|known| known.user_id != id),
        }
        self.count(key.list()) < before
    }

    fn clear(&mut self, list: List) {
        match list {
            List::Singles => {
                self.home_dc_id = 0;
                self.counters = Counters::default();
                self.account = Account::default();
                self.login_state = 0;
                self.login_at = 0;
                self.login_text.clear();
                self.has_token = false;
                self.token.zeroize();
            }
            List::Dcs => self.dcs.clear(),
            List::Channels => self.channels.clear(),
            List::Peers => self.peers.clear(),
            List::MinPeers => self.min_peers.clear(),
        }
    }

    fn push_channel(&mut self, channel: ChannelPts) -> Result<(), Full> {
        self.channels
            .push(channel)
            .map_err(|_| Full(Field::Channels))
    }

    fn push_peer(&mut self, peer: Peer) -> Result<(), Full> {
        let account = self.account.user_id.map(PeerKey::user);
        let may_go = |known: &Peer| Some(known.key()) != account;
        push_to_cache(&mut self.peers, peer, self.when_full, Field::Peers, may_go)
    }

    fn push_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Full> {
        push_to_cache(
            &mut self.min_peers,
            min_peer,
            self.when_full,
            Field::MinPeers,
            |_| true,
        )
    }
}
