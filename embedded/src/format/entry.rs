//! Entries of a record.
//!
//! The order of the fields is a disk format: golden images hold it. An entry takes the same room however
//! its counters move, so that what a page had room for, the next one has.

use mtsession_core::{
    Account, AuthKeyRef, Change, ChannelKind, Counters, DcFlags, DcRef, LoginState, MinPeer, Peer,
    PeerKind, UpdateChange,
};

use crate::format::codec::{Codec, Text};
use crate::index::{List, Place};

/// The kind of an entry that says how long a list is now.
const LENGTH: u8 = 6;

/// What an entry says.
#[derive(Clone, Copy)]
pub(crate) enum Entry<'a> {
    /// What stands at a place.
    At(Place, Change<'a>),
    /// Nothing of a list counts from this position on.
    Length(List, usize),
}

/// Passes over one entry: `entry` is written or measured, or an entry is read, whatever `entry` is. `None`
/// is an entry that this release does not know, or no entry.
#[inline(never)]
pub(crate) fn entry<'x, 'b: 'x>(
    codec: &mut Codec<'b, '_>,
    entry: &Entry<'x>,
    text: &'x mut Text,
) -> Option<Entry<'x>> {
    let (kind, bits, position, change) = match entry {
        Entry::Length(list, len) => (LENGTH, list.number(), *len, None),
        Entry::At(place, change) => {
            let bits = match change {
                Change::Peer(peer) => peer_bits(peer),
                _ if place.list() == List::Singles => Codec::bits(place.position()),
                _ => 0,
            };
            (place.list().number(), bits, place.position(), Some(change))
        }
    };
    let first = codec.byte(kind << 5 | bits);
    let (kind, bits) = (first >> 5, first & 31);
    let position = match kind {
        0 => bits.into(),
        _ => codec.position(position),
    };
    if kind == LENGTH {
        return (!codec.bad).then_some(Entry::Length(List::of(bits)?, position));
    }
    let list = List::of(kind)?;
    let change = match list {
        List::Singles => single(codec, position, change, text)?,
        List::Dcs | List::Copies => Change::Dc(dc(codec, change, text)),
        List::Channels => {
            let (id, pts) = match change {
                Some(Change::Update(UpdateChange::Channel { id, pts })) => (*id, *pts),
                _ => (0, 0),
            };
            Change::Update(UpdateChange::Channel {
                id: codec.num(id),
                pts: codec.word(pts),
            })
        }
        List::Peers => {
            let peer = match change {
                Some(Change::Peer(peer)) => *peer,
                _ => Peer::default(),
            };
            Change::Peer(Peer {
                id: codec.num(peer.id),
                access_hash: codec.long(peer.access_hash),
                kind: PeerKind::from_byte(bits >> 3),
                channel_kind: ChannelKind::from_byte(bits & 3),
                is_community: bits & 4 != 0,
            })
        }
        List::MinPeers => {
            let peer = match change {
                Some(Change::MinPeer(peer)) => *peer,
                _ => MinPeer::default(),
            };
            Change::MinPeer(MinPeer {
                user_id: codec.num(peer.user_id),
                peer_id: codec.num(peer.peer_id),
                msg_id: codec.int(peer.msg_id),
            })
        }
    };
    (!codec.bad).then_some(Entry::At(Place::new(list, position), change))
}

fn peer_bits(peer: &Peer) -> u8 {
    let kind = peer.channel_kind.map_or(3, ChannelKind::to_byte);
    peer.kind.to_byte() << 3 | u8::from(peer.is_community) << 2 | kind
}

fn single<'x, 'b: 'x>(
    codec: &mut Codec<'b, '_>,
    position: usize,
    change: Option<&Change<'x>>,
    text: &'x mut Text,
) -> Option<Change<'x>> {
    Some(match position {
        0 => {
            let known = match change {
                Some(Change::Update(UpdateChange::Counters(known))) => *known,
                _ => Counters::default(),
            };
            Change::Update(UpdateChange::Counters(Counters {
                pts: codec.word(known.pts),
                qts: codec.word(known.qts),
                date: codec.word(known.date),
                seq: codec.word(known.seq),
            }))
        }
        1 => Change::HomeDc(codec.int(match change {
            Some(Change::HomeDc(id)) => *id,
            _ => 0,
        })),
        2 => {
            let known = match change {
                Some(Change::Account(known)) => *known,
                _ => Account::default(),
            };
            let bits = u8::from(known.user_id.is_some()) | u8::from(known.api_id.is_some()) << 1;
            let bits = bits | Codec::three(known.is_bot) << 2 | Codec::three(known.test_mode) << 4;
            let bits = codec.byte(bits);
            let user_id = codec.num(known.user_id.unwrap_or_default());
            let api_id = codec.int(known.api_id.unwrap_or_default());
            Change::Account(Account {
                user_id: (bits & 1 != 0).then_some(user_id),
                is_bot: Codec::two(bits >> 2),
                api_id: (bits & 2 != 0).then_some(api_id),
                test_mode: Codec::two(bits >> 4),
            })
        }
        3 => {
            let token = match change {
                Some(Change::FutureAuthToken(token)) => *token,
                _ => None,
            };
            let is_there = codec.byte(token.is_some().into()) != 0;
            let bytes = codec.bytes(token.unwrap_or_default());
            Change::FutureAuthToken(is_there.then_some(bytes))
        }
        4 => {
            let known = match change {
                Some(Change::LoginState(known)) => *known,
                _ => LoginState::Active,
            };
            let number = codec.byte(known.number());
            let at = codec.num(known.at());
            let text = codec.text(known.text(), text);
            Change::LoginState(LoginState::from_parts(number, at, text)?)
        }
        _ => return None,
    })
}

fn dc<'x, 'b: 'x>(
    codec: &mut Codec<'b, '_>,
    change: Option<&Change<'x>>,
    text: &'x mut Text,
) -> DcRef<'x> {
    let known = match change {
        Some(Change::Dc(known)) => *known,
        _ => DcRef {
            dc_id: 0,
            addr: "",
            auth_key: None,
            first_salt: 0,
            time_offset: 0,
            flags: DcFlags::NONE,
        },
    };
    let dc_id = codec.int(known.dc_id);
    let flags = DcFlags(codec.byte(known.flags.0));
    let time_offset = codec.word(known.time_offset);
    let first_salt = codec.long(known.first_salt);
    let addr = codec.text(known.addr, text);
    let key = codec.bytes(known.auth_key.map_or(&[][..], |key| key.as_bytes()));
    let auth_key = key.try_into().ok().map(AuthKeyRef::new);
    codec.bad |= auth_key.is_none() && !key.is_empty();
    DcRef {
        dc_id,
        addr,
        auth_key,
        first_salt,
        time_offset,
        flags,
    }
}
