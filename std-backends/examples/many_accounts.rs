//! Many accounts in one SQLite database, each with a writer of its own that an async client uses.
//!
//! ```text
//! cargo run -p mtsession --features sqlite,tokio --example many_accounts
//! ```

use std::io;
use std::sync::Arc;

use mtsession::{PersistedSession, SessionWriter, SqliteBackend, UpdateStateChange};

fn main() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("accounts.db");
    let names: Vec<_> = (1..=20).map(|n| format!("bot-{n:02}")).collect();

    // Any executor will do; nothing here needs tokio's.
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let mut writers = Vec::new();
        for name in &names {
            let backend = Arc::new(SqliteBackend::open_account(&path, name)?);
            let writer = SessionWriter::new(backend);
            writer
                .save(PersistedSession {
                    home_dc_id: 2,
                    ..Default::default()
                })
                .await?;
            writers.push(writer);
        }
        // Updates arrive; nobody waits for the disk.
        for pts in 1..=100 {
            for writer in &writers {
                let change = UpdateStateChange::Primary {
                    pts,
                    date: 1_750_000_000,
                    seq: 1,
                };
                writer.apply_update_state(change).await?;
            }
        }
        for writer in &writers {
            writer.flush().await?;
        }
        Ok::<(), io::Error>(())
    })?;

    SqliteBackend::rename_account(&path, "bot-01", "first")?;
    SqliteBackend::delete_account(&path, "bot-02")?;
    let accounts = SqliteBackend::accounts(&path)?;
    println!(
        "{} accounts, the first is {:?}",
        accounts.len(),
        accounts.first()
    );
    let copy = dir.path().join("copy.db");
    SqliteBackend::back_up(&path, &copy)?;
    println!("{} in the backup", SqliteBackend::accounts(&copy)?.len());
    Ok(())
}
