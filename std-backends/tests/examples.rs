//! The examples run, and do what they say.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "an example has a main of its own")]

#[path = "../examples/async_client.rs"]
mod async_client;
#[path = "../examples/bot.rs"]
mod bot;
#[path = "../examples/import.rs"]
mod import;
#[path = "../examples/operator.rs"]
mod operator;
#[path = "../examples/own_store.rs"]
mod own_store;
#[path = "../examples/sealed_owned.rs"]
mod sealed_owned;

use std::path::Path;

use mtsession::{
    SessionBackend as _, SessionBackendExt as _, SessionRecord, StoreError, StoreErrorKind, connect,
};

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

#[test]
fn a_bot_logs_in_once_and_goes_on_where_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    assert_eq!(bot::run(&path).unwrap().updates_state.pts, 1);
    let session = bot::run(&path).unwrap();
    assert_eq!(
        (session.updates_state.pts, session.updates_state.qts),
        (2, 5)
    );
    assert_eq!(session.dcs.len(), 1);
}

#[test]
fn an_async_client_logs_in_and_finds_a_peer_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}#alice", dir.path().join("a.db").display());
    assert_eq!(block_on(async_client::run(&address)).unwrap(), Some(5));
    let backend = connect(&address).unwrap();
    assert_eq!(backend.account().unwrap().user_id, Some(777_000));
    assert_eq!(backend.head().unwrap().unwrap().updates_state.pts, 10);
}

#[test]
fn an_operator_has_a_thousand_accounts_and_a_backup_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (address, backup) = (
        format!("sqlite:{}", at("a.db")),
        format!("sqlite:{}", at("b.db")),
    );
    assert_eq!(block_on(operator::run(&address, &backup)).unwrap(), 999);
    let revoked = connect(format!("{address}#bot-0003")).unwrap();
    let head = revoked.head().unwrap().unwrap();
    assert!(!head.login_state.as_state().is_active());
    assert_eq!(head.updates_state.qts, 1);
}

#[test]
fn a_session_is_sealed_and_owned_or_nothing_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    let said = sealed_owned::run(&path).map_err(|error| error.to_string());
    if cfg!(feature = "seal") {
        assert_eq!(said.as_deref(), Ok("sealed and owned"));
        sealed_owned::run(&path).unwrap();
        let without_a_key = connect(&path).and_then(|backend| backend.load());
        let error = without_a_key.unwrap_err();
        let kind = StoreError::of(&error).unwrap().kind();
        assert_eq!(kind, StoreErrorKind::Sealed, "{error}");
    } else {
        assert!(said.unwrap_err().contains("`key`"));
        assert!(!path.exists());
    }
}

#[test]
fn a_store_of_four_methods_works_everywhere() {
    assert_eq!(block_on(own_store::run()).unwrap(), 4);
}

#[test]
fn a_session_of_another_library_is_taken_over_once() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/clients");
    let from = vectors.join("telethon-1.45.0-s01.session");
    let path = dir.path().join("me.session");
    let to = path.display().to_string();
    import::run(&from, &to).unwrap();
    assert!(import::run(&from, &to).is_err());
    let stored = connect(&to).unwrap().read().unwrap().unwrap();
    let whole: SessionRecord = import::whole(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(whole.head().dcs, stored.head().dcs);
}
