use super::*;
use crate::backends::blob::revisions::Revision;
use crate::error::classify::of_error;

fn revision(number: u8) -> Revision {
    Revision([number; 16])
}

fn revisions(numbers: impl IntoIterator<Item = u8>) -> Revisions {
    let mut revisions = Revisions::default();
    for number in numbers {
        revisions = revisions.after(revision(number), None);
    }
    revisions
}

fn header() -> Header {
    Header {
        revisions: revisions([1, 2]),
        owner: [3; 16],
        base: Some(BaseRef {
            id: [4; 16],
            len: 5,
            crc: 6,
        }),
        peers: 7,
        min_peers: 8,
    }
}

/// What is stored by one release is read by every later one.
#[test]
fn the_bytes_of_a_root_stay_what_they_are() {
    let mut expected = b"MTSB\x01\x00\x02\x00".to_vec();
    expected.extend([2; 16]);
    expected.extend([1; 16]);
    expected.extend([0; 96]);
    expected.extend([3; 16]);
    expected.extend([4; 16]);
    for number in [5_u32, 6, 7, 8, 3, 2] {
        expected.extend(number.to_le_bytes());
    }
    expected.extend(b"abcde");
    expected.extend(0x69b9_c87f_u32.to_le_bytes());
    assert_eq!(*header().encode(b"abc", b"de").unwrap(), expected);

    let stone = tombstone(&revisions([9]));
    assert_eq!(stone.len(), TOMBSTONE_LEN);
    assert!(stone.starts_with(b"MTSB\x01\x01\x01\x00\x09\x09"));
}

#[test]
fn a_root_is_read_as_it_was_written() {
    let bytes = header().encode(b"snapshot", b"tail").unwrap();
    let Root::Account {
        header: read,
        snapshot,
        tail,
    } = Root::parse(&bytes).unwrap()
    else {
        panic!("an account was written");
    };
    assert_eq!(read, header());
    assert_eq!((snapshot, tail), (&b"snapshot"[..], &b"tail"[..]));
    let stone = tombstone(&revisions([1, 2, 3]));
    let root = Root::parse(&stone).unwrap();
    assert!(matches!(&root, Root::Tombstone(known) if *known == revisions([1, 2, 3])));
}

#[test]
fn a_root_with_any_bit_changed_or_any_byte_missing_is_refused() {
    let account = header().encode(b"abc", b"de").unwrap().to_vec();
    for bytes in [account, tombstone(&revisions(1..=8))] {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert!(Root::parse(&damaged).is_err(), "bit {bit} of byte {at}");
            }
            assert!(Root::parse(&bytes[..at]).is_err(), "cut to {at} bytes");
        }
    }
}

#[test]
fn a_newer_root_and_a_strangers_bytes_are_told_from_damage() {
    let kind = |bytes: &[u8]| of_error(&Root::parse(bytes).err().unwrap()).0;
    for at in [4, 5, 7] {
        let mut newer = tombstone(&revisions([1]));
        newer[at] = 7;
        newer.truncate(TOMBSTONE_LEN - 4);
        put_crc(&mut newer);
        assert_eq!(kind(&newer), StoreErrorKind::Newer, "byte {at}");
    }
    assert_eq!(kind(b"\x08\x01\x00"), StoreErrorKind::Foreign);
    assert_eq!(kind(b"MTSB"), StoreErrorKind::Damaged);
}

#[test]
fn each_writer_takes_one_place_among_the_revisions() {
    let mut known = revisions([1]);
    let mut mine = None;
    for number in 2..100 {
        known = known.after(revision(number), mine);
        mine = Some(revision(number));
    }
    assert_eq!(known, revisions([1, 99]));
    assert!(!known.is_full());
    let full = revisions(1..=9);
    assert!(full.is_full() && !full.contains(revision(1)) && full.contains(revision(2)));
}
