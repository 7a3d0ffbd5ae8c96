#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]
// The log's shell is one source for blocking and async drivers.
#![cfg_attr(feature = "async", allow(clippy::duplicate_mod))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "sim", test))]
extern crate std;

mod error;
mod format;
#[cfg(feature = "format1")]
mod format1;
mod geometry;
#[cfg(feature = "alloc")]
pub mod image;
mod index;
mod machine;
mod num;
mod recovery;
mod settings;
#[cfg(feature = "sim")]
pub mod sim;

/// The log over blocking drivers. The same source as [`asynchronous`], without `async`.
#[path = "."]
mod blocking {
    use bisync_macros::internal_strip_async as bisync;
    use embedded_storage::nor_flash::NorFlash;

    #[path = "log/mod.rs"]
    mod log;

    pub use log::SessionLog;
}

/// The log over async drivers: the same type, with `async` methods.
#[cfg(feature = "async")]
#[path = "."]
pub mod asynchronous {
    use bisync_macros::internal_noop as bisync;
    use embedded_storage_async::nor_flash::NorFlash;

    #[path = "log/mod.rs"]
    mod log;

    pub use log::SessionLog;
}

#[doc = include_str!("../FORMAT.md")]
pub mod flash_format {}

pub use blocking::SessionLog;
pub use error::{Error, RegionShape};
pub use geometry::RegionError;
pub use settings::{Durability, FlashStats, KeyCopies, Started};
