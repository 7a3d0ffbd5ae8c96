//! Sealing a store, sealing it anew, and making it a plain one.

use std::io;

use super::Store;
#[cfg(feature = "seal")]
use crate::backends::file::Reforming;
use crate::error::StoreError;
#[cfg(not(feature = "seal"))]
use crate::error::unsupported;
use crate::seal::KeySource;

impl Store {
    /// Seals a plain store, which was opened without a key: afterwards one of `keys` is needed to read it. What was
    /// plain is overwritten; copies that somebody has, and blocks that the disk keeps, are out of reach.
    ///
    /// A directory is sealed file by file. Where that was interrupted, it goes on when it is called again.
    ///
    /// ```
    /// # #[cfg(feature = "seal")] {
    /// use mtsession::seal::Key;
    /// use mtsession::{PersistedSession, Store, StoreOptions};
    ///
    /// let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("bot.session");
    /// mtsession::connect(&path)?.save(&PersistedSession { home_dc_id: 2, ..Default::default() })?;
    ///
    /// Store::open(&path)?.seal(&[&Key::from_bytes([7; 32])])?;
    /// let sealed = StoreOptions::new().key(Key::from_bytes([7; 32])).open(&path)?;
    /// assert_eq!(sealed.backend("default")?.head()?.expect("it is there").home_dc_id, 2);
    /// sealed.unseal()?;
    /// assert!(mtsession::connect(&path)?.load()?.is_some());
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Unsupported` for a store that cannot be sealed, and without the feature `seal`;
    /// [`Sealed`](crate::StoreErrorKind::Sealed) for one that is, [`Absent`](crate::StoreErrorKind::Absent) where
    /// nothing is. Nothing was changed.
    pub fn seal(&self, keys: &[&dyn KeySource]) -> io::Result<()> {
        #[cfg(feature = "seal")]
        return self.reform("seal the store", Reforming::Seal(keys));
        #[cfg(not(feature = "seal"))]
        self.without_sealing("seal the store", keys)
    }

    /// Seals a sealed store anew, with another key inside: afterwards exactly `keys` open it, and another
    /// one, which somebody had before, does not open what is written from then on. Copies that were made before stay readable to
    /// them.
    ///
    /// # Errors
    /// As [`seal`](Self::seal); [`NotSealed`](crate::StoreErrorKind::NotSealed) for a plain store.
    pub fn reseal(&self, keys: &[&dyn KeySource]) -> io::Result<()> {
        #[cfg(feature = "seal")]
        return self.reform("reseal the store", Reforming::Reseal(keys));
        #[cfg(not(feature = "seal"))]
        self.without_sealing("reseal the store", keys)
    }

    /// Makes a sealed store a plain one, which everyone can read who has the file.
    ///
    /// # Errors
    /// As [`reseal`](Self::reseal).
    pub fn unseal(&self) -> io::Result<()> {
        #[cfg(feature = "seal")]
        return self.reform("unseal the store", Reforming::Unseal);
        #[cfg(not(feature = "seal"))]
        self.without_sealing("unseal the store", &[])
    }

    #[cfg(feature = "seal")]
    fn reform(&self, action: &'static str, reforming: Reforming<'_>) -> io::Result<()> {
        self.changing(action, |accounts| accounts.reform(reforming))
            .map_err(|error| match StoreError::of(&error) {
                Some(known) if !known.store().is_empty() => error,
                _ => StoreError::io("store", self.shared.address.to_string(), action, error),
            })
    }

    #[cfg(not(feature = "seal"))]
    fn without_sealing(&self, action: &'static str, _: &[&dyn KeySource]) -> io::Result<()> {
        let message = "sealed stores need the feature `seal` of mtsession";
        let (store, error) = (
            self.shared.address.to_string(),
            unsupported(message.to_owned()),
        );
        Err(StoreError::io("store", store, action, error))
    }
}
