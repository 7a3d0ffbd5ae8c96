//! Names of an earlier release.

use std::io;

use super::libsql::LibSqlBackend;
use super::remote::RemoteOptions;
use super::store::DEFAULT_ACCOUNT;
use crate::store::StoreOptions;

impl LibSqlBackend {
    /// Like [`open_remote`](Self::open_remote), but asks the server when it is first used.
    ///
    /// # Errors
    /// `InvalidInput` for what is no url or no token.
    #[doc(hidden)]
    #[deprecated(note = "use `StoreOptions::new().auth_token(token).connect(url)`")]
    pub fn remote(url: impl AsRef<str>, token: impl AsRef<str>) -> io::Result<Self> {
        let options = StoreOptions::new().auth_token(token.as_ref());
        Self::server(url.as_ref(), DEFAULT_ACCOUNT, &options)
    }

    /// The same for one account of many.
    ///
    /// # Errors
    /// As [`remote`](Self::remote), and for what is no name.
    #[doc(hidden)]
    #[deprecated(note = "use `StoreOptions::requests` and `Store::backend`")]
    pub fn remote_account(
        url: impl AsRef<str>,
        token: impl AsRef<str>,
        account: &str,
        options: RemoteOptions,
    ) -> io::Result<Self> {
        let options = StoreOptions::new()
            .auth_token(token.as_ref())
            .requests(options);
        Self::server(url.as_ref(), account, &options)
    }
}
