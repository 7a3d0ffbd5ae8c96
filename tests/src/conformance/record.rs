//! The behaviours of the whole record: moved whole or not at all, and what belongs to a login.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mtsession::codec::{
    EntryKey, LoginState, NamesOf, Peer, PeerKey, PeerKind, SessionSource as _,
};
use mtsession::{
    Account, Change, DcEntry, DcFlags, Keeps, OwnedLoginState, PeerNames, PersistedSession,
    SessionBackend, SessionBackendExt as _, SessionRecord, UpdateChange,
};

use crate::conformance::Fixture;
use crate::random::{key_of, sized};

const REVOKED: LoginState<'_> = LoginState::Revoked {
    at: 1_750_000_000,
    error: "AUTH_KEY_UNREGISTERED",
};

/// A record in which everything that a store can keep is set.
pub fn everything() -> SessionRecord {
    let mut session = sized(3, 40, 5, 6);
    session.future_auth_token = Some(vec![3, 1, 4]);
    session.dcs.push(DcEntry::from_parts(
        session.home_dc_id,
        "149.154.167.222",
        443,
        DcFlags::MEDIA_ONLY,
    ));
    let names: Vec<_> = session
        .peers
        .iter()
        .take(7)
        .map(|peer| PeerNames {
            id: peer.id,
            kind: Peer::from(peer).kind,
            usernames: vec![format!("name_{}", peer.id), "другой".to_owned()],
            phone: Some(format!("1555{}", peer.id)),
            title: Some("A \"title\"\n".to_owned()),
        })
        .collect();
    let mut record = SessionRecord::from(session);
    let account = Account {
        user_id: Some(777_000),
        is_bot: Some(true),
        api_id: Some(12_345),
        test_mode: Some(false),
    };
    record
        .apply_all(&[Change::Account(account), Change::LoginState(REVOKED)])
        .unwrap();
    record.set_peer_names(&names).unwrap();
    record
}

/// The names of all peers, in one order.
fn names_of(record: &SessionRecord) -> Vec<PeerNames> {
    let mut names = record.peer_names();
    names.sort_by_key(|names| (names.kind, names.id));
    names
}

/// Panics with the part that differs.
pub fn assert_same(found: &SessionRecord, expected: &SessionRecord) {
    assert_eq!(found.session(), expected.session());
    assert_eq!(found.account(), expected.account());
    assert_eq!(found.login_state(), expected.login_state());
    assert_eq!(names_of(found), names_of(expected));
}

fn keeps_all(backend: &dyn SessionBackend) -> bool {
    let keeps = backend.keeps();
    if keeps != Keeps::ALL {
        eprintln!("{} keeps only {keeps:?}", backend.name());
    }
    keeps == Keeps::ALL
}

/// No field is forgotten on the way in, in the store, or on the way out.
pub fn every_part_of_a_record_comes_back(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let record = everything();
    if !keeps_all(&*backend) {
        let error = backend.replace(&record).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
        assert!(backend.read().unwrap().is_none());
        return;
    }
    // In place of nothing, of another login, and of the same record.
    backend.replace(&record).unwrap();
    assert_same(&backend.read().unwrap().unwrap(), &record);
    let bare = SessionRecord::from(sized(2, 50, 2, 2));
    backend.replace(&bare).unwrap();
    assert_same(&backend.read().unwrap().unwrap(), &bare);
    backend.replace(&record).unwrap();
    backend.replace(&record).unwrap();
    assert_same(&backend.read().unwrap().unwrap(), &record);
    if fixture.persists() {
        assert_same(&fixture.open().read().unwrap().unwrap(), &record);
    }
    let head = backend.head().unwrap().unwrap();
    assert_eq!(head.home_dc_id, 2);
    assert_eq!(head.dcs, record.session().dcs);
    assert_eq!(head.updates_state, record.session().updates_state);
    assert_eq!(head.future_auth_token, record.session().future_auth_token);
    assert_eq!(head.account, record.account());
    assert_eq!(head.login_state, OwnedLoginState::from(REVOKED));
    assert_eq!((head.peers, head.min_peers), (40, 6));
}

/// Each change alone does to a store what it does to a record.
pub fn every_change_does_what_it_says(fixture: &dyn Fixture) {
    let backend = fixture.open();
    if !keeps_all(&*backend) {
        return;
    }
    let mut record = everything();
    backend.replace(&record).unwrap();
    let dc = record.session().dcs[0].clone();
    let first = Peer::from(&record.session().peers[0]);
    let second = Peer::from(&record.session().peers[1]);
    let named = NamesOf::new(second.id, second.kind).with_usernames(&["new"]);
    let unknown = NamesOf::new(1, PeerKind::Chat).with_title(Some("nobody"));
    let slot = dc.as_dc_ref().slot();
    let moved = LoginState::Moved { at: -1, to: "a#b" };
    let salt = |dc| Change::Salt {
        dc,
        first_salt: i64::MIN,
        time_offset: 9,
    };
    let none = mtsession::codec::DcSlot::new(77, DcFlags::NONE);
    let changes = [
        vec![Change::LoginState(moved)],
        vec![Change::LoginState(LoginState::Active)],
        vec![Change::LoginState(REVOKED)],
        vec![salt(slot), salt(none)],
        vec![Change::Names(named)],
        vec![Change::Names(unknown)],
        vec![Change::Names(NamesOf::new(first.id, first.kind))],
        vec![Change::Peer(Peer::chat(1)), Change::Names(unknown)],
        vec![Change::Forget(EntryKey::Peer(second.key()))],
        vec![Change::Forget(EntryKey::Peer(PeerKey::user(4)))],
        vec![Change::Forget(EntryKey::Channel(1_000_000_001))],
        vec![Change::Forget(EntryKey::MinPeer(
            record.session().min_peers[1].user_id,
        ))],
        vec![
            Change::Forget(EntryKey::Dc(slot)),
            Change::Update(UpdateChange::Secondary { qts: 3 }),
        ],
        vec![
            Change::Dc(dc.as_dc_ref()),
            Change::Account(Account::user(5)),
        ],
    ];
    for batch in &changes {
        backend.apply(batch).unwrap();
        record.apply_all(batch).unwrap();
        let found = backend.read().unwrap().unwrap();
        assert_eq!(found.session(), record.session(), "{batch:?}");
        assert_same(&found, &record);
        if fixture.persists() {
            assert_same(&fixture.open().read().unwrap().unwrap(), &record);
        }
    }
}

fn login(home: i32, key: u8) -> PersistedSession {
    PersistedSession {
        home_dc_id: home,
        dcs: vec![DcEntry {
            auth_key: Some(key_of(key)),
            ..DcEntry::from_parts(home, "149.154.167.51", 443, DcFlags::NONE)
        }],
        peers: sized(0, 3, 0, 0).peers,
        ..PersistedSession::default()
    }
}

/// Rule 11: account, names and login state belong to the home DC's auth key.
pub fn what_belongs_to_a_login_goes_with_its_key(fixture: &dyn Fixture) {
    let backend = fixture.open();
    if !keeps_all(&*backend) {
        return;
    }
    let mut moved = login(4, 8);
    moved.dcs.extend(login(2, 7).dcs);
    let mut no_home_key = login(2, 7);
    no_home_key.home_dc_id = 5;
    let cases = [
        (login(2, 7), true),
        (moved, true),
        (login(2, 9), false),
        (login(4, 9), false),
        (no_home_key, false),
        (PersistedSession::default(), false),
    ];
    for (session, stays) in cases {
        for reopens in [false, true] {
            backend.delete().unwrap();
            backend.save(&login(2, 7)).unwrap();
            backend
                .update(&mut |record| {
                    let own = everything();
                    let peer = Peer::from(&record.session().peers[1]);
                    let names = PeerNames {
                        id: peer.id,
                        kind: peer.kind,
                        title: Some("T".to_owned()),
                        ..PeerNames::default()
                    };
                    record.set_peer_names(&[names])?;
                    Ok(record.apply_all(&[
                        Change::Account(own.account()),
                        Change::LoginState(REVOKED),
                    ])?)
                })
                .unwrap();
            let mut expected = backend.read().unwrap().unwrap();
            assert_eq!(names_of(&expected).len(), 1);
            expected.set_session(session.clone());
            assert_eq!(expected.account() == everything().account(), stays);

            let writer = if reopens && fixture.is_shared() {
                fixture.open()
            } else if reopens {
                continue;
            } else {
                Box::new(&backend) as Box<dyn SessionBackend>
            };
            writer.save(&session).unwrap();
            assert_same(&writer.read().unwrap().unwrap(), &expected);
            assert_same(&backend.read().unwrap().unwrap(), &expected);
        }
    }
}

/// A closure that fails, panics or does nothing leaves everything as it was; one that reads is served.
pub fn an_update_is_whole_or_nothing(fixture: &dyn Fixture) {
    let backend = fixture.open();
    backend
        .update(&mut |record| {
            assert!(record.is_new());
            Ok(())
        })
        .unwrap();
    assert!(backend.read().unwrap().is_none(), "left untouched");
    assert!(fixture.stored_bytes().is_empty() || backend.load().unwrap().is_none());

    let session = sized(2, 3, 1, 1);
    backend.save(&session).unwrap();
    let failed = backend.update(&mut |record| {
        assert!(!record.is_new());
        record.set_session(PersistedSession::default());
        Err(io::Error::other("the caller's own words"))
    });
    assert_eq!(failed.unwrap_err().to_string(), "the caller's own words");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        backend.update(&mut |record| {
            record.set_session(PersistedSession::default());
            panic!("in the closure: this is part of the test")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(backend.load().unwrap(), Some(session.clone()));

    backend
        .update(&mut |record| {
            let there = backend.load()?.unwrap();
            assert_eq!(there, *record.session());
            assert_eq!(backend.head()?.unwrap().home_dc_id, there.home_dc_id);
            record.set_session(PersistedSession {
                home_dc_id: 5,
                ..there
            });
            Ok(())
        })
        .unwrap();
    let expected = PersistedSession {
        home_dc_id: 5,
        ..session
    };
    assert_eq!(backend.load().unwrap(), Some(expected));
    let too_long = backend.update(&mut |record| {
        record.set_session(sized(256, 0, 0, 0));
        Ok(())
    });
    assert!(too_long.is_err());
    assert_eq!(backend.load().unwrap().unwrap().dcs.len(), 2);
}

/// Updates of several backends count each, next to one that moves a counter all the time.
pub fn updates_do_not_lose_each_other(fixture: &dyn Fixture) {
    if !fixture.is_atomic() {
        eprintln!("skipped: the store cannot tell writers apart");
        return;
    }
    const THREADS: usize = 3;
    const UPDATES: i32 = 15;
    let shared: Arc<dyn SessionBackend> = fixture.open().into();
    shared.save(&sized(2, 3, 0, 0)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let backend: Arc<dyn SessionBackend> = if fixture.is_shared() && thread > 0 {
                fixture.open().into()
            } else {
                Arc::clone(&shared)
            };
            scope.spawn(move || {
                for pts in 0..UPDATES {
                    backend
                        .update(&mut |record| {
                            let mut session = record.session().clone();
                            session.updates_state.qts += 1;
                            record.set_session(session);
                            Ok(())
                        })
                        .unwrap();
                    let primary = UpdateChange::Primary {
                        pts,
                        date: 0,
                        seq: 0,
                    };
                    backend.apply(&[Change::Update(primary)]).unwrap();
                }
            });
        }
    });
    let session = shared.load().unwrap().unwrap();
    let made = UPDATES * i32::try_from(THREADS).unwrap();
    assert_eq!(session.updates_state.qts, 17 + made);
    assert_eq!(session.updates_state.pts, UPDATES - 1);
}

/// Peers are found by identity and name, and listed in pages.
pub fn peers_are_found_and_listed(fixture: &dyn Fixture) {
    let backend = fixture.open();
    assert!(backend.peer_by_username("x").unwrap().is_none());
    assert!(backend.peers_after(None, 5).unwrap().is_empty());
    let record = everything();
    if keeps_all(&*backend) {
        backend.replace(&record).unwrap();
        let known = &record.session().peers[3];
        for name in ["name_1000003", "@NAME_1000003"] {
            let found = backend.peer_by_username(name).unwrap().unwrap();
            assert_eq!(found.peer, *known);
            assert_eq!(found.names.usernames[0], "name_1000003");
        }
        let found = backend.peer_by_phone("+15551000003").unwrap().unwrap();
        assert_eq!(found.peer, *known);
        assert!(backend.peer_by_phone("1555").unwrap().is_none());
        assert!(backend.peer_by_username("name").unwrap().is_none());
    } else {
        backend.save(record.session()).unwrap();
    }
    for peer in &record.session().peers {
        let key = Peer::from(peer).key();
        let query = mtsession::PeerQuery::Key(key);
        assert_eq!(backend.find_peer(query).unwrap().unwrap().peer, *peer);
    }
    let missing = mtsession::PeerQuery::Key(PeerKey::user(4));
    assert!(backend.find_peer(missing).unwrap().is_none());

    let (mut after, mut keys) = (None, Vec::new());
    loop {
        let page = backend.peers_after(after, 7).unwrap();
        assert!(page.len() <= 7);
        keys.extend(page.iter().map(|known| Peer::from(&known.peer).key()));
        if page.len() < 7 {
            break;
        }
        after = keys.last().copied();
    }
    let mut expected: Vec<_> = record
        .session()
        .peers
        .iter()
        .map(|peer| Peer::from(peer).key())
        .collect();
    expected.sort();
    assert_eq!(keys, expected);

    backend
        .retain_peers(&mut |known| known.peer.is_chat)
        .unwrap();
    let session = backend.load().unwrap().unwrap();
    assert!(session.peers.iter().all(|peer| peer.is_chat));
    assert_eq!(session.peers.len(), 13);
    let names = backend.peer_names().unwrap();
    assert!(names.iter().all(|names| names.kind == PeerKind::Chat));
}
