//! What the changes of format 1 are in bytes: those of `Change::encode`, and a shorter form of peers and channels.

use mtsession_core::{
    Account, AuthKeyRef, Change, ChannelKind, Counters, DcFlags, DcRef, MinPeer, Peer, PeerKind,
    UpdateChange,
};

use crate::format::codec::{Codec, Text};

/// A length, seven bits a byte and without a sign, and so many bytes.
fn field<'x>(codec: &mut Codec<'x, '_>) -> &'x [u8] {
    let len = codec.num(0);
    let len = ((len << 1) ^ (len >> 63)).cast_unsigned();
    codec.take(usize::try_from(len).unwrap_or(usize::MAX))
}

/// As few bytes as hold the number, the lowest first, with its sign.
fn rest(codec: &mut Codec<'_, '_>, end: usize) -> i64 {
    let mut bytes = [0; 8];
    let len = end.saturating_sub(codec.len);
    codec.bad |= len == 0 || len > 8;
    let mut sign = 0;
    for (n, place) in bytes.iter_mut().enumerate() {
        if n < len {
            *place = codec.byte(0);
            sign = if *place < 0x80 { 0 } else { 0xFF };
        } else {
            *place = sign;
        }
    }
    i64::from_le_bytes(bytes)
}

fn flag(codec: &mut Codec<'_, '_>) -> bool {
    let byte = codec.byte(0);
    codec.bad |= byte > 1;
    byte == 1
}

fn optional<'b, 'p, T>(
    codec: &mut Codec<'b, 'p>,
    field: impl FnOnce(&mut Codec<'b, 'p>) -> T,
) -> Option<T> {
    flag(codec).then(|| field(codec))
}

/// Reads a change; `None` for what is none, or a newer release's.
pub(crate) fn read<'x>(
    packed: Option<u8>,
    bytes: &'x [u8],
    text: &'x mut Text,
) -> Option<Change<'x>> {
    let mut codec = Codec::read(bytes);
    let c = &mut codec;
    let end = bytes.len();
    let change = match packed {
        Some(bits) if bits & 3 == 3 => {
            let pts = c.word(0);
            let id = rest(c, end);
            Change::Update(UpdateChange::Channel { id, pts })
        }
        Some(bits) => Change::Peer(Peer {
            access_hash: c.long(0),
            id: rest(c, end),
            kind: PeerKind::from_byte(bits & 3),
            channel_kind: ChannelKind::from_byte(bits >> 2 & 3),
            is_community: bits >> 4 & 1 == 1,
        }),
        None => match c.byte(0) {
            0 => Change::HomeDc(c.int(0)),
            1 => Change::Dc(dc(c, text)?),
            2 => match c.byte(0) {
                0 => Change::Update(UpdateChange::Counters(Counters {
                    pts: c.int(0),
                    qts: c.int(0),
                    date: c.int(0),
                    seq: c.int(0),
                })),
                4 => Change::Update(UpdateChange::ClearChannels),
                _ => return None,
            },
            4 => Change::MinPeer(MinPeer {
                user_id: c.num(0),
                peer_id: c.num(0),
                msg_id: c.int(0),
            }),
            5 => Change::FutureAuthToken(optional(c, field)),
            6 => Change::Account(Account {
                user_id: optional(c, |c| c.num(0)),
                is_bot: optional(c, flag),
                api_id: optional(c, |c| c.int(0)),
                test_mode: optional(c, flag),
            }),
            _ => return None,
        },
    };
    (!codec.bad).then_some(change)
}

fn dc<'x>(c: &mut Codec<'x, '_>, text: &'x mut Text) -> Option<DcRef<'x>> {
    let dc_id = c.int(0);
    c.bad |= !Codec::letters(field(c), text);
    let auth_key = match optional(c, field) {
        Some(key) => Some(AuthKeyRef::new(key.try_into().ok()?)),
        None => None,
    };
    Some(DcRef {
        dc_id,
        addr: text,
        auth_key,
        first_salt: c.num(0),
        time_offset: c.int(0),
        flags: DcFlags(c.byte(0)),
    })
}
