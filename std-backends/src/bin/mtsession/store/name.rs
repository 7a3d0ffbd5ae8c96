//! How a `STORE` argument is read: as the library reads addresses.

use core::error::Error as _;
use std::ffi::OsStr;

use mtsession::clients::Target;
use mtsession::{Address, FlashRegion, IntoAddress as _, Location, StoreError};

use super::{FlashLayout, Store};

impl Store {
    /// Reads an argument of the command line, which need not be UTF-8.
    pub(crate) fn parse(text: &OsStr) -> Result<Self, String> {
        let address = text.into_address().map_err(|error| {
            let reason = StoreError::of(&error).and_then(|error| error.source());
            reason.map_or_else(|| error.to_string(), ToString::to_string)
        })?;
        Self::of(address)
    }

    fn of(address: Address) -> Result<Self, String> {
        if address.asks_to_own() {
            return Err(format!(
                "{address}: the option `own` is for programs that stay connected; leave it out here"
            ));
        }
        let unknown = || format!("{address} is no store of this command");
        let library = |library: mtsession::ClientLibrary| {
            Target::from_scheme(library.name()).ok_or_else(unknown)
        };
        Ok(match address.location() {
            Location::Path(path) if address == Address::of_path(path) => Self::File(path.clone()),
            Location::Path(_)
            | Location::Directory(_)
            | Location::Memory
            | Location::Sqlite(_)
            | Location::LibSql(_)
            | Location::Server(_)
            | Location::Redis(_)
            | Location::Postgres(_)
            | Location::S3(_) => Self::Backend(address),
            Location::StringStdio => Self::StringStdio,
            Location::StringFile(path) => Self::StringFile(path.clone()),
            Location::Environment(name) => Self::StringEnv(name.clone()),
            Location::Flash(path, region) => Self::Flash(path.clone(), layout(*region)),
            Location::Ferogram(path) => Self::Ferogram(path.clone()),
            Location::Client(of, path) => Self::Library(library(*of)?, path.clone()),
            Location::ClientString(of) => Self::LibraryString(library(*of)?),
            _ => return Err(unknown()),
        })
    }
}

const fn layout(region: FlashRegion) -> FlashLayout {
    FlashLayout {
        offset: region.offset,
        write: region.write,
        erase: region.erase,
        size: region.size,
    }
}
