//! Parts of a record are what the whole record says they are.

use mtsession::codec::{NamesOf, Peer, PeerKey, PeerKind};
use mtsession::{Change, KnownPeer, PeerNames, PeerQuery, SessionBackend, SessionRecord};

use crate::conformance::Fixture;
use crate::random::sized;

/// Peers that are hard to tell apart: kinds, communities and duplicates of one id, the largest and smallest
/// ids, and names that differ in case, after a zero, or not at all.
fn alike() -> SessionRecord {
    let mut session = sized(2, 30, 3, 2);
    let user = |id, access_hash| Peer {
        access_hash,
        ..Peer::user(id, 0)
    };
    let community = |id, access_hash| Peer {
        is_community: true,
        ..user(id, access_hash)
    };
    let channel = |id, access_hash| Peer {
        kind: PeerKind::Channel,
        ..user(id, access_hash)
    };
    let peers = [
        community(5, 1),
        user(5, 2),
        channel(5, 3),
        Peer::chat(5),
        user(5, 4),
        community(5, 5),
        channel(5, 6),
        user(i64::MAX, 7),
        user(i64::MIN, 8),
        community(i64::MAX, 9),
        channel(i64::MIN, 10),
        channel(i64::MAX, 11),
        Peer::chat(i64::MIN),
        community(77, 12),
    ];
    session.peers.extend(peers.map(Into::into));
    let mut record = SessionRecord::from(session);
    let named = |id, kind, name: &str, phone: Option<&str>| PeerNames {
        id,
        kind,
        usernames: vec![format!("first{id}"), name.to_owned()],
        phone: phone.map(str::to_owned),
        title: Some(name.to_owned()),
    };
    record
        .set_peer_names(&[
            named(5, PeerKind::User, "Five", Some("15550005")),
            named(5, PeerKind::Channel, "channel\u{0}five", None),
            named(77, PeerKind::User, "community", Some("")),
            named(i64::MAX, PeerKind::User, "\u{c4}nderung_%'\"", Some("1555")),
            named(1_000_000_000, PeerKind::User, "sized", None),
        ])
        .unwrap();
    record
}

/// The peer of an answer, and its names.
fn shown(known: Option<KnownPeer>) -> Option<(Peer, PeerNames)> {
    known.map(|known| (Peer::from(&known.peer), known.names))
}

fn compare(backend: &dyn SessionBackend, whole: &SessionRecord) {
    assert_eq!(backend.head().unwrap().as_ref(), Some(&whole.head()));
    let mut queries = vec![PeerQuery::Key(PeerKey::user(4))];
    for peer in &whole.session().peers {
        queries.push(PeerQuery::Key(Peer::from(peer).key()));
    }
    for name in [
        "five",
        "@FIVE",
        "FIRST5",
        "channel\u{0}five",
        "channel\u{0}six",
        "channel",
        "community",
        "\u{e4}nderung_%'\"",
        "\u{c4}NDERUNG_%'\"",
        "\u{c4}nderung__'\"",
        "sized",
        "",
        "@",
        "fiv%",
        "15550005",
    ] {
        queries.push(PeerQuery::Username(name));
    }
    for phone in ["15550005", "+15550005", "1555", "", "five", "+"] {
        queries.push(PeerQuery::Phone(phone));
    }
    for query in queries {
        let found = shown(backend.find_peer(query).unwrap());
        assert_eq!(found, shown(whole.find_peer(query)), "{query:?}");
    }
    let all = whole.peers_after(None, usize::MAX);
    assert_eq!(backend.peers_after(None, usize::MAX).unwrap(), all);
    assert!(backend.peers_after(None, 0).unwrap().is_empty());
    for (at, known) in all.iter().enumerate() {
        let after = Some(Peer::from(&known.peer).key());
        let expected: Vec<_> = all.iter().skip(at + 1).take(3).cloned().collect();
        assert_eq!(
            backend.peers_after(after, 3).unwrap(),
            expected,
            "{after:?}"
        );
    }
}

/// `head`, `find_peer` and `peers_after` of every store say what its whole record says, also after changes
/// by this backend and by another one, and `retain_peers` keeps what it is asked to.
pub fn parts_agree_with_the_whole(fixture: &dyn Fixture) {
    let backend = fixture.open();
    assert_eq!(backend.head().unwrap(), None);
    assert_eq!(
        backend.find_peer(PeerQuery::Username("five")).unwrap(),
        None
    );
    let record = alike();
    backend.save(record.session()).unwrap();
    let whole = |backend: &dyn SessionBackend| backend.read().unwrap().unwrap();
    compare(&*backend, &whole(&*backend));
    backend
        .update(&mut |stored| {
            *stored = record.clone();
            Ok(())
        })
        .unwrap();
    compare(&*backend, &whole(&*backend));

    let other = fixture.is_shared().then(|| fixture.open());
    let other = other.as_deref().unwrap_or(&*backend);
    other
        .apply(&[
            Change::Peer(Peer::user(6, 66)),
            Change::Names(NamesOf::new(6, PeerKind::User).with_usernames(&["five", "six"])),
            Change::Names(NamesOf::new(77, PeerKind::User)),
        ])
        .unwrap();
    compare(&*backend, &whole(other));
    compare(other, &whole(&*backend));

    backend.retain_peers(&mut |_| true).unwrap();
    compare(&*backend, &whole(other));
    let expected: Vec<_> = whole(other)
        .session()
        .peers
        .iter()
        .filter(|peer| peer.id != 5)
        .cloned()
        .collect();
    backend
        .retain_peers(&mut |known| known.peer.id != 5)
        .unwrap();
    assert_eq!(whole(other).session().peers, expected);
    compare(other, &whole(&*backend));
    backend.delete().unwrap();
    assert_eq!(other.head().unwrap(), None);
    assert!(other.peers_after(None, 5).unwrap().is_empty());
}
