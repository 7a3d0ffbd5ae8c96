//! A session as a whole, and its parts changed one by one.

use mtsession::{
    Account, CachedPeer, DcFlags, PersistedSession, SessionBackend, SessionBackendExt as _,
    UpdateStateChange, UpdatesStateSnap,
};

use super::{Fixture, loaded, some_dc, user};
use crate::random::sized;

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
