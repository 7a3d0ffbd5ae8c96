//! Databases on a real libSQL server that earlier releases, and the present one, have made.

use mtsession::{
    LibSqlBackend, PersistedSession, SessionBackend, SessionBackendExt, SqliteBackend,
    UpdateStateChange, connect,
};
use mtsession_tests::bytes::has_window_of;
use mtsession_tests::sqld::{self, Sqld};
use mtsession_tests::stores::{self, account_names, problems, sqlite};
use mtsession_tests::vectors::{self, golden, sorted};

/// Databases that older releases made on a server, table by table and row by row.
#[test]
fn every_old_generation_on_a_server_is_read_and_migrated() {
    if !sqld::is_available() {
        return;
    }
    let vectors = vectors::of_kind("sqlite");
    assert_eq!(vectors.len(), 14, "golden databases");
    for vector in vectors {
        let name = &vector.name;
        let expected = sorted(vector.expect.clone().unwrap());
        let mut server = Sqld::start();
        server.execute(&dump(&vector.path));

        let old = LibSqlBackend::open_remote(server.url(), "").unwrap();
        assert_eq!(sorted(old.load().unwrap().unwrap()), expected, "{name}");
        assert_eq!(
            account_names(stores::server(server.url())).unwrap(),
            ["default"],
            "{name}"
        );
        let update = UpdateStateChange::Secondary { qts: 4711 };
        old.apply_update_state(update).unwrap();
        let mut migrated = expected.clone();
        migrated.updates_state.qts = 4711;
        let fresh = LibSqlBackend::open_remote(server.url(), "").unwrap();
        assert_eq!(sorted(fresh.load().unwrap().unwrap()), migrated, "{name}");
        assert_eq!(count_of_kept_tables(&server), dump_tables(&vector.path));

        fresh.delete().unwrap();
        assert_eq!(fresh.load().unwrap(), None, "{name}");
        server.fold_log();
        assert_eq!(count_of_kept_tables(&server), 0, "{name}");
        let keys: Vec<_> = expected.dcs.iter().filter_map(|dc| dc.auth_key).collect();
        let stored = std::fs::read(server.data_file()).unwrap();
        assert!(!has_window_of(&stored, &keys), "{name}: a key is left");
    }
}

/// Two programs meet a database of the release before, each with an account of its own.
#[test]
fn schema_10_on_a_server_is_read_as_it_is_and_migrated_once() {
    if !sqld::is_available() {
        return;
    }
    let expected = |account: &str, qts| {
        let mut session = golden_session(account);
        session.updates_state.qts = qts;
        Some(session)
    };
    let mut server = Sqld::start();
    server.execute(&dump(&golden("schema10-server.db")));
    server.execute("PRAGMA user_version = 10");
    let open = |account| connect(stores::server(server.url()).with_account(account)).unwrap();
    let backends = ["default", "bob"].map(open);
    for (backend, account) in backends.iter().zip(["default", "bob"]) {
        assert_eq!(backend.load().unwrap(), expected(account, 8));
        assert_eq!(
            account_names(stores::server(server.url())).unwrap(),
            ["bob", "default"]
        );
    }
    let names = backends[0].peer_names().unwrap();
    assert_eq!(names.len(), 4);
    std::thread::scope(|scope| {
        for backend in &backends {
            let update = UpdateStateChange::Secondary { qts: 9 };
            scope.spawn(move || backend.apply_update_state(update).unwrap());
        }
    });
    for (backend, account) in backends.iter().zip(["default", "bob"]) {
        assert_eq!(backend.load().unwrap(), expected(account, 9));
        assert_eq!(open(account).load().unwrap(), expected(account, 9));
    }
    assert_eq!(backends[0].peer_names().unwrap(), names);
    server.fold_log();
    let stored = rusqlite::Connection::open(server.data_file()).unwrap();
    assert!(stored.prepare("SELECT * FROM account").is_err());
    let fence = "INSERT INTO remote_write (account, tag) VALUES ('default', 1)";
    assert!(stored.prepare(fence).is_err(), "a writer of that release");
}

/// The session that the golden databases have under this name, whatever number their schema has.
fn golden_session(account: &str) -> PersistedSession {
    let text = std::fs::read_to_string(golden(&format!("schema10.{account}.txt"))).unwrap();
    PersistedSession::from_string(&text).unwrap()
}

/// Makes `schema11-server.db`: `cargo test --test libsql_golden make_ -- --ignored`, once for a schema
/// number. A server has no number in the header, and every writer leaves its mark.
#[test]
#[ignore = "writes a golden database"]
fn make_a_golden_database_on_a_server() {
    let path = golden("schema11-server.db");
    assert!(!path.exists(), "golden databases are never made again");
    let mut server = Sqld::start();
    let from = SqliteBackend::open(golden("schema10.db")).unwrap();
    for account in ["bob", "default"] {
        let backend = connect(stores::server(server.url()).with_account(account)).unwrap();
        backend.save(&golden_session(account)).unwrap();
        let update = UpdateStateChange::Secondary { qts: 8 };
        backend.apply_update_state(update).unwrap();
        if account == "default" {
            backend.set_account(from.account().unwrap()).unwrap();
            backend.set_peer_names(&from.peer_names().unwrap()).unwrap();
        }
    }
    server.fold_log();
    std::fs::copy(server.data_file(), path).unwrap();
}

/// What the present release has put on a server is read by every later one.
#[test]
fn a_golden_database_of_schema_11_is_read_from_a_server() {
    if !sqld::is_available() {
        return;
    }
    let server = Sqld::start();
    server.execute(&dump(&golden("schema11-server.db")));
    server.execute("PRAGMA user_version = 11");
    let from = SqliteBackend::open(golden("schema10.db")).unwrap();
    for account in ["bob", "default"] {
        let backend = connect(stores::server(server.url()).with_account(account)).unwrap();
        let mut expected = golden_session(account);
        expected.updates_state.qts = 8;
        assert_eq!(backend.load().unwrap(), Some(expected.clone()));
        assert_eq!(
            account_names(stores::server(server.url())).unwrap(),
            ["bob", "default"]
        );
        if account == "default" {
            assert_eq!(backend.account().unwrap(), from.account().unwrap());
            assert_eq!(backend.peer_names().unwrap(), from.peer_names().unwrap());
        }
        backend
            .apply_update_state(UpdateStateChange::Secondary { qts: 9 })
            .unwrap();
        expected.updates_state.qts = 9;
        assert_eq!(backend.load().unwrap(), Some(expected));
    }
}

/// The file of a server has what every other one has, and the marks of its writers; no number in its
/// header says whose it is.
#[test]
fn a_golden_database_of_a_server_is_read_as_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    std::fs::copy(golden("schema11-server.db"), &path).unwrap();
    let pragma = |name: &str| -> i64 {
        let database = rusqlite::Connection::open(&path).unwrap();
        database
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap()
    };
    assert_eq!((pragma("user_version"), pragma("application_id")), (11, 0));
    assert_eq!(account_names(sqlite(&path)).unwrap(), ["bob", "default"]);
    let load = |account| {
        let backend = connect(sqlite(&path).with_account(account)).unwrap();
        backend.load().unwrap().unwrap()
    };
    for account in ["bob", "default"] {
        let mut session = golden_session(account);
        session.updates_state.qts = 8;
        assert_eq!(load(account), session, "{account}");
    }
    assert!(problems(sqlite(&path)).unwrap().is_empty());
    let backend = LibSqlBackend::open_local(&path).unwrap();
    assert_eq!(backend.peer_names().unwrap().len(), 4);
    backend.set_home_dc(4).unwrap();
    assert_eq!(load("default").home_dc_id, 4);
}

/// How many tables of an older release the server still has under other names.
fn count_of_kept_tables(server: &Sqld) -> i64 {
    let database = rusqlite::Connection::open(server.data_file()).unwrap();
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'pre\\_%' ESCAPE '\\'";
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn dump_tables(path: &std::path::Path) -> i64 {
    let database = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A database as the statements that make it.
fn dump(path: &std::path::Path) -> String {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.db");
    std::fs::copy(path, &copy).unwrap();
    let database = rusqlite::Connection::open(copy).unwrap();
    let rows = |sql: &str| -> Vec<String> {
        let mut prepared = database.prepare(sql).unwrap();
        let rows = prepared.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let objects = |which: &str| {
        let sql = "SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'";
        rows(&format!("{sql} AND type {which} 'trigger'")).concat()
    };
    let mut script = objects("<>");
    for table in
        rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    {
        let columns = rows(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let quoted: Vec<_> = columns
            .iter()
            .map(|name| format!("quote(\"{name}\")"))
            .collect();
        let values = quoted.join(" || ',' || ");
        script += &rows(&format!(
            "SELECT 'INSERT INTO \"{table}\" VALUES (' || {values} || ');' FROM \"{table}\""
        ))
        .concat();
    }
    // They would refuse some of the rows.
    script + &objects("=")
}
