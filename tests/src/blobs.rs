//! A store of blobs in memory, over a network that can lose, delay and repeat what is sent.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mtsession::blob::{Blob, BlobError, BlobStore, Expected, Listed, Put, Version};
use mtsession::{Outcome, StoreError, StoreErrorKind};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is carried out and answered.
    None,
    /// It is never carried out, and nobody can know.
    Lost,
    /// It is carried out, and the answer is lost.
    Unanswered,
    /// It is carried out later, after the caller has given up on the answer.
    Late,
    /// It is carried out and answered, and a copy of it is carried out later.
    Twice,
    /// No connection: it is never carried out, and that is known.
    Unreachable,
}

impl Fault {
    /// All that are faults.
    pub const ALL: [Self; 5] = [
        Self::Lost,
        Self::Unanswered,
        Self::Late,
        Self::Twice,
        Self::Unreachable,
    ];
}

/// A put that is still on its way.
struct OnItsWay {
    name: String,
    bytes: Vec<u8>,
    expected: Option<Version>,
}

#[derive(Default)]
struct Content {
    blobs: BTreeMap<String, (Version, Vec<u8>, Stored)>,
    /// What becomes of the next requests; of those after, nothing.
    faults: VecDeque<Fault>,
    on_its_way: Vec<OnItsWay>,
    stored: u64,
    /// Requests, and bytes of puts, so far.
    requests: usize,
    written: usize,
    /// How much later it is than it was.
    elapsed: Duration,
}

/// When a blob was stored, by the store's own clock.
type Stored = Duration;

/// Blobs in memory. As an `ETag` is, a version is that of the bytes: equal bytes have equal versions.
#[derive(Default)]
pub struct MemoryBlobs(Mutex<Content>);

impl MemoryBlobs {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of the next requests.
    pub fn meet(&self, faults: impl IntoIterator<Item = Fault>) {
        self.content().faults = faults.into_iter().collect();
    }

    /// Lets everything arrive that is still on its way, in any order.
    pub fn deliver(&self) {
        self.deliver_some(usize::MAX);
    }

    /// Lets up to so many puts arrive, the last ones first.
    pub fn deliver_some(&self, most: usize) {
        let mut content = self.content();
        for _ in 0..most {
            let Some(put) = content.on_its_way.pop() else {
                return;
            };
            content.put(&put.name, &put.bytes, put.expected.as_ref());
        }
    }

    /// How many requests there were, and how many bytes were put.
    pub fn cost(&self) -> (usize, usize) {
        let content = self.content();
        (content.requests, content.written)
    }

    /// Everything that is stored.
    pub fn bytes(&self) -> Vec<u8> {
        let content = self.content();
        let blobs = content.blobs.iter();
        blobs
            .flat_map(|(name, (_, bytes, _))| [name.as_bytes(), bytes].concat())
            .collect()
    }

    /// The names of all blobs.
    pub fn names(&self) -> Vec<String> {
        self.content().blobs.keys().cloned().collect()
    }

    /// Puts bytes there that nobody has written.
    pub fn overwrite(&self, name: &str, bytes: &[u8]) {
        self.content().insert(name, bytes);
    }

    /// Lets time pass by the store's clock.
    pub fn pass(&self, time: Duration) {
        self.content().elapsed += time;
    }

    /// A copy of everything, to set the store back to.
    pub fn copy(&self) -> impl FnOnce(&Self) + use<> {
        let blobs = self.content().blobs.clone();
        move |store| store.content().blobs = blobs
    }

    fn next_fault(&self) -> (MutexGuard<'_, Content>, Fault) {
        let mut content = self.content();
        content.requests += 1;
        let fault = content.faults.pop_front().unwrap_or(Fault::None);
        (content, fault)
    }
}

impl Content {
    fn put(&mut self, name: &str, bytes: &[u8], expected: Option<&Version>) -> Put {
        let known = self.blobs.get(name).map(|(version, ..)| version);
        if known != expected {
            return Put::Conflict;
        }
        Put::Stored(self.insert(name, bytes))
    }

    fn insert(&mut self, name: &str, bytes: &[u8]) -> Version {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};

        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let version = Version::new(hasher.finish().to_le_bytes());
        self.stored += 1;
        let blob = (version.clone(), bytes.to_vec(), self.elapsed);
        self.blobs.insert(name.to_owned(), blob);
        version
    }
}

fn lost(outcome: Outcome) -> BlobError {
    let error = StoreError::new(StoreErrorKind::Unreachable, "no answer came");
    let error = io::Error::from(error);
    match outcome {
        Outcome::Unchanged => BlobError::unchanged(error),
        _ => BlobError::unknown(error),
    }
}

impl BlobStore for MemoryBlobs {
    fn name(&self) -> &'static str {
        "memory of a test"
    }

    fn get(&self, name: &str, _: Instant) -> Result<Option<Blob>, BlobError> {
        let (content, fault) = self.next_fault();
        if !matches!(fault, Fault::None | Fault::Twice) {
            return Err(lost(Outcome::Unchanged));
        }
        let blob = content.blobs.get(name).map(|(version, bytes, at)| {
            let age = content.elapsed.saturating_sub(*at);
            Blob::new(bytes.clone(), version.clone()).with_age(age)
        });
        Ok(blob)
    }

    fn put(
        &self,
        name: &str,
        bytes: &[u8],
        expected: Expected<'_>,
        _: Instant,
    ) -> Result<Put, BlobError> {
        let (mut content, fault) = self.next_fault();
        content.written += bytes.len();
        let expected = match expected {
            Expected::Absent => None,
            Expected::Is(version) => Some(version.clone()),
        };
        if matches!(fault, Fault::Late | Fault::Twice) {
            content.on_its_way.push(OnItsWay {
                name: name.to_owned(),
                bytes: bytes.to_vec(),
                expected: expected.clone(),
            });
        }
        match fault {
            Fault::None | Fault::Twice => Ok(content.put(name, bytes, expected.as_ref())),
            Fault::Unanswered => {
                content.put(name, bytes, expected.as_ref());
                Err(lost(Outcome::Unknown))
            }
            Fault::Lost | Fault::Late => Err(lost(Outcome::Unknown)),
            Fault::Unreachable => Err(lost(Outcome::Unchanged)),
        }
    }

    fn remove(&self, name: &str, _: Instant) -> Result<(), BlobError> {
        let (mut content, fault) = self.next_fault();
        if matches!(fault, Fault::None | Fault::Twice | Fault::Unanswered) {
            content.blobs.remove(name);
        }
        match fault {
            Fault::None | Fault::Twice => Ok(()),
            _ => Err(lost(Outcome::Unknown)),
        }
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Listed<'_>),
        _: Instant,
    ) -> Result<(), BlobError> {
        let (content, fault) = self.next_fault();
        if !matches!(fault, Fault::None | Fault::Twice) {
            return Err(lost(Outcome::Unchanged));
        }
        for (name, (_, bytes, at)) in &content.blobs {
            if name.starts_with(prefix) {
                let age = content.elapsed.saturating_sub(*at);
                each(Listed::new(name, bytes.len() as u64).with_age(age));
            }
        }
        Ok(())
    }
}
