//! How an address is read.

use core::str::FromStr;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use super::account::{Rest, split_file, split_url};
use super::options;
use super::text::{split_once, utf8};
use super::{Address, ClientLibrary, FlashRegion, Location};
use crate::error::StoreError;

/// The kinds of stores as they are listed where another one is asked for.
const KNOWN: &str = "file:, dir:, memory:, string:, env:, sqlite:, libsql:, redis:, rediss:, postgres:, \
                     s3:, flash:, ferogram:, telethon:, telethon7:, pyrogram:, kurigram:, mtcute:, grammers:, gramjs: and mtkruto:";

/// The kinds that are not client libraries.
const OURS: [&str; 14] = [
    "file",
    "dir",
    "memory",
    "string",
    "env",
    "sqlite",
    "libsql",
    "redis",
    "rediss",
    "postgres",
    "postgresql",
    "s3",
    "flash",
    "ferogram",
];

impl FromStr for Address {
    type Err = io::Error;

    /// Reads an address; see [`Address`].
    ///
    /// # Errors
    /// `InvalidInput`, saying what was expected. Secrets that the text may have are not repeated.
    fn from_str(text: &str) -> io::Result<Self> {
        Self::parse(OsStr::new(text))
    }
}

impl Address {
    pub(super) fn parse(text: &OsStr) -> io::Result<Self> {
        parse(text).map_err(|message| {
            let error = io::Error::new(io::ErrorKind::InvalidInput, message);
            StoreError::io("address", "", "read it", error)
        })
    }
}

fn parse(text: &OsStr) -> Result<Address, String> {
    if text.is_empty() {
        return Err("an empty name is no store".to_owned());
    }
    let Some((kind, place)) = kind_of(text) else {
        return path(text);
    };
    let library = ClientLibrary::from_name(kind);
    if !OURS.contains(&kind) && library.is_none() {
        return Err(unknown(kind, text));
    }
    if place.is_empty() && kind != "memory" {
        return Err(format!("a name is expected after `{kind}:`"));
    }
    let is_url = place.as_encoded_bytes().starts_with(b"//");
    let place = match (kind, is_url) {
        // `libsql://host` is a url by itself.
        ("libsql" | "redis" | "rediss" | "postgres" | "postgresql" | "s3", true) => text,
        ("redis" | "rediss" | "postgres" | "postgresql" | "s3", false) => {
            return Err(format!(
                "two slashes are expected after `{kind}:`: {kind}://HOST"
            ));
        }
        ("file", true) => file_url(place)?,
        (_, true) => {
            return Err(format!(
                "`{kind}:` takes a path, not a URL: {kind}:FILE or {kind}:/DIRECTORY/FILE"
            ));
        }
        _ => place,
    };
    match (kind, library) {
        ("file", _) => path(place),
        ("dir", _) => database(place, Location::Directory),
        ("memory", _) => memory(place),
        ("sqlite", _) => database(place, Location::Sqlite),
        ("libsql", _) => libsql(utf8(place, "a libSQL database")?),
        ("redis" | "rediss", _) => server(place, Location::Redis),
        ("postgres" | "postgresql", _) => server(place, Location::Postgres),
        ("s3", _) => server(place, Location::S3),
        ("string", _) if place == "-" => Ok(Address::from(Location::StringStdio)),
        ("string", _) => Ok(Address::from(Location::StringFile(place.into()))),
        ("env", _) => {
            let name = utf8(place, "the name of a variable")?;
            Ok(Address::from(Location::Environment(name.to_owned())))
        }
        ("ferogram", _) => Ok(Address::from(Location::Ferogram(place.into()))),
        ("flash", _) => flash(place),
        (_, Some(library)) if place == "-" => Ok(Address::from(Location::ClientString(library))),
        (_, Some(library)) => Ok(Address::from(Location::Client(library, place.into()))),
        _ => Err(unknown(kind, text)),
    }
}

/// What stands before the first colon, and what after it; `None` for a path.
pub(super) fn kind_of(text: &OsStr) -> Option<(&str, &OsStr)> {
    let (kind, place) = split_once(text, b':')?;
    let kind = kind.to_str()?;
    let is_path = kind.contains(['/', '\\']) || kind.chars().count() == 1;
    (!is_path).then_some((kind, place))
}

fn unknown(kind: &str, text: &OsStr) -> String {
    let lower = kind.to_ascii_lowercase();
    let meant = if KNOWN.contains(&format!("{lower}:")) && !lower.is_empty() {
        format!("; `{lower}:` is written in small letters")
    } else if matches!(kind, "http" | "https" | "ws" | "wss") {
        format!("; a libSQL server is libsql:{kind}://HOST")
    } else {
        String::new()
    };
    let is_url = text
        .as_encoded_bytes()
        .windows(3)
        .any(|part| part == b"://");
    let file = if is_url {
        // A url may have a password in it.
        String::new()
    } else {
        format!(
            ". A file whose name has a colon is written ./{}",
            text.display()
        )
    };
    format!("`{kind}:` is no kind of store{meant}. Known are {KNOWN}{file}")
}

fn address(location: Location, rest: Rest) -> Address {
    Address {
        location,
        account: rest.account,
        options: rest.options,
    }
}

/// A path: a `#` is a part of it.
fn path(text: &OsStr) -> Result<Address, String> {
    let (file, options) = options::split_file(text)?;
    let rest = Rest {
        account: None,
        options,
    };
    Ok(address(Location::Path(file.into()), rest))
}

fn database(text: &OsStr, location: fn(PathBuf) -> Location) -> Result<Address, String> {
    let (file, rest) = split_file(text)?;
    Ok(address(location(file.into()), rest))
}

fn memory(text: &OsStr) -> Result<Address, String> {
    let (name, rest) = split_url(utf8(text, "an address in memory")?)?;
    if !name.is_empty() {
        return Err("a store in memory has no name: memory: or memory:#ACCOUNT".to_owned());
    }
    Ok(address(Location::Memory, rest))
}

/// `file:///path` as other programs write it.
fn file_url(place: &OsStr) -> Result<&OsStr, String> {
    if place.as_encoded_bytes().starts_with(b"///") {
        Ok(place)
    } else {
        Err("a file URL has three slashes: file:///DIRECTORY/FILE; or else file:FILE".to_owned())
    }
}

/// A url, or a file; `file:` before one is how other tools write that.
fn libsql(place: &str) -> Result<Address, String> {
    let file = match place.strip_prefix("file:") {
        Some(path) => path_of_file_url(path)?,
        // What an option says may be a URL as well.
        None if place
            .split('?')
            .next()
            .is_some_and(|name| name.contains("://")) =>
        {
            let (url, rest) = split_url(place)?;
            refuse_secrets(url)?;
            return Ok(address(Location::Server(url.to_owned()), rest));
        }
        None => place,
    };
    let (file, rest) = split_file(OsStr::new(file))?;
    if file.is_empty() {
        return Err("a file or URL is expected after `libsql:`".to_owned());
    }
    Ok(address(Location::LibSql(file.into()), rest))
}

/// The URL of a server that has users. Passwords are given by themselves.
fn server(place: &OsStr, location: fn(String) -> Location) -> Result<Address, String> {
    let (url, rest) = split_url(utf8(place, "the URL of a server")?)?;
    let (_, after) = url.split_once("://").unwrap_or_default();
    let authority = after.split('/').next().unwrap_or_default();
    let has_password = authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':'));
    if has_password
        || after
            .split_once('/')
            .is_some_and(|(_, path)| path.contains('@'))
    {
        return Err("the url holds a password: give it by itself".to_owned());
    }
    if authority.is_empty() || authority.ends_with('@') {
        return Err("the url names no host".to_owned());
    }
    Ok(address(location(url.to_owned()), rest))
}

fn refuse_secrets(url: &str) -> Result<(), String> {
    if url.contains('@') {
        return Err("the url holds a secret: give the token by itself".to_owned());
    }
    Ok(())
}

/// The path in a URL, of which nothing else is understood here.
fn path_of_file_url(path: &str) -> Result<&str, String> {
    let file = path.rsplit_once('#').map_or(path, |(file, _)| file);
    if file.contains(['?', '%']) {
        return Err(
            "a file URL names nothing but a file here: leave out what follows `?`, and write a name \
             with `%` without `file:`"
                .to_owned(),
        );
    }
    if path.starts_with("//") {
        file_url(OsStr::new(path))?;
    }
    Ok(path)
}

/// `image.bin?write=4&erase=4096&size=65536&offset=0`, of which each may be left out.
fn flash(text: &OsStr) -> Result<Address, String> {
    let (path, query) = split_once(text, b'?').unwrap_or((text, OsStr::new("")));
    if path.is_empty() {
        return Err("a file is expected after `flash:`".to_owned());
    }
    let mut region = FlashRegion::default();
    let query = utf8(query, "what follows the question mark")?;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let number = |text: &str| {
            let parsed = match text.strip_prefix("0x") {
                Some(digits) => usize::from_str_radix(digits, 16),
                None => text.parse(),
            };
            let number = parsed.map_err(|_| format!("{part} is not a number of bytes"))?;
            Ok::<_, String>(Some(number))
        };
        match part.split_once('=') {
            Some(("write", bytes)) => region.write = number(bytes)?,
            Some(("erase", bytes)) => region.erase = number(bytes)?,
            Some(("size", bytes)) => region.size = number(bytes)?,
            Some(("offset", bytes)) => region.offset = number(bytes)?,
            _ => {
                return Err(format!(
                    "{part} is none of write=, erase=, size= and offset="
                ));
            }
        }
    }
    Ok(Address::from(Location::Flash(path.into(), region)))
}
