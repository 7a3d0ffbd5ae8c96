//! Snapshot and changes: a session with changes after it cannot be taken for its snapshot, and bytes of
//! a newer release are named.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod tails;

use mtsession_core::wire::session_file;
use mtsession_core::wire::{encode_to_vec, journal};
use mtsession_core::{
    Change, DecodeErrorKind, Field, FixedSession, Full, NewerForm, PlainFile, ReplayError,
    SessionBytes, SessionMut, SessionSource, SessionView, TailEnd, UpdateChange,
};
use tails::{QTS, Session, crc, crc_of, payload_of, peer, replayed};

fn snapshot() -> Vec<u8> {
    let mut session = Session::new();
    session.set_home_dc_id(2);
    encode_to_vec(&session).unwrap()
}

/// A journal of this snapshot with one record for each batch, and the checksum of its last one.
fn journal_of(snapshot: &[u8], batches: &[&[Change<'_>]]) -> (Vec<u8>, u32) {
    let header = journal::header(crc(snapshot));
    let mut bytes = header.to_vec();
    let mut chain = journal::chain_of_header(&header);
    for batch in batches {
        chain = journal::put_record::<()>(&payload_of(batch), chain, &mut bytes).unwrap();
    }
    (bytes, chain)
}

#[test]
fn a_snapshot_is_the_session_only_where_no_change_follows() {
    let bytes = snapshot();
    let SessionBytes::Plain(file) = SessionBytes::parse(&bytes).unwrap() else {
        unreachable!()
    };
    assert!(file.complete().is_some());
    let (empty, _) = journal_of(&bytes, &[]);
    assert!(file.with_journal(&empty).complete().is_some());

    let (journal, _) = journal_of(&bytes, &[&[QTS, peer(1)], &[peer(2)]]);
    let file = file.with_journal(&journal);
    assert!(file.complete().is_none());
    assert_eq!(file.snapshot().counters().qts, 0);
    let batches: Vec<Vec<_>> = file.tail().batches().map(Iterator::collect).collect();
    assert_eq!(batches, [vec![QTS, peer(1)], vec![peer(2)]]);
    let (session, end) = replayed(&file);
    assert_eq!(end, TailEnd::Whole);
    assert_eq!((session.counters().qts, session.peers().len()), (6, 2));
}

#[test]
fn a_journal_of_another_snapshot_has_no_changes_for_this_one() {
    let bytes = snapshot();
    let other = encode_to_vec(&Session::new()).unwrap();
    let (journal, _) = journal_of(&other, &[&[QTS]]);
    let file = PlainFile::parse(&bytes).unwrap().with_journal(&journal);
    assert!(file.complete().is_some());
    assert_eq!(replayed(&file).0.counters().qts, 0);
}

#[test]
fn a_tail_says_how_it_ends() {
    let bytes = snapshot();
    let plain = PlainFile::parse(&bytes).unwrap();
    let (whole, chain) = journal_of(&bytes, &[&[QTS], &[peer(1)], &[peer(2)]]);
    let (first, _) = journal_of(&bytes, &[&[QTS]]);
    for cut in first.len() + 1..whole.len() {
        let file = plain.with_journal(&whole[..cut]);
        let records = file.tail().batches().count();
        let is_at_an_end = journal_of(&bytes, &[&[QTS], &[peer(1)]]).0.len() == cut;
        let expected = if is_at_an_end {
            TailEnd::Whole
        } else {
            TailEnd::Torn
        };
        assert_eq!(file.tail().end(), expected, "cut at {cut}");
        assert!((1..3).contains(&records));
    }

    let mut damaged = whole.clone();
    damaged[first.len() + 2] ^= 1;
    let (session, end) = replayed(&plain.with_journal(&damaged));
    assert_eq!(end, TailEnd::Damaged);
    assert_eq!((session.counters().qts, session.peers().len()), (6, 0));

    let mut marked = whole.clone();
    marked.extend_from_slice(&journal::mark(chain));
    let (session, end) = replayed(&plain.with_journal(&marked));
    assert_eq!((session.peers().len(), end), (2, TailEnd::Whole));
}

#[test]
fn a_sound_record_that_is_not_known_is_newer_and_not_torn() {
    let bytes = snapshot();
    let plain = PlainFile::parse(&bytes).unwrap();
    // A number that is not known, one after a change that is known, and a change that no journal has.
    for changes in [&[11, 1, 2][..], &[2, 6, 1], &[0, 4]] {
        let (mut journal, chain) = journal_of(&bytes, &[]);
        let at = journal.len();
        journal::put_record::<()>(changes, chain, &mut journal).unwrap();
        let file = plain.with_journal(&journal);
        assert_eq!(file.tail().end(), TailEnd::Newer { at });
        assert!(file.complete().is_none(), "{changes:?}");
        assert_eq!(replayed(&file).1, TailEnd::Newer { at });
    }
}

#[test]
fn a_session_without_room_for_a_change_is_an_error_that_names_it() {
    let bytes = snapshot();
    let channel = Change::Update(UpdateChange::Channel { id: 1, pts: 2 });
    let (journal, _) = journal_of(&bytes, &[&[QTS, channel]]);
    let file = PlainFile::parse(&bytes).unwrap().with_journal(&journal);
    let mut small = FixedSession::<1, 0, 0, 0, 0>::new();
    let error = file.replay_into(&mut small).unwrap_err();
    assert_eq!(error, ReplayError::Full(Full(Field::Channels)));
}

#[test]
fn padding_is_not_part_of_the_session() {
    let bytes = snapshot();
    for padding in [&b"\n"[..], b"\0\0\0", b"\0\0\r\n"] {
        let padded = [&bytes, padding].concat();
        let file = PlainFile::parse(&padded).unwrap();
        assert_eq!(file.bytes(), bytes);
        assert_eq!(file.crc(), Some(crc(&bytes)));
        assert!(file.complete().is_some());
    }
    let more = [&bytes[..], b"more"].concat();
    let error = PlainFile::parse(&more).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TrailingBytes);
}

#[test]
fn forms_of_a_newer_release_are_named_and_never_taken_for_a_snapshot() {
    let bytes = snapshot();
    let mut tail = [&bytes[..], &[0; session_file::BLOCK]].concat();
    tail.truncate(session_file::BLOCK);
    let header = [&b"MTST\x02\0\0\0"[..], &[5; 20]].concat();
    tail.extend_from_slice(&header);
    tail.extend_from_slice(&crc_of(&header).to_le_bytes());
    let inputs = [
        (NewerForm::Tail, tail),
        (NewerForm::Sealed, b"MTSE\xFF\x02\0".to_vec()),
        (NewerForm::Sealed, [b"MTSE\xFF", &[0; 200][..]].concat()),
    ];
    for (form, input) in inputs {
        let view = SessionView::parse(&input).unwrap_err();
        let bytes = SessionBytes::parse(&input).unwrap_err();
        for error in [view, bytes] {
            assert_eq!(error.kind, DecodeErrorKind::NewerForm(form));
            assert!(error.kind.is_newer());
            assert!(error.to_string().contains("update this program"), "{error}");
        }
    }
}
