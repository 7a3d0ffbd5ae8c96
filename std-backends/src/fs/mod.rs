//! What every store of this crate asks of the file system, each rule once.

mod directory;
pub(crate) mod disk;
mod erase;
mod file_lock;
mod links;
mod owned;
#[cfg(feature = "seal")]
mod replace;
mod temp;
#[cfg(any(feature = "sqlite", feature = "libsql", feature = "clients"))]
mod temp_directory;

use mtsession_core::Certain as _;

#[cfg(any(feature = "sqlite", feature = "clients"))]
pub(crate) use directory::keep_new;
pub(crate) use directory::{Directory, make_private_directory};
pub(crate) use erase::erase;
#[cfg(all(unix, any(feature = "sqlite", feature = "libsql")))]
pub(crate) use file_lock::has_no_locks;
pub(crate) use file_lock::{NotLocked, holder, lock_in_time};
pub(crate) use links::follow_links;
#[cfg(any(feature = "sqlite", feature = "libsql", feature = "clients"))]
pub(crate) use owned::refuse_strangers;
pub(crate) use owned::{Access, about, directory_of, is_strangers, open_owned};
#[cfg(feature = "cli")]
pub use replace::remove_private;
#[cfg(feature = "seal")]
pub use replace::replace_private;
pub(crate) use temp::{Temp, clean, clean_once};
#[cfg(any(feature = "sqlite", feature = "libsql", feature = "clients"))]
pub(crate) use temp_directory::TempDirectory;

/// A length in memory as a length in a file.
pub(crate) fn file_len(len: usize) -> u64 {
    u64::try_from(len).certain("memory is not longer than a file can be")
}
