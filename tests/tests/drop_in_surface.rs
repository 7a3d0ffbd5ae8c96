//! The public names of ferogram-session 0.6.6, with their exact signatures: one list, compiled against that
//! crate and against ours. A name that is missing here, or has another type, does not compile.

use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

fn is<T: Clone + Debug>() {}
fn is_serde<T: Serialize + DeserializeOwned>() {}
fn is_shared<T: Send + Sync + 'static>() {}
fn is_default<T: Default>() {}
fn is_shown<T: Display>() {}
fn is_equal<T: Copy + Eq>() {}
fn is_made_of<T: From<F>, F>() {}
fn is_error<T: std::error::Error + From<base64::DecodeError>>() {}

/// Every name of the crate that no feature hides. Structs are made and taken apart field by field, without
/// `..`: they have these fields, all of them public, and no others.
macro_rules! surface {
    ($test:ident, $the:ident) => {
        mod $test {
            use super::*;
            use $the::*;

            #[test]
            fn dcs() {
                is::<DcFlags>();
                is_equal::<DcFlags>();
                is_default::<DcFlags>();
                is_serde::<DcFlags>();
                let DcFlags(_): DcFlags = DcFlags(0u8);
                let _: [DcFlags; 6] = [
                    DcFlags::NONE,
                    DcFlags::IPV6,
                    DcFlags::MEDIA_ONLY,
                    DcFlags::TCPO_ONLY,
                    DcFlags::CDN,
                    DcFlags::STATIC,
                ];
                let _: fn(DcFlags, DcFlags) -> bool = DcFlags::contains;
                let _: fn(&mut DcFlags, DcFlags) = DcFlags::set;
                let _: DcFlags = DcFlags::CDN | DcFlags::IPV6;

                is::<DcEntry>();
                is_serde::<DcEntry>();
                let DcEntry {
                    dc_id,
                    addr,
                    auth_key,
                    first_salt,
                    time_offset,
                    flags,
                } = DcEntry::from_parts(2, "149.154.167.51", 443, DcFlags::NONE);
                let _: (i32, String, Option<[u8; 256]>, i64, i32, DcFlags) =
                    (dc_id, addr, auth_key, first_salt, time_offset, flags);
                let _: fn(i32, &str, u16, DcFlags) -> DcEntry = DcEntry::from_parts;
                let _: fn(&DcEntry) -> bool = DcEntry::is_ipv6;
                let _: fn(&DcEntry) -> io::Result<SocketAddr> = DcEntry::socket_addr;
                let _: fn() -> HashMap<i32, String> = default_dc_addresses;
            }

            #[test]
            fn update_state() {
                is::<UpdatesStateSnap>();
                is_default::<UpdatesStateSnap>();
                is_serde::<UpdatesStateSnap>();
                let UpdatesStateSnap {
                    pts,
                    qts,
                    date,
                    seq,
                    channels,
                } = UpdatesStateSnap::default();
                let _: (i32, i32, i32, i32, Vec<(i64, i32)>) = (pts, qts, date, seq, channels);
                let _: fn(&UpdatesStateSnap) -> bool = UpdatesStateSnap::is_initialised;
                let _: fn(&mut UpdatesStateSnap, i64, i32) = UpdatesStateSnap::set_channel_pts;
                let _: fn(&UpdatesStateSnap, i64) -> i32 = UpdatesStateSnap::channel_pts;
            }

            #[test]
            fn peers() {
                is_equal::<ChannelKind>();
                is_serde::<ChannelKind>();
                for (kind, byte) in [
                    (ChannelKind::Broadcast, 0),
                    (ChannelKind::Megagroup, 1),
                    (ChannelKind::Gigagroup, 2),
                ] {
                    // Exhaustive: it may be matched so.
                    match kind {
                        ChannelKind::Broadcast
                        | ChannelKind::Megagroup
                        | ChannelKind::Gigagroup => {}
                    }
                    assert_eq!(kind.to_byte(), byte);
                    assert_eq!(ChannelKind::from_byte(byte), Some(kind));
                }
                let _: fn(u8) -> Option<ChannelKind> = ChannelKind::from_byte;
                let _: fn(ChannelKind) -> u8 = ChannelKind::to_byte;

                is::<CachedPeer>();
                is_serde::<CachedPeer>();
                let CachedPeer {
                    id: _,
                    access_hash: _,
                    is_channel: _,
                    is_chat: _,
                    is_community: _,
                    channel_kind: _,
                } = CachedPeer {
                    id: 1_i64,
                    access_hash: 2_i64,
                    is_channel: false,
                    is_chat: false,
                    is_community: false,
                    channel_kind: None::<ChannelKind>,
                };
                is::<CachedMinPeer>();
                is_serde::<CachedMinPeer>();
                let CachedMinPeer {
                    user_id: _,
                    peer_id: _,
                    msg_id: _,
                } = CachedMinPeer {
                    user_id: 1_i64,
                    peer_id: 2_i64,
                    msg_id: 3_i32,
                };
            }

            #[test]
            fn session() {
                is::<PersistedSession>();
                is_default::<PersistedSession>();
                is_serde::<PersistedSession>();
                is_shown::<PersistedSession>();
                let PersistedSession {
                    home_dc_id,
                    dcs,
                    updates_state,
                    peers,
                    min_peers,
                    future_auth_token,
                } = PersistedSession::default();
                let _: (i32, Vec<DcEntry>, UpdatesStateSnap) = (home_dc_id, dcs, updates_state);
                let _: (Vec<CachedPeer>, Vec<CachedMinPeer>) = (peers, min_peers);
                let _: Option<Vec<u8>> = future_auth_token;
                let _: fn(&PersistedSession) -> Vec<u8> = PersistedSession::to_bytes;
                let _: fn(&[u8]) -> io::Result<PersistedSession> = PersistedSession::from_bytes;
                let _: fn(&str) -> io::Result<PersistedSession> = PersistedSession::from_string;
                let _: fn(&PersistedSession, &Path) -> io::Result<()> = PersistedSession::save;
                let _: fn(&Path) -> io::Result<PersistedSession> = PersistedSession::load;
                let _: fn(&PersistedSession, i32, bool) -> Option<&DcEntry> =
                    PersistedSession::dc_for;
                let _: fn(&PersistedSession) -> SessionStats = PersistedSession::stats;
                let session = PersistedSession::default();
                let _: Option<&DcEntry> = session.all_dcs_for(2).next();
                let stats: SessionStats = session.stats();
                is::<SessionStats>();
                let _: (i32, bool) = (stats.home_dc_id, stats.updates_initialised);
                let _: [usize; 9] = [
                    stats.dcs_total,
                    stats.dcs_with_auth_key,
                    stats.peers_total,
                    stats.peers_users,
                    stats.peers_channels,
                    stats.peers_chats,
                    stats.min_peers,
                    stats.channel_pts_entries,
                    stats.approx_bytes,
                ];
            }

            #[test]
            fn changes() {
                is::<UpdateStateChange>();
                for change in [
                    UpdateStateChange::All(UpdatesStateSnap::default()),
                    UpdateStateChange::Primary {
                        pts: 1_i32,
                        date: 2_i32,
                        seq: 3_i32,
                    },
                    UpdateStateChange::Secondary { qts: 4_i32 },
                    UpdateStateChange::Channel {
                        id: 5_i64,
                        pts: 6_i32,
                    },
                ] {
                    match change {
                        UpdateStateChange::All(_)
                        | UpdateStateChange::Primary { .. }
                        | UpdateStateChange::Secondary { .. }
                        | UpdateStateChange::Channel { .. } => {}
                    }
                }
                let _: fn(&UpdateStateChange, &mut UpdatesStateSnap) = UpdateStateChange::apply_to;
            }

            #[test]
            fn the_trait() {
                let _: fn(&InMemoryBackend, &PersistedSession) -> io::Result<()> =
                    <InMemoryBackend as SessionBackend>::save;
                let _: fn(&InMemoryBackend) -> io::Result<Option<PersistedSession>> =
                    <InMemoryBackend as SessionBackend>::load;
                let _: fn(&InMemoryBackend) -> io::Result<()> =
                    <InMemoryBackend as SessionBackend>::delete;
                let _: fn(&InMemoryBackend) -> &str = <InMemoryBackend as SessionBackend>::name;
                let _: fn(&InMemoryBackend, &DcEntry) -> io::Result<()> =
                    <InMemoryBackend as SessionBackend>::update_dc;
                let _: fn(&InMemoryBackend, i32) -> io::Result<()> =
                    <InMemoryBackend as SessionBackend>::set_home_dc;
                let _: fn(&InMemoryBackend, UpdateStateChange) -> io::Result<()> =
                    <InMemoryBackend as SessionBackend>::apply_update_state;
                let _: fn(&InMemoryBackend, &CachedPeer) -> io::Result<()> =
                    <InMemoryBackend as SessionBackend>::cache_peer;

                let _: Option<&dyn SessionBackend> = None;
            }

            #[test]
            fn backends() {
                is_shared::<BinaryFileBackend>();
                let _: fn(PathBuf) -> BinaryFileBackend = BinaryFileBackend::new;
                let _: fn(&'static str) -> BinaryFileBackend = BinaryFileBackend::new;
                let _: fn(&BinaryFileBackend) -> &Path = BinaryFileBackend::path;
                assert_eq!(BinaryFileBackend::new("a").name(), "binary-file");
                is_shared::<InMemoryBackend>();
                is_default::<InMemoryBackend>();
                let _: fn() -> InMemoryBackend = InMemoryBackend::new;
                let _: fn(&InMemoryBackend) -> Option<PersistedSession> = InMemoryBackend::snapshot;
                assert_eq!(InMemoryBackend::new().name(), "in-memory");
                is_shared::<StringSessionBackend>();
                let _: fn(String) -> StringSessionBackend = StringSessionBackend::new;
                let _: fn(&'static str) -> StringSessionBackend = StringSessionBackend::new;
                let _: fn(&StringSessionBackend) -> String = StringSessionBackend::current;
                assert_eq!(StringSessionBackend::new("").name(), "string-session");
            }

            #[test]
            fn strings() {
                // The same names at the root and in the module.
                let _: fn(string_session::Session) -> Session = std::convert::identity;
                let _: fn(string_session::FullSession) -> FullSession = std::convert::identity;
                let _: fn(string_session::StringSession) -> StringSession = std::convert::identity;
                is::<FullSession>();
                is::<Session>();
                is::<StringSession>();
                is_made_of::<StringSession, FullSession>();
                is_made_of::<StringSession, Session>();
                let ip = IpAddr::from([149, 154, 167, 51]);
                let short = Session {
                    dc_id: 2_u8,
                    ip,
                    port: 443_u16,
                    auth_key: [1; 256],
                    user_id: 7_i64,
                };
                let full = FullSession {
                    dc_id: 2_u8,
                    ip,
                    port: 443_u16,
                    auth_key: [1; 256],
                    user_id: 7_i64,
                    server_salt: 8_i64,
                    seq_no: 9_u32,
                    layer: 10_u32,
                };
                for string in [StringSession::V1(full), StringSession::V2(short)] {
                    match string {
                        StringSession::V1(_) | StringSession::V2(_) => {}
                    }
                }
            }

            #[test]
            fn decoded_strings() {
                let _: fn(&str) -> Result<StringSession, StringSessionError> =
                    StringSession::decode;
                let _: fn(&StringSession) -> String = StringSession::encode;
                let _: fn(&StringSession) -> String = StringSession::encode_v1;
                let _: fn(&StringSession) -> Session = StringSession::session;
                let _: fn(&StringSession) -> Option<&FullSession> = StringSession::full_session;
                let _: fn(&StringSession) -> u8 = StringSession::version;
                is_error::<StringSessionError>();
                for error in [
                    StringSessionError::Base64(base64::DecodeError::InvalidPadding),
                    StringSessionError::InvalidData,
                    StringSessionError::UnsupportedVersion(9_u8),
                    StringSessionError::UnknownIpType(9_u8),
                ] {
                    match error {
                        StringSessionError::Base64(_)
                        | StringSessionError::InvalidData
                        | StringSessionError::UnsupportedVersion(_)
                        | StringSessionError::UnknownIpType(_) => {}
                    }
                }
            }
        }
    };
}

surface!(of_the_crate_that_is_replaced, ferogram_session);
surface!(of_this_library, mtsession);

/// What its features bring. Two copies of SQLite cannot be linked, so that the published crate stands
/// here in words only.
#[test]
fn of_the_databases() {
    use mtsession::{LibSqlBackend, SqliteBackend};

    is_shared::<SqliteBackend>();
    let _: fn(PathBuf) -> io::Result<SqliteBackend> = SqliteBackend::open;
    let _: fn(&'static str) -> io::Result<SqliteBackend> = SqliteBackend::open;
    let _: fn() -> io::Result<SqliteBackend> = SqliteBackend::in_memory;
    is_shared::<LibSqlBackend>();
    let _: fn(PathBuf) -> io::Result<LibSqlBackend> = LibSqlBackend::open_local;
    let _: fn() -> io::Result<LibSqlBackend> = LibSqlBackend::in_memory;
    let _: fn(String, String) -> io::Result<LibSqlBackend> = LibSqlBackend::open_remote;
    let _: fn(PathBuf, String, String) -> io::Result<LibSqlBackend> = LibSqlBackend::open_replica;
}
