//! The same sessions for every contender.

use core::fmt;

use ferogram_session as old;
use mtsession::{
    CachedMinPeer, CachedPeer, ChannelKind, DcEntry, DcFlags, PersistedSession, UpdatesStateSnap,
};

/// One session in the types of both crates, and in every form that is measured.
pub struct Sample {
    /// `S`, `M` or `L`.
    pub size: &'static str,
    /// For this library.
    pub session: PersistedSession,
    /// For the crate that it replaces.
    pub old: old::PersistedSession,
    /// Version 8, as the old crate writes it.
    pub body: Vec<u8>,
    /// The same with the trailer.
    pub bytes: Vec<u8>,
    /// The native string.
    pub text: String,
    /// The native string of the old crate.
    pub old_text: String,
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.size)
    }
}

/// What the three sizes stand for.
pub const SIZES: [(&str, &str); 3] = [
    ("S", "5 DCs"),
    ("M", "5 DCs, 1,000 peers, 100 channels, 100 min peers"),
    ("L", "10 DCs, 60,000 peers, 1,000 channels, 5,000 min peers"),
];

/// The three sizes that every table has.
///
/// # Panics
/// When the two crates do not agree on the bytes: then nothing that is measured means anything.
#[must_use]
pub fn samples() -> [Sample; 3] {
    [
        sample("S", 5, 0, 0, 0),
        sample("M", 5, 1_000, 100, 100),
        sample("L", 10, 60_000, 1_000, 5_000),
    ]
}

fn sample(size: &'static str, dcs: i32, peers: i64, channels: i64, min_peers: i64) -> Sample {
    let session = session(dcs, peers, channels, min_peers);
    let bytes = session.to_bytes();
    // The bytes are the one thing that both crates agree on.
    let old = old::PersistedSession::from_bytes(&bytes).expect("a session");
    let body = old.to_bytes();
    assert!(bytes.starts_with(&body), "{size} differs");
    Sample {
        size,
        text: session.to_string(),
        old_text: old.to_string(),
        session,
        old,
        body,
        bytes,
    }
}

/// Numbers without a pattern that a compressor or a branch predictor would find.
fn scatter(n: i64) -> i64 {
    let n = n
        .wrapping_mul(0x5851_F42D_4C95_7F2D)
        .wrapping_add(0x1405_7B7E_F767_814F);
    n ^ (n >> 29)
}

fn session(dcs: i32, peers: i64, channels: i64, min_peers: i64) -> PersistedSession {
    let dc = |dc_id: i32| DcEntry {
        auth_key: Some(core::array::from_fn(|at| {
            let at = i64::try_from(at).unwrap_or_default();
            scatter(at.wrapping_add(i64::from(dc_id))).to_le_bytes()[0]
        })),
        first_salt: scatter(dc_id.into()),
        time_offset: -1,
        ..DcEntry::from_parts(dc_id, "149.154.167.51", 443, DcFlags::NONE)
    };
    let peer = |n: i64| {
        let random = scatter(n);
        CachedPeer {
            id: random >> 24,
            access_hash: random,
            is_channel: random & 3 == 1,
            is_chat: random & 3 == 2,
            channel_kind: ChannelKind::from_byte(random.to_le_bytes()[1] & 3),
            is_community: random & 0x3F00 == 0,
        }
    };
    let low =
        |n: i64| i32::from_le_bytes(*scatter(n).to_le_bytes().first_chunk().unwrap_or(&[0; 4]));
    PersistedSession {
        home_dc_id: 2,
        dcs: (1..=dcs).map(dc).collect(),
        updates_state: UpdatesStateSnap {
            pts: 4_211_000,
            qts: 17,
            date: 1_750_000_000,
            seq: 900,
            channels: (0..channels).map(|n| (scatter(n) >> 24, low(n))).collect(),
        },
        peers: (0..peers).map(peer).collect(),
        min_peers: (0..min_peers)
            .map(|n| CachedMinPeer {
                user_id: scatter(n) >> 24,
                peer_id: n,
                msg_id: low(n),
            })
            .collect(),
        future_auth_token: Some(vec![7; 32]),
    }
}
