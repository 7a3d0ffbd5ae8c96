//! Every number of the format, once. Where they come from is told in `FORMAT.md`.

use crate::auth_key::AUTH_KEY_LEN;

/// The version that is written.
pub(crate) const CURRENT: u8 = 8;

/// First version with counters, channels and peers (and with a version byte).
pub(crate) const HAS_STATE: u8 = 2;
/// First version with a flags byte per DC.
pub(crate) const HAS_DC_FLAGS: u8 = 3;
/// First version with min peers.
pub(crate) const HAS_MIN_PEERS: u8 = 4;
/// First version with a channel kind per peer.
pub(crate) const HAS_CHANNEL_KIND: u8 = 6;
/// First version with a future auth token.
pub(crate) const HAS_TOKEN: u8 = 7;
/// First version with a community byte per peer.
pub(crate) const HAS_COMMUNITY: u8 = 8;

/// The channel kind byte for "not a channel, or not known".
pub(crate) const NO_CHANNEL_KIND: u8 = 0xFF;

/// Bytes of a channel record.
pub(crate) const CHANNEL_LEN: usize = 12;
/// Bytes of a peer record as written.
pub(crate) const PEER_LEN: usize = 19;
/// Bytes of a min-peer record.
pub(crate) const MIN_PEER_LEN: usize = 20;
/// Bytes of a DC entry without its key and address, as written.
pub(crate) const DC_LEN: usize = 19;
/// Bytes of the body around its lists, as written: version, home DC, counters, five counts.
pub(crate) const FIXED_LEN: usize = 29;
/// Bytes of a DC's auth key.
pub(crate) const KEY_LEN: usize = AUTH_KEY_LEN;

/// Bytes of a peer record in the given version.
pub(crate) const fn peer_len(version: u8) -> usize {
    if version >= HAS_COMMUNITY {
        PEER_LEN
    } else if version >= HAS_CHANNEL_KIND {
        18
    } else {
        17
    }
}

/// Most DC entries, and most bytes of an address: one-byte counts.
pub(crate) const MAX_SHORT: usize = 0xFF;
/// Most channels, peers, min peers, and bytes of a token: two-byte counts.
pub(crate) const MAX_LONG: usize = 0xFFFF;

/// How a trailer begins.
pub(crate) const TRAILER_MAGIC: [u8; 4] = *b"MTSX";
/// The trailer version that is written and read.
pub(crate) const TRAILER_VERSION: u8 = 1;
/// Bytes of the checksum at the very end.
pub(crate) const CRC_LEN: usize = 4;

/// Ends the sections.
pub(crate) const TAG_END: u32 = 0;
/// The [`Account`](crate::Account), postcard.
pub(crate) const TAG_ACCOUNT: u32 = 1;
/// Channel records beyond the 65,535th.
pub(crate) const TAG_CHANNELS: u32 = 2;
/// Peer records beyond the 65,535th.
pub(crate) const TAG_PEERS: u32 = 3;
/// Min-peer records beyond the 65,535th.
pub(crate) const TAG_MIN_PEERS: u32 = 4;
/// The [`LoginState`](crate::LoginState), postcard; not written for an active login.
pub(crate) const TAG_LOGIN_STATE: u32 = 5;
/// The token of the program that owns the session, 16 bytes.
pub(crate) const TAG_OWNER: u32 = 6;
/// The first of the tags that a reader who does not know them may skip; up to the footer's.
pub(crate) const TAG_OPTIONAL: u32 = 64;
/// The [`Names`](crate::Names) of peers.
pub(crate) const TAG_NAMES: u32 = 64;
/// Magic and body length, always the last section and always of the same size: finds the trailer
/// from the end of the input even when damage to the body makes its own parse run into it.
pub(crate) const TAG_FOOTER: u32 = 127;
/// Bytes of the footer's payload: [`TRAILER_MAGIC`] and the body's length.
pub(crate) const FOOTER_LEN: usize = 8;

/// How the tail of a session file begins.
pub(crate) const TAIL_MAGIC: [u8; 4] = *b"MTST";
/// How the footer of a file that is written in place begins.
pub(crate) const FOLD_MAGIC: [u8; 4] = *b"MTSR";
