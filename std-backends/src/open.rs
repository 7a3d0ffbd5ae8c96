//! Opening without options.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::address::IntoAddress;
use crate::backend::SessionBackend;
use crate::store::StoreOptions;

/// Connects to the session at an [address](crate::Address): a path, whose content decides, or
/// `sqlite:accounts.db#alice`, `libsql://host`, `dir:accounts#bob`, …
///
/// A path where nothing is yet, or an empty file, is told by its extension: `.db`, `.sqlite` and `.sqlite3` mean
/// SQLite, everything else a session file. Nothing is created before the first write.
/// [`StoreOptions`] has what can be chosen.
///
/// ```
/// let backend = mtsession::connect("bot.session")?;
/// assert_eq!(backend.name(), "binary-file");
/// assert_eq!(backend.address().expect("connected to").to_string(), "bot.session");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// `InvalidInput` for an address that makes no sense; `Unsupported`, naming the feature, for a store that is
/// not compiled in, and for a session of another library; `InvalidData` for what is not a store of ours: it is
/// named; otherwise what looking at the store gives.
pub fn connect(address: impl IntoAddress) -> io::Result<Arc<dyn SessionBackend>> {
    StoreOptions::new().connect(address)
}

/// The name of [`connect`] in earlier examples.
///
/// # Errors
/// As [`connect`].
#[doc(hidden)]
#[deprecated = "connect(path) gives an Arc, which clients take"]
pub fn open(path: impl AsRef<Path>) -> io::Result<Box<dyn SessionBackend>> {
    Ok(Box::new(connect(path.as_ref())?))
}
