//! What is converted: logins that differ in everything, and one that knows nothing but its key.

use mtsession::codec::Peer;
use mtsession::{
    Account, CachedMinPeer, Change, DcEntry, DcFlags, LoginState, PeerNames, PersistedSession,
    SessionRecord, UpdatesStateSnap,
};

/// What is known of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Login {
    /// A user, with names of peers and everything else.
    Whole,
    /// The same login, which was ended.
    Revoked,
    /// A bot with other keys.
    Another,
    /// A third key, and nothing else.
    Bare,
}

impl Login {
    const fn seed(self) -> u8 {
        match self {
            Self::Whole | Self::Revoked => 1,
            Self::Another => 2,
            Self::Bare => 3,
        }
    }

    pub(crate) fn key(self) -> [u8; 256] {
        key(self.seed())
    }

    pub(crate) fn record(self) -> SessionRecord {
        let seed = self.seed();
        let dc = |id: i32, addr: &str, key: [u8; 256]| DcEntry {
            auth_key: Some(key),
            ..DcEntry::from_parts(id, addr, 443, DcFlags::NONE)
        };
        let mut session = PersistedSession {
            home_dc_id: 2,
            dcs: vec![dc(2, "149.154.167.51", self.key())],
            ..PersistedSession::default()
        };
        if self == Self::Bare {
            return session.into();
        }
        let id = i64::from(seed) * 1000;
        session
            .dcs
            .push(dc(4, "149.154.167.91", key(seed.wrapping_add(100))));
        session.future_auth_token = Some(vec![seed; 8]);
        session.updates_state = UpdatesStateSnap {
            pts: 10 + i32::from(seed),
            qts: 20,
            date: 1_750_000_000,
            seq: 4,
            channels: vec![(id + 2, 77)],
        };
        session.peers = vec![
            Peer::user(id + 1, 0x1234_5678).into(),
            Peer::channel(id + 2, 0x2345_6789, None).into(),
        ];
        session.min_peers = vec![CachedMinPeer {
            user_id: id + 5,
            peer_id: id + 2,
            msg_id: 9,
        }];
        let names = [PeerNames {
            id: id + 1,
            usernames: vec![format!("user_{seed}")],
            phone: Some(format!("155500{seed}")),
            title: Some(format!("Title {seed}")),
            ..PeerNames::default()
        }];
        let account = Account {
            user_id: Some(777_000 + i64::from(seed)),
            is_bot: Some(self == Self::Another),
            api_id: Some(12_345),
            test_mode: Some(false),
        };
        let ended = LoginState::Revoked {
            at: 1_750_000_000,
            error: "AUTH_KEY_UNREGISTERED",
        };
        let state = if self == Self::Revoked {
            ended
        } else {
            LoginState::Active
        };
        let mut record = SessionRecord::from(session);
        let known = [Change::Account(account), Change::LoginState(state)];
        record.apply_all(&known).unwrap();
        record.set_peer_names(&names).unwrap();
        record
    }
}

/// A key that is not all one byte, so that a window of it is recognised anywhere.
fn key(seed: u8) -> [u8; 256] {
    let mut state = u32::from(seed).wrapping_mul(0x9E37_79B9) | 1;
    core::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    })
}
