//! A `Change` as the payload of a record, by hand.
//!
//! Peers and channels' pts, the bulk of what a page turn copies, in a packed form: 8 bytes of access
//! hash or 4 of pts, then as many bytes of the id as it needs. Five bits in the head say the rest: 2
//! of peer kind (3: a channel's pts), 2 of channel kind (3: not known), 1 for a community.
//!
//! Everything else in the bytes of [`Change::encode`]; the tests compare. Serde's generic code for
//! the same takes 4 KiB more of a microcontroller's flash, half of the whole log.

use mtsession_core::{
    Account, AuthKeyRef, Change, ChannelKind, Counters, DcFlags, DcRef, MinPeer, Peer, PeerKind,
    UpdateChange,
};

use crate::codec::{Reader, Writer};

const CHANNEL: u8 = 3;
const NO_KIND: u8 = 3;

/// How a payload is written: `Some` bits of the head for packed ones.
pub(crate) type Packed = Option<u8>;

/// Writes the change; `None` for what no record is made of.
pub(crate) fn write(change: &Change<'_>, writer: &mut Writer<'_>) -> Option<Packed> {
    match change {
        Change::Update(UpdateChange::Channel { id, pts }) => {
            return Some(Some(pack(writer, (*pts).into(), 4, *id, CHANNEL)));
        }
        Change::Peer(peer) => {
            let channel_kind = peer.channel_kind.map_or(NO_KIND, ChannelKind::to_byte);
            let bits = peer.kind.to_byte() | channel_kind << 2 | u8::from(peer.is_community) << 4;
            return Some(Some(pack(writer, peer.access_hash, 8, peer.id, bits)));
        }
        Change::HomeDc(id) => {
            writer.byte(0);
            writer.signed((*id).into());
        }
        Change::Dc(dc) => {
            writer.byte(1);
            writer.signed(dc.dc_id.into());
            writer.bytes(dc.addr.as_bytes());
            writer.optional_bytes(dc.auth_key.as_ref().map(|key| key.as_bytes().as_slice()));
            writer.signed(dc.first_salt);
            writer.signed(dc.time_offset.into());
            writer.byte(dc.flags.0);
        }
        Change::Update(UpdateChange::Counters(counters)) => {
            writer.byte(2);
            writer.byte(0);
            writer.signed(counters.pts.into());
            writer.signed(counters.qts.into());
            writer.signed(counters.date.into());
            writer.signed(counters.seq.into());
        }
        Change::Update(UpdateChange::ClearChannels) => {
            writer.byte(2);
            writer.byte(4);
        }
        Change::MinPeer(min_peer) => {
            writer.byte(4);
            writer.signed(min_peer.user_id);
            writer.signed(min_peer.peer_id);
            writer.signed(min_peer.msg_id.into());
        }
        Change::FutureAuthToken(token) => {
            writer.byte(5);
            writer.optional_bytes(*token);
        }
        Change::Account(account) => {
            writer.byte(6);
            writer.optional(account.user_id);
            writer.optional_bool(account.is_bot);
            writer.optional(account.api_id.map(i64::from));
            writer.optional_bool(account.test_mode);
        }
        _ => return None,
    }
    Some(None)
}

fn pack(writer: &mut Writer<'_>, value: i64, len: usize, id: i64, bits: u8) -> u8 {
    writer.fixed(value, len);
    // The sign bit has to be in the last byte that is kept.
    let spare = (id ^ (id >> 63)).leading_zeros().wrapping_sub(1) >> 3;
    writer.fixed(id, usize::try_from(8_u32.wrapping_sub(spare)).unwrap_or(8));
    bits
}

/// Reads a change; `None` for what is none, or a newer release's.
pub(crate) fn read(packed: Packed, bytes: &[u8]) -> Option<Change<'_>> {
    let mut reader = Reader::new(bytes);
    let change = match packed {
        Some(bits) if bits & 3 == CHANNEL => {
            let pts = i32::try_from(reader.fixed(4)).unwrap_or_default();
            let id = reader.rest();
            Change::Update(UpdateChange::Channel { id, pts })
        }
        Some(bits) => Change::Peer(Peer {
            access_hash: reader.fixed(8),
            id: reader.rest(),
            kind: PeerKind::from_byte(bits & 3),
            channel_kind: ChannelKind::from_byte(bits >> 2 & 3),
            is_community: bits >> 4 & 1 == 1,
        }),
        None => postcard(&mut reader)?,
    };
    reader.is_good().then_some(change)
}

fn postcard<'b>(reader: &mut Reader<'b>) -> Option<Change<'b>> {
    Some(match reader.byte() {
        0 => Change::HomeDc(reader.int()),
        1 => Change::Dc(DcRef {
            dc_id: reader.int(),
            addr: core::str::from_utf8(reader.bytes()).ok()?,
            auth_key: match reader.optional_bytes() {
                Some(key) => Some(AuthKeyRef::new(key.try_into().ok()?)),
                None => None,
            },
            first_salt: reader.signed(),
            time_offset: reader.int(),
            flags: DcFlags(reader.byte()),
        }),
        2 => Change::Update(match reader.byte() {
            0 => UpdateChange::Counters(Counters {
                pts: reader.int(),
                qts: reader.int(),
                date: reader.int(),
                seq: reader.int(),
            }),
            4 => UpdateChange::ClearChannels,
            _ => return None,
        }),
        4 => Change::MinPeer(MinPeer {
            user_id: reader.signed(),
            peer_id: reader.signed(),
            msg_id: reader.int(),
        }),
        5 => Change::FutureAuthToken(reader.optional_bytes()),
        6 => Change::Account(Account {
            user_id: reader.flag().then(|| reader.signed()),
            is_bot: reader.optional_bool(),
            api_id: reader.flag().then(|| reader.int()),
            test_mode: reader.optional_bool(),
        }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(change: Change<'_>) {
        let (mut ours, mut theirs) = ([0; 600], [0; 600]);
        let expected = change.encode(&mut theirs).unwrap();
        let mut writer = Writer::new(&mut ours, false);
        assert_eq!(write(&change, &mut writer), Some(None));
        assert_eq!(writer.written(), u32::try_from(expected.len()).ok());
        assert_eq!(ours[..expected.len()], *expected, "{change:?}");
        assert_eq!(read(None, expected), Some(change));
        for cut in 0..expected.len() {
            assert_eq!(
                read(None, &expected[..cut]),
                None,
                "{change:?} cut at {cut}"
            );
            let mut writer = Writer::new(&mut ours[..cut], false);
            write(&change, &mut writer);
            assert_eq!(writer.written(), None);
        }
        let compare = |place: &mut [u8]| {
            let mut writer = Writer::new(place, true);
            write(&change, &mut writer);
            writer.is_same()
        };
        assert!(compare(expected));
        let (cut, _) = expected.split_at_mut(expected.len().saturating_sub(1));
        assert!(!compare(cut));
        for at in 0..expected.len() {
            expected[at] ^= 0x10;
            assert!(!compare(expected), "{change:?}, byte {at}");
            expected[at] ^= 0x10;
        }
    }

    #[test]
    fn writes_and_reads_what_postcard_does() {
        let key = core::array::from_fn(|n| u8::try_from(n).unwrap());
        for value in [0, 1, -1, 63, 64, -65, i32::MAX, i32::MIN] {
            let long = i64::from(value) << 31;
            same(Change::HomeDc(value));
            for auth_key in [None, Some(AuthKeyRef::new(&key))] {
                same(Change::Dc(DcRef {
                    dc_id: value,
                    addr: "149.154.167.51:443",
                    auth_key,
                    first_salt: long,
                    time_offset: value,
                    flags: DcFlags(0x93),
                }));
            }
            same(Change::Update(UpdateChange::Counters(Counters {
                pts: value,
                qts: 1,
                date: -value.max(-9),
                seq: 3,
            })));
            same(Change::MinPeer(MinPeer {
                user_id: long,
                peer_id: -5,
                msg_id: value,
            }));
            same(Change::Account(Account {
                user_id: Some(long),
                is_bot: Some(value > 0),
                api_id: Some(value),
                test_mode: None,
            }));
        }
        same(Change::Update(UpdateChange::ClearChannels));
        same(Change::Account(Account::default()));
        same(Change::FutureAuthToken(None));
        same(Change::FutureAuthToken(Some(&[5; 200])));
    }

    #[test]
    fn packs_peers_and_channels() {
        let ids = [
            0,
            1,
            -1,
            127,
            128,
            -128,
            -129,
            5_000_000_000,
            i64::MAX,
            i64::MIN,
        ];
        let channel_kinds = [
            None,
            Some(ChannelKind::Broadcast),
            Some(ChannelKind::Gigagroup),
        ];
        let kinds = [PeerKind::User, PeerKind::Channel, PeerKind::Chat];
        for (id, channel_kind, kind) in ids
            .into_iter()
            .flat_map(|id| channel_kinds.map(|channel_kind| (id, channel_kind)))
            .flat_map(|(id, channel_kind)| kinds.map(|kind| (id, channel_kind, kind)))
        {
            let peer = Change::Peer(Peer {
                id,
                access_hash: i64::MIN + 5,
                kind,
                channel_kind,
                is_community: id > 1,
            });
            let channel = Change::Update(UpdateChange::Channel { id, pts: -7 });
            for change in [peer, channel] {
                let mut place = [0; 16];
                let mut writer = Writer::new(&mut place, false);
                let packed = write(&change, &mut writer).unwrap();
                let len = usize::try_from(writer.written().unwrap()).unwrap();
                assert_eq!(read(packed, &place[..len]), Some(change));
            }
        }
        assert_eq!(read(Some(CHANNEL), &[1, 2]), None);
        assert_eq!(read(Some(0), &[1; 17]), None);
    }
}
