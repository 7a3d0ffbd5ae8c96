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

use crate::codec::Codec;

const CHANNEL: u8 = 3;
const NO_KIND: u8 = 3;

/// How a payload is written: `Some` bits of the head for packed ones.
pub(crate) type Packed = Option<u8>;

/// An entry without a content.
pub(crate) const NO_DC: DcRef<'static> = DcRef {
    dc_id: 0,
    addr: "",
    auth_key: None,
    first_salt: 0,
    time_offset: 0,
    flags: DcFlags::NONE,
};

/// Writes or compares the change; says how long it is. `None` for what no record is made of, does not
/// fit or differs.
pub(crate) fn write<'b>(change: &Change<'b>, codec: &mut Codec<'b, '_>) -> Option<(Packed, usize)> {
    let packed = match change {
        // The slot says whether it is a new one.
        Change::Update(UpdateChange::Channel { .. } | UpdateChange::PushChannel { .. }) => {
            Some(CHANNEL)
        }
        Change::Peer(peer) => {
            let channel_kind = peer.channel_kind.map_or(NO_KIND, ChannelKind::to_byte);
            let bits = peer.kind.to_byte() | channel_kind << 2;
            Some(bits | u8::from(peer.is_community) << 4)
        }
        _ => None,
    };
    let mut copy = *change;
    fields(&mut copy, codec)?;
    Some((packed, codec.done()?))
}

/// Reads a change; `None` for what is none, or a newer release's.
pub(crate) fn read(packed: Packed, bytes: &[u8]) -> Option<Change<'_>> {
    let mut change = match (packed, bytes) {
        (Some(bits), _) if bits & 3 == CHANNEL => {
            Change::Update(UpdateChange::Channel { id: 0, pts: 0 })
        }
        (Some(bits), _) => Change::Peer(Peer {
            kind: PeerKind::from_byte(bits & 3),
            channel_kind: ChannelKind::from_byte(bits >> 2 & 3),
            is_community: bits >> 4 & 1 == 1,
            ..Peer::default()
        }),
        (_, [0, ..]) => Change::HomeDc(0),
        (_, [1, ..]) => Change::Dc(NO_DC),
        (_, [2, 0, ..]) => Change::Update(UpdateChange::Counters(Counters::default())),
        (_, [2, 4, ..]) => Change::Update(UpdateChange::ClearChannels),
        (_, [4, ..]) => Change::MinPeer(MinPeer::default()),
        (_, [5, ..]) => Change::FutureAuthToken(None),
        (_, [6, ..]) => Change::Account(Account::default()),
        _ => return None,
    };
    let mut codec = Codec::read(bytes);
    fields(&mut change, &mut codec)?;
    codec.done()?;
    Some(change)
}

/// The fields of each change in their order, behind the number of its variant.
#[inline(never)]
fn fields<'b>(change: &mut Change<'b>, codec: &mut Codec<'b, '_>) -> Option<()> {
    match change {
        Change::Update(
            UpdateChange::Channel { id, pts } | UpdateChange::PushChannel { id, pts },
        ) => {
            *pts = codec.word(*pts);
            *id = codec.rest(*id);
        }
        Change::Peer(peer) => {
            peer.access_hash = codec.fixed(peer.access_hash, 8);
            peer.id = codec.rest(peer.id);
        }
        Change::HomeDc(id) => {
            codec.byte(0);
            *id = codec.int(*id);
        }
        Change::Dc(dc) => {
            codec.byte(1);
            dc.dc_id = codec.int(dc.dc_id);
            dc.addr = core::str::from_utf8(codec.bytes(dc.addr.as_bytes())).ok()?;
            let key = dc.auth_key.as_ref().map(|key| key.as_bytes().as_slice());
            dc.auth_key = match codec.optional(key, Codec::bytes) {
                Some(key) => Some(AuthKeyRef::new(key.try_into().ok()?)),
                None => None,
            };
            dc.first_salt = codec.signed(dc.first_salt);
            dc.time_offset = codec.int(dc.time_offset);
            dc.flags.0 = codec.byte(dc.flags.0);
        }
        Change::Update(UpdateChange::Counters(counters)) => {
            codec.byte(2);
            codec.byte(0);
            counters.pts = codec.int(counters.pts);
            counters.qts = codec.int(counters.qts);
            counters.date = codec.int(counters.date);
            counters.seq = codec.int(counters.seq);
        }
        Change::Update(UpdateChange::ClearChannels) => {
            codec.byte(2);
            codec.byte(4);
        }
        Change::MinPeer(min_peer) => {
            codec.byte(4);
            min_peer.user_id = codec.signed(min_peer.user_id);
            min_peer.peer_id = codec.signed(min_peer.peer_id);
            min_peer.msg_id = codec.int(min_peer.msg_id);
        }
        Change::FutureAuthToken(token) => {
            codec.byte(5);
            *token = codec.optional(*token, Codec::bytes);
        }
        Change::Account(account) => {
            codec.byte(6);
            account.user_id = codec.optional(account.user_id, Codec::signed);
            account.is_bot = codec.optional(account.is_bot, Codec::flag);
            account.api_id = codec.optional(account.api_id, Codec::int);
            account.test_mode = codec.optional(account.test_mode, Codec::flag);
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(change: Change<'_>) {
        let (mut ours, mut theirs) = ([0; 600], [0; 600]);
        let expected = change.encode(&mut theirs).unwrap();
        let written = write(&change, &mut Codec::write(&mut ours));
        assert_eq!(written, Some((None, expected.len())));
        assert_eq!(ours[..expected.len()], *expected, "{change:?}");
        assert_eq!(read(None, expected), Some(change));
        for cut in 0..expected.len() {
            assert_eq!(
                read(None, &expected[..cut]),
                None,
                "{change:?} cut at {cut}"
            );
            assert_eq!(write(&change, &mut Codec::write(&mut ours[..cut])), None);
        }
        let compare = |bytes: &[u8]| write(&change, &mut Codec::compare(bytes)).is_some();
        assert!(compare(expected));
        let (cut, _) = expected.split_at(expected.len().saturating_sub(1));
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
                let (packed, len) = write(&change, &mut Codec::write(&mut place)).unwrap();
                assert_eq!(read(packed, &place[..len]), Some(change));
            }
        }
        assert_eq!(read(Some(CHANNEL), &[1, 2]), None);
        assert_eq!(read(Some(0), &[1; 17]), None);
    }
}
