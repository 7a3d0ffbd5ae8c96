//! Random sessions and changes. Ids are drawn from small ranges, so that they collide.

use mtsession::{
    Account, CachedMinPeer, CachedPeer, ChannelKind, DcEntry, DcFlags, PersistedSession,
    UpdateStateChange, UpdatesStateSnap,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

prop_compose! {
    pub fn dc()(
        dc_id in prop_oneof![4 => 1..=5_i32, 1 => any::<i32>()],
        addr in prop_oneof![
            4 => "[0-9]{1,3}\\.[0-9]{1,3}:443",
            1 => "\\[2001:db8::[0-9a-f]{1,4}\\]:443",
            1 => "\\PC{0,40}",
        ],
        key in option::of(any::<u8>()),
        first_salt in any::<i64>(),
        time_offset in any::<i32>(),
        flags in prop_oneof![4 => 0..32_u8, 1 => any::<u8>()],
    ) -> DcEntry {
        DcEntry {
            dc_id,
            addr,
            auth_key: key.map(key_of),
            first_salt,
            time_offset,
            flags: DcFlags(flags),
        }
    }
}

/// A key that is not all one byte, so that a window of it is recognised anywhere.
#[must_use]
pub fn key_of(seed: u8) -> [u8; 256] {
    let mut state = u32::from(seed).wrapping_mul(0x9E37_79B9) | 1;
    core::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state & 0xFF) as u8
    })
}

prop_compose! {
    pub fn peer()(
        id in prop_oneof![4 => 1..6_i64, 1 => any::<i64>()],
        access_hash in any::<i64>(),
        kind in 0..3_u8,
        channel_kind in option::of(0..3_u8),
        is_community in prop::bool::weighted(0.2),
    ) -> CachedPeer {
        CachedPeer {
            id,
            access_hash,
            is_channel: kind == 1,
            is_chat: kind == 2,
            channel_kind: channel_kind.and_then(ChannelKind::from_byte),
            is_community,
        }
    }
}

prop_compose! {
    pub fn min_peer()(
        user_id in 1..6_i64,
        peer_id in any::<i64>(),
        msg_id in any::<i32>(),
    ) -> CachedMinPeer {
        CachedMinPeer { user_id, peer_id, msg_id }
    }
}

fn channel() -> impl Strategy<Value = (i64, i32)> {
    (1..6_i64, any::<i32>())
}

prop_compose! {
    pub fn state()(
        (pts, qts, date, seq) in any::<(i32, i32, i32, i32)>(),
        channels in vec(channel(), 0..6),
    ) -> UpdatesStateSnap {
        UpdatesStateSnap { pts, qts, date, seq, channels }
    }
}

prop_compose! {
    /// Order is random and duplicates are likely: both must be kept.
    pub fn session()(
        home_dc_id in prop_oneof![4 => 0..=5_i32, 1 => any::<i32>()],
        dcs in vec(dc(), 0..6),
        updates_state in state(),
        peers in vec(peer(), 0..12),
        min_peers in vec(min_peer(), 0..6),
        future_auth_token in option::of(vec(any::<u8>(), 0..40)),
    ) -> PersistedSession {
        PersistedSession { home_dc_id, dcs, updates_state, peers, min_peers, future_auth_token }
    }
}

prop_compose! {
    pub fn account()(
        user_id in option::of(1..i64::MAX),
        is_bot in any::<Option<bool>>(),
        api_id in any::<Option<i32>>(),
        test_mode in any::<Option<bool>>(),
    ) -> Account {
        Account { user_id, is_bot, api_id, test_mode }
    }
}

pub fn update() -> impl Strategy<Value = UpdateStateChange> {
    prop_oneof![
        state().prop_map(UpdateStateChange::All),
        any::<(i32, i32, i32)>().prop_map(|(pts, date, seq)| UpdateStateChange::Primary {
            pts,
            date,
            seq
        }),
        any::<i32>().prop_map(|qts| UpdateStateChange::Secondary { qts }),
        channel().prop_map(|(id, pts)| UpdateStateChange::Channel { id, pts }),
    ]
}

/// A session of a given size, always the same.
#[must_use]
pub fn sized(dcs: i32, peers: i64, channels: i64, min_peers: i64) -> PersistedSession {
    let spread = |n: i64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64);
    let dc = |dc_id: i32| DcEntry {
        dc_id,
        addr: format!("149.154.167.{dc_id}:443"),
        auth_key: Some(key_of(dc_id as u8)),
        first_salt: spread(dc_id.into()),
        time_offset: -dc_id,
        flags: DcFlags::NONE,
    };
    let peer = |n: i64| CachedPeer {
        id: 1_000_000 + n,
        access_hash: spread(n),
        is_channel: n % 3 == 1,
        is_chat: n % 3 == 2,
        channel_kind: u8::try_from(n % 5).ok().and_then(ChannelKind::from_byte),
        is_community: n % 97 == 0,
    };
    PersistedSession {
        home_dc_id: 2,
        dcs: (1..=dcs).map(dc).collect(),
        updates_state: UpdatesStateSnap {
            pts: 4211,
            qts: 17,
            date: 1_750_000_000,
            seq: 9,
            channels: (0..channels)
                .map(|n| (1_000_000_000 + n, (n % 5_000) as i32))
                .collect(),
        },
        peers: (0..peers).map(peer).collect(),
        min_peers: (0..min_peers)
            .map(|n| CachedMinPeer {
                user_id: 5_550_000 + n,
                peer_id: n,
                msg_id: n as i32,
            })
            .collect(),
        future_auth_token: None,
    }
}
