//! Peers and channels' pts in fewer bytes than postcard: the bulk of what a page turn copies.
//!
//! The payload is 8 bytes of access hash or 4 of pts, then as many bytes of the id as it needs. Five
//! bits in the head say the rest: 2 of peer kind (3: a channel's pts), 2 of channel kind (3: not
//! known), 1 for a community.

use mtsession_core::{Change, ChannelKind, Peer, PeerKind, UpdateChange};

const CHANNEL: u16 = 3;
const NO_KIND: u16 = 3;

/// Writes a packed payload and returns the head's length field; `None` for what has no packed form.
pub(crate) fn encode(change: &Change<'_>, place: &mut [u8]) -> Option<u16> {
    let (id, bits, value) = match change {
        Change::Update(UpdateChange::Channel { id, pts }) => (*id, CHANNEL, Ok(pts.to_le_bytes())),
        Change::Peer(peer) => {
            let kind = u16::from(peer.kind.to_byte());
            let channel_kind = peer
                .channel_kind
                .map_or(NO_KIND, |kind| kind.to_byte().into());
            let bits = kind | channel_kind << 2 | u16::from(peer.is_community) << 4;
            (peer.id, bits, Err(peer.access_hash.to_le_bytes()))
        }
        _ => return None,
    };
    let value = match &value {
        Ok(pts) => pts.as_slice(),
        Err(hash) => hash.as_slice(),
    };
    // The sign bit has to be in the last byte that is kept.
    let magnitude = if id < 0 { !id } else { id };
    let id_len = 8_u32.wrapping_sub(magnitude.leading_zeros().wrapping_sub(1) >> 3);
    let id_len = usize::try_from(id_len).ok()?;
    let len = value.len().checked_add(id_len)?;
    let id = id.to_le_bytes();
    let bytes = value.iter().chain(id.iter().take(id_len));
    place
        .iter_mut()
        .zip(bytes)
        .for_each(|(place, byte)| *place = *byte);
    Some(u16::try_from(len).ok()? | bits << 5)
}

/// Reads a packed payload.
pub(crate) fn decode(len: u16, payload: &[u8]) -> Option<Change<'static>> {
    let bits = len >> 5;
    if bits & 3 == CHANNEL {
        let (pts, id) = payload.split_first_chunk()?;
        return Some(Change::Update(UpdateChange::Channel {
            id: number(id)?,
            pts: i32::from_le_bytes(*pts),
        }));
    }
    let (hash, id) = payload.split_first_chunk()?;
    let [low, _] = (bits & 3).to_le_bytes();
    let [channel_kind, _] = (bits >> 2 & 3).to_le_bytes();
    Some(Change::Peer(Peer {
        id: number(id)?,
        access_hash: i64::from_le_bytes(*hash),
        kind: PeerKind::from_byte(low),
        channel_kind: ChannelKind::from_byte(channel_kind),
        is_community: bits >> 4 & 1 == 1,
    }))
}

fn number(bytes: &[u8]) -> Option<i64> {
    let negative = bytes.last()? & 0x80 != 0;
    let mut whole = if negative { [0xFF; 8] } else { [0; 8] };
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives() {
        for id in [
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
        ] {
            for channel_kind in [
                None,
                Some(ChannelKind::Broadcast),
                Some(ChannelKind::Gigagroup),
            ] {
                for kind in [PeerKind::User, PeerKind::Channel, PeerKind::Chat] {
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
                        let len = encode(&change, &mut place).unwrap();
                        let payload = &place[..usize::from(len & 31)];
                        assert_eq!(decode(len, payload), Some(change));
                    }
                }
            }
        }
        assert_eq!(encode(&Change::HomeDc(2), &mut [0; 16]), None);
        assert_eq!(decode(CHANNEL << 5, &[1, 2]), None);
    }
}
