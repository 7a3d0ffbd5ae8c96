//! A target that holds something else than what was written to it, found where it is read back.

use std::fs;

use mtsession::{BinaryFileBackend, SessionBackendExt as _, SessionRecord};

use crate::case::Case;
use crate::record::Login::{Another, Whole};
use crate::stores::Kind;
use crate::strace;

/// What the command says where the target became `there` before it was read back.
fn said_where_there_is(there: &SessionRecord) -> Option<String> {
    if !strace::is_there() {
        return None;
    }
    let case = Case::convert(Kind::File, Whole, Kind::File, None);
    let measured = case.place();
    let target = measured.target().join("session");
    let number = case.invocation(&measured, false).first_opening(&target);

    let place = case.place();
    let target = place.target().join("session");
    let another = place.target().join("another");
    BinaryFileBackend::new(&another).replace(there).unwrap();
    let run = case.invocation(&place, false);
    let (code, said) = run.stopped_at_opening(number, || {
        fs::rename(another, &target).unwrap();
    });
    assert_eq!(code, Some(1), "{said}");
    Some(said)
}

#[test]
fn every_difference_is_named_and_what_to_do() {
    let Some(said) = said_where_there_is(&Another.record()) else {
        return;
    };
    for words in [
        "the auth key of DC 2 with flags 0: expected the one with fingerprint",
        "the future auth token: expected 8 bytes, found other 8 bytes",
        "the account's user id: expected 777001, found 777002",
        "the update counter pts: expected 11, found 12",
        "names of peers: 1 of 1 differ, the first in place 1: expected user 1001",
        "is unchanged: go on with it",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn where_one_thing_differs_nothing_else_is_blamed() {
    let mut record = Whole.record();
    let mut names = record.peer_names();
    names[0].phone = None;
    record.set_peer_names(&names).unwrap();
    let mut session = record.session().clone();
    // What the file's tail says.
    session.updates_state.qts = 21;
    record.set_session(session);
    let Some(said) = said_where_there_is(&record) else {
        return;
    };
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(
        lines[0].contains("and a title, found user 1001 with 1 username, no phone number"),
        "{said}"
    );
}
