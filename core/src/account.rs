//! Who the session belongs to: facts that the v8 body has no field for.

use serde::{Deserialize, Serialize};

use crate::counters::{ChannelPts, Counters};
use crate::dc::DcRef;
use crate::names::Names;
use crate::peer::{MinPeer, Peer};
use crate::source::SessionSource;
use crate::wire::PeerRecord;

/// The account behind a session, as far as it is known.
///
/// Stored in the trailer (see [`format`](crate::format)); clients that only know the v8 body lose
/// it when they save.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Account {
    /// The account's user id, positive.
    pub user_id: Option<i64>,
    /// Whether the account is a bot.
    pub is_bot: Option<bool>,
    /// The application the auth key was made with (`api_id` of my.telegram.org).
    pub api_id: Option<i32>,
    /// Whether the account lives on Telegram's test servers.
    pub test_mode: Option<bool>,
}

impl Account {
    /// Whether nothing is known.
    ///
    /// ```
    /// use mtsession_core::Account;
    ///
    /// assert!(Account::default().is_empty());
    /// assert!(!Account { is_bot: Some(false), ..Account::default() }.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A session together with an [`Account`] that its own type has no field for.
///
/// Made by [`SessionSource::with_account`].
#[derive(Clone, Copy, Debug)]
pub struct WithAccount<'s, S: ?Sized> {
    pub(crate) session: &'s S,
    pub(crate) account: Account,
    pub(crate) names: Names<'s>,
}

impl<'s, S: ?Sized> WithAccount<'s, S> {
    /// The same session with these names of its peers.
    #[must_use]
    pub const fn with_names(self, names: Names<'s>) -> Self {
        Self { names, ..self }
    }
}

impl<S: SessionSource> SessionSource for WithAccount<'_, S> {
    fn home_dc_id(&self) -> i32 {
        self.session.home_dc_id()
    }

    fn counters(&self) -> Counters {
        self.session.counters()
    }

    fn account(&self) -> Account {
        self.account
    }

    fn names(&self) -> Names<'_> {
        self.names
    }

    fn future_auth_token(&self) -> Option<&[u8]> {
        self.session.future_auth_token()
    }

    fn dcs(&self) -> impl ExactSizeIterator<Item = DcRef<'_>> {
        self.session.dcs()
    }

    fn channels(&self) -> impl ExactSizeIterator<Item = ChannelPts> {
        self.session.channels()
    }

    fn peers(&self) -> impl ExactSizeIterator<Item = Peer> {
        self.session.peers()
    }

    fn peer_records(&self) -> impl ExactSizeIterator<Item = PeerRecord> {
        self.session.peer_records()
    }

    fn min_peers(&self) -> impl ExactSizeIterator<Item = MinPeer> {
        self.session.min_peers()
    }
}
