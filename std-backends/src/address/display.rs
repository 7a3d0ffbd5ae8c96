//! Addresses as text.

use core::fmt;
use std::ffi::OsStr;
use std::path::Path;

use super::account::is_like_a_file;
use super::parse::kind_of;
use super::text::escaped;
use super::{Address, DEFAULT_ACCOUNT, FlashRegion, Location};
use crate::shown::Shown;

/// The address as it can be given again, for people: what could deceive them is escaped. There are no secrets
/// in it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Shown(self.to_text()))
    }
}

impl Address {
    /// The address as it can be given again; of a path that is not Unicode, something like it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.place();
        let has_sign = text.contains('#') && !matches!(self.location, Location::Path(_));
        let account = self.account.as_deref();
        let account = account.or(has_sign.then_some(DEFAULT_ACCOUNT));
        let ends_here = account.is_some() || self.options.is_empty();
        if ends_here && text.contains('?') && self.takes_options() {
            text.push('?');
        }
        if let Some(account) = account {
            text.push('#');
            text.push_str(&account_text(account));
        }
        for (number, option) in self.options.iter().enumerate() {
            text.push(if number == 0 { '?' } else { '&' });
            text.push_str(option.name);
            if let Some(value) = &option.value {
                text.push('=');
                text.push_str(&escaped(value));
            }
        }
        text
    }

    /// The kind and the place.
    fn place(&self) -> String {
        let scheme = self.scheme();
        match &self.location {
            Location::Path(path) if is_plain(path) => path.display().to_string(),
            Location::Path(path)
            | Location::Directory(path)
            | Location::Sqlite(path)
            | Location::LibSql(path)
            | Location::StringFile(path)
            | Location::Ferogram(path)
            | Location::Client(_, path) => format!("{scheme}:{}", path.display()),
            Location::Memory => "memory:".to_owned(),
            Location::Redis(url) | Location::Postgres(url) | Location::S3(url) => url.clone(),
            Location::Blobs(name) => format!("{scheme}:{name}"),
            Location::Server(url) if url.starts_with("libsql:") => url.clone(),
            Location::Server(url) => format!("libsql:{url}"),
            Location::StringStdio => "string:-".to_owned(),
            Location::Environment(name) => format!("env:{name}"),
            Location::ClientString(_) => format!("{scheme}:-"),
            Location::Flash(path, region) => flash_text(path, *region),
        }
    }
}

impl Address {
    /// Whether a `?` in it begins options.
    const fn takes_options(&self) -> bool {
        matches!(
            self.location,
            Location::Path(_) | Location::Directory(_) | Location::Sqlite(_) | Location::LibSql(_)
        )
    }
}

/// Whether a path is one by itself, without `file:`.
fn is_plain(path: &Path) -> bool {
    let text: &OsStr = path.as_os_str();
    kind_of(text).is_none() && !text.is_empty()
}

/// An account's name that cannot be taken for a part of the file's.
fn account_text(account: &str) -> String {
    let text = escaped(account);
    if is_like_a_file(account) {
        text.replace('.', "%2E")
            .replace('/', "%2F")
            .replace('\\', "%5C")
    } else {
        text
    }
}

fn flash_text(path: &Path, region: FlashRegion) -> String {
    let mut text = format!("flash:{}", path.display());
    let said = [
        ("offset", region.offset),
        ("write", region.write),
        ("erase", region.erase),
        ("size", region.size),
    ];
    let said = said
        .into_iter()
        .filter_map(|(name, bytes)| Some((name, bytes?)));
    for (number, (name, bytes)) in said.enumerate() {
        text.push_str(&[if number == 0 { "?" } else { "&" }, name, "="].concat());
        text.push_str(&bytes.to_string());
    }
    text
}
