//! Each kind of difference, through a store that gives back something else than it was given.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic: that is how it fails"
)]

use mtsession::codec::Peer;
use mtsession::{
    CachedMinPeer, Change, DcFlags, InMemoryBackend, OwnedLoginState, SessionBackend as _,
    SessionBackendExt as _,
};

use super::*;

/// What a store holds, where a fault can change a part of it.
struct Content {
    session: PersistedSession,
    account: Account,
    login_state: OwnedLoginState,
    names: Vec<PeerNames>,
}

impl Content {
    fn record(&self) -> SessionRecord {
        let mut record = SessionRecord::from(self.session.clone());
        let changes = [
            Change::Account(self.account),
            Change::LoginState(self.login_state.as_state()),
        ];
        record.apply_all(&changes).unwrap();
        record.set_peer_names(&self.names).unwrap();
        record
    }
}

fn written() -> Content {
    let dc = |id: i32, addr: &str, key: u8| DcEntry {
        auth_key: Some([key; 256]),
        ..DcEntry::from_parts(id, addr, 443, DcFlags::NONE)
    };
    let peers = (1..=3).map(|id| CachedPeer::from(Peer::user(id, 5)));
    let names = (1..=2).map(|id| PeerNames {
        id,
        usernames: vec![format!("user{id}")],
        title: Some("A title".to_owned()),
        ..PeerNames::default()
    });
    Content {
        session: PersistedSession {
            home_dc_id: 2,
            dcs: vec![dc(2, "149.154.167.51", 1), dc(4, "149.154.167.91", 2)],
            updates_state: UpdatesStateSnap {
                pts: 10,
                channels: vec![(70, 7), (80, 8)],
                ..UpdatesStateSnap::default()
            },
            peers: peers.collect(),
            min_peers: vec![CachedMinPeer {
                user_id: 5,
                peer_id: 6,
                msg_id: 7,
            }],
            future_auth_token: Some(vec![1; 8]),
        },
        account: Account::user(777_000),
        login_state: OwnedLoginState::default(),
        names: names.collect(),
    }
}

/// A store that gives back something else than it was given.
fn through_a_faulty_store(fault: impl Fn(&mut Content)) -> Vec<String> {
    let record = written().record();
    let store = InMemoryBackend::new();
    store.replace(&record).unwrap();
    let found = store.read().unwrap().unwrap();
    assert!(differences(&record, &found, Promise::Everything).is_empty());
    let mut content = written();
    fault(&mut content);
    store.replace(&content.record()).unwrap();
    let found = store.read().unwrap().unwrap();
    differences(&record, &found, Promise::Everything)
}

#[track_caller]
fn says(line: &str, fault: impl Fn(&mut Content)) {
    assert_eq!(through_a_faulty_store(fault), [line]);
}

#[test]
fn a_difference_in_the_login_has_its_own_words() {
    says("the home DC: expected 2, found 4", |found| {
        found.session.home_dc_id = 4;
    });
    says(
        "the auth key of DC 4 with flags 0: expected the one with fingerprint 7eaf1886, found none",
        |found| found.session.dcs[1].auth_key = None,
    );
    says(
        "the address of DC 2 with flags 0: expected `149.154.167.51:443`, found `\\u{1b}[2J`",
        |found| found.session.dcs[0].addr = "\u{1b}[2J".to_owned(),
    );
    says(
        "the salt of DC 2 with flags 0: expected the one that was written, found another",
        |found| found.session.dcs[0].first_salt = 99,
    );
    says(
        "the clock offset of DC 2 with flags 0, in seconds: expected 0, found -3",
        |found| found.session.dcs[0].time_offset = -3,
    );
    says(
        "DC entries: 1 of 2 differ, the first in place 2: expected DC 4 with flags 0, found nothing",
        |found| found.session.dcs.truncate(1),
    );
    says(
        "the future auth token: expected 8 bytes, found none",
        |found| found.session.future_auth_token = None,
    );
    says(
        "the future auth token: expected 8 bytes, found other 8 bytes",
        |found| found.session.future_auth_token = Some(vec![2; 8]),
    );
}

#[test]
fn a_difference_in_the_account_has_its_own_words() {
    says("the account's user id: expected 777000, found 5", |found| {
        found.account.user_id = Some(5);
    });
    says(
        "whether the account is a bot: expected unknown, found yes",
        |found| found.account.is_bot = Some(true),
    );
    says("the account's api_id: expected unknown, found 6", |found| {
        found.account.api_id = Some(6);
    });
    says(
        "whether the account is on the test servers: expected unknown, found no",
        |found| found.account.test_mode = Some(false),
    );
    let ended = LoginState::Revoked {
        at: 1,
        error: "AUTH_KEY_UNREGISTERED",
    };
    says(
        "whether the login still holds: expected that it holds, found that the server ended it \
         (AUTH_KEY_UNREGISTERED)",
        |found| found.login_state = ended.into(),
    );
}

#[test]
fn a_difference_in_what_is_cached_has_its_own_words() {
    says("the update counter pts: expected 10, found 11", |found| {
        found.session.updates_state.pts = 11;
    });
    says(
        "channels with their own pts: 1 of 2 differ, the first in place 2: expected channel 80 with \
         pts 8, found channel 80 with pts 9",
        |found| found.session.updates_state.channels[1].1 = 9,
    );
    says(
        "peers: 1 of 3 differ, the first in place 3: expected user 3, found nothing",
        |found| {
            found.session.peers.remove(2);
        },
    );
    says(
        "peers: 1 of 3 differ, the first in place 3: expected user 3, found the same with another \
         content",
        |found| found.session.peers[2].access_hash = 9,
    );
    says(
        "min peers: 1 of 1 differ, the first in place 1: expected user 5 in chat 6, found nothing",
        |found| found.session.min_peers.clear(),
    );
    says(
        "names of peers: 1 of 2 differ, the first in place 2: expected user 2 with 1 username, no \
         phone number and a title, found user 2 with 1 username, no phone number and no title",
        |found| found.names[1].title = None,
    );
}

#[test]
fn all_kinds_of_differences_are_named_at_once_and_no_secret() {
    let lines = through_a_faulty_store(|found| {
        let mut dc = found.session.dcs.remove(0);
        dc.auth_key = Some([9; 256]);
        dc.first_salt = 0x1234_5678;
        found.session.dcs.insert(0, dc);
        found.session.updates_state.seq = 5;
        found.names.clear();
    });
    assert_eq!(lines.len(), 4, "{lines:?}");
    let text = lines.concat();
    assert!(
        !text.contains("0909") && !text.contains("305419896"),
        "{text}"
    );
    assert!(text.contains("names of peers: 2 of 2 differ"), "{text}");
}

/// Another library keeps what it has a place for.
#[test]
fn of_another_librarys_session_the_login_is_compared() {
    let record = written().record();
    let mut found = written();
    found.names.clear();
    found.session.peers.clear();
    found.account.is_bot = None;
    assert!(differences(&record, &found.record(), Promise::Login).is_empty());
    found.account.user_id = Some(6);
    found.session.dcs[0].auth_key = None;
    let lines = differences(&record, &found.record(), Promise::Login);
    assert_eq!(lines.len(), 2, "{lines:?}");
}
