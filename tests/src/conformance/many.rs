//! Many peers, and operations in any order.

use mtsession::{CachedPeer, Keeps, SessionBackendExt as _};

use super::{Fixture, loaded, user};
use crate::random::sized;

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
