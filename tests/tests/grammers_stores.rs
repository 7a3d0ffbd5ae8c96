//! `GrammersSession` does what grammers' own session does, over every kind of store, and finds it again.
#![cfg(feature = "full")]

use std::path::Path;
use std::sync::Arc;

use grammers_session::Session;
use grammers_session::storages::MemorySession;
use grammers_session::types::{
    ChannelKind, ChannelState, PeerId, PeerInfo, UpdateState, UpdatesState,
};
use mtsession::{
    Address, GrammersSession, InMemoryBackend, Location, SessionBackend, SessionBackendExt as _,
    StoreOptions, StringSessionBackend, connect,
};
use mtsession_tests::grammers_types::{channel, look, option, user, wait};
use mtsession_tests::sqld::{Sqld, is_available};
use mtsession_tests::stores::{libsql, server, sqlite};

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

/// A store that can be opened again and again.
type Open = Box<dyn Fn() -> Arc<dyn SessionBackend>>;

/// What an address leads to.
fn at(address: Address) -> Open {
    Box::new(move || connect(address.clone()).unwrap())
}

fn stores(dir: &Path) -> Vec<(&'static str, Open)> {
    let path = |name: &str| dir.join(name);
    let memory = Arc::new(InMemoryBackend::new());
    let string = Arc::new(StringSessionBackend::new(""));
    let folder: Address = Location::Directory(path("many")).into();
    vec![
        ("memory", Box::new(move || memory.clone())),
        ("string", Box::new(move || string.clone())),
        ("file", at(Address::of_path(path("my.session")))),
        ("directory", at(folder.with_account("alice"))),
        ("sqlite", at(sqlite(path("one.db")))),
        (
            "sqlite, one of several",
            at(sqlite(path("many.db")).with_account("bob")),
        ),
        ("libsql", at(libsql(path("libsql.db")))),
    ]
}

fn servers(dir: &Path, sqld: &Sqld, seed: u64) -> Vec<(&'static str, Open)> {
    let address = |kind: &str| server(sqld.url()).with_account(&format!("{kind} {seed}"));
    let (copied, copy) = (address("replica"), dir.join("replica.db"));
    let replica = move || {
        let options = StoreOptions::new().replica(&copy);
        options.connect(copied.clone()).unwrap()
    };
    vec![
        ("server", at(address("server"))),
        ("replica", Box::new(replica)),
    ]
}

#[test]
fn every_store_behaves_like_grammers_own_session_and_keeps_it() {
    for seed in 1..=8 {
        let dir = tempfile::tempdir().unwrap();
        for (name, open) in stores(dir.path()) {
            wait(lives_like_the_model(name, seed, &*open));
        }
    }
}

#[test]
fn every_server_behaves_like_grammers_own_session_and_keeps_it() {
    if !is_available() {
        return;
    }
    let sqld = Sqld::start();
    for seed in 1..=2 {
        let dir = tempfile::tempdir().unwrap();
        for (name, open) in servers(dir.path(), &sqld, seed) {
            wait(lives_like_the_model(name, seed, &*open));
        }
    }
}

/// The same random steps on a store and on grammers' own session, opened again every tenth time.
async fn lives_like_the_model(name: &str, seed: u64, open: &dyn Fn() -> Arc<dyn SessionBackend>) {
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
