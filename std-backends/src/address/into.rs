//! What is taken for an address.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::Address;

mod sealed {
    #[expect(unnameable_types, reason = "nobody else can implement it")]
    pub trait Sealed {}
}

/// What [`connect`](crate::connect) and [`StoreOptions`](crate::StoreOptions) take: text is read as an
/// [`Address`], a path is taken as it is. It cannot be implemented elsewhere.
///
/// ```
/// use std::path::Path;
/// use mtsession::{IntoAddress, Location};
///
/// let path = Path::new("sqlite:not.a.database");
/// assert_eq!(path.into_address()?.location(), &Location::Path(path.into()));
/// let address = "sqlite:accounts.db".into_address()?;
/// assert_eq!(address.location(), &Location::Sqlite("accounts.db".into()));
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait IntoAddress: sealed::Sealed {
    /// The address.
    ///
    /// # Errors
    /// `InvalidInput`, saying what was expected.
    fn into_address(self) -> io::Result<Address>;
}

macro_rules! into_address {
    ($($taken:ty: |$value:ident| $address:expr;)+) => {
        $(
            impl sealed::Sealed for $taken {}

            impl IntoAddress for $taken {
                fn into_address(self) -> io::Result<Address> {
                    let $value = self;
                    $address
                }
            }
        )+
    };
}

into_address! {
    &str: |text| Address::parse(OsStr::new(text));
    &String: |text| Address::parse(OsStr::new(text));
    String: |text| Address::parse(OsStr::new(&text));
    &OsStr: |text| Address::parse(text);
    &OsString: |text| Address::parse(text);
    OsString: |text| Address::parse(&text);
    &Path: |path| Ok(Address::of_path(path));
    &PathBuf: |path| Ok(Address::of_path(path));
    PathBuf: |path| Ok(Address::of_path(path));
    &Address: |address| Ok(address.clone());
    Address: |address| Ok(address);
}
