//! Reading a damaged tail for what is left of it.

use mtsession_core::Change;

use super::tail::{MAC_LEN, Tail, must_fold, next, next_sound};

/// Calls `f` with the changes of every good record in a damaged tail, also of those after a bad one:
/// each continues the checksum that is stored before it. Returns how many bytes are neither.
pub(super) fn replay_damaged(bytes: &[u8], chain: u32, mut f: impl FnMut(&[Change<'_>])) -> usize {
    let (mut rest, mut chain, mut lost) = (bytes, chain, 0_usize);
    let mut changes = Vec::new();
    let is_mark = |rest: &[u8], chain| {
        let tail = Tail {
            end: 0,
            chain,
            records: 0,
            mac: [0; MAC_LEN],
        };
        must_fold(rest, tail)
    };
    while !rest.is_empty() && !is_mark(rest, chain) {
        if let Ok(Some(good)) = next(rest, chain, &mut changes) {
            f(&changes);
            (rest, chain) = (good.after, good.chain);
            continue;
        }
        let (after, stored) = next_sound(rest).unwrap_or((&[], chain));
        lost = lost.saturating_add(rest.len().saturating_sub(after.len()));
        (rest, chain) = (after, stored);
    }
    lost
}

#[cfg(test)]
mod tests {
    use mtsession_core::UpdateChange;

    use super::super::tail::{encode, fold_first};
    use super::*;

    const START: Tail = Tail {
        end: 32,
        chain: 7,
        records: 0,
        mac: [0; MAC_LEN],
    };

    fn tail(records: i32) -> (Vec<u8>, Tail) {
        let (mut bytes, mut record, mut payload) = (Vec::new(), Vec::new(), Vec::new());
        let mut tail = START;
        for qts in 0..records {
            let change = Change::Update(UpdateChange::Secondary { qts });
            tail = encode(&[change], tail, &mut record, &mut payload).unwrap();
            bytes.extend_from_slice(&record);
        }
        (bytes, tail)
    }

    #[test]
    fn after_a_damaged_record_the_others_are_found() {
        const RECORDS: i32 = 9;

        let (bytes, _) = tail(RECORDS);
        let chain = START.chain;
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut seen = 0;
            let lost = replay_damaged(&damaged, chain, |_| seen += 1);
            assert!(seen >= RECORDS - 2, "bit {bit}: {seen} of {RECORDS}");
            assert!(lost > 0);
        }
        assert_eq!(replay_damaged(&bytes, chain, |_| ()), 0);
    }

    #[test]
    fn the_mark_of_a_failed_flush_is_not_damage() {
        let (mut bytes, tail) = tail(3);
        bytes.extend_from_slice(fold_first(tail).as_ref());
        let mut seen = 0;
        let lost = replay_damaged(&bytes, START.chain, |_| seen += 1);
        assert_eq!((seen, lost), (3, 0));
    }
}
