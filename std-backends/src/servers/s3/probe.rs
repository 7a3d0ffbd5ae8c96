//! Whether a server keeps to the conditions of puts.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use super::S3Blobs;
use crate::blob::{BlobError, BlobStore as _, Expected, Put, Version};
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::sync::lock;

/// The buckets that were tried in this process.
fn tried() -> &'static Mutex<BTreeSet<String>> {
    static TRIED: OnceLock<Mutex<BTreeSet<String>>> = OnceLock::new();
    TRIED.get_or_init(Mutex::default)
}

impl S3Blobs {
    /// Tries puts whose conditions do not hold on a blob of its own: some servers and proxies ignore them.
    pub(crate) fn check_promises(&self, until: Instant) -> io::Result<()> {
        let place = format!("{}{}/{}", self.origin, self.path, self.bucket);
        if lock(tried()).contains(&place) {
            return Ok(());
        }
        self.probe(until).map_err(|error| error.error)?;
        lock(tried()).insert(place);
        Ok(())
    }

    fn probe(&self, until: Instant) -> Result<(), BlobError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| BlobError::unchanged(error.into()))?;
        let name = format!("probe/{:032x}", u128::from_be_bytes(random));
        let first = self.put(&name, b"1", Expected::Absent, until)?;
        let again = self.put(&name, b"2", Expected::Absent, until);
        let wrong = Version::new("\"00000000000000000000000000000000\"");
        let replaced = self.put(&name, b"3", Expected::Is(&wrong), until);
        let removed = self.remove(&name, until);
        let has_conditions = matches!(first, Put::Stored(_))
            && matches!(again?, Put::Conflict)
            && matches!(replaced?, Put::Conflict);
        if !has_conditions {
            let message = "the server ignores the conditions of puts (If-Match and If-None-Match), so two programs \
                           would replace each other's changes: use a server or a proxy that keeps to them";
            return Err(BlobError::unchanged(told(
                StoreErrorKind::Unsupported,
                message,
            )));
        }
        // What is left is one byte, if keys may put and not remove: then no base can be removed either.
        removed
    }
}
