//! Records as they are written, cut, damaged and read again.

use core::fmt::Write as _;

use mtsession_core::wire::journal;
use mtsession_core::{
    Account, DcFlags, DcSlot, EntryKey, LoginState, MinPeer, NamesOf, Peer, PeerKey, PeerKind,
    UpdateChange,
};

use super::*;

/// The start of a tail with this checksum; what is before it is nothing to these tests.
fn start(snapshot: u32) -> Tail {
    let header = journal::header(snapshot);
    Tail {
        end: HEADER_LEN,
        chain: journal::chain_of_header(&header),
        records: 0,
        mac: [0; MAC_LEN],
    }
}

const HEADER_LEN: u64 = 13;

fn records(batches: &[Vec<Change<'static>>]) -> (Vec<u8>, Tail) {
    let (mut bytes, mut record, mut payload) = (Vec::new(), Vec::new(), Vec::new());
    let mut tail = start(7);
    for batch in batches {
        tail = encode(batch, tail, &mut record, &mut payload).unwrap();
        bytes.extend_from_slice(&record);
    }
    (bytes, tail)
}

fn batches() -> Vec<Vec<Change<'static>>> {
    let primary = |pts| {
        Change::Update(UpdateChange::Primary {
            pts,
            date: pts,
            seq: pts,
        })
    };
    let widest = Peer {
        id: i64::MIN,
        access_hash: i64::MIN,
        is_community: true,
        ..Peer::default()
    };
    vec![
        vec![primary(1)],
        vec![primary(i32::MIN), Change::Peer(widest)],
        vec![primary(3); 100],
    ]
}

/// Every kind of change that a tail takes, and the bytes of a tail that has each as a record.
fn frames() -> [(Change<'static>, &'static str); 12] {
    let usernames: &[&str] = &["alice", "al"];
    let names = NamesOf::new(5, PeerKind::User)
        .with_usernames(usernames)
        .with_phone(Some("1555"))
        .with_title(Some("\u{c4}"));
    let account = Account {
        user_id: Some(777_000),
        is_bot: Some(true),
        api_id: None,
        test_mode: Some(false),
    };
    let slot = DcSlot::new(2, DcFlags::IPV6);
    [
        (
            Change::Update(UpdateChange::Secondary { qts: 3 }),
            "03020206ae0028a2",
        ),
        (
            Change::Update(UpdateChange::ClearChannels),
            "02020439335d03",
        ),
        (Change::Peer(Peer::user(5, -6)), "06030a0b000000dfb77d31"),
        (
            Change::MinPeer(MinPeer {
                user_id: 7,
                peer_id: 8,
                msg_id: 9,
            }),
            "04040e1012d322efcf",
        ),
        (Change::Account(account), "0a0601d0ec5e0101000100494a7c99"),
        (
            Change::Names(names),
            "220720000500000000000000020500616c6963650200616c030400313535350200c38453172f13",
        ),
        (
            Change::Names(NamesOf::new(5, PeerKind::Chat)),
            "0d070b0205000000000000000000d1049616",
        ),
        (
            Change::LoginState(LoginState::Moved { at: -1, to: "a#b" }),
            "0708030103612362607d166b",
        ),
        (
            Change::Salt {
                dc: slot,
                first_salt: i64::MIN,
                time_offset: -9,
            },
            "0e090401ffffffffffffffffff011143cd054b",
        ),
        (
            Change::Forget(EntryKey::Peer(PeerKey::user(5))),
            "050a0200000a489657bb",
        ),
        (Change::Forget(EntryKey::Channel(6)), "030a010ce28a00bc"),
        (Change::Forget(EntryKey::MinPeer(7)), "030a030e8a9c9d04"),
    ]
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// A disk format: these bytes are read for ever.
#[test]
fn the_bytes_of_every_record_are_these() {
    let mut tail = start(7);
    let (mut record, mut payload) = (Vec::new(), Vec::new());
    let mut found = String::new();
    for (change, expected) in frames() {
        let before = tail;
        tail = encode(&[change], tail, &mut record, &mut payload).unwrap();
        let hex = hex(&record);
        if hex != expected {
            found = format!("{found}\n{expected} {hex}");
        }
        let mut seen = Vec::new();
        let replayed = replay(&record, before, |batch| {
            seen.extend(batch.iter().map(|change| format!("{change:?}")));
            assert!(batch == [change]);
        });
        assert_eq!(replayed.unwrap(), tail);
        assert_eq!(seen, [format!("{change:?}")]);
    }
    assert_eq!(found, "", "expected and found");
}

#[test]
fn what_is_encoded_is_replayed() {
    let batches = batches();
    let (bytes, expected) = records(&batches);
    let mut seen = Vec::new();
    let tail = replay(&bytes, start(7), |batch| seen.push(batch.len())).unwrap();
    assert_eq!(tail, expected);
    assert_eq!(seen, [1, 2, 100]);
}

#[test]
fn a_cut_or_flipped_record_ends_the_replay_before_it() {
    let mut batches = batches();
    batches.splice(1..1, frames().map(|(change, _)| vec![change]));
    let (bytes, _) = records(&batches);
    for cut in 0..bytes.len() {
        let tail = replay(&bytes[..cut], start(7), |_| ()).unwrap();
        assert!(tail.end <= HEADER_LEN + u64::try_from(cut).unwrap());
        assert!(tail.records < 15);
    }
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let tail = replay(&damaged, start(7), |_| ()).unwrap();
        let byte = u64::try_from(bit / 8).unwrap();
        assert!(tail.end - HEADER_LEN <= byte, "bit {bit} went unnoticed");
    }
}

#[test]
fn a_mark_ends_the_replay_and_fits_only_where_it_was_put() {
    let (mut bytes, tail) = records(&batches());
    let len = bytes.len();
    assert!(!must_fold(&bytes[len..], tail));
    bytes.extend_from_slice(fold_first(tail).as_ref());
    let seen = replay(&bytes, start(7), |_| ()).unwrap();
    assert_eq!(seen, tail);
    assert!(must_fold(&bytes[len..], tail));
    assert!(!must_fold(&bytes[len..], start(7)));
    assert!(!must_fold(&bytes[len..bytes.len() - 1], tail));
}

#[test]
fn records_of_another_snapshot_are_not_read() {
    let (bytes, _) = records(&batches());
    assert_eq!(replay(&bytes, start(8), |_| ()).unwrap().records, 0);
}

#[test]
fn a_change_that_no_tail_takes_ends_the_replay() {
    let counter = Change::Update(UpdateChange::Secondary { qts: 1 });
    let (bytes, _) = records(&[vec![counter], vec![counter, Change::HomeDc(-3)]]);
    let mut seen = 0;
    assert!(replay(&bytes, start(7), |_| seen += 1).is_err());
    assert_eq!(seen, 1);
}
