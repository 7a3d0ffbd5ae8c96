//! What a real libSQL server and a local copy of it keep, and what is left of an account that is deleted.

use std::path::Path;

use mtsession::{RemoteOptions, SessionBackend, StoreOptions, UpdateStateChange, connect};
use mtsession_tests::bytes::has_window_of;
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::sqld::{self, Sqld};
use mtsession_tests::stores;

#[test]
fn a_replica_reads_offline_and_writes_only_online() {
    if !sqld::is_available() {
        return;
    }
    let mut server = Sqld::start();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("replica.db");
    let options = RemoteOptions::default().retries(0);
    let open_in = |path: &Path, url: &str| {
        let options = StoreOptions::new().requests(options).replica(path);
        options.connect(stores::server(url).with_account("bot"))
    };
    let open = |url: &str| open_in(&path, url);
    let url = server.url();
    let first = open(&url).unwrap();
    let primary = StoreOptions::new().requests(options);
    let primary = primary.connect(stores::server(&url).with_account("bot"));
    let primary = primary.unwrap();
    let session = sized(2, 10, 2, 2);
    first.save(&session).unwrap();
    assert_eq!(primary.load().unwrap(), Some(session.clone()));

    primary.set_home_dc(5).unwrap();
    assert_eq!(
        first.load().unwrap(),
        Some(session.clone()),
        "the copy is older"
    );
    let first = open(&url).unwrap();
    assert_eq!(first.load().unwrap().unwrap().home_dc_id, 5);

    server.kill();
    let offline = open(&url).unwrap();
    assert_eq!(offline.load().unwrap().unwrap().home_dc_id, 5);
    let error = offline.set_home_dc(1).unwrap_err().to_string();
    assert!(
        error.contains("takes no writes without its server"),
        "{error}"
    );
    assert_eq!(offline.load().unwrap().unwrap().home_dc_id, 5);
    assert!(open_in(&dir.path().join("empty.db"), &url).is_err());

    server.restart();
    offline.set_home_dc(4).unwrap();
    assert_eq!(primary.load().unwrap().unwrap().home_dc_id, 4);
    primary.delete().unwrap();
    let online = open(&url).unwrap();
    assert_eq!(online.load().unwrap(), None);
    let files = std::fs::read_dir(dir.path()).unwrap();
    let bytes: Vec<u8> = files
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    let key = key_of(1);
    assert!(
        !bytes
            .windows(16)
            .any(|window| key.windows(16).any(|part| part == window))
    );
}

/// A server overwrites nothing that is deleted, so we do. Its logs have the keys until it folds them.
#[test]
fn a_server_keeps_no_key_of_a_deleted_account_in_its_database() {
    if !sqld::is_available() {
        return;
    }
    let mut server = Sqld::start();
    let url = server.url();
    let open = |account: &str| connect(stores::server(&url).with_account(account)).unwrap();
    let (other, victim) = (open("other"), open("victim"));
    other.save(&sized(2, 10, 2, 2)).unwrap();
    let mut session = sized(5, 200, 5, 5);
    for dc in &mut session.dcs {
        dc.auth_key = Some(key_of(200 + dc.dc_id as u8));
    }
    session.future_auth_token = Some(key_of(206).to_vec());
    victim.save(&session).unwrap();
    for n in 0..20 {
        other.set_home_dc(n).unwrap();
        victim
            .apply_update_state(UpdateStateChange::Secondary { qts: n })
            .unwrap();
    }
    drop((other, victim));
    let keys: Vec<_> = (201..=206).map(key_of).collect();
    let is_key_in = |file: &Path| has_window_of(&std::fs::read(file).unwrap(), &keys);
    server.fold_log();
    assert!(is_key_in(&server.data_file()));
    open("victim").delete().unwrap();
    assert!(is_key_in(&server.dir().join("db/dbs/default/wallog")));
    server.fold_log();
    assert!(!is_key_in(&server.data_file()));
    assert!(!is_key_in(&server.dir().join("db/dbs/default/data-wal")));
    let other = open("other");
    assert_eq!(other.load().unwrap().unwrap().home_dc_id, 19);
}
