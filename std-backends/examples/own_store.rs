//! A store of one's own: four methods, and everything else comes with them, behind a `Box`, an `Arc` and a queue
//! as well.
//!
//! ```text
//! cargo run -p mtsession --features tokio --example own_store
//! ```
//!
//! A place that replaces bytes under a condition needs less and gets more: `mtsession::blob` has an example.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use mtsession::{
    PersistedSession, SessionBackend, SessionBackendExt, SessionRecord, SessionWriter,
};

/// A place for one session.
#[derive(Default)]
pub(crate) struct Mine(Mutex<Option<PersistedSession>>);

impl SessionBackend for Mine {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
        Ok(())
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        let stored = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(stored.clone())
    }

    fn delete(&self) -> io::Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    fn name(&self) -> &'static str {
        "mine"
    }
}

/// What works with every store.
fn log_in(backend: &impl SessionBackend) -> io::Result<()> {
    backend.replace(&SessionRecord::from(PersistedSession {
        home_dc_id: 2,
        ..PersistedSession::default()
    }))
}

/// Uses the store in every way; gives the home DC that is stored at last.
pub(crate) async fn run() -> io::Result<i32> {
    log_in(&Mine::default())?;
    let boxed: Box<dyn SessionBackend> = Box::new(Mine::default());
    log_in(&boxed)?;
    let shared: Arc<dyn SessionBackend> = Arc::new(Mine::default());
    log_in(&shared)?;
    let writer = SessionWriter::new(Arc::clone(&shared));
    writer.set_home_dc(4).await?;
    Ok(shared.head()?.map_or(0, |head| head.home_dc_id))
}

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    println!("home DC {}", runtime.block_on(run())?);
    Ok(())
}
