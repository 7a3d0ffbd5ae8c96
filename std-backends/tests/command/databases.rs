//! What `verify` says of databases with several accounts.

use rusqlite::Connection;

use super::{Place, ended, error, out};

/// A database with three accounts, of which these statements have damaged something.
fn damaged(statements: &str) -> Place {
    let place = Place::new();
    for name in ["alice", "bob", "carol"] {
        ended(
            &place.run(["convert", "a", &format!("sqlite:d.db#{name}")]),
            0,
        );
    }
    let database = Connection::open(place.path("d.db")).unwrap();
    database.execute_batch(statements).unwrap();
    place
}

const KEY_OF_BOB: &str = "UPDATE dc SET auth_key = zeroblob(256)
    WHERE account = (SELECT id FROM accounts WHERE name = 'bob') AND auth_key IS NOT NULL;";

const FIRST_DC_OF_CAROL: &str = "DELETE FROM dc WHERE position = 0
    AND account = (SELECT id FROM accounts WHERE name = 'carol');";

/// The lines that tell what is wrong.
fn problems(place: &Place, store: &str, code: i32) -> Vec<String> {
    let verified = place.run(["verify", store]);
    ended(&verified, code);
    let text = out(&verified);
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| line.starts_with("problem"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_damaged_account_is_a_line_of_the_report_and_the_others_are_checked() {
    let place = damaged(&format!("{KEY_OF_BOB}{FIRST_DC_OF_CAROL}"));
    for kind in ["sqlite", "libsql"] {
        for (account, code) in [("alice", 1), ("bob", 4), ("carol", 4)] {
            let found = problems(&place, &format!("{kind}:d.db#{account}"), code);
            assert!(
                found.len() == 2
                    && found.iter().any(|line| line.contains("account bob: "))
                    && found.iter().any(|line| line.contains("account carol: ")),
                "{kind} {account}: {found:?}"
            );
        }
        let store = format!("{kind}:d.db#bob");
        let verified = place.run(["verify", &store, "--json"]);
        assert!(
            error(&verified).contains("table dc"),
            "{}",
            error(&verified)
        );
        let report: serde_json::Value = serde_json::from_str(&out(&verified)).unwrap();
        let checks = report["checks"].as_array().unwrap();
        let outcomes: Vec<_> = checks.iter().map(|check| &check["outcome"]).collect();
        assert!(outcomes.iter().any(|outcome| *outcome == "problem"));
        assert!(outcomes.iter().any(|outcome| *outcome == "ok"), "{report}");
        assert_eq!(place.run(["verify", "d.db#nobody"]).status.code(), Some(3));
    }
}

/// A file is one database, by whichever name its library goes.
#[test]
fn both_kinds_of_database_files_are_checked_alike() {
    for (statements, code) in [
        ("", 0),
        (
            "UPDATE channel SET account = 4711 WHERE account = (SELECT max(id) FROM accounts)",
            1,
        ),
        (KEY_OF_BOB, 1),
        ("ALTER TABLE peer ADD COLUMN extra INTEGER", 4),
        (
            "CREATE TRIGGER planted AFTER UPDATE ON dc BEGIN SELECT 1; END",
            4,
        ),
    ] {
        let place = damaged(statements);
        // Which of our backends says it is not the same; what it says is.
        let [one, other] = ["sqlite", "libsql"].map(|kind| {
            let verified = place.run(["verify", &format!("{kind}:d.db#alice")]);
            ended(&verified, code).replace("libsql", "sqlite")
        });
        assert_eq!(one, other, "{statements}");
    }
}

/// Pages, not only rows.
#[test]
fn a_damaged_page_is_found_through_both_names() {
    let place = damaged("PRAGMA wal_checkpoint(TRUNCATE)");
    let path = place.path("d.db");
    let root: u64 = Connection::open(&path)
        .unwrap()
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'peer_id'",
            [],
            |row| row.get::<_, i64>(0),
        )
        .unwrap()
        .try_into()
        .unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // The number of cells in the index.
    let at = usize::try_from((root - 1) * 4096 + 3).unwrap();
    bytes[at..at + 2].copy_from_slice(&[0, 0]);
    std::fs::write(&path, bytes).unwrap();
    for kind in ["sqlite", "libsql"] {
        let found = problems(&place, &format!("{kind}:d.db#alice"), 1);
        assert!(!found.is_empty());
    }
}
