//! A queue in front of a store, for async clients.

mod strand;
mod threads;
mod waiting;

use std::io;
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, oneshot};

use self::strand::Strand;
pub(crate) use self::threads::Threads;

use crate::backend::SessionBackend;
use crate::drop_in::dc::DcEntry;
use crate::drop_in::peer::CachedPeer;
use crate::drop_in::session::PersistedSession;
use crate::drop_in::update::UpdateStateChange;
use crate::event::Events;
use crate::owner::{Lease, Owner, Ownership};
use crate::sync::lock;

/// How many writes may wait before a writer has to.
const CAPACITY: usize = 256;

/// How often somebody who waits for the end of a lease looks: ten times within its margin.
const WATCH: core::time::Duration = core::time::Duration::from_millis(500);

/// Writes to a store from async code without blocking it.
///
/// A thread carries everything out in the order it was asked for, which `spawn_blocking` does not: one of
/// its own for [`new`](Self::new), one of four that the writers of a [`Store`](crate::Store) share. What waits together is written together: counters that were overtaken
/// are dropped, and the rest is one atomic batch.
///
/// [`apply_update_state`](Self::apply_update_state) and [`cache_peer`](Self::cache_peer) return once
/// the change is in the queue, waiting only when it is full; should storing it fail, the next
/// [`flush`](Self::flush) says so. Everything else returns when it is done.
///
/// Dropping the writer stores what is in the queue first, and blocks for that long. No runtime is
/// needed: any executor will do, also one that is shutting down.
///
/// ```
/// use std::sync::Arc;
/// use mtsession::{InMemoryBackend, SessionBackend, SessionWriter, UpdateStateChange};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let backend = Arc::new(InMemoryBackend::new());
/// let writer = SessionWriter::new(backend.clone());
/// for pts in 1..=1_000 {
///     let change = UpdateStateChange::Primary { pts, date: 0, seq: 0 };
///     writer.apply_update_state(change).await?;
/// }
/// writer.flush().await?;
/// assert_eq!(backend.snapshot().expect("stored above").updates_state.pts, 1_000);
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct SessionWriter {
    /// `None` only while it is dropped.
    queue: Option<mpsc::Sender<Job>>,
    strand: Arc<Strand>,
    threads: Threads,
    failure: Arc<Mutex<Option<io::Error>>>,
    backend: Arc<dyn SessionBackend>,
    /// Given up after the last write.
    ownership: Option<Ownership>,
}

/// The queue, never what waits in it.
impl core::fmt::Debug for SessionWriter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SessionWriter").finish_non_exhaustive()
    }
}

enum Job {
    Update(UpdateStateChange),
    Peer(CachedPeer),
    /// Anything that somebody waits for.
    Call(Call),
}

type Call = Box<dyn FnOnce(&dyn SessionBackend) + Send>;

impl SessionWriter {
    /// Starts a writer for `backend`, which may go on being used directly: for reading, say.
    pub fn new(backend: Arc<dyn SessionBackend>) -> Self {
        Threads::one().writer(backend, Events::default())
    }

    /// The same for a client that is to be the only one: the session is [owned](SessionBackend::own) until the
    /// writer is dropped, and everything that was queued is stored.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use mtsession::{InMemoryBackend, Owner, SessionWriter, StoreError};
    ///
    /// let backend = Arc::new(InMemoryBackend::new());
    /// let writer = SessionWriter::owned(backend.clone(), Owner::current().named("bot"))?;
    /// let error = SessionWriter::owned(backend, Owner::current()).unwrap_err();
    /// assert_eq!(StoreError::of(&error).and_then(StoreError::owner).expect("known").program, "bot");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`SessionBackend::own`].
    pub fn owned(backend: Arc<dyn SessionBackend>, owner: Owner) -> io::Result<Self> {
        let ownership = backend.own(owner)?;
        let mut writer = Self::new(backend);
        writer.ownership = Some(ownership);
        Ok(writer)
    }

    fn on(threads: Threads, backend: Arc<dyn SessionBackend>, events: Events) -> Self {
        let (queue, jobs) = mpsc::channel(CAPACITY);
        let failure = Arc::default();
        let store = Arc::clone(&backend);
        Self {
            queue: Some(queue),
            strand: Arc::new(Strand::new(store, jobs, Arc::clone(&failure), events)),
            threads,
            failure,
            backend,
            ownership: None,
        }
    }

    /// Queues a change of the update state.
    ///
    /// # Errors
    /// When the writer's thread is gone, which only a panic of the store can cause.
    pub async fn apply_update_state(&self, update: UpdateStateChange) -> io::Result<()> {
        self.send(Job::Update(update)).await
    }

    /// Queues a peer.
    ///
    /// # Errors
    /// As [`apply_update_state`](Self::apply_update_state).
    pub async fn cache_peer(&self, peer: CachedPeer) -> io::Result<()> {
        self.send(Job::Peer(peer)).await
    }

    /// Replaces the whole session; see [`SessionBackend::save`].
    pub async fn save(&self, session: PersistedSession) -> io::Result<()> {
        let session = zeroize::Zeroizing::new(session);
        self.run(move |backend| backend.save(&session)).await
    }

    /// Loads the session, with everything that was queued before.
    pub async fn load(&self) -> io::Result<Option<PersistedSession>> {
        self.run(|backend| backend.load()).await
    }

    /// Stores a DC entry.
    pub async fn update_dc(&self, entry: DcEntry) -> io::Result<()> {
        self.run(move |backend| backend.update_dc(&entry)).await
    }

    /// Sets the home DC.
    pub async fn set_home_dc(&self, dc_id: i32) -> io::Result<()> {
        self.run(move |backend| backend.set_home_dc(dc_id)).await
    }

    /// Removes the session.
    pub async fn delete(&self) -> io::Result<()> {
        self.run(|backend| backend.delete()).await
    }

    /// Waits until everything that was queued before is stored.
    ///
    /// # Errors
    /// The first failure since the last call.
    pub async fn flush(&self) -> io::Result<()> {
        self.run(|_| Ok(())).await?;
        match lock(&self.failure).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Until when the session is owned for certain, if the store's handle owns it; nothing is waited for.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        self.backend.lease()
    }

    /// Waits until the client must disconnect, since its lease is lost or [about to end](Lease::is_over): another
    /// program may use the login from then on. For ever where nothing is owned.
    ///
    /// ```no_run
    /// # async fn run(writer: mtsession::SessionWriter, disconnect: impl FnOnce()) {
    /// writer.lease_ends().await;
    /// disconnect();
    /// # }
    /// ```
    pub async fn lease_ends(&self) {
        match self.lease() {
            Some(lease) => lease_ends(lease).await,
            None => core::future::pending().await,
        }
    }

    /// Runs `f` on the writer's thread, after everything that was queued before, and returns what it
    /// returned: whatever a synchronous client can do, an async one does with this.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use mtsession::{Account, Change, InMemoryBackend, SessionBackendExt, SessionWriter};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let writer = SessionWriter::new(Arc::new(InMemoryBackend::new()));
    /// writer
    ///     .run(|backend| backend.apply(&[Change::HomeDc(2), Change::Account(Account::user(5))]))
    ///     .await?;
    /// let account = writer.run(|backend| backend.account()).await?;
    /// assert_eq!(account.user_id, Some(5));
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// That of `f`; `BrokenPipe` when the writer's thread is gone, which only a panic can cause.
    pub async fn run<R: Send + 'static>(
        &self,
        f: impl FnOnce(&dyn SessionBackend) -> io::Result<R> + Send + 'static,
    ) -> io::Result<R> {
        let (done, answer) = oneshot::channel();
        let call = move |backend: &dyn SessionBackend| {
            // Nobody may be waiting any more.
            let _ = done.send(f(backend));
        };
        self.send(Job::Call(Box::new(call))).await?;
        answer.await.map_err(|_| gone())?
    }

    async fn send(&self, job: Job) -> io::Result<()> {
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(job).await.map_err(|_| gone())?;
        self.threads.schedule(&self.strand);
        Ok(())
    }
}

/// No runtime is needed: a thread watches the clock, until nobody waits any more.
async fn lease_ends(lease: Lease) {
    let (ended, end) = oneshot::channel::<()>();
    let watch = move || {
        while !lease.is_over() && !ended.is_closed() {
            std::thread::sleep(WATCH);
        }
        drop(ended);
    };
    if std::thread::Builder::new().spawn(watch).is_ok() {
        // It is dropped at the end, and never sent.
        let _ = end.await;
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the writer's store panicked")
}

impl Drop for SessionWriter {
    fn drop(&mut self) {
        self.queue = None;
        self.threads.schedule(&self.strand);
        self.strand.wait_for_the_end();
        drop(self.ownership.take());
    }
}

#[cfg(test)]
mod tests {
    use mtsession_core::{Change, Peer};

    use super::*;
    use crate::backends::memory::InMemoryBackend;

    /// Keeps how many changes came at once.
    #[derive(Default)]
    struct Counting {
        inner: InMemoryBackend,
        batches: Mutex<Vec<usize>>,
    }

    impl SessionBackend for Counting {
        fn save(&self, session: &PersistedSession) -> io::Result<()> {
            self.inner.save(session)
        }

        fn load(&self) -> io::Result<Option<PersistedSession>> {
            self.inner.load()
        }

        fn delete(&self) -> io::Result<()> {
            self.inner.delete()
        }

        fn name(&self) -> &str {
            self.inner.name()
        }

        fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
            lock(&self.batches).push(changes.len());
            self.inner.apply(changes)
        }
    }

    #[test]
    fn a_batch_is_bounded_however_much_is_queued() {
        let backend = Arc::new(Counting::default());
        let (queue, jobs) = mpsc::channel(10 * CAPACITY);
        for id in 1..=10 * i64::try_from(CAPACITY).unwrap() {
            let peer = CachedPeer::from(Peer {
                id,
                ..Peer::default()
            });
            assert!(queue.try_send(Job::Peer(peer)).is_ok());
        }
        drop(queue);
        let strand = Strand::new(backend.clone(), jobs, Arc::default(), Events::default());
        while strand.run() {}
        strand.wait_for_the_end();
        assert_eq!(*lock(&backend.batches), [CAPACITY; 10]);
    }
}
