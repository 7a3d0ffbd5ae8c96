//! Handles on the accounts of a libSQL server.

use std::io;

use super::accounts::check_name;
use super::libsql::NAME;
use super::ownership::Court;
use super::remote::{RemoteConnection, RemoteOptions};
use super::store::SqlStore;
use crate::error::StoreError;
use crate::store::StoreOptions;
pub(super) fn remote_store(
    url: &str,
    token: &str,
    account: &str,
    order: &str,
    options: RemoteOptions,
) -> io::Result<(String, SqlStore)> {
    let error = |error| StoreError::io(NAME, "server", "open", error);
    check_name(account).map_err(error)?;
    let connection = RemoteConnection::new(url, token, order, options).map_err(error)?;
    let place = connection.url().to_owned();
    let mut store = SqlStore::new(Box::new(connection), account);
    store.court = Court::Server;
    Ok((place, store))
}

/// What the options say about requests, and the token.
pub(super) fn server_store(
    url: &str,
    account: &str,
    options: &StoreOptions,
) -> io::Result<(String, SqlStore)> {
    ordered_store(url, account, account, options)
}

/// The same, whose writes are in the order of the writes with this name.
fn ordered_store(
    url: &str,
    account: &str,
    order: &str,
    options: &StoreOptions,
) -> io::Result<(String, SqlStore)> {
    let requests = options.requests.unwrap_or_default();
    let requests = match options.deadline {
        Some(deadline) => requests.deadline(deadline),
        None => requests,
    };
    let requests = requests
        .insecure(options.insecure || requests.insecure)
        .proxy(options.proxy || requests.proxy);
    let url = match options.tls {
        Some(tls) => format!("{url}?tls={}", u8::from(tls)),
        None => url.to_owned(),
    };
    let token = options
        .auth_token
        .as_ref()
        .map_or("", |token| token.as_str());
    remote_store(&url, token, account, order, requests)
}

/// A server's account, of which only who owns it is written.
fn owner_store(url: &str, account: &str, options: &StoreOptions) -> io::Result<SqlStore> {
    // No account has such a name.
    let order = format!("\u{1}{account}");
    let (_, store) = ordered_store(url, account, &order, options)?;
    Ok(store)
}

/// A handle for what says who owns the account. It has a row of its own in the order of writes: a heartbeat is not a
/// change that the client has to look at.
pub(super) fn owners_on_server(
    url: &str,
    account: &str,
    options: &StoreOptions,
) -> impl Fn() -> io::Result<SqlStore> + Send + Sync + 'static {
    let (url, account, options) = (url.to_owned(), account.to_owned(), options.clone());
    move || {
        let mut store = owner_store(&url, &account, &options)?;
        store.start_call();
        Ok(store)
    }
}
