//! One behaviour, one function; `conformance!` makes a test of each for a backend.
//!
//! Everything goes through `Box<dyn SessionBackend>`, as clients use it. The numbers in the docs are
//! those of the rules in [`SessionBackend`]'s own.

use std::sync::Arc;

use mtsession::{
    Account, CachedPeer, Change, DcEntry, DcFlags, Keeps, PeerNames, PersistedSession,
    SessionBackend, SessionBackendExt, UpdateStateChange, UpdatesStateSnap,
};

use mtsession::core::PeerKind;

use crate::client::{self, Client};
pub use crate::conformance_record::{
    an_update_is_whole_or_nothing, every_change_does_what_it_says,
    every_part_of_a_record_comes_back, parts_agree_with_the_whole, peers_are_found_and_listed,
    updates_do_not_lose_each_other, what_belongs_to_a_login_goes_with_its_key,
};
use crate::random::{key_of, sized};

/// A store that can be opened again and again.
pub trait Fixture {
    /// Opens the store; all that one fixture opens are the same store.
    fn open(&self) -> Box<dyn SessionBackend>;

    /// Whether the store cannot be had here; says why.
    fn is_missing(&self) -> bool {
        false
    }

    /// Whether what was stored is there after the backend is gone.
    fn persists(&self) -> bool {
        true
    }

    /// Whether two open backends are one store, as two processes would have it.
    fn is_shared(&self) -> bool {
        self.persists()
    }

    /// Whether writers do not lose each other's changes: not in a store that loads and saves.
    fn is_atomic(&self) -> bool {
        true
    }

    /// Puts bytes that are no session where the store is; false where there is no such thing.
    fn damage(&self) -> bool {
        false
    }

    /// Every byte that is stored anywhere, to look for keys in.
    fn stored_bytes(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// Makes one test of every behaviour for a backend: `conformance!(file, FileFixture::new())`.
#[macro_export]
macro_rules! conformance {
    ($backend:ident, $fixture:expr) => {
        $crate::conformance!(@ $backend, $fixture,
            an_empty_store_is_none
            a_saved_session_comes_back_exactly
            a_default_session_is_not_none
            order_and_duplicates_are_kept
            counters_may_go_down
            a_session_survives_reopening
            a_granular_write_makes_an_empty_store_a_session
            peers_of_different_kinds_do_not_replace_each_other
            a_media_entry_does_not_replace_the_main_one
            an_entry_of_the_same_slot_is_replaced
            all_replaces_the_whole_update_state
            a_batch_is_all_or_nothing
            what_cannot_be_kept_is_refused_before_anything_is_written
            a_failed_write_leaves_the_backend_usable
            the_account_is_kept_beside_the_session
            peers_keep_their_names_as_long_as_they_are_there
            delete_leaves_nothing
            a_damaged_store_is_an_error_and_stays_as_it_is
            names_and_errors_hold_no_secret
            threads_do_not_lose_each_others_changes
            two_backends_do_not_lose_each_others_changes
            save_beside_granular_writes_keeps_the_session_whole
            a_client_loses_nothing
            a_client_whose_runtime_goes_away_keeps_its_login
            seventy_thousand_peers_are_kept
            random_operations_match_the_model
            every_part_of_a_record_comes_back
            every_change_does_what_it_says
            what_belongs_to_a_login_goes_with_its_key
            an_update_is_whole_or_nothing
            updates_do_not_lose_each_other
            peers_are_found_and_listed parts_agree_with_the_whole
        );
    };
    (@ $backend:ident, $fixture:expr, $($behaviour:ident)+) => {
        mod $backend {
            #[allow(unused_imports)]
            use super::*;

            $(
                #[test]
                fn $behaviour() {
                    let fixture = $fixture;
                    if !Fixture::is_missing(&fixture) {
                        $crate::conformance::$behaviour(&fixture);
                    }
                }
            )+
        }
    };
}

fn some_dc(dc_id: i32, flags: DcFlags) -> DcEntry {
    DcEntry {
        auth_key: Some(key_of(dc_id as u8)),
        first_salt: -5,
        time_offset: 3,
        ..DcEntry::from_parts(dc_id, "149.154.167.51", 443, flags)
    }
}

fn user(id: i64) -> CachedPeer {
    CachedPeer {
        id,
        access_hash: id * 7,
        is_channel: false,
        is_chat: false,
        channel_kind: None,
        is_community: false,
    }
}

fn loaded(backend: &dyn SessionBackend) -> PersistedSession {
    backend.load().unwrap().expect("the store holds a session")
}

/// Rule 2.
pub fn an_empty_store_is_none(fixture: &dyn Fixture) {
    let backend = fixture.open();
    assert_eq!(backend.load().unwrap(), None);
    assert_eq!(backend.account().unwrap(), Account::default());
}

/// Rule 1.
pub fn a_saved_session_comes_back_exactly(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let mut session = sized(5, 20, 7, 3);
    session.future_auth_token = Some(vec![1, 2, 3]);
    backend.save(&session).unwrap();
    assert_eq!(loaded(&*backend), session);
    session.future_auth_token = Some(Vec::new());
    backend.save(&session).unwrap();
    assert_eq!(loaded(&*backend), session);
}

/// Rule 2: nobody is logged in, but there is a session.
pub fn a_default_session_is_not_none(fixture: &dyn Fixture) {
    let backend = fixture.open();
    backend.save(&PersistedSession::default()).unwrap();
    assert_eq!(loaded(&*backend), PersistedSession::default());
}

/// Rule 1.
pub fn order_and_duplicates_are_kept(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let mut session = sized(3, 5, 4, 3);
    session.peers.reverse();
    session.peers.push(session.peers[0].clone());
    session.dcs.push(session.dcs[0].clone());
    session.updates_state.channels.push((1_000_000_000, 9));
    session.min_peers.push(session.min_peers[1].clone());
    backend.save(&session).unwrap();
    assert_eq!(loaded(&*backend), session);
}

/// Rule 1.
pub fn counters_may_go_down(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let at = |pts| PersistedSession {
        updates_state: UpdatesStateSnap {
            pts,
            qts: pts,
            date: pts,
            seq: pts,
            channels: vec![],
        },
        ..Default::default()
    };
    backend.save(&at(100)).unwrap();
    backend.save(&at(50)).unwrap();
    assert_eq!(loaded(&*backend), at(50));
    backend
        .apply_update_state(UpdateStateChange::Primary {
            pts: 7,
            date: 6,
            seq: -5,
        })
        .unwrap();
    let state = loaded(&*backend).updates_state;
    assert_eq!(
        (state.pts, state.qts, state.date, state.seq),
        (7, 50, 6, -5)
    );
}

/// Rule 7, as far as a test without a power switch goes.
pub fn a_session_survives_reopening(fixture: &dyn Fixture) {
    if !fixture.persists() {
        eprintln!("skipped: this store lives as long as its backend");
        return;
    }
    let session = sized(2, 3, 1, 1);
    fixture.open().save(&session).unwrap();
    fixture.open().cache_peer(&user(9)).unwrap();
    let mut expected = session;
    expected.peers.push(user(9));
    assert_eq!(loaded(&*fixture.open()), expected);
}

/// Rule 2, for every granular write.
pub fn a_granular_write_makes_an_empty_store_a_session(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let writes: [&dyn Fn(&dyn SessionBackend); 6] = [
        &|b| b.cache_peer(&user(5)).unwrap(),
        &|b| b.set_home_dc(4).unwrap(),
        &|b| b.update_dc(&some_dc(2, DcFlags::NONE)).unwrap(),
        &|b| {
            b.apply_update_state(UpdateStateChange::Secondary { qts: 2 })
                .unwrap();
        },
        &|b| {
            b.set_account(Account {
                user_id: Some(1),
                ..Account::default()
            })
            .unwrap();
        },
        &|b| b.apply(&[]).unwrap(),
    ];
    for write in writes {
        backend.delete().unwrap();
        assert_eq!(backend.load().unwrap(), None);
        write(&*backend);
        assert!(backend.load().unwrap().is_some());
    }
}

/// Rule 3.
pub fn peers_of_different_kinds_do_not_replace_each_other(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let all = [
        user(5),
        CachedPeer {
            is_channel: true,
            ..user(5)
        },
        CachedPeer {
            is_chat: true,
            ..user(5)
        },
        CachedPeer {
            is_community: true,
            ..user(5)
        },
    ];
    all.iter()
        .for_each(|peer| backend.cache_peer(peer).unwrap());
    assert_eq!(loaded(&*backend).peers, all);
    let changed = CachedPeer {
        access_hash: 1,
        ..user(5)
    };
    backend.cache_peer(&changed).unwrap();
    let peers = loaded(&*backend).peers;
    assert_eq!(peers[0], changed);
    assert_eq!(peers[1..], all[1..]);
}

/// Rule 3.
pub fn a_media_entry_does_not_replace_the_main_one(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let kinds = [
        DcFlags::NONE,
        DcFlags::MEDIA_ONLY,
        DcFlags::CDN,
        DcFlags::IPV6,
        DcFlags::TCPO_ONLY,
    ];
    let entries = kinds.map(|flags| some_dc(2, flags));
    entries
        .iter()
        .for_each(|entry| backend.update_dc(entry).unwrap());
    let session = loaded(&*backend);
    assert_eq!(session.dcs, entries);
    assert_eq!(session.dc_for(2, false), Some(&entries[0]));
    assert_eq!(session.dc_for(2, true), Some(&entries[3]));
}

/// Rule 3.
pub fn an_entry_of_the_same_slot_is_replaced(fixture: &dyn Fixture) {
    let backend = fixture.open();
    backend.update_dc(&some_dc(1, DcFlags::NONE)).unwrap();
    backend.update_dc(&some_dc(2, DcFlags::NONE)).unwrap();
    let mut changed = some_dc(1, DcFlags::STATIC);
    changed.auth_key = None;
    backend.update_dc(&changed).unwrap();
    assert_eq!(loaded(&*backend).dcs, [changed, some_dc(2, DcFlags::NONE)]);
}

/// Rule 5: channels that the new state does not name are gone, and its duplicates are kept.
pub fn all_replaces_the_whole_update_state(fixture: &dyn Fixture) {
    let backend = fixture.open();
    backend.save(&sized(1, 2, 5, 0)).unwrap();
    let state = UpdatesStateSnap {
        pts: 1,
        qts: 2,
        date: 3,
        seq: 4,
        channels: vec![(9, 9), (8, 8), (9, 7)],
    };
    backend
        .apply_update_state(UpdateStateChange::All(state.clone()))
        .unwrap();
    let session = loaded(&*backend);
    assert_eq!(session.updates_state, state);
    assert_eq!(session.peers, sized(1, 2, 5, 0).peers);
}

/// Rule 5.
pub fn a_batch_is_all_or_nothing(fixture: &dyn Fixture) {
    use mtsession::{Change, UpdateChange};

    let backend = fixture.open();
    let before = sized(1, 1, 1, 1);
    backend.save(&before).unwrap();
    let long = DcEntry::from_parts(3, &"a".repeat(256), 443, DcFlags::NONE);
    let peer = user(77);
    let error = backend
        .apply(&[
            Change::Peer((&peer).into()),
            Change::HomeDc(9),
            Change::Update(UpdateChange::Secondary { qts: 1 }),
            Change::Dc(long.as_dc_ref()),
        ])
        .unwrap_err();
    assert!(error.to_string().contains("dc.addr is too long"), "{error}");
    assert_eq!(loaded(&*backend), before);

    backend
        .apply(&[Change::Peer((&peer).into()), Change::HomeDc(9)])
        .unwrap();
    let after = loaded(&*backend);
    assert_eq!((after.home_dc_id, after.peers.last()), (9, Some(&peer)));
}

/// Rule 9.
pub fn what_cannot_be_kept_is_refused_before_anything_is_written(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let before = sized(1, 1, 1, 1);
    backend.save(&before).unwrap();
    let too_many = sized(256, 0, 0, 0);
    let mut long_addr = before.clone();
    long_addr.dcs[0].addr = "a".repeat(256);
    let mut long_token = before.clone();
    long_token.future_auth_token = Some(vec![0; 65_536]);
    for session in [too_many, long_addr, long_token] {
        let error = backend.save(&session).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("too long for the session format"),
            "{error}"
        );
        assert_eq!(loaded(&*backend), before);
    }
    let mut most = sized(255, 0, 0, 0);
    most.dcs[0].addr = "a".repeat(255);
    most.future_auth_token = Some(vec![7; 65_535]);
    backend.save(&most).unwrap();
    assert_eq!(loaded(&*backend), most);
    let one_more = some_dc(256, DcFlags::NONE);
    assert!(backend.update_dc(&one_more).is_err());
    assert_eq!(loaded(&*backend), most);
}

/// Rule 5.
pub fn a_failed_write_leaves_the_backend_usable(fixture: &dyn Fixture) {
    let backend = fixture.open();
    for pts in 1..4 {
        assert!(backend.save(&sized(256, 0, 0, 0)).is_err());
        let mut session = sized(2, 2, 2, 2);
        session.updates_state.pts = pts;
        backend.save(&session).unwrap();
        backend.cache_peer(&user(pts.into())).unwrap();
        session.peers.push(user(pts.into()));
        assert_eq!(loaded(&*backend), session);
    }
}

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

/// Names stay with their peers through every write, and go with them.
pub fn peers_keep_their_names_as_long_as_they_are_there(fixture: &dyn Fixture) {
    let kinds = |id, kind| CachedPeer {
        is_channel: kind == PeerKind::Channel,
        is_chat: kind == PeerKind::Chat,
        ..user(id)
    };
    let names = |id, kind| PeerNames {
        id,
        kind,
        usernames: vec![
            format!("first{id}{kind:?}"),
            "zwei \"\\\n\u{1F600}".to_owned(),
        ],
        phone: (kind == PeerKind::User).then(|| format!("1555000{id}")),
        title: (id != 2).then(|| format!("Title {id} {kind:?}")),
    };
    let all = |backend: &dyn SessionBackend| {
        let mut names = backend.peer_names().unwrap();
        names.sort_by_key(|names| (names.kind.to_byte(), names.id));
        names
    };
    let backend = fixture.open();
    assert!(backend.peer_names().unwrap().is_empty());
    let mut session = PersistedSession {
        peers: [
            (1, PeerKind::User),
            (2, PeerKind::User),
            (1, PeerKind::Channel),
        ]
        .map(|(id, kind)| kinds(id, kind))
        .into(),
        ..sized(1, 0, 3, 3)
    };
    session.peers.push(kinds(3, PeerKind::Chat));
    backend.save(&session).unwrap();
    let unchanged = loaded(&*backend);
    let given = [
        names(3, PeerKind::Chat),
        names(1, PeerKind::User),
        names(1, PeerKind::Channel),
        names(2, PeerKind::User),
        // Not a peer of the session.
        names(2, PeerKind::Channel),
    ];
    if !backend.keeps().contains(Keeps::NAMES) {
        // They can be learnt again.
        backend.set_peer_names(&given).unwrap();
        assert!(backend.peer_names().unwrap().is_empty());
        return;
    }
    backend.set_peer_names(&given).unwrap();
    let expected = [
        names(1, PeerKind::User),
        names(2, PeerKind::User),
        names(1, PeerKind::Channel),
        names(3, PeerKind::Chat),
    ];
    assert_eq!(all(&*backend), expected);
    assert_eq!(loaded(&*backend), unchanged);

    // Small changes, alone and as a batch, and one of a peer that has names.
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
    assert_eq!(all(&*backend), expected);
    if fixture.persists() {
        assert_eq!(all(&*fixture.open()), expected);
    }

    // Another order, another peer in front, one gone: by this backend, then by another.
    session.home_dc_id = 4;
    session.dcs.push(some_dc(4, DcFlags::NONE));
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

    // Who comes back is another.
    backend.save(&PersistedSession::default()).unwrap();
    backend.save(&session).unwrap();
    assert!(backend.peer_names().unwrap().is_empty());

    // New names replace all names, and `delete` leaves none.
    backend.set_peer_names(&expected).unwrap();
    backend.set_peer_names(&expected[1..]).unwrap();
    assert_eq!(all(&*backend), expected[1..]);
    backend.set_peer_names(&expected).unwrap();
    backend.delete().unwrap();
    let phone = b"15550001";
    let stored = fixture.stored_bytes();
    assert!(!stored.windows(phone.len()).any(|bytes| bytes == phone));
    assert!(backend.peer_names().unwrap().is_empty());
    backend.save(&session).unwrap();
    assert!(backend.peer_names().unwrap().is_empty());
}

/// Rule 8.
pub fn delete_leaves_nothing(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let mut session = sized(5, 50, 5, 5);
    session.future_auth_token = Some(key_of(99).to_vec());
    backend.save(&session).unwrap();
    backend.update_dc(&some_dc(6, DcFlags::NONE)).unwrap();
    backend.cache_peer(&user(1)).unwrap();
    backend.delete().unwrap();
    assert_eq!(backend.load().unwrap(), None);
    let stored = fixture.stored_bytes();
    for seed in [1, 2, 3, 4, 5, 6, 99] {
        for window in key_of(seed).windows(16) {
            assert!(
                !stored.windows(16).any(|found| found == window),
                "a part of key {seed} is left"
            );
        }
    }
    backend.delete().unwrap();
    backend.save(&session).unwrap();
    assert_eq!(loaded(&*backend), session);
}

/// Rule 4.
pub fn a_damaged_store_is_an_error_and_stays_as_it_is(fixture: &dyn Fixture) {
    if !fixture.damage() {
        eprintln!("skipped: this store cannot be damaged from outside");
        return;
    }
    let backend = fixture.open();
    let before = fixture.stored_bytes();
    assert!(backend.load().is_err());
    assert!(backend.account().is_err());
    assert!(backend.cache_peer(&user(1)).is_err());
    assert!(backend.set_home_dc(1).is_err());
    assert!(backend.update_dc(&some_dc(1, DcFlags::NONE)).is_err());
    assert!(
        backend
            .apply_update_state(UpdateStateChange::Secondary { qts: 1 })
            .is_err()
    );
    assert_eq!(
        fixture.stored_bytes(),
        before,
        "a reader or a refused write changed the store"
    );
}

/// Rule 8.
pub fn names_and_errors_hold_no_secret(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let session = sized(256, 1, 1, 1);
    let error = backend.save(&session).unwrap_err();
    let seen = format!("{} {error} {error:?} {session:?}", backend.name());
    assert_no_key(&seen, &session);
}

/// Looks for every key of `session` in `text`, as bytes, hexadecimal, base64 or a list of numbers.
pub fn assert_no_key(text: &str, session: &PersistedSession) {
    // The keys are as good as random: if one is shown, so are these.
    for key in session.dcs.iter().take(2).filter_map(|dc| dc.auth_key) {
        for window in key.windows(6).step_by(3) {
            let hex: String = window.iter().map(|byte| format!("{byte:02x}")).collect();
            let numbers: Vec<String> = window.iter().map(ToString::to_string).collect();
            for form in [
                hex.clone(),
                hex.to_uppercase(),
                numbers.join(", "),
                numbers.join(","),
            ] {
                assert!(!text.contains(&form), "a part of a key is shown");
            }
            assert!(
                !text.as_bytes().windows(6).any(|found| found == window),
                "a part of a key is shown"
            );
        }
    }
}

/// Rule 6, within a process.
pub fn threads_do_not_lose_each_others_changes(fixture: &dyn Fixture) {
    if !fixture.is_atomic() {
        eprintln!("skipped: the store cannot tell writers apart");
        return;
    }
    let backend: Arc<dyn SessionBackend> = fixture.open().into();
    backend.save(&sized(2, 0, 0, 0)).unwrap();
    in_threads(|thread| {
        let backend = Arc::clone(&backend);
        move || write_own(&*backend, thread)
    });
    assert_all_there(&*backend);
}

/// Rule 6, as between processes.
pub fn two_backends_do_not_lose_each_others_changes(fixture: &dyn Fixture) {
    if !fixture.is_shared() {
        eprintln!("skipped: two backends of this kind are two stores");
        return;
    }
    fixture.open().save(&sized(2, 0, 0, 0)).unwrap();
    let backends: Vec<_> = (0..THREADS).map(|_| Arc::from(fixture.open())).collect();
    in_threads(|thread| {
        let backend: Arc<dyn SessionBackend> =
            Arc::clone(&backends[usize::try_from(thread).unwrap()]);
        move || write_own(&*backend, thread)
    });
    assert_all_there(&*fixture.open());
}

const THREADS: i64 = 4;
const WRITES: i64 = 10;

fn in_threads<F: FnOnce() + Send + 'static>(work: impl Fn(i64) -> F) {
    let threads: Vec<_> = (0..THREADS).map(|n| std::thread::spawn(work(n))).collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

/// Writes of every kind that no other thread makes.
fn write_own(backend: &dyn SessionBackend, thread: i64) {
    for n in 0..WRITES {
        let id = thread * 100 + n;
        backend.cache_peer(&user(id)).unwrap();
        backend
            .apply_update_state(UpdateStateChange::Channel { id, pts: 1 })
            .unwrap();
        if n % 5 == 0 {
            let dc_id = i32::try_from(1_000 + id).unwrap();
            backend.update_dc(&some_dc(dc_id, DcFlags::NONE)).unwrap();
        }
    }
}

fn assert_all_there(backend: &dyn SessionBackend) {
    let session = loaded(backend);
    let ids = || (0..THREADS).flat_map(|thread| (0..WRITES).map(move |n| thread * 100 + n));
    for id in ids() {
        assert!(
            session.peers.iter().any(|peer| peer.id == id),
            "peer {id} is lost"
        );
        assert_eq!(
            session.updates_state.channel_pts(id),
            1,
            "channel {id} is lost"
        );
        if id % 5 == 0 {
            let dc_id = i32::try_from(1_000 + id).unwrap();
            assert!(
                session.dcs.iter().any(|dc| dc.dc_id == dc_id),
                "DC {dc_id} is lost"
            );
        }
    }
    assert_eq!(session.peers.len(), ids().count());
}

/// Rule 6: a save that meets granular writes is before or after each of them, never in the middle.
pub fn save_beside_granular_writes_keeps_the_session_whole(fixture: &dyn Fixture) {
    if !fixture.is_atomic() {
        eprintln!("skipped: the store cannot tell writers apart");
        return;
    }
    let backend: Arc<dyn SessionBackend> = fixture.open().into();
    let base = sized(3, 10, 0, 0);
    backend.save(&base).unwrap();
    let saver = {
        let (backend, base) = (Arc::clone(&backend), base.clone());
        std::thread::spawn(move || (0..10).for_each(|_| backend.save(&base).unwrap()))
    };
    let mut last = 0;
    while !saver.is_finished() || last < 20 {
        last += 1;
        backend
            .apply_update_state(UpdateStateChange::Primary {
                pts: last,
                date: last,
                seq: last,
            })
            .unwrap();
        let state = loaded(&*backend).updates_state;
        let whole = (state.pts, state.date, state.seq);
        let saved = (
            base.updates_state.pts,
            base.updates_state.date,
            base.updates_state.seq,
        );
        assert!(whole == (last, last, last) || whole == saved, "{whole:?}");
    }
    saver.join().unwrap();
    backend
        .apply_update_state(UpdateStateChange::Secondary { qts: 31 })
        .unwrap();
    let session = loaded(&*backend);
    assert_eq!((session.dcs, session.peers), (base.dcs, base.peers));
    assert_eq!(session.updates_state.qts, 31);
}

/// A client connects, works and disconnects, on either runtime, and then connects again. Its timers
/// store at the same time, so a store that loads and saves can lose what one of them wrote: such a
/// store is for one writer.
pub fn a_client_loses_nothing(fixture: &dyn Fixture) {
    if !fixture.is_atomic() {
        eprintln!("skipped: the store cannot tell writers apart");
        return;
    }
    for runtime in client::runtimes() {
        let backend: Arc<dyn SessionBackend> = fixture.open().into();
        let known = runtime.block_on(async {
            let client = Client::connect(Arc::clone(&backend)).await;
            client.work().await;
            client.disconnect().await
        });
        drop(runtime);
        assert_eq!(backend.load().unwrap(), Some(known));
    }
}

/// Rule 7: the key was acknowledged. What was stored when the runtime stopped is not known, but it is
/// whole.
pub fn a_client_whose_runtime_goes_away_keeps_its_login(fixture: &dyn Fixture) {
    for runtime in client::runtimes() {
        let backend: Arc<dyn SessionBackend> = fixture.open().into();
        let client = runtime.block_on(async {
            let client = Client::connect(Arc::clone(&backend)).await;
            client.work().await;
            client
        });
        drop(runtime);
        let (stored, known) = (backend.load().unwrap().unwrap(), client.session());
        assert_eq!(stored.dcs.first(), known.dcs.first());
        assert!(known.dcs.starts_with(&stored.dcs));
        assert!(known.peers.starts_with(&stored.peers));
    }
}

/// More than the format's counts can say.
pub fn seventy_thousand_peers_are_kept(fixture: &dyn Fixture) {
    let backend = fixture.open();
    let mut session = sized(1, 70_000, 66_000, 65_600);
    backend.save(&session).unwrap();
    assert!(
        loaded(&*backend) == session,
        "a large session came back changed"
    );
    let last = CachedPeer {
        access_hash: 1,
        ..session.peers[69_999].clone()
    };
    backend.cache_peer(&last).unwrap();
    backend.cache_peer(&user(1)).unwrap();
    session.peers[69_999] = last;
    session.peers.push(user(1));
    assert!(
        loaded(&*backend) == session,
        "a peer was stored in the wrong place"
    );
}

/// All rules at once: random operations, with the store opened again in between.
pub fn random_operations_match_the_model(fixture: &dyn Fixture) {
    use proptest::collection::vec;
    use proptest::test_runner::{Config, TestRunner};

    use crate::model::{Model, Op, op, perform};

    let config = Config {
        cases: cases(128),
        // One store serves all cases; each starts by deleting it.
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    runner
        .run(&vec(op(), 1..25), |ops| {
            let mut backend = fixture.open();
            backend.delete().unwrap();
            let mut model = Model::default();
            for op in &ops {
                if matches!(op, Op::Reopen) && fixture.persists() {
                    drop(backend);
                    backend = fixture.open();
                }
                perform(&*backend, op);
                model.apply(op);
                assert_eq!(backend.load().unwrap(), model.session, "after {op:?}");
            }
            if backend.keeps().contains(Keeps::ACCOUNT) {
                assert_eq!(backend.account().unwrap(), model.account);
            }
            Ok(())
        })
        .unwrap();
}

/// How many random cases to run: `PROPTEST_CASES`, or what is right for every change.
#[must_use]
pub fn cases(default: u32) -> u32 {
    let set = std::env::var("PROPTEST_CASES").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}
