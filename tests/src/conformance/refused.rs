//! What fails, and what it leaves.

use mtsession::{
    DcEntry, DcFlags, PersistedSession, SessionBackend, SessionBackendExt as _, StoreErrorKind,
    UpdateStateChange,
};

use super::{Fixture, loaded, some_dc, user};
use crate::random::{key_of, sized};
use crate::stores::kind;

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

/// Rule 12.
pub fn a_login_that_has_appeared_is_replaced_only_knowingly(fixture: &dyn Fixture) {
    type Ask = fn(&dyn SessionBackend) -> bool;

    if !fixture.is_told_apart() {
        eprintln!("skipped: all backends of this store are one, or cannot tell what it holds now");
        return;
    }
    let asks: [Ask; 3] = [
        |late| late.load().unwrap().is_none(),
        |late| late.read().unwrap().is_none(),
        |late| late.head().unwrap().is_none(),
    ];
    let login = sized(2, 3, 1, 1);
    let mut other = sized(2, 5, 1, 1);
    for dc in &mut other.dcs {
        dc.auth_key = Some(key_of(77));
    }
    for finds_none in asks {
        let (late, early) = (fixture.open(), fixture.open());
        assert!(finds_none(&*late));
        early.save(&login).unwrap();
        let error = late.save(&other).unwrap_err();
        assert_eq!(kind(&error), StoreErrorKind::Conflict, "{error}");
        let message = error.to_string();
        assert!(message.contains("another login appeared"), "{message}");
        assert_eq!(loaded(&*early), login, "nothing was changed");
        late.save(&other).unwrap();
        assert_eq!(loaded(&*late), other);
        late.delete().unwrap();

        // The same login, or none, is nothing to ask about.
        assert!(finds_none(&*late));
        early.save(&PersistedSession::default()).unwrap();
        late.save(&login).unwrap();
        late.delete().unwrap();
        assert!(finds_none(&*late));
        early.save(&login).unwrap();
        let mut more = login.clone();
        more.updates_state.pts += 1;
        late.save(&more).unwrap();
        assert_eq!(loaded(&*late), more);
        late.delete().unwrap();
    }
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
