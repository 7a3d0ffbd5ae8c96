//! The conformance suite through a [`SessionWriter`]: every call of a backend on the writer's thread.

use std::io;

use mtsession::{
    Change, InMemoryBackend, Keeps, PersistedSession, SessionBackend, SessionBackendExt,
    SessionRecord, SessionWriter,
};

use crate::conformance::Fixture;

/// A store that every call reaches through a writer's thread.
pub struct Queued<F>(pub F);

/// Calls of a backend, each on the thread of a writer.
struct Calls(SessionWriter);

impl Calls {
    fn run<R: Send + 'static>(
        &self,
        f: impl FnOnce(&dyn SessionBackend) -> io::Result<R> + Send + 'static,
    ) -> io::Result<R> {
        // A test may be on a runtime's thread, which must not wait for another runtime.
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                tokio::runtime::Builder::new_current_thread()
                    .build()?
                    .block_on(self.0.run(f))
            });
            waiting.join().unwrap()
        })
    }
}

impl SessionBackend for Calls {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        let session = session.clone();
        self.run(move |backend| backend.save(&session))
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        self.run(|backend| backend.load())
    }

    fn delete(&self) -> io::Result<()> {
        self.run(|backend| backend.delete())
    }

    fn name(&self) -> &'static str {
        "queued"
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        self.run(|backend| backend.read())
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        // A closure of the caller's cannot be sent: what it makes of the record is.
        loop {
            let read = self.read()?;
            let is_new = read.is_none();
            let before = read.clone();
            let mut made = None;
            let probe = InMemoryBackend::new();
            if let Some(read) = &read {
                probe.replace(read)?;
            }
            probe.update(change)?;
            if probe.read()? != before {
                made = probe.read()?;
            }
            let Some(made) = made else {
                return Ok(());
            };
            let is_stored = self.run(move |backend| {
                backend.edit(|record| {
                    let is_same = record.is_new() == is_new
                        && before.as_ref().is_none_or(|before| before == record);
                    if is_same {
                        *record = made.clone();
                    }
                    Ok(is_same)
                })
            })?;
            if is_stored {
                return Ok(());
            }
        }
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        let mut encoded = Vec::new();
        for change in changes {
            let mut buffer = vec![0; 70_000];
            encoded.push(change.encode(&mut buffer).unwrap().to_vec());
        }
        self.run(move |backend| {
            let changes: Vec<_> = encoded
                .iter()
                .map(|bytes| Change::decode(bytes).unwrap().0)
                .collect();
            backend.apply(&changes)
        })
    }

    fn keeps(&self) -> Keeps {
        self.run(|backend| Ok(backend.keeps())).unwrap()
    }
}

impl<F: Fixture> Fixture for Queued<F> {
    fn open(&self) -> Box<dyn SessionBackend> {
        Box::new(Calls(SessionWriter::new(self.0.open().into())))
    }

    /// Calls that come through one writer are served one after the other, whatever the store can do.
    fn is_atomic(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    fn damage(&self) -> bool {
        self.0.damage()
    }

    fn stored_bytes(&self) -> Vec<u8> {
        self.0.stored_bytes()
    }
}
