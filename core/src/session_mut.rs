//! The trait by which every session type is changed.

use crate::account::Account;
use crate::change::{Change, UpdateChange};
use crate::counters::{ChannelPts, Counters};
use crate::dc::{DcRef, DcSlot};
use crate::entry::{EntryKey, List};
use crate::error::Full;
use crate::login_state::LoginState;
use crate::names::{Names, NamesOf};
use crate::peer::{MinPeer, Peer};
use crate::source::SessionSource;

/// A session that can be changed in place.
///
/// Implementors supply storage; the rules (what a change does, which entry it replaces, what a copy
/// is) are provided here once for every store, and for the replay of journals and flash logs.
///
/// `push_*` appends and keeps duplicates, as a copy must. `put_*` replaces the first entry of the
/// same identity and appends where there is none, as a granular update does.
pub trait SessionMut: SessionSource {
    /// What happens to a change that there is no room for: [`Full`] where lists have a capacity,
    /// [`Infallible`](core::convert::Infallible) where they grow.
    type Error: Into<Full>;

    /// Forgets everything; keys are wiped.
    fn reset(&mut self);

    /// Whether a copy of `source` would fit. Checked before [`copy_from`](Self::copy_from) touches
    /// anything. Growable types need not override it.
    fn fits(&self, source: &impl SessionSource) -> Result<(), Self::Error> {
        let _ = source;
        Ok(())
    }

    /// Makes room for a copy of `source`. Fixed-capacity types need not override it.
    fn reserve(&mut self, source: &impl SessionSource) {
        let _ = source;
    }

    /// Sets the home DC.
    fn set_home_dc_id(&mut self, dc_id: i32);

    /// Sets all four counters.
    fn set_counters(&mut self, counters: Counters);

    /// Sets what is known of the account; types without a place for it ignore it.
    fn set_account(&mut self, account: Account);

    /// Sets whether the login still holds; types without a place for it ignore it.
    fn set_login_state(&mut self, state: LoginState<'_>) -> Result<(), Self::Error>;

    /// Sets what peers are called; types without a place for it ignore it.
    fn set_names(&mut self, names: Names<'_>);

    /// Replaces what one peer is called; types without a place for it ignore it, and so does everyone for
    /// a peer that the session does not have.
    fn put_names(&mut self, names: &NamesOf<'_>);

    /// Sets or removes the future auth token.
    fn set_future_auth_token(&mut self, token: Option<&[u8]>) -> Result<(), Self::Error>;

    /// Stores an entry at a position of its list, which grows to it: entries before it that were never
    /// set are empty, with an id of 0. Nothing is evicted to make room. A change of a single (see
    /// [`List::Singles`]) is stored whatever the position; any other change has no position and is
    /// ignored.
    fn set_at(&mut self, position: usize, change: &Change<'_>) -> Result<(), Self::Error>;

    /// Removes every entry of this identity, and says whether there was one. The others keep their
    /// order.
    fn forget(&mut self, key: EntryKey) -> bool;

    /// Empties a list; keys in it are wiped. [`List::Singles`] are set to what they are in an empty
    /// session.
    fn clear(&mut self, list: List);

    /// Appends a DC entry.
    fn push_dc(&mut self, dc: &DcRef<'_>) -> Result<(), Self::Error> {
        self.set_at(self.count(List::Dcs), &Change::Dc(*dc))
    }

    /// Appends a channel's pts.
    fn push_channel(&mut self, channel: ChannelPts) -> Result<(), Self::Error> {
        self.set_at(self.count(List::Channels), &Change::from(channel))
    }

    /// Appends a peer.
    fn push_peer(&mut self, peer: Peer) -> Result<(), Self::Error> {
        self.set_at(self.count(List::Peers), &Change::Peer(peer))
    }

    /// Appends many peers: the part of a copy that takes the time. Types that can do it in one plain loop
    /// override it.
    fn extend_peers(
        &mut self,
        peers: impl ExactSizeIterator<Item = Peer>,
    ) -> Result<(), Self::Error> {
        let mut peers = peers;
        peers.try_for_each(|peer| self.push_peer(peer))
    }

    /// Appends a min-peer context.
    fn push_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Self::Error> {
        self.set_at(self.count(List::MinPeers), &Change::MinPeer(min_peer))
    }

    /// Stores a DC entry in its [slot](crate::DcSlot).
    fn put_dc(&mut self, dc: &DcRef<'_>) -> Result<(), Self::Error> {
        match self.position(EntryKey::Dc(dc.slot())) {
            Some(position) => self.set_at(position, &Change::Dc(*dc)),
            None => self.push_dc(dc),
        }
    }

    /// Stores salt and clock of a DC entry; nothing where there is no such entry.
    fn put_salt(&mut self, dc: DcSlot, first_salt: i64, time_offset: i32);

    /// Stores a channel's pts.
    fn put_channel(&mut self, channel: ChannelPts) -> Result<(), Self::Error> {
        match self.position(EntryKey::Channel(channel.id)) {
            Some(position) => self.set_at(position, &Change::from(channel)),
            None => self.push_channel(channel),
        }
    }

    /// Stores a peer under its [key](Peer::key).
    fn put_peer(&mut self, peer: Peer) -> Result<(), Self::Error> {
        match self.position(EntryKey::Peer(peer.key())) {
            Some(position) => self.set_at(position, &Change::Peer(peer)),
            None => self.push_peer(peer),
        }
    }

    /// Stores the context of a user; a later one replaces an earlier one.
    fn put_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Self::Error> {
        match self.position(EntryKey::MinPeer(min_peer.user_id)) {
            Some(position) => self.set_at(position, &Change::MinPeer(min_peer)),
            None => self.push_min_peer(min_peer),
        }
    }

    /// Carries out one change. On an error the session is as it was.
    ///
    /// ```
    /// use mtsession_core::{Change, FixedSession, SessionMut, SessionSource, UpdateChange};
    ///
    /// let mut session = FixedSession::<1, 1, 0, 0, 0>::new();
    /// let primary = UpdateChange::Primary { pts: 40, date: 1_750_000_000, seq: 2 };
    /// session.apply(&Change::Update(primary))?;
    /// session.apply(&Change::Update(UpdateChange::Channel { id: 10, pts: 7 }))?;
    /// assert_eq!(session.counters().pts, 40);
    /// assert_eq!(session.channels().len(), 1);
    /// # Ok::<(), mtsession_core::Full>(())
    /// ```
    fn apply(&mut self, change: &Change<'_>) -> Result<(), Self::Error> {
        match change {
            Change::HomeDc(dc_id) => self.set_home_dc_id(*dc_id),
            Change::Dc(dc) => self.put_dc(dc)?,
            Change::Update(update) => self.apply_update(update)?,
            Change::Peer(peer) => self.put_peer(*peer)?,
            Change::MinPeer(min_peer) => self.put_min_peer(*min_peer)?,
            Change::FutureAuthToken(token) => self.set_future_auth_token(*token)?,
            Change::Account(account) => self.set_account(*account),
            Change::Names(names) => self.put_names(names),
            Change::LoginState(state) => self.set_login_state(*state)?,
            Change::Salt {
                dc,
                first_salt,
                time_offset,
            } => self.put_salt(*dc, *first_salt, *time_offset),
            Change::Forget(key) => {
                self.forget(*key);
            }
        }
        Ok(())
    }

    /// Carries out one change of the update state.
    fn apply_update(&mut self, update: &UpdateChange) -> Result<(), Self::Error> {
        match *update {
            UpdateChange::Channel { id, pts } => self.put_channel(ChannelPts { id, pts }),
            UpdateChange::PushChannel { id, pts } => self.push_channel(ChannelPts { id, pts }),
            UpdateChange::ClearChannels => {
                self.clear(List::Channels);
                Ok(())
            }
            _ => {
                self.set_counters(update.counters_after(self.counters()));
                Ok(())
            }
        }
    }

    /// Makes this session equal to `source`: values, order and duplicates.
    ///
    /// What does not fit is found out before anything is touched.
    fn copy_from(&mut self, source: &impl SessionSource) -> Result<(), Self::Error> {
        self.fits(source)?;
        self.reset();
        self.reserve(source);
        self.set_home_dc_id(source.home_dc_id());
        self.set_counters(source.counters());
        self.set_account(source.account());
        self.set_login_state(source.login_state())?;
        self.set_names(source.names());
        self.set_future_auth_token(source.future_auth_token())?;
        source.dcs().try_for_each(|dc| self.push_dc(&dc))?;
        source
            .channels()
            .try_for_each(|channel| self.push_channel(channel))?;
        self.extend_peers(source.peers())?;
        source
            .min_peers()
            .try_for_each(|min_peer| self.push_min_peer(min_peer))
    }
}
