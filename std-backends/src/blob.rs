//! Stores of blobs: what a place that is neither a file nor a database has to offer to keep sessions.
//!
//! A [`BlobStore`] keeps named pieces of bytes and replaces one only where it still is what the caller has
//! read. [`Store::on_blobs`](crate::Store::on_blobs) makes of it a store of any number of accounts, with
//! everything that the stores of this crate keep to.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::io;
//! use std::sync::{Arc, Mutex};
//! use std::time::Instant;
//!
//! use mtsession::blob::{Blob, BlobError, BlobStore, Expected, Listed, Put, Version};
//! use mtsession::{SessionBackend, Store, StoreOptions};
//!
//! #[derive(Default)]
//! struct Map(Mutex<BTreeMap<String, (u64, Vec<u8>)>>);
//!
//! fn version(number: u64) -> Version {
//!     Version::new(number.to_le_bytes())
//! }
//!
//! impl BlobStore for Map {
//!     fn name(&self) -> &str {
//!         "map"
//!     }
//!
//!     fn get(&self, name: &str, _: Instant) -> Result<Option<Blob>, BlobError> {
//!         let map = self.0.lock().unwrap();
//!         Ok(map.get(name).map(|(number, bytes)| Blob::new(bytes.clone(), version(*number))))
//!     }
//!
//!     fn put(
//!         &self,
//!         name: &str,
//!         bytes: &[u8],
//!         expected: Expected<'_>,
//!         _: Instant,
//!     ) -> Result<Put, BlobError> {
//!         let mut map = self.0.lock().unwrap();
//!         let known = map.get(name).map(|(number, _)| *number);
//!         if !expected.is_met_by(known.map(version).as_ref()) {
//!             return Ok(Put::Conflict);
//!         }
//!         let next = known.map_or(1, |number| number + 1);
//!         map.insert(name.to_owned(), (next, bytes.to_vec()));
//!         Ok(Put::Stored(version(next)))
//!     }
//!
//!     fn remove(&self, name: &str, _: Instant) -> Result<(), BlobError> {
//!         self.0.lock().unwrap().remove(name);
//!         Ok(())
//!     }
//!
//!     fn list(
//!         &self,
//!         prefix: &str,
//!         each: &mut dyn FnMut(Listed<'_>),
//!         _: Instant,
//!     ) -> Result<(), BlobError> {
//!         let map = self.0.lock().unwrap();
//!         for (name, (_, bytes)) in map.iter().filter(|(name, _)| name.starts_with(prefix)) {
//!             each(Listed::new(name, bytes.len() as u64));
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let store = Store::on_blobs(Arc::new(Map::default()), StoreOptions::new())?;
//! store.backend("alice")?.set_home_dc(2)?;
//! assert_eq!(store.names()?, ["alice"]);
//! # Ok::<(), io::Error>(())
//! ```

use core::fmt;
use core::time::Duration;
use std::io;
use std::time::Instant;

use mtsession_core::wire::wipe;

use crate::error::kind::Outcome;

/// A place that keeps blobs: named pieces of bytes, each replaced as a whole.
///
/// # What a store must keep to
///
/// 1. [`get`](Self::get) sees every [`put`](Self::put) that was acknowledged to anybody: it asks the place
///    where writes are carried out, never a copy of it that may be late.
/// 2. [`get`](Self::get) is `None` only on the store's own word that there is no such blob. A store that does
///    not answer, or refuses, is an error.
/// 3. A put is carried out whole or not at all, and nobody ever reads a part of one.
/// 4. Comparing and replacing are one operation of the store. Of several puts that expect the same version, one
///    is stored.
/// 5. [`Put::Conflict`] says that this call has changed nothing and never will. An error says by its
///    [outcome](BlobError::outcome) whether that is so, or unknown: the put may still arrive.
/// 6. `put` sends the change once. A repetition inside of it would find its own first attempt, and report a
///    conflict for a change that is stored.
/// 7. Every acknowledged put survives what the store is said to survive.
///
/// A [`Version`] may come back when equal bytes are stored again, as an `ETag` does; the sessions of this
/// crate have a random revision in their bytes, so theirs never do.
///
/// Names are of the characters `a-z A-Z 0-9 - _ . % /`, and every name is put at most 1,024 bytes long. Calls
/// may come from any thread, inside and outside of async runtimes. `until` is when the whole call is to be
/// over.
pub trait BlobStore: Send + Sync {
    /// Which store it is: what is shown in errors and lists, never a secret.
    fn name(&self) -> &str;

    /// The blob, or `None` where there is none.
    ///
    /// # Errors
    /// Whatever kept the store from answering.
    fn get(&self, name: &str, until: Instant) -> Result<Option<Blob>, BlobError>;

    /// Stores a blob where there is `expected` now.
    ///
    /// # Errors
    /// With the outcome [`Unchanged`](Outcome::Unchanged) only where this call can never be carried out any
    /// more.
    fn put(
        &self,
        name: &str,
        bytes: &[u8],
        expected: Expected<'_>,
        until: Instant,
    ) -> Result<Put, BlobError>;

    /// Removes a blob, whatever it is; it need not be there.
    ///
    /// Only blobs whose names are never used again are removed. An account is deleted by a put, which has a
    /// condition: what is left of it keeps a late creation from bringing it back.
    ///
    /// # Errors
    /// Whatever kept the store from removing it.
    fn remove(&self, name: &str, until: Instant) -> Result<(), BlobError>;

    /// Calls `each` with every blob whose name begins with `prefix`, in any order. What is stored or removed
    /// meanwhile may be left out.
    ///
    /// # Errors
    /// Whatever kept the store from listing all of them.
    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Listed<'_>),
        until: Instant,
    ) -> Result<(), BlobError>;
}

/// Which state of a blob it is: what the store itself compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(Vec<u8>);

impl Version {
    /// A version, as the store has it.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// As the store has it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A blob with its version. Wiped on drop: it may hold keys.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub struct Blob {
    /// What is stored.
    pub bytes: Vec<u8>,
    /// Which state of it that is.
    pub version: Version,
    /// How long ago it was stored, by the store's clock; `None` where the store cannot say.
    pub age: Option<Duration>,
}

impl Blob {
    /// A blob of unknown age.
    #[must_use]
    pub const fn new(bytes: Vec<u8>, version: Version) -> Self {
        Self {
            bytes,
            version,
            age: None,
        }
    }

    /// The same, stored so long ago.
    #[must_use]
    pub fn with_age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

/// Hides the bytes.
impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob")
            .field("len", &self.bytes.len())
            .field("version", &self.version)
            .field("age", &self.age)
            .finish_non_exhaustive()
    }
}

/// What must be there for a put to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected<'v> {
    /// Nothing.
    Absent,
    /// This version.
    Is(&'v Version),
}

impl Expected<'_> {
    /// Whether a store that has `known` has what is expected.
    #[must_use]
    pub fn is_met_by(self, known: Option<&Version>) -> bool {
        match self {
            Self::Absent => known.is_none(),
            Self::Is(version) => known == Some(version),
        }
    }
}

/// What became of a put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is stored, as this version.
    Stored(Version),
    /// Something else was there: this call has changed nothing, and never will.
    Conflict,
}

/// Why a blob store did not do what it was asked for, and what became of the change.
#[derive(Debug)]
#[non_exhaustive]
pub struct BlobError {
    /// What is wrong: an error that [`StoreError::new`](crate::StoreError::new) made says it by its kind.
    pub error: io::Error,
    /// What became of the change.
    pub outcome: Outcome,
}

impl BlobError {
    /// An error after which a change may have been carried out, or may still be.
    #[must_use]
    pub const fn unknown(error: io::Error) -> Self {
        Self {
            error,
            outcome: Outcome::Unknown,
        }
    }

    /// An error of a call that has changed nothing and never will.
    #[must_use]
    pub const fn unchanged(error: io::Error) -> Self {
        Self {
            error,
            outcome: Outcome::Unchanged,
        }
    }
}

/// Nothing is known of a change that ended in any error of the system.
impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        Self::unknown(error)
    }
}

impl fmt::Display for BlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl core::error::Error for BlobError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// A blob of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many bytes it has.
    pub size: u64,
    /// How long ago it was stored, by the store's clock; `None` where the store cannot say.
    pub age: Option<Duration>,
}

impl<'a> Listed<'a> {
    /// A blob of unknown age.
    #[must_use]
    pub const fn new(name: &'a str, size: u64) -> Self {
        Self {
            name,
            size,
            age: None,
        }
    }

    /// The same, stored so long ago.
    #[must_use]
    pub const fn with_age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }
}
