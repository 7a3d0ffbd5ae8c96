//! A sealed session of which nobody has given the key: what can be said of it all the same.

use mtsession::codec::SealedFile;
use mtsession::{BinaryFileBackend, StoreErrorKind};

use crate::check::{Check, Outcome};
use crate::failure::{self, Failure};
use crate::file_modes;
use crate::keys;
use crate::store::Store;

/// Whether a session was not read because no key was given.
pub(super) fn is_without_key(failure: &Failure) -> bool {
    let Failure::Store(error) = failure else {
        return false;
    };
    !keys::has_any() && failure::is_of(error, StoreErrorKind::Sealed)
}

/// What the bytes of the file say; `failure` where it is damaged, or not a file.
pub(super) fn checks(store: &Store, failure: Failure) -> Result<Vec<Check>, Failure> {
    let file = store.session_file()?;
    let path = file.as_ref().map(BinaryFileBackend::path);
    let Some(path) = path.filter(|_| !store.names_a_key()) else {
        return Err(failure);
    };
    let bytes = store.read(path)?;
    let Ok(sealed) = SealedFile::parse(&bytes) else {
        return Err(failure);
    };
    let slots: Vec<_> = sealed
        .header()
        .slots()
        .map(|slot| slot.kind_name())
        .collect();
    let unchecked = format!(
        "no key was given, and nothing but checksums was looked at: whether it was changed on purpose shows when \
         it is opened ({})",
        slots.join(", ")
    );
    let mut checks = vec![
        (Outcome::Good, "checksum", "holds".to_owned()),
        (Outcome::Note, "seal", unchecked),
    ];
    checks.extend(file_modes::check(&[path.to_owned()])?);
    Ok(checks)
}
