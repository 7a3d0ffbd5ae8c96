//! A record in which every field is set goes through every type that is a session, and every conversion
//! that says what it keeps. Through every store it goes in `tests/conformance.rs`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Debug;

use mtsession::clients::{self, Options, Target};
use mtsession::codec::clients::{Contents, Login, StringFormat, TelethonIpv6, detect};
use mtsession::codec::text::{decode_any, encode_native};
use mtsession::codec::wire::encode_to_vec;
use mtsession::codec::{
    ChannelKind, DcFlags, DcRef, Decoded, FIXED_LOGIN_TEXT_LEN, Field, FixedSession, Full,
    LoginState, Names, NamesOf, Peer, PeerKind, PlainFile, SessionMut, SessionSource, SessionView,
    TailEnd,
};
use mtsession::{Account, CachedPeer, PeerNames, PersistedSession, SessionRecord};
use mtsession_tests::conformance::record::everything;

/// Everything that there is, as the format has it: two sessions are alike where these are.
fn bytes(source: &impl SessionSource) -> Vec<u8> {
    encode_to_vec(source).unwrap()
}

#[test]
fn the_record_of_these_tests_has_every_field() {
    let record = everything();
    let found = Contents::of(&record);
    // A host name stands in for an address, and only clients for web browsers have one.
    let missing = Contents::OURS.without(found).without(Contents::HOST_NAME);
    assert!(missing.is_empty(), "{missing}");
}

#[test]
fn every_type_that_can_hold_all_of_a_session_does() {
    let record = everything();
    let expected = bytes(&record);
    assert_eq!(bytes(&&record), expected, "a reference");
    let mut copy = SessionRecord::default();
    let Ok(()) = copy.copy_from(&record);
    assert_eq!(bytes(&copy), expected, "a record");

    let view = SessionView::parse(&expected).unwrap();
    assert_eq!(bytes(&view), expected, "a view");
    let file = PlainFile::parse(&expected).unwrap();
    assert_eq!(bytes(&file.complete().unwrap()), expected, "a file");
    let mut replayed = SessionRecord::default();
    assert_eq!(file.replay_into(&mut replayed), Ok(TailEnd::Whole));
    assert_eq!(bytes(&replayed), expected, "a replayed file");

    let mut text = Vec::new();
    encode_native(&record, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let mut buffer = vec![0; text.len()];
    let decoded = decode_any(&text, &mut buffer).unwrap();
    assert!(matches!(decoded, Decoded::Native(_)));
    assert_eq!(bytes(&decoded), expected, "a string");

    let account = Account {
        user_id: Some(1),
        ..record.account()
    };
    let mut other = record.clone();
    other.set_account(account);
    assert_eq!(bytes(&record.with_account(account)), bytes(&other));
}

#[test]
fn a_session_of_the_published_library_has_all_but_what_came_later() {
    let record = everything();
    let session: &PersistedSession = record.session();
    let mut expected = SessionRecord::default();
    let Ok(()) = expected.copy_from(&record);
    expected.set_account(Account::default());
    let Ok(()) = expected.set_login_state(LoginState::Active);
    expected.set_names(Names::NONE);
    assert_eq!(bytes(session), bytes(&expected));
    let mut copy = PersistedSession::default();
    let Ok(()) = copy.copy_from(&record);
    assert_eq!(bytes(&copy), bytes(&expected));
}

#[test]
fn a_session_without_a_heap_has_all_but_names_and_refuses_a_login_text_that_is_too_long() {
    let record = everything();
    let mut expected = record.clone();
    expected.set_names(Names::NONE);
    let mut fixed = Box::new(FixedSession::<8, 8, 64, 16, 64>::new());
    fixed.copy_from(&record).unwrap();
    assert_eq!(bytes(&*fixed), bytes(&expected));

    let to = "x".repeat(FIXED_LOGIN_TEXT_LEN + 1);
    let moved = LoginState::Moved { at: 1, to: &to };
    let refused = Full(Field::LoginState);
    assert_eq!(fixed.set_login_state(moved), Err(refused));
    let mut long = record;
    let Ok(()) = long.set_login_state(moved);
    let mut empty = Box::new(FixedSession::<8, 8, 64, 16, 64>::new());
    assert_eq!(empty.copy_from(&long), Err(refused));
    assert_eq!(fixed.copy_from(&long), Err(refused));
    assert_eq!(
        bytes(&*fixed),
        bytes(&expected),
        "changed by what it refused"
    );
}

/// A login as clients have it: every peer can be written to, and has names.
fn lived_in() -> SessionRecord {
    let mut session = everything().into_session();
    // The first one has ids of nothing.
    session.min_peers.remove(0);
    let kinds = [PeerKind::User, PeerKind::Channel, PeerKind::Chat];
    session.peers = (1..)
        .zip(kinds)
        .map(|(id, kind)| Peer {
            id: 1000 + id,
            access_hash: if kind == PeerKind::Chat { 0 } else { -id },
            kind,
            channel_kind: (kind == PeerKind::Channel).then_some(ChannelKind::Megagroup),
            is_community: false,
        })
        .map(CachedPeer::from)
        .collect();
    let names = |peer: &CachedPeer| PeerNames {
        id: peer.id,
        kind: Peer::from(peer).kind,
        usernames: vec![format!("name_{}", peer.id)],
        phone: (!peer.is_channel && !peer.is_chat).then(|| format!("1555{}", peer.id)),
        title: Some(format!("Title {}", peer.id)),
    };
    let names: Vec<_> = session.peers.iter().map(names).collect();
    let mut record = SessionRecord::from(session);
    record.set_account(everything().account());
    let Ok(()) = record.set_login_state(everything().login_state());
    record.set_peer_names(&names).unwrap();
    record
}

/// What of `members` is in the one session, and not in the other.
fn lost(members: Contents, from: &impl SessionSource, to: &impl SessionSource) -> Vec<String> {
    let (from, to) = (parts(from), parts(to));
    let pairs = from.iter().zip(&to);
    let claimed = pairs.filter(|((member, _), _)| members.contains(*member));
    claimed
        .flat_map(|((member, from), (_, to))| {
            let lost = from.difference(to);
            lost.map(move |lost| format!("{member}: {lost}, there are {to:?}"))
        })
        .collect()
}

type Parts = BTreeSet<String>;

fn one(part: impl Debug) -> Parts {
    Parts::from([format!("{part:?}")])
}

/// The parts of a session by what formats carry.
fn parts(source: &impl SessionSource) -> Vec<(Contents, Parts)> {
    let mut parts = parts_of_account(source);
    parts.extend(parts_of_dcs(source));
    parts.extend(parts_of_peers(source));
    parts
}

fn parts_of_account(source: &impl SessionSource) -> Vec<(Contents, Parts)> {
    let account = source.account();
    let token = source.future_auth_token();
    let channels = source.channels().map(|channel| format!("{channel:?}"));
    vec![
        (Contents::HOME_DC, one(source.home_dc_id())),
        (Contents::USER_ID, one(account.user_id)),
        (Contents::IS_BOT, one(account.is_bot)),
        (Contents::API_ID, one(account.api_id)),
        (Contents::TEST_MODE, one(account.test_mode)),
        (Contents::COUNTERS, one(source.counters())),
        (Contents::CHANNEL_PTS, channels.collect()),
        (Contents::FUTURE_AUTH_TOKEN, one(token)),
        (Contents::LOGIN_STATE, one(source.login_state())),
    ]
}

fn parts_of_dcs(source: &impl SessionSource) -> Vec<(Contents, Parts)> {
    let home = source.home_dc_id();
    let main = |is_home: bool, show: fn(&DcRef<'_>) -> Option<String>| {
        let wanted = |dc: &DcRef<'_>| (dc.dc_id == home) == is_home && dc.flags.is_main();
        let found = source.dcs().filter(wanted);
        found.filter_map(|dc| show(&dc)).collect()
    };
    let key = |dc: &DcRef<'_>| Some(format!("{} {:?}", dc.dc_id, dc.auth_key?.as_bytes()));
    let addr = |dc: &DcRef<'_>| (!dc.addr.is_empty()).then(|| format!("{} {}", dc.dc_id, dc.addr));
    let is_media = |dc: &DcRef<'_>| dc.flags.contains(DcFlags::MEDIA_ONLY);
    let media = source.dcs().filter(is_media).map(|dc| dc.addr.to_owned());
    vec![
        (Contents::ADDRESS, main(true, addr)),
        (Contents::HOME_KEY, main(true, key)),
        (Contents::OTHER_KEYS, main(false, key)),
        (Contents::OTHER_ADDRESSES, main(false, addr)),
        (Contents::MEDIA_DC, media.collect()),
    ]
}

fn parts_of_peers(source: &impl SessionSource) -> Vec<(Contents, Parts)> {
    let peer = |peer: Peer| format!("{:?} {} {}", peer.kind, peer.id, peer.access_hash);
    let kind = |peer: Peer| format!("{} {:?}", peer.id, peer.channel_kind);
    let min_peers = source.min_peers().map(|peer| format!("{peer:?}"));
    let named = |show: fn(&NamesOf<'_>) -> Option<String>| {
        let text = |names: NamesOf<'_>| Some(format!("{} {}", names.id, show(&names)?));
        source.names().iter().filter_map(text).collect()
    };
    let username = |names: &NamesOf<'_>| names.usernames().next().map(str::to_owned);
    vec![
        (Contents::PEERS, source.peers().map(peer).collect()),
        (Contents::CHANNEL_KINDS, source.peers().map(kind).collect()),
        (Contents::MIN_PEERS, min_peers.collect()),
        (Contents::USERNAMES, named(username)),
        (
            Contents::PHONES,
            named(|names| names.phone.map(str::to_owned)),
        ),
        (
            Contents::TITLES,
            named(|names| names.title.map(str::to_owned)),
        ),
    ]
}

#[test]
fn every_string_keeps_what_it_says_that_it_carries() {
    let record = lived_in();
    let login = Login::from_source(&record).unwrap();
    for format in StringFormat::ALL {
        let text = match format {
            StringFormat::Native => {
                let mut text = Vec::new();
                encode_native(&record, &mut text).unwrap();
                text
            }
            StringFormat::PyrogramOld64 => continue,
            _ => {
                let mut text = Vec::new();
                login
                    .encode(format, TelethonIpv6::default(), &mut text)
                    .unwrap();
                text
            }
        };
        let text = String::from_utf8(text).unwrap();
        let mut buffer = vec![0; text.len()];
        let decoded = detect(&text, &mut buffer).unwrap();
        assert_eq!(decoded.format(), format);
        let wrong = lost(format.carries(), &record, &decoded);
        assert!(wrong.is_empty(), "{format}: {wrong:#?}");
    }
}

#[test]
fn every_file_of_another_library_keeps_what_it_says_that_it_carries() {
    let record = lived_in();
    let dir = tempfile::tempdir().unwrap();
    for target in [
        Target::Telethon7,
        Target::Telethon8,
        Target::Pyrogram3,
        Target::Kurigram7,
        Target::Mtcute,
        Target::Grammers,
        Target::GramJsStore,
        Target::Text(StringFormat::Native),
        Target::Text(StringFormat::Mtcute),
    ] {
        let path = dir.path().join(format!("{target:?}"));
        clients::write(
            &path,
            target,
            Options::default(),
            &record,
            &record.peer_names(),
        )
        .unwrap();
        let import = clients::read(&path).unwrap();
        let wrong = lost(
            target.format().carries(),
            &record,
            &import.record().unwrap(),
        );
        assert!(wrong.is_empty(), "{target:?}: {wrong:#?}");
        assert!(
            import.left_out.is_empty(),
            "{target:?}: {:?}",
            import.left_out
        );
    }
}
