//! Stores that keep a bounded number of peers.

use mtsession::codec::{MinPeer, Peer, PeerKey, PeerKind};
use mtsession::{
    Account, Change, FlushPolicy, PeerLimits, PeerNames, PeerQuery, PersistedSession,
    SessionBackend, SessionBackendExt as _, SessionHead, StoreOptions, UpdateChange,
};
use tempfile::TempDir;

const ME: i64 = 777_000;
const FOLLOWED: i64 = 55;
const NAMED: i64 = 99;

fn key(kind: PeerKind, id: i64) -> PeerKey {
    PeerKey::new(kind, false, id)
}

fn addresses(dir: &TempDir) -> Vec<String> {
    let at = |name: &str| dir.path().join(name).display().to_string();
    vec![
        "memory:".to_owned(),
        at("bot.session"),
        format!("sqlite:{}", at("bot.db")),
        format!("libsql:{}", at("other.db")),
    ]
}

fn options(limits: PeerLimits) -> StoreOptions {
    StoreOptions::new()
        .limits(limits)
        .keep_peers([key(PeerKind::User, NAMED)])
}

/// The own account, a channel whose updates are followed and a peer that is named, the oldest of all.
fn begin(backend: &dyn SessionBackend) {
    backend
        .apply(&[
            Change::Account(Account::user(ME)),
            Change::Peer(Peer::user(ME, 1)),
            Change::Peer(Peer::user(NAMED, 1)),
            Change::Peer(Peer::channel(FOLLOWED, 1, None)),
            Change::Update(UpdateChange::Channel {
                id: FOLLOWED,
                pts: 7,
            }),
        ])
        .unwrap();
}

fn counts(session: &PersistedSession) -> [usize; 3] {
    let stats = session.stats();
    [stats.peers_users, stats.peers_channels, stats.min_peers]
}

fn has(backend: &dyn SessionBackend, kind: PeerKind, id: i64) -> bool {
    let query = PeerQuery::Key(key(kind, id));
    backend.find_peer(query).unwrap().is_some()
}

#[test]
fn the_peers_that_were_not_used_for_longest_go_first() {
    let dir = tempfile::tempdir().unwrap();
    for address in addresses(&dir) {
        let limits = PeerLimits::default().users(32).channels(4).min_peers(8);
        let backend = options(limits).connect(&*address).unwrap();
        begin(&*backend);
        for id in 1..=30 {
            backend.cache_peer(&Peer::user(id, 1).into()).unwrap();
        }
        let names = PeerNames {
            id: 1,
            usernames: vec!["alice".to_owned()],
            ..PeerNames::default()
        };
        backend.set_peer_names(&[names]).unwrap();
        // One is looked up, one is seen again as it is.
        assert!(has(&*backend, PeerKind::User, 1));
        backend.cache_peer(&Peer::user(2, 1).into()).unwrap();
        backend.cache_peer(&Peer::user(31, 1).into()).unwrap();
        let session = backend.load().unwrap().unwrap();
        assert_eq!(counts(&session)[0], 30, "{address}: room for two more");
        for id in [1, 2, 6, 31, ME, NAMED] {
            assert!(has(&*backend, PeerKind::User, id), "{address}: {id}");
        }
        for id in [3, 4, 5] {
            assert!(!has(&*backend, PeerKind::User, id), "{address}: {id}");
        }
        let alice = backend.peer_by_username("alice").unwrap();
        assert_eq!(alice.unwrap().peer.id, 1, "{address}: its name came along");

        // It is remembered after the process has ended.
        drop(backend);
        if address == "memory:" {
            continue;
        }
        let backend = options(limits).connect(&*address).unwrap();
        for id in 100..104 {
            backend.cache_peer(&Peer::user(id, 1).into()).unwrap();
        }
        let session = backend.load().unwrap().unwrap();
        let ids: Vec<_> = session.peers.iter().map(|peer| peer.id).collect();
        assert!(ids.contains(&1) && !ids.contains(&6), "{address}: {ids:?}");

        // Each kind by itself, and what is saved whole as well.
        for id in 1..=40 {
            backend
                .cache_peer(&Peer::channel(id, 1, None).into())
                .unwrap();
            let seen = MinPeer {
                user_id: id,
                peer_id: 1,
                msg_id: 1,
            };
            backend.apply(&[Change::MinPeer(seen)]).unwrap();
            let [users, channels, min_peers] = counts(&backend.load().unwrap().unwrap());
            assert!(users <= 32 && channels <= 5 && min_peers <= 8, "{address}");
        }
        assert!(has(&*backend, PeerKind::Channel, FOLLOWED));
        let mut session = backend.load().unwrap().unwrap();
        session
            .peers
            .extend((1_000..1_100).map(|id| Peer::user(id, 1).into()));
        backend.save(&session).unwrap();
        let stored = backend.load().unwrap().unwrap();
        assert_eq!(counts(&stored)[0], 32, "{address}");
        assert!(has(&*backend, PeerKind::User, ME) && has(&*backend, PeerKind::User, 1_099));
    }
}

#[test]
fn without_limits_nothing_goes() {
    let dir = tempfile::tempdir().unwrap();
    let backend = mtsession::connect(dir.path().join("s")).unwrap();
    for id in 1..=100 {
        backend.cache_peer(&Peer::user(id, 1).into()).unwrap();
    }
    assert_eq!(backend.head().unwrap().unwrap().peers, 100);
}

/// A busy bot: most of what it sees, it sees once. `SIGHTINGS=1000000` is the whole run.
#[test]
fn any_number_of_sightings_leaves_a_bounded_session_that_knows_itself() {
    const BATCH: i64 = 1_000;
    let asked = std::env::var("SIGHTINGS").ok();
    let sightings = asked.map_or(20_000, |sightings| sightings.parse().unwrap());

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    let limits = PeerLimits::default().users(5_000).min_peers(2_000);
    let store = |options: StoreOptions| options.connect(&path).unwrap();
    let backend = store(options(limits).flush(FlushPolicy::Never));
    begin(&*backend);
    let mut random = 1_u64;
    for batch in 0..sightings / BATCH {
        let mut changes = Vec::new();
        for _ in 0..BATCH {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let id = 1_000_000 + i64::try_from(random >> 44).unwrap();
            changes.push(if random & (1 << 40) == 0 {
                Change::Peer(Peer::user(id, 1))
            } else {
                Change::MinPeer(MinPeer {
                    user_id: id,
                    peer_id: 1,
                    msg_id: 1,
                })
            });
        }
        backend.apply(&changes).unwrap();
        if batch % 100 == 0 {
            let head: SessionHead = backend.head().unwrap().unwrap();
            assert!(head.peers <= 5_001 && head.min_peers <= 2_000, "{head:?}");
        }
    }
    assert!(has(&*backend, PeerKind::User, ME) && has(&*backend, PeerKind::User, NAMED));
    drop(backend);
    // Two lists of at most so many, a tail that is never longer than 64 KiB or than they are, and the batch of it.
    let len = std::fs::metadata(&path).unwrap().len();
    assert!(len < 1_000_000, "{len}");
    let session = mtsession::connect(&path).unwrap().load().unwrap().unwrap();
    assert_eq!(session.peers[0].id, ME);
    ferogram_session::PersistedSession::from_bytes(&std::fs::read(&path).unwrap()).unwrap();
}
