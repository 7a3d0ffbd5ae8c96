//! What belongs to the account: who it is, and what its peers are called.

use mtsession::codec::PeerKind;
use mtsession::{
    Account, CachedPeer, Change, DcFlags, Keeps, PeerNames, PersistedSession, SessionBackend,
    SessionBackendExt as _,
};

use super::{Fixture, loaded, some_dc, user};
use crate::random::sized;

/// Account data survives everything but `delete` and another login.
pub fn the_account_is_kept_beside_the_session(fixture: &dyn Fixture) {
    let backend = fixture.open();
    if !backend.keeps().contains(Keeps::ACCOUNT) {
        backend.set_account(Account::user(5)).unwrap();
        assert_eq!(backend.account().unwrap(), Account::default());
        return;
    }
    let account = Account {
        user_id: Some(777_000),
        is_bot: Some(false),
        api_id: Some(12_345),
        test_mode: Some(false),
    };
    backend.save(&sized(1, 1, 1, 1)).unwrap();
    backend.set_account(account).unwrap();
    assert_eq!(backend.account().unwrap(), account);
    backend.save(&sized(2, 2, 2, 2)).unwrap();
    backend.update_dc(&some_dc(4, DcFlags::NONE)).unwrap();
    backend.cache_peer(&user(3)).unwrap();
    assert_eq!(backend.account().unwrap(), account);
    if fixture.persists() {
        assert_eq!(fixture.open().account().unwrap(), account);
        let other = fixture.open();
        other.save(&sized(2, 0, 0, 0)).unwrap();
        assert_eq!(backend.account().unwrap(), account);
    }
    backend.delete().unwrap();
    assert_eq!(backend.account().unwrap(), Account::default());
    backend.save(&sized(1, 0, 0, 0)).unwrap();
    assert_eq!(backend.account().unwrap(), Account::default());
}

/// What a peer is called here; two peers of one id have different names.
fn names(id: i64, kind: PeerKind) -> PeerNames {
    PeerNames {
        id,
        kind,
        usernames: vec![
            format!("first{id}{kind:?}"),
            "zwei \"\\\n\u{1F600}".to_owned(),
        ],
        phone: (kind == PeerKind::User).then(|| format!("1555000{id}")),
        title: (id != 2).then(|| format!("Title {id} {kind:?}")),
    }
}

/// A session whose peers are those of [`given`], and others without a name.
fn session_of_named() -> PersistedSession {
    let peer = |(id, kind)| CachedPeer {
        is_channel: kind == PeerKind::Channel,
        is_chat: kind == PeerKind::Chat,
        ..user(id)
    };
    PersistedSession {
        peers: [
            (1, PeerKind::User),
            (2, PeerKind::User),
            (1, PeerKind::Channel),
            (3, PeerKind::Chat),
        ]
        .map(peer)
        .into(),
        ..sized(1, 0, 3, 3)
    }
}

/// Names of the peers of [`session_of_named`], in another order, and of one that it does not have.
fn given() -> [PeerNames; 5] {
    [
        names(3, PeerKind::Chat),
        names(1, PeerKind::User),
        names(1, PeerKind::Channel),
        names(2, PeerKind::User),
        names(2, PeerKind::Channel),
    ]
}

/// What a store is to say of them, by kind and id.
fn of_known_peers() -> [PeerNames; 4] {
    [
        names(1, PeerKind::User),
        names(2, PeerKind::User),
        names(1, PeerKind::Channel),
        names(3, PeerKind::Chat),
    ]
}

/// All names that a store has, by kind and id.
fn all(backend: &dyn SessionBackend) -> Vec<PeerNames> {
    let mut names = backend.peer_names().unwrap();
    names.sort_by_key(|names| (names.kind.to_byte(), names.id));
    names
}

/// A store with named peers; `None` where there is no room for names, of which none may appear then.
fn named(fixture: &dyn Fixture) -> Option<Box<dyn SessionBackend>> {
    let backend = fixture.open();
    assert!(backend.peer_names().unwrap().is_empty());
    backend.save(&session_of_named()).unwrap();
    let unchanged = loaded(&*backend);
    backend.set_peer_names(&given()).unwrap();
    assert_eq!(loaded(&*backend), unchanged);
    if !backend.keeps().contains(Keeps::NAMES) {
        // They can be learnt again.
        assert!(backend.peer_names().unwrap().is_empty());
        return None;
    }
    assert_eq!(all(&*backend), of_known_peers());
    Some(backend)
}

/// Names stay with their peers through every small change, alone and in a batch, also of the peer itself.
pub fn peers_keep_their_names_through_changes(fixture: &dyn Fixture) {
    let Some(backend) = named(fixture) else {
        return;
    };
    backend.cache_peer(&user(9)).unwrap();
    backend
        .cache_peer(&CachedPeer {
            access_hash: 5,
            ..user(1)
        })
        .unwrap();
    backend.update_dc(&some_dc(4, DcFlags::NONE)).unwrap();
    backend
        .apply(&[Change::HomeDc(4), Change::Peer((&user(10)).into())])
        .unwrap();
    backend
        .set_account(Account {
            user_id: Some(1),
            ..Account::default()
        })
        .unwrap();
    assert_eq!(all(&*backend), of_known_peers());
    if fixture.persists() {
        assert_eq!(all(&*fixture.open()), of_known_peers());
    }
}

/// A save in another order, with another peer in front and one gone, by this backend and then by another:
/// names go where their peers go.
pub fn names_go_with_their_peers(fixture: &dyn Fixture) {
    let Some(backend) = named(fixture) else {
        return;
    };
    let mut session = session_of_named();
    session.peers.reverse();
    session.peers.insert(0, user(77));
    session.peers.retain(|peer| peer.id != 2);
    backend.save(&session).unwrap();
    let expected = [
        names(1, PeerKind::User),
        names(1, PeerKind::Channel),
        names(3, PeerKind::Chat),
    ];
    assert_eq!(all(&*backend), expected);
    session.peers.retain(|peer| !peer.is_channel);
    let other = if fixture.is_shared() {
        fixture.open()
    } else {
        backend
    };
    other.save(&session).unwrap();
    let backend = if fixture.persists() {
        fixture.open()
    } else {
        other
    };
    let expected = [names(1, PeerKind::User), names(3, PeerKind::Chat)];
    assert_eq!(all(&*backend), expected);
    assert_eq!(loaded(&*backend), session);

    // A peer that comes back is another one.
    backend.save(&PersistedSession::default()).unwrap();
    backend.save(&session).unwrap();
    assert!(backend.peer_names().unwrap().is_empty());
}

/// New names replace all names, and `delete` leaves none.
pub fn names_are_replaced_and_deleted(fixture: &dyn Fixture) {
    let Some(backend) = named(fixture) else {
        return;
    };
    let all_names = of_known_peers();
    backend.set_peer_names(&all_names[1..]).unwrap();
    assert_eq!(all(&*backend), all_names[1..]);
    backend.set_peer_names(&all_names).unwrap();
    backend.delete().unwrap();
    let phone = b"15550001";
    let stored = fixture.stored_bytes();
    assert!(!stored.windows(phone.len()).any(|bytes| bytes == phone));
    assert!(backend.peer_names().unwrap().is_empty());
    backend.save(&session_of_named()).unwrap();
    assert!(backend.peer_names().unwrap().is_empty());
}
