//! A session file with its changes at its end: what is read of it, however it was cut, damaged or written.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod tails;

use mtsession_core::wire::session_file::{self, Footer, TailHeader};
use mtsession_core::wire::{encode_body_to_slice, encode_to_vec, encoded_body_len, journal};
use mtsession_core::{
    Change, DcRef, DecodeErrorKind, FixedSession, PlainFile, SessionBytes, SessionMut,
    SessionSource, SessionView, TailEnd,
};
use tails::{QTS, Session, crc, crc_of, payload_of, peer, replayed};

fn len(len: usize) -> u64 {
    u64::try_from(len).unwrap()
}

/// A whole session file: the snapshot, its tail with a record for each batch.
fn file_of(session: &Session, batches: &[&[Change<'_>]]) -> Vec<u8> {
    let mut bytes = encode_to_vec(session).unwrap();
    let header = TailHeader {
        snapshot_len: len(bytes.len()),
        snapshot_crc: crc(&bytes),
        salt: 0x0123_4567_89AB_CDEF,
    };
    bytes.resize(session_file::tail_start(bytes.len()), 0);
    bytes.extend_from_slice(&header.to_bytes());
    let mut chain = header.chain();
    for batch in batches {
        chain = journal::put_record::<()>(&payload_of(batch), chain, &mut bytes).unwrap();
    }
    bytes
}

fn logged_in() -> Session {
    let mut session = Session::new();
    session.set_home_dc_id(2);
    let dc = DcRef::new(2, "149.154.167.51:443").with_key(&[7; 256]);
    session.apply(&Change::Dc(dc)).unwrap();
    session
}

#[test]
fn a_file_is_its_snapshot_with_the_changes_of_its_tail() {
    let bytes = file_of(&logged_in(), &[&[QTS, peer(1)], &[peer(2)]]);
    let SessionBytes::Plain(file) = SessionBytes::parse(&bytes).unwrap() else {
        unreachable!()
    };
    assert!(file.complete().is_none() && file.header().is_some());
    let (session, end) = replayed(&file);
    assert_eq!(end, TailEnd::Whole);
    assert_eq!((session.counters().qts, session.peers().len()), (6, 2));
    assert_eq!(session.dcs().next().unwrap().dc_id, 2);
    let error = SessionView::parse(&bytes).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::HasChanges);

    let unchanged = file_of(&logged_in(), &[]);
    assert_eq!(SessionView::parse(&unchanged).unwrap().home_dc_id(), 2);
}

#[test]
fn every_copy_of_a_prefix_with_the_snapshot_is_a_session() {
    let snapshot = encode_to_vec(&logged_in()).unwrap();
    let bytes = file_of(&logged_in(), &[&[QTS], &[peer(1)], &[peer(2)]]);
    for len in snapshot.len()..=bytes.len() {
        let file = PlainFile::parse(&bytes[..len]).unwrap_or_else(|e| panic!("{len}: {e}"));
        let (session, end) = replayed(&file);
        assert!(matches!(end, TailEnd::Whole | TailEnd::Torn), "{len}");
        assert_eq!(session.home_dc_id(), 2);
    }
    // The body alone is what a release without checksums wrote.
    let body = encoded_body_len(&logged_in()).unwrap();
    for len in (0..snapshot.len()).filter(|len| *len != body) {
        assert!(PlainFile::parse(&bytes[..len]).is_err(), "{len}");
    }
}

/// Also where the altered count makes the body swallow trailer, padding and tail, and end with the file.
#[test]
fn no_flipped_bit_of_a_file_makes_it_another_session() {
    let batches: [&[Change<'_>]; 2] = [&[QTS], &[peer(1)]];
    for more in [0, 1, 1000] {
        let mut bytes = file_of(&logged_in(), &batches);
        bytes.resize(bytes.len() + more, 0x55);
        let (expected, _) = replayed(&PlainFile::parse(&bytes).unwrap());
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok(file) = PlainFile::parse(&flipped) else {
                continue;
            };
            let (session, end) = replayed(&file);
            // In the padding it is nothing, and a record that does not check ends the tail.
            let is_prefix =
                end != TailEnd::Whole || encode_to_vec(&session) == encode_to_vec(&expected);
            assert!(is_prefix && session.dcs().eq(expected.dcs()), "bit {bit}");
        }
    }
}

#[test]
fn a_count_that_makes_the_body_swallow_the_tail_is_damage() {
    let session = logged_in();
    let bytes = file_of(&session, &[&[QTS]]);
    let body = encoded_body_len(&session).unwrap();
    // The last byte of the body says that there is no token; with one, its length is "MT".
    let token = usize::from(u16::from_le_bytes(*b"MT"));
    let mut swallowed = bytes;
    swallowed[body - 1] = 1;
    swallowed.resize(body + 2 + token, 0);
    let error = PlainFile::parse(&swallowed).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Checksum);
    let old = [&encode_body_of(&session)[..], b"\0\0"].concat();
    assert!(
        PlainFile::parse(&old).is_ok(),
        "an older session with zeros"
    );
}

fn encode_body_of(session: &Session) -> Vec<u8> {
    let mut bytes = vec![0; 1024];
    let len = encode_body_to_slice(session, &mut bytes).unwrap().len();
    bytes.truncate(len);
    bytes
}

#[test]
fn a_complete_copy_at_the_end_is_the_session_however_far_it_was_written_to_the_beginning() {
    let old = file_of(&logged_in(), &[&[QTS], &[peer(1)]]);
    let mut session = logged_in();
    session.apply(&peer(9)).unwrap();
    let new = file_of(&session, &[]);
    for torn in [0, 3] {
        let mut bytes = old.clone();
        bytes.resize(old.len() + torn, 0x77);
        let at = bytes
            .len()
            .max(new.len())
            .next_multiple_of(session_file::BLOCK);
        bytes.resize(at, 0);
        bytes.extend_from_slice(&new);
        let salt = TailHeader::first(&old[session_file::BLOCK..]).unwrap().salt;
        let footer = Footer {
            at: len(at),
            len: len(new.len()),
            salt,
            crc: crc_of(&new),
        };
        assert_eq!(
            replayed(&PlainFile::parse(&bytes).unwrap()).0.peers().len(),
            1
        );
        bytes.extend_from_slice(&footer.to_bytes());
        for written in 0..=new.len() {
            let mut bytes = bytes.clone();
            bytes[..written].copy_from_slice(&new[..written]);
            let file = PlainFile::parse(&bytes).unwrap();
            assert!(file.is_unfinished());
            assert_eq!(replayed(&file).0.peers().next().unwrap().id, 9, "{written}");
        }
        let gone = Footer {
            len: 0,
            crc: 0,
            at: len(bytes.len()),
            ..footer
        };
        bytes.extend_from_slice(&gone.to_bytes());
        let error = PlainFile::parse(&bytes).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::Empty);
    }
}

#[test]
fn what_a_name_or_a_token_looks_like_is_not_taken_for_a_part_of_the_file() {
    let fake = file_of(&Session::new(), &[]);
    let footer = Footer {
        at: 0,
        len: 0,
        salt: 0,
        crc: 0,
    };
    // Whole files, footers and headers in a token, at every offset in a block.
    let mut token = fake;
    token.extend_from_slice(&footer.to_bytes());
    for shift in 0..session_file::BLOCK {
        let mut bytes = vec![0x20; shift];
        bytes.extend_from_slice(&token);
        let mut session = FixedSession::<1, 1, 2, 1, 10_000>::new();
        session.copy_from(&logged_in()).unwrap();
        session.set_future_auth_token(Some(&bytes)).unwrap();
        let mut body = vec![0; 16_384];
        let len = encode_body_to_slice(&session, &mut body).unwrap().len();
        body.truncate(len);
        let snapshot = encode_to_vec(&session).unwrap();
        for (bytes, is_whole) in [(body, true), (snapshot, true)] {
            let file = PlainFile::parse(&bytes).unwrap();
            assert_eq!(file.complete().is_some(), is_whole, "{shift}");
            assert_eq!(file.snapshot().home_dc_id(), 2);
        }
    }
}

#[test]
fn zeros_after_a_tail_are_not_records() {
    let mut bytes = file_of(&logged_in(), &[&[QTS]]);
    // Also where the checksum of a record without changes is zero.
    bytes.resize(bytes.len() + 5000, 0);
    let (session, end) = replayed(&PlainFile::parse(&bytes).unwrap());
    assert_eq!((session.counters().qts, end), (6, TailEnd::Torn));
    let mut empty = Vec::new();
    journal::put_record::<()>(&[], 7, &mut empty).unwrap();
    assert!(journal::Record::first(&empty, 7).is_none());
}

/// A checksum that only ran on would be in one fixed state after its own value, and every record would
/// continue every file.
#[test]
fn a_record_continues_one_tail_only() {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    journal::put_record::<()>(b"record", 1, &mut one).unwrap();
    journal::put_record::<()>(b"record", 2, &mut other).unwrap();
    assert_ne!(one, other);
    assert!(journal::Record::first(&one, 2).is_none());
}

/// The same session saved twice: blocks of the earlier tail must not continue the new one.
#[test]
fn stale_records_after_the_same_snapshot_are_not_its_own() {
    let earlier = file_of(&logged_in(), &[&[QTS]]);
    let mut bytes = encode_to_vec(&logged_in()).unwrap();
    let header = TailHeader {
        snapshot_len: len(bytes.len()),
        snapshot_crc: crc(&bytes),
        salt: 1,
    };
    bytes.resize(session_file::tail_start(bytes.len()), 0);
    bytes.extend_from_slice(&header.to_bytes());
    bytes.extend_from_slice(&earlier[bytes.len()..]);
    let (session, end) = replayed(&PlainFile::parse(&bytes).unwrap());
    assert_eq!((session.counters().qts, end), (0, TailEnd::Torn));
}

/// Until it is complete, a first write in place leaves the session alone: an old one without checksum, or one that
/// has no tail yet. What a cut leaves after it may be a part of the copy, or what the disk had there.
#[test]
fn a_first_write_in_place_that_was_cut_leaves_the_session() {
    let session = logged_in();
    let other = file_of(&Session::new(), &[&[QTS]]);
    for old in [encode_body_of(&session), encode_to_vec(&session).unwrap()] {
        let mut cut = old.clone();
        cut.resize(session_file::BLOCK, 0);
        let copy = file_of(&session, &[]);
        let tail_of_another = &other[session_file::BLOCK..];
        for after in [
            &copy[..],
            &copy[..700],
            b"whatever was there",
            tail_of_another,
        ] {
            let bytes = [&cut, after].concat();
            let file = PlainFile::parse(&bytes).unwrap();
            assert_eq!(file.bytes(), old);
            assert!(file.header().is_none() && file.complete().is_some());
        }
        let not_in_its_block = [&old[..], &[0; 9], &copy].concat();
        assert!(PlainFile::parse(&not_in_its_block).is_err());
    }
}

/// A header that is damaged is not one that never was.
#[test]
fn a_damaged_header_is_damage_with_and_without_records() {
    let at = session_file::BLOCK;
    for batches in [&[][..], &[&[QTS][..]]] {
        let bytes = file_of(&logged_in(), batches);
        for damaged in at..at + 20 {
            let mut bytes = bytes.clone();
            bytes[damaged] ^= 0x55;
            bytes[at + 5] ^= 0x10;
            assert!(PlainFile::parse(&bytes).is_err(), "byte {damaged}");
        }
    }
    // Also where all of it is gone, and changes that were acknowledged follow.
    let mut bytes = file_of(&logged_in(), &[&[QTS], &[peer(1)]]);
    bytes[at..at + session_file::HEADER_LEN].fill(0xA5);
    assert!(PlainFile::parse(&bytes).is_err());
}

/// Cutting off the copy may have failed, and changes were made after that.
#[test]
fn a_copy_that_was_written_to_the_beginning_does_not_hide_what_came_after() {
    let mut session = logged_in();
    session.apply(&peer(9)).unwrap();
    let copy = file_of(&session, &[]);
    let mut bytes = file_of(&session, &[&[peer(2)]]);
    bytes.resize(2 * session_file::BLOCK, 0);
    let footer = Footer {
        at: len(bytes.len()),
        len: len(copy.len()),
        salt: 1,
        crc: crc_of(&copy),
    };
    bytes.extend_from_slice(&copy);
    bytes.extend_from_slice(&footer.to_bytes());
    let file = PlainFile::parse(&bytes).unwrap();
    assert!(!file.is_unfinished() && file.has_copy());
    assert_eq!(replayed(&file).0.peers().len(), 2);
}

/// The beginning of the file may be anything while it is overwritten.
#[test]
fn a_complete_copy_is_the_session_whatever_its_beginning_looks_like() {
    let session = logged_in();
    let copy = file_of(&session, &[]);
    let at = 4 * session_file::BLOCK;
    for first in [0, 9, 0xFF, b'M', b'8'] {
        let mut bytes = vec![first; 600];
        bytes.resize(at, 0);
        bytes.extend_from_slice(&copy);
        let footer = Footer {
            at: len(at),
            len: len(copy.len()),
            salt: 5,
            crc: crc_of(&copy),
        };
        bytes.extend_from_slice(&footer.to_bytes());
        let file = PlainFile::parse(&bytes).unwrap();
        assert!(file.is_unfinished(), "{first}");
        assert_eq!(replayed(&file).0.dcs().count(), session.dcs().count());
    }
    // Nor does an old session without a tail hide it, or that it was deleted.
    for (len, crc) in [(len(copy.len()), crc_of(&copy)), (0, 0)] {
        let mut bytes = encode_body_of(&Session::new());
        bytes.resize(at, 0);
        bytes.extend_from_slice(if len == 0 { &[] } else { &copy });
        let at = 4 * 4096;
        let footer = Footer {
            at,
            len,
            salt: 0,
            crc,
        };
        bytes.extend_from_slice(&footer.to_bytes());
        match PlainFile::parse(&bytes) {
            Ok(file) => assert!(len > 0 && file.is_unfinished()),
            Err(error) => assert_eq!((len, error.kind), (0, DecodeErrorKind::Empty)),
        }
    }
}
