//! Marked ids: one number for a peer and its kind. A user is its id, a chat its negative id, a
//! channel `-(10^12 + id)`.

use mtsession_core::PeerKind;

/// What a channel's id is marked with.
const CHANNEL_MARK: i64 = 1_000_000_000_000;

/// The kind and bare id that a marked one stands for; `None` for 0 and for what no id can be.
pub(super) fn unmark(marked: i64) -> Option<(PeerKind, i64)> {
    match marked.checked_neg()? {
        0 => None,
        ..0 => Some((PeerKind::User, marked)),
        id if id <= CHANNEL_MARK => Some((PeerKind::Chat, id)),
        id => Some((PeerKind::Channel, id.checked_sub(CHANNEL_MARK)?)),
    }
}

/// Before 2021, Telethon (schemas up to 6) and Pyrogram marked a channel by writing `-100` before its digits, whatever their number.
/// A basic group that begins with the same digits has no access hash.
pub(super) fn unmark_of_any_age(marked: i64, access_hash: i64) -> Option<(PeerKind, i64)> {
    let (kind, id) = unmark(marked)?;
    if kind == PeerKind::Chat && access_hash != 0 {
        let digits = id.to_string();
        let bare = digits.strip_prefix("100")?;
        return Some((PeerKind::Channel, bare.parse().ok()?));
    }
    Some((kind, id))
}

/// The marked id of a peer; `None` for a bare id that no peer has.
pub(super) fn mark(kind: PeerKind, id: i64) -> Option<i64> {
    let positive = Some(id).filter(|id| *id > 0)?;
    match kind {
        PeerKind::User => Some(positive),
        PeerKind::Chat => positive.checked_neg(),
        PeerKind::Channel => positive.checked_add(CHANNEL_MARK)?.checked_neg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back() {
        for (kind, id, marked) in [
            (PeerKind::User, 6_000_000_001, 6_000_000_001),
            (PeerKind::Chat, 77_001, -77_001),
            (PeerKind::Channel, 111_000_111, -1_000_111_000_111),
            (PeerKind::Channel, 3_900_000_004, -1_003_900_000_004),
            (PeerKind::Channel, 2_999_999_999_999, -3_999_999_999_999),
        ] {
            assert_eq!(mark(kind, id), Some(marked));
            assert_eq!(unmark(marked), Some((kind, id)));
        }
        assert_eq!(unmark(0), None);
        assert_eq!(unmark(i64::MIN), None);
        assert_eq!(mark(PeerKind::Chat, 0), None);
    }
}
