//! `interop-libsql FILE`: opens a database of ours with the official libSQL client, checks it, changes a
//! peer, adds an account, and prints what it found.

use libsql::{Builder, params};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), libsql::Error> {
    let path = std::env::args().nth(1).expect("a file");
    let database = Builder::new_local(path).build().await?;
    let connection = database.connect()?;

    let mut rows = connection.query("PRAGMA integrity_check", ()).await?;
    let row = rows.next().await?.expect("an answer");
    assert_eq!(row.get::<String>(0)?, "ok");

    let mut rows = connection
        .query("SELECT count(*), sum(access_hash % 1000000) FROM peer", ())
        .await?;
    let row = rows.next().await?.expect("an answer");
    println!("{} peers, sum {}", row.get::<i64>(0)?, row.get::<i64>(1)?);

    let transaction = connection.transaction().await?;
    transaction
        .execute("UPDATE peer SET access_hash = 4711 WHERE position = 3", ())
        .await?;
    // Who has the database open learns by it that the account was changed: see SCHEMA.md.
    transaction
        .execute("UPDATE accounts SET revisions = lower(hex(randomblob(8)))", ())
        .await?;
    transaction
        .execute("INSERT INTO accounts (name, home_dc, revisions) VALUES ('by libsql', 4, '0123456789abcdef')", ())
        .await?;
    transaction
        .execute(
            "INSERT INTO dc SELECT id, 0, 4, 0, '149.154.167.91:443', ?1, -1, 2, NULL
             FROM accounts WHERE name = 'by libsql'",
            params![vec![7_u8; 256]],
        )
        .await?;
    transaction.commit().await
}
