//! What is written for another library holds what it should, and reads back.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use core::error::Error as _;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mtsession::clients::{ForeignError, Import, Options, Target, read, write};
use mtsession::codec::clients::{Contents, StringFormat, TelethonIpv6};
use mtsession::codec::{Account, ChannelKind, ChannelPts, PeerKind, SessionSource};
use mtsession::{
    BinaryFileBackend, CachedMinPeer, InMemoryBackend, PeerNames, PersistedSession, SessionBackend,
    SessionBackendExt, StoreError,
};

const TARGETS: [Target; 7] = [
    Target::Telethon7,
    Target::Telethon8,
    Target::Pyrogram3,
    Target::Kurigram7,
    Target::Mtcute,
    Target::Grammers,
    Target::GramJsStore,
];

/// One rich session of every library.
const SOURCES: [&str; 9] = [
    "telethon-1.45.0-s01.session",
    "telethon-1.5.5-s01.session",
    "pyrogram-2.0.106-s01.session",
    "pyrofork-2.3.69-s01.session",
    "pyrotgfork-2.2.24.1-s01.session",
    "kurigram-2.2.26-s01.session",
    "mtcute-0.29.7-s01.session",
    "grammers-0.11.0-s01.session",
    "grammers-0.8.0-s01.session",
];

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/clients")
        .join(name)
}

/// A session with everything that the targets need.
fn whole(name: &str) -> Import {
    let mut import = read(&vector(name)).unwrap();
    let known = import.account;
    import.account = Account {
        user_id: known.user_id.or(Some(123_456_789)),
        is_bot: known.is_bot.or(Some(false)),
        api_id: known.api_id.or(Some(1_234_567)),
        test_mode: known.test_mode.or(Some(false)),
    };
    import
}

fn write_default(path: &Path, target: Target, import: &Import) -> io::Result<()> {
    write(
        path,
        target,
        Options::default(),
        &import.source(),
        &import.names,
    )
}

/// The phones or titles of peers.
fn texts(import: &Import, member: Contents) -> HashSet<(u8, i64, String)> {
    let text = |names: &PeerNames| match member {
        Contents::PHONES => names.phone.clone(),
        _ => names.title.clone(),
    };
    let row = |names: &PeerNames| Some((names.kind.to_byte(), names.id, text(names)?));
    import.names.iter().filter_map(row).collect()
}

type PeerRow = (i64, PeerKind, i64);

fn peers(session: &PersistedSession) -> HashSet<PeerRow> {
    session
        .peers()
        .map(|peer| (peer.id, peer.kind, peer.access_hash))
        .map(|(id, kind, hash)| (id, kind, if kind == PeerKind::Chat { 0 } else { hash }))
        .collect()
}

#[test]
fn every_pair_keeps_what_both_sides_carry() {
    let dir = tempfile::tempdir().unwrap();
    for source in SOURCES {
        for target in TARGETS {
            let what = format!("{source} to {target:?}");
            let import = whole(source);
            let path = dir.path().join(format!("{target:?}"));
            write_default(&path, target, &import).unwrap();
            let back = read(&path).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(back.format, target.format(), "{what}");
            assert_same_login(&import, &back, target, &what);
            assert_same_peers(&import, &back, target, &what);
            assert_same_state(&import, &back, target, &what);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

/// Home, its key and address, other keys, and whose they are.
fn assert_same_login(import: &Import, back: &Import, target: Target, what: &str) {
    let both = |member| target.format().carries().contains(member);
    let (before, after) = (&import.session, &back.session);
    assert_eq!(after.home_dc_id, before.home_dc_id, "{what}");
    let key = |session: &PersistedSession| {
        let dc = session.dc_for(session.home_dc_id, false).unwrap();
        (dc.auth_key, dc.addr.clone())
    };
    assert_eq!(key(after).0, key(before).0, "{what}");
    assert_eq!(key(after).1, "149.154.167.51:443", "{what}");
    if both(Contents::OTHER_KEYS) {
        let keys = |session: &PersistedSession| session.stats().dcs_with_auth_key.min(2);
        assert!(keys(after) >= keys(before).min(1), "{what}");
    }
    if both(Contents::USER_ID) {
        assert_eq!(back.account.user_id, import.account.user_id, "{what}");
        assert_eq!(back.account.is_bot, import.account.is_bot, "{what}");
    }
    if both(Contents::API_ID) {
        assert_eq!(back.account.api_id, import.account.api_id, "{what}");
    }
    if both(Contents::TEST_MODE) {
        assert_eq!(back.account.test_mode, import.account.test_mode, "{what}");
    }
}

fn assert_same_peers(import: &Import, back: &Import, target: Target, what: &str) {
    let both = |member| target.format().carries().contains(member);
    let (before, after) = (&import.session, &back.session);
    if both(Contents::PEERS) {
        let mut expected = before.clone();
        let community_has_room = matches!(target, Target::Grammers | Target::Kurigram7);
        expected
            .peers
            .retain(|peer| community_has_room || !peer.is_community);
        let mut found = peers(after);
        if target == Target::Grammers {
            // The account's own row, which says who is logged in.
            found.retain(|(_, _, hash)| *hash != 0);
            let mut expected = peers(&expected);
            expected.retain(|(_, _, hash)| *hash != 0);
            assert_eq!(found, expected, "{what}");
        } else {
            assert_eq!(found, peers(&expected), "{what}");
        }
    }
    if both(Contents::USERNAMES) {
        let name = |names: &PeerNames| Some((names.id, names.usernames.first()?.clone()));
        let names = |import: &Import| import.names.iter().filter_map(name).collect::<HashSet<_>>();
        assert_eq!(names(back), names(import), "{what}");
    }
    for member in [Contents::PHONES, Contents::TITLES] {
        if both(member) {
            assert_eq!(texts(back, member), texts(import, member), "{what}");
        }
    }
    if both(Contents::CHANNEL_KINDS) && target != Target::Pyrogram3 {
        let kind = |session: &PersistedSession| {
            let known = session.peers().find(|peer| peer.id == 1_600_000_002);
            known.and_then(|peer| peer.channel_kind)
        };
        if kind(before).is_some() {
            assert_eq!(kind(after), Some(ChannelKind::Megagroup), "{what}");
        }
    }
}

/// Counters, channels and min peers.
fn assert_same_state(import: &Import, back: &Import, target: Target, what: &str) {
    let both = |member| target.format().carries().contains(member);
    let (before, after) = (&import.session, &back.session);
    if both(Contents::COUNTERS) {
        assert_eq!(after.counters(), before.counters(), "{what}");
        let pair = |channel: ChannelPts| (channel.id, channel.pts);
        let channels =
            |session: &PersistedSession| session.channels().map(pair).collect::<HashSet<_>>();
        assert_eq!(channels(after), channels(before), "{what}");
    }
    if both(Contents::MIN_PEERS) {
        assert_eq!(after.min_peers, before.min_peers, "{what}");
    }
}

/// Out of one library, into a store of ours, and back: nothing that both sides have room for is lost.
#[test]
fn names_come_through_our_own_stores() {
    let dir = tempfile::tempdir().unwrap();
    for source in SOURCES {
        let import = whole(source);
        let file = dir.path().join("ours");
        let stores: [Box<dyn SessionBackend>; 2] = [
            Box::new(BinaryFileBackend::new(&file)),
            Box::new(InMemoryBackend::new()),
        ];
        for store in stores {
            store.save(&import.session).unwrap();
            store.set_account(import.account).unwrap();
            store.set_peer_names(&import.names).unwrap();
            assert_eq!(store.peer_names().unwrap(), import.names, "{source}");
            let session = store.load().unwrap().unwrap();
            let session = session.with_account(store.account().unwrap());
            let names = store.peer_names().unwrap();
            for target in TARGETS {
                let (direct, through) = (dir.path().join("direct"), dir.path().join("through"));
                write_default(&direct, target, &import).unwrap();
                write(&through, target, Options::default(), &session, &names).unwrap();
                let (direct, through) = (take(&direct), take(&through));
                assert_eq!(through.names, direct.names, "{source}, {target:?}");
                assert_eq!(
                    through.session.peers, direct.session.peers,
                    "{source}, {target:?}"
                );
                assert_eq!(through.account, direct.account, "{source}, {target:?}");
            }
        }
        fs::remove_file(file).unwrap();
    }
}

/// Reads and removes it.
fn take(path: &Path) -> Import {
    let import = read(path).unwrap();
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
    import
}

#[test]
fn a_salt_reaches_mtcute() {
    let dir = tempfile::tempdir().unwrap();
    let mut import = whole("kurigram-2.2.26-s01.session");
    import.session.dcs[0].first_salt = -123_456_789_012;
    let path = dir.path().join("mtcute");
    write_default(&path, Target::Mtcute, &import).unwrap();
    assert_eq!(
        read(&path).unwrap().session.dcs[0].first_salt,
        -123_456_789_012
    );
}

fn cause(error: &io::Error) -> &ForeignError {
    let store: &StoreError = error.get_ref().unwrap().downcast_ref().unwrap();
    store.source().unwrap().downcast_ref().unwrap()
}

#[test]
fn what_is_missing_is_named_at_once_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.session");
    let import = read(&vector("telethon-1.45.0-s01.session")).unwrap();
    for target in [Target::Pyrogram3, Target::Kurigram7, Target::Grammers] {
        let error = write_default(&path, target, &import).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("user id, bot flag"), "{error}");
        match cause(&error) {
            ForeignError::Missing(what) => assert!(what.contains(Contents::USER_ID)),
            other => panic!("{other}"),
        }
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_user_id_that_nobody_has_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.session");
    let mut import = whole("kurigram-2.2.26-s01.session");
    for id in [0, -5] {
        import.account.user_id = Some(id);
        for target in [Target::Pyrogram3, Target::Kurigram7, Target::Grammers] {
            let error = write_default(&path, target, &import).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{target:?}");
            assert!(error.to_string().contains(&format!("id {id}")), "{error}");
        }
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// Damage that a store keeps as it is must not make a database that nobody can read.
#[test]
fn ids_that_nobody_has_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut import = whole("kurigram-2.2.26-s01.session");
    let session = &mut *import.session;
    session
        .updates_state
        .channels
        .extend([(0, 7), (-5, 7), (i64::MIN, 7), (i64::MAX, 7)]);
    for (user_id, peer_id) in [(0, 5), (5, 0), (-5, 5), (i64::MAX, i64::MAX)] {
        session.min_peers.push(CachedMinPeer {
            user_id,
            peer_id,
            msg_id: 9,
        });
    }
    for target in TARGETS {
        let path = dir.path().join(format!("{target:?}"));
        write_default(&path, target, &import).unwrap();
        let back = read(&path).unwrap();
        assert_eq!(back.session.home_dc_id, 2, "{target:?}");
        assert!(back.session.channels().all(|channel| channel.id > 0));
        assert_eq!(back.session.min_peers, [], "{target:?}");
    }
}

#[test]
fn telethon_gets_ipv4_unless_asked() {
    let dir = tempfile::tempdir().unwrap();
    let import = read(&vector("kurigram-2.2.26-s06.session")).unwrap();
    let home = |path: &Path| {
        let back = read(path).unwrap();
        back.session.dcs[0].addr.clone()
    };
    let path = dir.path().join("ipv4");
    write_default(&path, Target::Telethon8, &import).unwrap();
    assert_eq!(home(&path), "149.154.167.51:443");
    let path = dir.path().join("ipv6");
    let options = Options::default().with_ipv6(TelethonIpv6::Keep);
    write(&path, Target::Telethon8, options, &import.source(), &[]).unwrap();
    assert_eq!(home(&path), "[2001:67c:4e8:f002::a]:443");
}

#[test]
fn nothing_is_overwritten_and_nothing_is_left_beside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("taken");
    fs::write(&path, "precious").unwrap();
    let import = whole("kurigram-2.2.26-s01.session");
    for target in TARGETS {
        let error = write_default(&path, target, &import).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{target:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    for target in TARGETS {
        write_default(&dir.path().join(format!("{target:?}")), target, &import).unwrap();
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), TARGETS.len() + 1);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_what_is_written() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir().unwrap();
    let import = whole("kurigram-2.2.26-s01.session");
    for target in TARGETS
        .into_iter()
        .chain([Target::Text(StringFormat::Telethon)])
    {
        let path = dir.path().join(format!("{target:?}"));
        write_default(&path, target, &import).unwrap();
        let others = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
        assert_eq!(others(&path), 0, "{target:?}");
        if path.is_dir() {
            for entry in fs::read_dir(&path).unwrap() {
                assert_eq!(others(&entry.unwrap().path()), 0, "{target:?}");
            }
        }
    }
}

#[test]
fn strings_are_written_into_files() {
    let dir = tempfile::tempdir().unwrap();
    let import = whole("kurigram-2.2.26-s01.session");
    for format in StringFormat::ALL {
        let path = dir.path().join(format!("{format:?}"));
        write_default(&path, Target::Text(format), &import).unwrap();
        let back = read(&path).unwrap();
        assert_eq!(back.format, Target::Text(format).format());
        assert_eq!(back.session.home_dc_id, 2, "{format}");
    }
}
