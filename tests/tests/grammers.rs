//! `GrammersSession`: what of grammers' values goes where, and what is an error.

use std::io;
use std::net::SocketAddrV6;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use grammers_session::types::{PeerInfo, UpdateState};
use grammers_session::{Session, SessionData};
use mtsession::{
    BinaryFileBackend, Change, DcEntry, DcFlags, GrammersSession, InMemoryBackend,
    PersistedSession, SessionBackend, SessionBackendExt,
};
use mtsession_tests::grammers_types::{look, option, user, wait};

#[test]
fn what_other_clients_stored_is_used_and_stays() {
    let backend = Arc::new(InMemoryBackend::new());
    let entry = |addr: &str, flags, key: Option<u8>| DcEntry {
        dc_id: 2,
        addr: addr.to_owned(),
        auth_key: key.map(|byte| [byte; 256]),
        first_salt: 77,
        time_offset: -3,
        flags,
    };
    let stored = PersistedSession {
        home_dc_id: 2,
        dcs: vec![
            entry("149.154.167.222:443", DcFlags::MEDIA_ONLY, None),
            entry("149.154.167.50:443", DcFlags::STATIC, Some(9)),
        ],
        ..PersistedSession::default()
    };
    backend.save(&stored).unwrap();
    let session = GrammersSession::new(backend.clone()).unwrap();
    let found = session.dc_option(2).unwrap().unwrap();
    assert_eq!(found.ipv4.to_string(), "149.154.167.50:443");
    assert_eq!(found.auth_key, Some([9; 256]));
    // The other family is grammers' own.
    let known = SessionData::default().dc_options.remove(&2).unwrap();
    assert_eq!(found.ipv6, known.ipv6);

    wait(session.set_dc_option(&found)).unwrap();
    let after = backend.load().unwrap().unwrap();
    assert_eq!(after.dcs[..2], stored.dcs[..], "salt and flags stay");
    wait(session.set_dc_option(&option(2, 51, Some(1)))).unwrap();
    let after = backend.load().unwrap().unwrap();
    let main = after.dc_for(2, false).unwrap();
    assert_eq!(
        (main.first_salt, main.time_offset),
        (0, -3),
        "the salt was the old key's"
    );
    assert_eq!(after.dcs[0], stored.dcs[0], "the media entry stays");
}

/// An IPv6 address that only says the IPv4 address again is not stored: another client would dial it.
#[test]
fn a_dc_with_one_address_is_stored_with_one() {
    let backend = Arc::new(InMemoryBackend::new());
    let one = DcEntry {
        auth_key: Some([1; 256]),
        ..DcEntry::from_parts(203, "91.105.192.100", 443, DcFlags::NONE)
    };
    backend.update_dc(&one).unwrap();
    let session = GrammersSession::new(backend.clone()).unwrap();
    let found = session.dc_option(203).unwrap().unwrap();
    assert_eq!(found.ipv6.ip().to_ipv4_mapped(), Some(*found.ipv4.ip()));
    wait(session.set_dc_option(&found)).unwrap();
    assert_eq!(backend.load().unwrap().unwrap().dcs, [one]);
}

/// Or the address that is not repeated would go on with the old key.
#[test]
fn a_new_key_is_the_key_of_every_address() {
    let backend = Arc::new(InMemoryBackend::new());
    let ipv6 = DcEntry {
        auth_key: Some([1; 256]),
        ..DcEntry::from_parts(203, "2a0a:f280:203:a:5000::100", 443, DcFlags::IPV6)
    };
    backend.update_dc(&ipv6).unwrap();
    let session = GrammersSession::new(backend.clone()).unwrap();
    let mut option = option(203, 1, Some(9));
    option.ipv6.set_ip(option.ipv4.ip().to_ipv6_mapped());
    wait(session.set_dc_option(&option)).unwrap();
    let stored = backend.load().unwrap().unwrap();
    let keys: Vec<_> = stored.dcs.iter().map(|dc| dc.auth_key).collect();
    assert_eq!(keys, [Some([9; 256]); 2]);
}

/// A store that fails as long as it is told to.
#[derive(Default)]
struct Failing {
    inner: InMemoryBackend,
    fails: AtomicBool,
}

impl SessionBackend for Failing {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        self.inner.save(session)
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        self.inner.load()
    }

    fn delete(&self) -> io::Result<()> {
        self.inner.delete()
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn read(&self) -> io::Result<Option<mtsession::SessionRecord>> {
        self.inner.read()
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk is full"));
        }
        self.inner.apply(changes)
    }
}

#[test]
fn bad_ids_and_failing_stores_are_errors() {
    let backend = Failing::default();
    backend.fails.store(true, Ordering::Relaxed);
    let session = GrammersSession::new(Arc::new(backend)).unwrap();
    for error in [
        wait(session.set_home_dc_id(2)).unwrap_err(),
        wait(session.set_dc_option(&option(2, 1, None))).unwrap_err(),
        wait(session.cache_peer(PeerInfo::Chat { id: 1 })).unwrap_err(),
        wait(session.set_update_state(UpdateState::Secondary { qts: 1 })).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "the disk is full");
    }
    let error = wait(session.cache_peer(PeerInfo::Chat { id: -1 })).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("my.session");
    std::fs::write(&path, "no session").unwrap();
    GrammersSession::new(Arc::new(BinaryFileBackend::new(&path))).unwrap_err();
    assert_eq!(std::fs::read(&path).unwrap(), b"no session");
}

/// Calls that wait side by side may come in any order; memory and store must agree on which.
#[test]
fn what_is_answered_is_what_is_stored_whatever_the_order() {
    let backend = Arc::new(InMemoryBackend::new());
    let session = GrammersSession::new(backend.clone()).unwrap();
    wait(async {
        let (one, two) = (option(4, 1, Some(1)), option(4, 2, Some(2)));
        let first = (session.set_dc_option(&one), session.set_home_dc_id(4));
        let second = (session.set_dc_option(&two), session.set_home_dc_id(5));
        second.0.await.unwrap();
        second.1.await.unwrap();
        first.0.await.unwrap();
        first.1.await.unwrap();
    });
    let again = GrammersSession::new(backend).unwrap();
    assert_eq!(session.dc_option(4).unwrap(), again.dc_option(4).unwrap());
    assert_eq!(session.home_dc_id().unwrap(), again.home_dc_id().unwrap());
}

/// What was not stored is not there, and is stored when it is asked for again.
#[test]
fn a_store_that_failed_may_be_tried_again() {
    let backend = Arc::new(Failing::default());
    let session = GrammersSession::new(backend.clone()).unwrap();
    let me = user(7, Some(9), Some(false), Some(true));
    let option = option(4, 4, Some(4));
    let write = async || -> [io::Result<()>; 4] {
        [
            session.cache_peer(me.clone()).await,
            session.set_dc_option(&option).await,
            session.set_home_dc_id(4).await,
            session
                .set_update_state(UpdateState::Secondary { qts: 5 })
                .await,
        ]
    };
    let seen = |session| wait(look(session)).unwrap();
    let before = seen(&session);
    backend.fails.store(true, Ordering::Relaxed);
    assert!(wait(write()).iter().all(Result::is_err));
    assert_eq!(seen(&session), before);
    backend.fails.store(false, Ordering::Relaxed);
    assert!(wait(write()).iter().all(Result::is_ok));
    let again = GrammersSession::new(backend.clone()).unwrap();
    assert_eq!(seen(&session), seen(&again));
    assert_eq!(backend.account().unwrap().user_id, Some(7));
}

/// The salt of an old key does not come back with the next change of the new one.
#[test]
fn a_new_key_has_no_old_salt() {
    let backend = Arc::new(InMemoryBackend::new());
    let known = |addr: &str, flags| DcEntry {
        dc_id: 4,
        addr: addr.to_owned(),
        auth_key: Some([1; 256]),
        first_salt: 77,
        time_offset: 0,
        flags,
    };
    let entries = [
        known("149.154.167.91:443", DcFlags::NONE),
        known("[2001:67c:4e8:f004::a]:443", DcFlags::IPV6),
    ];
    for entry in &entries {
        backend.update_dc(entry).unwrap();
    }
    let session = GrammersSession::new(backend.clone()).unwrap();
    // Only one of the addresses is named.
    let mut option = session.dc_option(4).unwrap().unwrap();
    option.ipv6 = SocketAddrV6::new(option.ipv4.ip().to_ipv6_mapped(), 443, 0, 0);
    option.auth_key = Some([2; 256]);
    wait(session.set_dc_option(&option)).unwrap();
    wait(session.set_dc_option(&option)).unwrap();
    for entry in &backend.snapshot().unwrap().dcs {
        assert_eq!((entry.auth_key, entry.first_salt), (Some([2; 256]), 0));
    }
}

#[test]
fn nothing_printed_shows_a_key() {
    let session = GrammersSession::new(Arc::new(InMemoryBackend::new())).unwrap();
    wait(session.set_dc_option(&option(2, 1, Some(0xAB)))).unwrap();
    let shown = format!("{session:?}");
    assert!(
        !shown.contains("171") && shown.contains("home_dc_id"),
        "{shown}"
    );
}

/// Its own store links another copy of SQLite, which no program can have in addition to ours.
#[test]
fn the_store_of_grammers_is_not_linked() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "mtsession",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--features", "grammers,sqlite,libsql-remote"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && tree.contains("grammers-session v0.11"),
        "{tree}"
    );
    let has = |name: &str| {
        tree.lines()
            .any(|line| line.split(' ').next() == Some(name))
    };
    assert!(
        has("libsqlite3-sys") && !has("libsql") && !has("libsql-ffi"),
        "{tree}"
    );
}
