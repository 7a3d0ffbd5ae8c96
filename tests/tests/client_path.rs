//! Nothing on a client's path costs the size of the session once the client has started: no store is asked
//! for, or given, a whole session.

#![cfg(feature = "full")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use grammers_session::Session;
use grammers_session::types::{
    ChannelState, PeerAuth, PeerId, PeerInfo, UpdateState, UpdatesState,
};
use mtsession::codec::{NamesOf, Peer, PeerKey, PeerKind};
use mtsession::{
    BinaryFileBackend, CachedPeer, Change, DcEntry, DcFlags, GrammersSession, InMemoryBackend,
    Keeps, KnownPeer, LibSqlBackend, PeerQuery, PersistedSession, SessionBackend,
    SessionBackendExt as _, SessionHead, SessionRecord, SessionWriter, SqliteBackend,
    UpdateStateChange,
};
use mtsession_tests::random::sized;

/// A store that counts what a client asks of it.
struct Counted<B> {
    inner: B,
    has_started: AtomicBool,
    heads: AtomicUsize,
    finds: AtomicUsize,
    applies: AtomicUsize,
}

impl<B: SessionBackend> Counted<B> {
    fn new(inner: B) -> Arc<Self> {
        Arc::new(Self {
            inner,
            has_started: AtomicBool::new(false),
            heads: AtomicUsize::new(0),
            finds: AtomicUsize::new(0),
            applies: AtomicUsize::new(0),
        })
    }

    /// From now on nothing may cost the size of the session.
    fn start(&self) {
        self.has_started.store(true, Ordering::SeqCst);
    }

    fn whole(&self, call: &str) {
        assert!(
            !self.has_started.load(Ordering::SeqCst),
            "{call} after the start"
        );
    }

    fn seen(&self) -> [usize; 3] {
        [&self.heads, &self.finds, &self.applies].map(|count| count.load(Ordering::SeqCst))
    }
}

impl<B: SessionBackend> SessionBackend for Counted<B> {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        self.whole("save");
        self.inner.save(session)
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        self.whole("load");
        self.inner.load()
    }

    fn delete(&self) -> io::Result<()> {
        self.inner.delete()
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        self.whole("read");
        self.inner.read()
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        self.whole("update");
        self.inner.update(change)
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        self.applies.fetch_add(1, Ordering::SeqCst);
        self.inner.apply(changes)
    }

    fn head(&self) -> io::Result<Option<SessionHead>> {
        self.heads.fetch_add(1, Ordering::SeqCst);
        self.inner.head()
    }

    fn find_peer(&self, query: PeerQuery<'_>) -> io::Result<Option<KnownPeer>> {
        self.finds.fetch_add(1, Ordering::SeqCst);
        self.inner.find_peer(query)
    }

    fn peers_after(&self, after: Option<PeerKey>, limit: usize) -> io::Result<Vec<KnownPeer>> {
        self.whole("peers_after");
        self.inner.peers_after(after, limit)
    }

    fn keeps(&self) -> Keeps {
        self.inner.keeps()
    }
}

fn stores(dir: &std::path::Path) -> Vec<Arc<Counted<Box<dyn SessionBackend>>>> {
    let stores: Vec<Box<dyn SessionBackend>> = vec![
        Box::new(InMemoryBackend::new()),
        Box::new(BinaryFileBackend::new(dir.join("bot.session"))),
        Box::new(SqliteBackend::open(dir.join("bot.db")).unwrap()),
        Box::new(LibSqlBackend::open_local(dir.join("libsql.db")).unwrap()),
    ];
    stores.into_iter().map(Counted::new).collect()
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn user(id: i64, hash: i64, is_self: Option<bool>) -> PeerInfo {
    PeerInfo::User {
        id,
        auth: Some(PeerAuth::from_hash(hash)),
        bot: None,
        is_self,
    }
}

fn entry() -> DcEntry {
    DcEntry {
        auth_key: Some([4; 256]),
        ..DcEntry::from_parts(4, "149.154.167.91", 443, DcFlags::NONE)
    }
}

#[test]
fn a_client_on_grammers_asks_for_nothing_whole() {
    let dir = tempfile::tempdir().unwrap();
    for store in stores(dir.path()) {
        let mut stored = sized(2, 300, 4, 4);
        stored.peers.push(CachedPeer::from(Peer::user(7, 70)));
        stored.peers.push(CachedPeer::from(Peer {
            is_community: true,
            ..Peer::user(8, 80)
        }));
        store.save(&stored).unwrap();
        store.start();
        let session = GrammersSession::new(store.clone()).unwrap();
        assert_eq!(store.seen(), [1, 0, 0], "opening reads no peer");
        wait(async {
            let known = PeerId::user(7).unwrap();
            let found = session.peer(known).await.unwrap();
            assert_eq!(found, Some(user(7, 70, None)));
            assert_eq!(session.peer(known).await.unwrap(), found);
            assert_eq!(store.seen(), [1, 1, 0], "a peer is asked for once");
            assert_eq!(session.peer(PeerId::user(9).unwrap()).await.unwrap(), None);
            let community = PeerId::channel(8).unwrap();
            assert!(session.peer(community).await.unwrap().is_some());

            session.cache_peer(user(7, 70, None)).await.unwrap();
            session
                .cache_peers(session.peer(community).await.unwrap().into_iter().collect())
                .await
                .unwrap();
            session.cache_peers(Vec::new()).await.unwrap();
            assert_eq!(store.seen()[2], 0, "an unchanged peer is not written");
            session.cache_peer(user(7, 71, Some(true))).await.unwrap();
            session.cache_peer(user(10, 1, None)).await.unwrap();
            assert_eq!(store.seen()[2], 2);
            let me = session.peer(PeerId::self_user()).await.unwrap();
            assert_eq!(me, Some(user(7, 71, Some(true))));

            let mut option = session.dc_option(2).unwrap().unwrap();
            option.auth_key = Some([9; 256]);
            session.set_dc_option(&option).await.unwrap();
            session.set_home_dc_id(4).await.unwrap();
            let states = [
                UpdateState::All(UpdatesState {
                    pts: 1,
                    channels: vec![ChannelState { id: 5, pts: 6 }],
                    ..UpdatesState::default()
                }),
                UpdateState::Secondary { qts: 3 },
                UpdateState::Channel { id: 5, pts: 7 },
            ];
            for state in states {
                session.set_update_state(state).await.unwrap();
            }
            assert_eq!(session.updates_state().await.unwrap().qts, 3);
        });
        drop(session);
        let record = store.inner.read().unwrap().unwrap();
        let peers = &record.session().peers;
        assert_eq!(peers.len(), 303, "{}", store.name());
        assert_eq!(Peer::from(&peers[300]), Peer::user(7, 71));
        assert!(peers[301].is_community && !peers[301].is_channel);
        assert_eq!(store.inner.account().unwrap().user_id, Some(7));
    }
}

#[test]
fn a_client_behind_a_writer_asks_for_nothing_whole() {
    let dir = tempfile::tempdir().unwrap();
    for store in stores(dir.path()) {
        store.save(&sized(2, 300, 4, 4)).unwrap();
        store.start();
        let writer = SessionWriter::new(store.clone());
        wait(async {
            writer.run(|backend| backend.head()).await.unwrap();
            writer.cache_peer(Peer::user(7, 70).into()).await.unwrap();
            for update in [
                UpdateStateChange::Secondary { qts: 3 },
                UpdateStateChange::Channel { id: 5, pts: 7 },
                UpdateStateChange::All(sized(0, 0, 3, 0).updates_state),
            ] {
                writer.apply_update_state(update).await.unwrap();
            }
            writer.update_dc(entry()).await.unwrap();
            writer.set_home_dc(4).await.unwrap();
            let names = |backend: &dyn SessionBackend| {
                let names = NamesOf::new(7, PeerKind::User).with_usernames(&["seven"]);
                backend.apply(&[Change::Names(names)])
            };
            writer.run(names).await.unwrap();
            let found = writer.run(|backend| backend.peer_by_username("@Seven"));
            assert_eq!(found.await.unwrap().unwrap().peer.id, 7);
            writer.flush().await.unwrap();
        });
        drop(writer);
        let record = store.inner.read().unwrap().unwrap();
        assert_eq!(record.session().home_dc_id, 4);
        assert_eq!(record.session().peers.len(), 301);
    }
}

/// Calls of one peer that wait side by side reach the store in the order in which they are answered.
#[test]
fn peers_that_are_cached_at_once_are_stored_as_they_are_held() {
    let store = Counted::new(InMemoryBackend::new());
    let session = GrammersSession::new(store.clone()).unwrap();
    let id = PeerId::user(7).unwrap();
    for round in 1..200 {
        wait(async {
            let (one, two) = tokio::join!(
                session.cache_peer(user(7, round, None)),
                session.cache_peer(user(7, -round, None))
            );
            one.unwrap();
            two.unwrap();
        });
        let held = wait(session.peer(id)).unwrap();
        let stored = store.inner.find_peer(PeerQuery::Key(PeerKey::user(7)));
        let hash = stored.unwrap().unwrap().peer.access_hash;
        assert_eq!(held, Some(user(7, hash, None)));
    }
}
