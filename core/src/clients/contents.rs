//! What a format has room for, and so what a conversion loses.

use core::fmt;
use core::ops::{BitOr, BitOrAssign};

use crate::dc::{DcFlags, DcRef};
use crate::source::SessionSource;

/// A set of the things that a session can hold.
///
/// Formats say what they have room for, [`Contents::of`] says what one session really holds, and the
/// difference is the loss of a conversion:
///
/// ```
/// use mtsession_core::clients::{Contents, StringFormat};
/// use mtsession_core::{FixedSession, Peer, SessionMut};
///
/// let mut session = FixedSession::<1, 1, 1, 1, 1>::new();
/// session.set_home_dc_id(2);
/// session.put_peer(Peer { id: 777_000, ..Peer::default() })?;
/// let lost = Contents::of(&session).without(StringFormat::Telethon.carries());
/// assert_eq!(lost.to_string(), "peers");
/// # Ok::<(), mtsession_core::Full>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Contents(u32);

impl Contents {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The id of the DC that the account lives on.
    pub const HOME_DC: Self = Self(1);
    /// Address and port of the home DC.
    pub const ADDRESS: Self = Self(1 << 1);
    /// The home DC's auth key.
    pub const HOME_KEY: Self = Self(1 << 2);
    /// Auth keys of other DCs.
    pub const OTHER_KEYS: Self = Self(1 << 3);
    /// The account's user id.
    pub const USER_ID: Self = Self(1 << 4);
    /// Whether the account is a bot.
    pub const IS_BOT: Self = Self(1 << 5);
    /// The application that the key was made with.
    pub const API_ID: Self = Self(1 << 6);
    /// Whether the account lives on the test servers.
    pub const TEST_MODE: Self = Self(1 << 7);
    /// Server salts.
    pub const SALTS: Self = Self(1 << 8);
    /// pts, qts, date and seq.
    pub const COUNTERS: Self = Self(1 << 9);
    /// pts of channels.
    pub const CHANNEL_PTS: Self = Self(1 << 10);
    /// Peers with their access hashes.
    pub const PEERS: Self = Self(1 << 11);
    /// Usernames of peers.
    pub const USERNAMES: Self = Self(1 << 12);
    /// Phone numbers of peers.
    pub const PHONES: Self = Self(1 << 13);
    /// Names and titles of peers.
    pub const TITLES: Self = Self(1 << 14);
    /// Which kind of channel a channel is.
    pub const CHANNEL_KINDS: Self = Self(1 << 15);
    /// Contexts of users known only from messages.
    pub const MIN_PEERS: Self = Self(1 << 16);
    /// A separate address for files.
    pub const MEDIA_DC: Self = Self(1 << 17);
    /// A host name in place of an IP address.
    pub const HOST_NAME: Self = Self(1 << 18);
    /// The token that lets a logged-out account log in again.
    pub const FUTURE_AUTH_TOKEN: Self = Self(1 << 19);
    /// Clock differences between client and servers.
    pub const TIME_OFFSETS: Self = Self(1 << 20);
    /// Addresses of other DCs.
    pub const OTHER_ADDRESSES: Self = Self(1 << 21);
    /// That the login was revoked, or is moving to another store.
    pub const LOGIN_STATE: Self = Self(1 << 22);

    /// What version 8 with its trailer holds.
    pub const OURS: Self = Self::HOME_DC
        .union(Self::ADDRESS)
        .union(Self::HOME_KEY)
        .union(Self::OTHER_KEYS)
        .union(Self::USER_ID)
        .union(Self::IS_BOT)
        .union(Self::API_ID)
        .union(Self::TEST_MODE)
        .union(Self::SALTS)
        .union(Self::COUNTERS)
        .union(Self::CHANNEL_PTS)
        .union(Self::PEERS)
        .union(Self::CHANNEL_KINDS)
        .union(Self::MIN_PEERS)
        .union(Self::MEDIA_DC)
        .union(Self::HOST_NAME)
        .union(Self::FUTURE_AUTH_TOKEN)
        .union(Self::TIME_OFFSETS)
        .union(Self::OTHER_ADDRESSES)
        .union(Self::LOGIN_STATE)
        .union(Self::NAMES_OF_PEERS);

    /// What peers are called: what stores may have no room for.
    pub const NAMES_OF_PEERS: Self = Self::USERNAMES.union(Self::PHONES).union(Self::TITLES);

    /// Every member with its name, in the order they are listed.
    const NAMES: [(Self, &str); 23] = [
        (Self::HOME_DC, "home DC"),
        (Self::ADDRESS, "DC address"),
        (Self::HOME_KEY, "auth key"),
        (Self::OTHER_KEYS, "auth keys of other DCs"),
        (Self::USER_ID, "user id"),
        (Self::IS_BOT, "bot flag"),
        (Self::API_ID, "api_id"),
        (Self::TEST_MODE, "test flag"),
        (Self::SALTS, "salts"),
        (Self::COUNTERS, "update counters"),
        (Self::CHANNEL_PTS, "pts of channels"),
        (Self::PEERS, "peers"),
        (Self::USERNAMES, "usernames"),
        (Self::PHONES, "phone numbers"),
        (Self::TITLES, "names and titles"),
        (Self::CHANNEL_KINDS, "kinds of channels"),
        (Self::MIN_PEERS, "min-peer contexts"),
        (Self::MEDIA_DC, "media DC"),
        (Self::HOST_NAME, "host name"),
        (Self::FUTURE_AUTH_TOKEN, "future auth token"),
        (Self::TIME_OFFSETS, "time offsets"),
        (Self::OTHER_ADDRESSES, "addresses of other DCs"),
        (Self::LOGIN_STATE, "login state"),
    ];

    /// The members of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The members that `other` has not.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every member of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the set has no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the members, for reports.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .filter_map(move |(member, name)| self.contains(member).then_some(name))
    }

    /// What this session holds.
    #[must_use]
    pub fn of(session: &impl SessionSource) -> Self {
        let home = session.home_dc_id();
        let account = session.account();
        let counters = session.counters();
        let mut found = Self::NONE;
        found.add_if(home != 0, Self::HOME_DC);
        found.add_if(account.user_id.is_some(), Self::USER_ID);
        found.add_if(account.is_bot.is_some(), Self::IS_BOT);
        found.add_if(account.api_id.is_some(), Self::API_ID);
        found.add_if(account.test_mode.is_some(), Self::TEST_MODE);
        found.add_if(!session.login_state().is_active(), Self::LOGIN_STATE);
        found.add_if(counters != crate::Counters::default(), Self::COUNTERS);
        found.add_if(session.channels().len() > 0, Self::CHANNEL_PTS);
        found.add_if(session.peers().len() > 0, Self::PEERS);
        found.add_if(
            session.peers().any(|peer| peer.channel_kind.is_some()),
            Self::CHANNEL_KINDS,
        );
        found.add_if(session.min_peers().len() > 0, Self::MIN_PEERS);
        found.add_if(
            session.future_auth_token().is_some(),
            Self::FUTURE_AUTH_TOKEN,
        );
        for dc in session.dcs() {
            found |= Self::of_dc(&dc, home);
        }
        for names in session.names().iter() {
            found.add_if(names.usernames().len() > 0, Self::USERNAMES);
            found.add_if(names.phone.is_some(), Self::PHONES);
            found.add_if(names.title.is_some(), Self::TITLES);
        }
        found
    }

    fn of_dc(dc: &DcRef<'_>, home: i32) -> Self {
        let is_home = dc.dc_id == home;
        let has_addr = !dc.addr.is_empty();
        let has_key = dc.auth_key.is_some();
        let mut found = Self::NONE;
        found.add_if(has_key && is_home, Self::HOME_KEY);
        found.add_if(has_key && !is_home, Self::OTHER_KEYS);
        found.add_if(dc.first_salt != 0, Self::SALTS);
        found.add_if(dc.time_offset != 0, Self::TIME_OFFSETS);
        if dc.flags.contains(DcFlags::MEDIA_ONLY) {
            found.add_if(has_addr, Self::MEDIA_DC);
        } else {
            found.add_if(has_addr && is_home, Self::ADDRESS);
            found.add_if(has_addr && !is_home, Self::OTHER_ADDRESSES);
        }
        found
    }

    fn add_if(&mut self, condition: bool, member: Self) {
        if condition {
            *self |= member;
        }
    }
}

impl BitOr for Contents {
    type Output = Self;

    fn bitor(self, rhs: Self) -> Self {
        self.union(rhs)
    }
}

impl BitOrAssign for Contents {
    fn bitor_assign(&mut self, rhs: Self) {
        *self = self.union(rhs);
    }
}

/// Lists the names, separated by commas.
impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}
