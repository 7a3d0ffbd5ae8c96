//! `GrammersSession` does what grammers' own session does, over every kind of store, and finds it again.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddrV6;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use grammers_session::storages::MemorySession;
use grammers_session::types::{
    ChannelKind, ChannelState, DcOption, PeerAuth, PeerId, PeerInfo, UpdateState, UpdatesState,
};
use grammers_session::{Session, SessionData};
use mtsession::{
    BinaryFileBackend, Change, DcEntry, DcFlags, GrammersSession, InMemoryBackend,
    PersistedSession, SessionBackend, SessionBackendExt, SqliteBackend,
};

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.build().unwrap().block_on(future)
}

fn option(id: i32, last: u8, key: Option<u8>) -> DcOption {
    DcOption {
        id,
        ipv4: format!("149.154.167.{last}:443").parse().unwrap(),
        ipv6: format!("[2001:67c:4e8:f002::{last:x}]:443")
            .parse()
            .unwrap(),
        auth_key: key.map(|byte| [byte; 256]),
    }
}

fn user(id: i64, hash: Option<i64>, bot: Option<bool>, is_self: Option<bool>) -> PeerInfo {
    PeerInfo::User {
        id,
        auth: hash.map(PeerAuth::from_hash),
        bot,
        is_self,
    }
}

fn channel(id: i64, hash: Option<i64>, kind: Option<ChannelKind>) -> PeerInfo {
    PeerInfo::Channel {
        id,
        auth: hash.map(PeerAuth::from_hash),
        kind,
    }
}

const CHANNEL_KINDS: [Option<ChannelKind>; 5] = [
    None,
    Some(ChannelKind::Broadcast),
    Some(ChannelKind::Megagroup),
    Some(ChannelKind::Gigagroup),
    Some(ChannelKind::Community),
];

/// Small numbers that look random, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn i32(&mut self, end: u64) -> i32 {
        i32::try_from(self.below(end)).unwrap()
    }

    fn id(&mut self) -> i64 {
        i64::try_from(self.below(6)).unwrap() + 1
    }

    fn hash(&mut self) -> Option<i64> {
        (self.below(3) > 0).then(|| self.id() * 1_000_000_007 - 3_000_000_000)
    }

    fn maybe(&mut self) -> Option<bool> {
        [None, Some(false), Some(true)][usize::try_from(self.below(3)).unwrap()]
    }

    fn peer(&mut self) -> PeerInfo {
        match self.below(4) {
            0 => PeerInfo::Chat { id: self.id() },
            1 => channel(
                self.id(),
                self.hash(),
                CHANNEL_KINDS[usize::try_from(self.below(5)).unwrap()],
            ),
            // Only one of them is the account.
            _ => match self.id() {
                1 => user(1, self.hash(), Some(false), Some(true)),
                id => user(id, self.hash(), self.maybe(), None),
            },
        }
    }

    fn update(&mut self) -> UpdateState {
        match self.below(4) {
            0 => UpdateState::All(UpdatesState {
                pts: self.i32(100),
                qts: self.i32(100),
                date: self.i32(100),
                seq: self.i32(100),
                channels: (1..=self.id())
                    .map(|id| ChannelState {
                        id,
                        pts: self.i32(100),
                    })
                    .collect(),
            }),
            1 => UpdateState::Primary {
                pts: self.i32(100),
                date: self.i32(100),
                seq: self.i32(100),
            },
            2 => UpdateState::Secondary { qts: self.i32(100) },
            _ => UpdateState::Channel {
                id: self.id(),
                pts: self.i32(100),
            },
        }
    }
}

/// What a client can see of a session.
#[derive(Debug, PartialEq)]
struct Seen {
    home: i32,
    options: Vec<Option<DcOption>>,
    peers: Vec<Option<PeerInfo>>,
    refs: Vec<Option<i64>>,
    counters: [i32; 4],
    channels: BTreeMap<i64, i32>,
}

async fn look<S: Session>(session: &S) -> Result<Seen, S::Error> {
    let mut seen = Seen {
        home: session.home_dc_id()?,
        options: Vec::new(),
        peers: Vec::new(),
        refs: Vec::new(),
        counters: [0; 4],
        channels: BTreeMap::new(),
    };
    for id in [0, 1, 2, 3, 4, 5, 6, 203, 10_002, -2] {
        seen.options.push(session.dc_option(id)?);
    }
    for id in 1..=7 {
        for peer in [PeerId::user(id), PeerId::chat(id), PeerId::channel(id)] {
            let peer = peer.unwrap();
            seen.peers.push(session.peer(peer).await?);
            let auth = session.peer_ref(peer).await?.map(|peer| peer.auth.hash());
            seen.refs.push(auth);
        }
    }
    let state = session.updates_state().await?;
    seen.counters = [state.pts, state.qts, state.date, state.seq];
    for channel in state.channels {
        let twice = seen.channels.insert(channel.id, channel.pts);
        assert_eq!(twice, None, "channel {}", channel.id);
    }
    Ok(seen)
}

/// One random step.
async fn step<S: Session>(session: &S, numbers: &mut Numbers) -> Result<(), S::Error> {
    match numbers.below(6) {
        0 => session.set_home_dc_id(numbers.i32(5) + 1).await,
        1 => {
            let id = [1, 2, 5, 203][usize::try_from(numbers.below(4)).unwrap()];
            let last = u8::try_from(numbers.below(250) + 1).unwrap();
            let key = (numbers.below(2) > 0).then_some(last);
            session.set_dc_option(&option(id, last, key)).await
        }
        2 => {
            let peers = (0..numbers.below(4)).map(|_| numbers.peer()).collect();
            session.cache_peers(peers).await
        }
        3 => session.cache_peer(numbers.peer()).await,
        _ => session.set_update_state(numbers.update()).await,
    }
}

/// What stores do not keep of a peer; see `GrammersSession`.
fn as_stored(peer: &mut Option<PeerInfo>) {
    if let Some(PeerInfo::User {
        bot,
        is_self: is_self @ (None | Some(false)),
        ..
    }) = peer
    {
        (*bot, *is_self) = (None, None);
    }
}

fn stores(dir: &Path) -> Vec<(&'static str, Box<dyn Fn() -> Arc<dyn SessionBackend>>)> {
    let memory = Arc::new(InMemoryBackend::new());
    let file = dir.join("my.session");
    let database = dir.join("my.db");
    vec![
        ("memory", Box::new(move || memory.clone())),
        (
            "file",
            Box::new(move || Arc::new(BinaryFileBackend::new(&file))),
        ),
        (
            "sqlite",
            Box::new(move || Arc::new(SqliteBackend::open(&database).unwrap())),
        ),
    ]
}

#[test]
fn every_store_behaves_like_grammers_own_session_and_keeps_it() {
    for seed in 1..=8 {
        let dir = tempfile::tempdir().unwrap();
        for (name, open) in stores(dir.path()) {
            wait(async {
                let model = MemorySession::default();
                let (mut ours, mut theirs) = (Numbers(seed), Numbers(seed));
                let mut session = GrammersSession::new(open()).unwrap();
                assert_eq!(look(&session).await.unwrap(), look(&model).await.unwrap());
                for number in 0..60 {
                    step(&model, &mut theirs).await.unwrap();
                    step(&session, &mut ours).await.unwrap();
                    let what = format!("{name}, seed {seed}, step {number}");
                    let mut expected = look(&model).await.unwrap();
                    if number % 10 == 9 {
                        drop(session);
                        session = GrammersSession::new(open()).unwrap();
                        let mut found = look(&session).await.unwrap();
                        expected.peers.iter_mut().for_each(as_stored);
                        found.peers.iter_mut().for_each(as_stored);
                        assert_eq!(found, expected, "{what}, opened again");
                        break_even(&session, &model).await;
                    } else {
                        assert_eq!(look(&session).await.unwrap(), expected, "{what}");
                    }
                }
            });
        }
    }
}

/// Tells the reopened session what only the process knew.
async fn break_even(session: &GrammersSession, model: &MemorySession) {
    for id in 1..=6 {
        let id = PeerId::user(id).unwrap();
        if let Some(peer) = model.peer(id).await.unwrap() {
            session.cache_peer(peer).await.unwrap();
        }
    }
}

#[test]
fn the_account_is_found_as_self_and_kept_beside_the_session() {
    let dir = tempfile::tempdir().unwrap();
    for (name, open) in stores(dir.path()) {
        wait(async {
            let session = GrammersSession::new(open()).unwrap();
            let me = PeerId::self_user();
            assert_eq!(session.peer(me).await.unwrap(), None, "{name}");
            session
                .cache_peer(user(7, Some(5), None, Some(true)))
                .await
                .unwrap();
            session
                .cache_peer(user(7, None, Some(true), None))
                .await
                .unwrap();
            let expected = user(7, Some(5), Some(true), Some(true));
            assert_eq!(
                session.peer(me).await.unwrap(),
                Some(expected.clone()),
                "{name}"
            );
            drop(session);

            let account = open().account().unwrap();
            assert_eq!(
                (account.user_id, account.is_bot),
                (Some(7), Some(true)),
                "{name}"
            );
            let session = GrammersSession::new(open()).unwrap();
            assert_eq!(session.peer(me).await.unwrap(), Some(expected), "{name}");
        });
    }
}

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
