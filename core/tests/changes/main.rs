//! Changes: their bytes, which are a disk format, and what they do to a session.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::format_collect,
    reason = "tests"
)]

mod bytes;

use mtsession_core::wire::encode_to_vec;
use mtsession_core::{
    Account, AuthKeyRef, Change, ChannelPts, DcFlags, DcRef, DcSlot, EncodeError, EntryKey, Field,
    FixedSession, Full, List, LoginState, MinPeer, NamesOf, Peer, PeerKey, PeerKind, SessionMut,
    SessionSource, SessionView, UpdateChange, Weight,
};

type Session = FixedSession<4, 4, 4, 4, 8>;

const SLOT: DcSlot = DcSlot::new(2, DcFlags::NONE);

const KEY: [u8; 256] = [9; 256];

fn dc() -> DcRef<'static> {
    DcRef {
        first_salt: 3,
        time_offset: -1,
        flags: DcFlags::STATIC,
        ..DcRef::new(2, "149.154.167.51:443").with_key(&KEY)
    }
}

fn session() -> Session {
    let mut session = Session::new();
    session.set_home_dc_id(2);
    session.put_dc(&dc()).unwrap();
    session.put_channel(ChannelPts { id: 1, pts: 1 }).unwrap();
    session.put_peer(Peer::user(5, 6)).unwrap();
    session.put_peer(Peer::chat(5)).unwrap();
    session
        .put_min_peer(MinPeer {
            user_id: 8,
            ..MinPeer::default()
        })
        .unwrap();
    session
}

#[test]
fn what_a_session_has_already_is_left_out_of_a_change() {
    let session = session();
    for list in [
        List::Singles,
        List::Dcs,
        List::Channels,
        List::Peers,
        List::MinPeers,
    ] {
        for position in 0..session.count(list) {
            let change = session.get(list, position).unwrap();
            assert_eq!(session.reduce(change), None, "{change:?}");
            if let Some(key) = change.key() {
                assert_eq!(session.position(key), Some(position));
            }
        }
        assert_eq!(session.get(list, session.count(list)), None);
    }
    let salted = DcRef {
        first_salt: 4,
        ..dc()
    };
    let salt = Change::Salt {
        dc: SLOT,
        first_salt: 4,
        time_offset: -1,
    };
    assert_eq!(session.reduce(Change::Dc(salted)), Some(salt));
    assert_eq!(session.reduce(salt), Some(salt));
    for dc in [
        DcRef {
            flags: DcFlags::NONE,
            ..dc()
        },
        DcRef { addr: "a", ..dc() },
        DcRef {
            auth_key: Some(AuthKeyRef::new(&[8; 256])),
            ..dc()
        },
        DcRef { dc_id: 4, ..dc() },
    ] {
        assert_eq!(session.reduce(Change::Dc(dc)), Some(Change::Dc(dc)));
    }
    let unknown = Change::Salt {
        dc: DcSlot::new(3, DcFlags::NONE),
        first_salt: 4,
        time_offset: 0,
    };
    assert_eq!(session.reduce(unknown), None);
    assert_eq!(
        session.reduce(Change::Forget(EntryKey::Channel(9))),
        None,
        "nothing to forget"
    );
    let push = Change::Update(UpdateChange::PushChannel { id: 1, pts: 1 });
    assert_eq!(session.reduce(push), Some(push), "would be there twice");
    assert!(!push.is_idempotent());
}

#[test]
fn a_salt_is_stored_without_the_key() {
    let mut session = session();
    let salt = |dc| Change::Salt {
        dc,
        first_salt: 77,
        time_offset: 5,
    };
    session.apply(&salt(SLOT)).unwrap();
    session.apply(&salt(DcSlot::new(9, DcFlags::NONE))).unwrap();
    let known = session.dc_for(2, false).unwrap();
    assert_eq!((known.first_salt, known.time_offset), (77, 5));
    assert_eq!(known.auth_key, dc().auth_key);
    assert_eq!(session.count(List::Dcs), 1);
}

#[test]
fn an_entry_that_is_forgotten_is_gone_with_its_duplicates() {
    let mut session = session();
    let channel = ChannelPts { id: 1, pts: 9 };
    session.push_channel(channel).unwrap();
    let user = EntryKey::Peer(PeerKey::user(5));
    for key in [
        EntryKey::Channel(1),
        user,
        EntryKey::Dc(SLOT),
        EntryKey::MinPeer(8),
    ] {
        assert!(session.forget(key));
        assert!(!session.forget(key));
        assert_eq!(session.position(key), None);
    }
    assert_eq!(session.count(List::Channels), 0);
    let left: Vec<Peer> = session.peers().collect();
    assert_eq!(left, [Peer::chat(5)]);
}

#[test]
fn a_list_grows_to_a_position_and_never_evicts() {
    let mut session = Session::new();
    let peer = Change::Peer(Peer::user(5, 6));
    session.set_at(2, &peer).unwrap();
    session.set_at(1, &Change::Peer(Peer::chat(1))).unwrap();
    let ids: Vec<i64> = session.peers().map(|peer| peer.id).collect();
    assert_eq!(ids, [0, 1, 5]);
    assert_eq!(session.set_at(4, &peer), Err(Full(Field::Peers)));
    session.set_at(2, &Change::Dc(dc())).unwrap();
    assert_eq!(session.get(List::Dcs, 0), Some(Change::Dc(DcRef::EMPTY)));
    assert_eq!(session.get(List::Dcs, 2), Some(Change::Dc(dc())));
    assert_eq!(session.set_at(4, &Change::Dc(dc())), Err(Full(Field::Dcs)));
    session.set_at(9, &Change::HomeDc(4)).unwrap();
    assert_eq!(session.home_dc_id(), 4);
}

#[test]
fn a_copy_entry_by_entry_is_the_whole_session() {
    let session = session();
    let mut copy = Session::new();
    for list in [
        List::Singles,
        List::Dcs,
        List::Channels,
        List::Peers,
        List::MinPeers,
    ] {
        for position in 0..session.count(list) {
            copy.set_at(position, &session.get(list, position).unwrap())
                .unwrap();
        }
    }
    assert_eq!(
        encode_to_vec(&copy).unwrap(),
        encode_to_vec(&session).unwrap()
    );
    for list in [List::Dcs, List::Channels, List::Peers, List::MinPeers] {
        copy.clear(list);
        assert_eq!(copy.count(list), 0);
    }
    copy.clear(List::Singles);
    assert_eq!(
        encode_to_vec(&copy).unwrap(),
        encode_to_vec(&Session::new()).unwrap()
    );
}

#[test]
fn weights_follow_from_what_a_loss_would_cost() {
    let session = session();
    let weight = |change: Change<'_>| change.weight(&session);
    assert_eq!(weight(Change::Dc(dc())), Weight::Login);
    assert_eq!(weight(Change::Dc(DcRef::new(4, "a"))), Weight::Key);
    assert_eq!(weight(Change::Account(Account::user(1))), Weight::Login);
    assert_eq!(weight(Change::FutureAuthToken(None)), Weight::Login);
    let moved = LoginState::Moved { at: 1, to: "a" };
    assert_eq!(weight(Change::LoginState(moved)), Weight::Login);
    for cache in [
        Change::Peer(Peer::chat(1)),
        Change::MinPeer(MinPeer::default()),
        Change::Names(NamesOf::new(1, PeerKind::Chat)),
        Change::Update(UpdateChange::ClearChannels),
        Change::Salt {
            dc: SLOT,
            first_salt: 1,
            time_offset: 0,
        },
        Change::Forget(EntryKey::Peer(PeerKey::user(5))),
    ] {
        assert_eq!(weight(cache), Weight::Cache, "{cache:?}");
    }
    assert!(Weight::Cache < Weight::Key && Weight::Key < Weight::Login);
}

#[test]
fn a_login_that_does_not_hold_is_stored_and_older_releases_refuse_it() {
    let long = "x".repeat(255);
    let texts = ["", "AUTH_KEY_UNREGISTERED", &long];
    for at in [0, -1, 63, 64, 1_750_000_000, i64::MAX, i64::MIN] {
        for text in texts {
            for number in 1..=3 {
                let state = LoginState::from_parts(number, at, text).unwrap();
                let session = session();
                let with = session
                    .with_account(Account::default())
                    .with_login_state(state);
                let bytes = encode_to_vec(&with).unwrap();
                assert_eq!(with.encoded_len(), Ok(bytes.len()));
                let view = SessionView::parse(&bytes).unwrap();
                assert_eq!(view.login_state(), state);
                // The trailer goes on with section 5: below 64, so that a release that does not know it
                // refuses the session instead of dropping it.
                let trailer = bytes.windows(4).position(|at| at == b"MTSX").unwrap();
                assert_eq!(bytes[trailer + 5], 5);
            }
        }
    }
    let longer = "x".repeat(256);
    let state = LoginState::Revoked {
        at: 0,
        error: &longer,
    };
    let session = session();
    let with = session
        .with_account(Account::default())
        .with_login_state(state);
    let refused = EncodeError::TooLong {
        field: Field::LoginState,
        len: 256,
        max: 255,
    };
    assert_eq!(encode_to_vec(&with), Err(refused));
}

#[test]
fn a_fixed_session_refuses_a_login_state_that_it_cannot_keep_whole() {
    let mut session = session();
    let error = "x".repeat(33);
    let state = LoginState::Revoked {
        at: 1,
        error: &error,
    };
    let change = Change::LoginState(state);
    assert_eq!(session.apply(&change), Err(Full(Field::LoginState)));
    assert_eq!(session.login_state(), LoginState::Active);
    let state = LoginState::Revoked {
        at: 1,
        error: &error[..32],
    };
    session.apply(&Change::LoginState(state)).unwrap();
    assert_eq!(session.login_state(), state);
    let mut copy = Session::new();
    copy.copy_from(&session).unwrap();
    assert_eq!(copy.login_state(), state);
}
