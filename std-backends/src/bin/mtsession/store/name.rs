//! How a `STORE` argument is read.
//!
//! A colon that no slash precedes ends the kind of a store; a kind that is not known is an error, never
//! a file. One letter before it is a drive of Windows, and `./a:b` is a file.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use mtsession::clients::Target;

use super::{DEFAULT_ACCOUNT, FlashLayout, Store};

/// The kinds of stores as they are listed where another one is asked for.
const KNOWN: &str = "file:, string:, env:, sqlite:, libsql:, flash:, ferogram:, telethon:, telethon7:, \
                     pyrogram:, kurigram:, mtcute:, grammers:, gramjs: and mtkruto:";

impl Store {
    /// Reads an argument of the command line, which need not be UTF-8.
    pub(crate) fn parse(text: &OsStr) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty name is no store".to_owned());
        }
        let Some((kind, place)) = kind_of(text) else {
            return Ok(Self::File(text.into()));
        };
        let library = Target::from_scheme(kind);
        let ours = [
            "file", "string", "env", "sqlite", "libsql", "flash", "ferogram",
        ];
        if !ours.contains(&kind) && library.is_none() {
            return Err(unknown(kind, text));
        }
        if place.is_empty() {
            return Err(format!("a name is expected after `{kind}:`"));
        }
        let is_url = place.as_encoded_bytes().starts_with(b"//");
        let place = match (kind, is_url) {
            // `libsql://host` is a url by itself.
            ("libsql", true) => text,
            ("file", true) => file_url(place)?,
            (_, true) => {
                return Err(format!(
                    "`{kind}:` takes a path, not a URL: {kind}:FILE or {kind}:/DIRECTORY/FILE"
                ));
            }
            _ => place,
        };
        Ok(match (kind, library) {
            ("file", _) => Self::File(place.into()),
            ("string", _) if place == "-" => Self::StringStdio,
            ("string", _) => Self::StringFile(place.into()),
            ("env", _) => Self::StringEnv(utf8(place, "the name of a variable")?.to_owned()),
            ("sqlite", _) => {
                let (path, account) = split_account(place)?;
                Self::Sqlite(path.into(), account)
            }
            ("libsql", _) => libsql(utf8(place, "a libSQL database")?)?,
            ("ferogram", _) => Self::Ferogram(place.into()),
            ("flash", _) => {
                let (path, layout) = flash_layout(place)?;
                Self::Flash(path, layout)
            }
            (_, Some(library)) if place == "-" => Self::LibraryString(library),
            (_, Some(library)) => Self::Library(library, place.into()),
            _ => return Err(unknown(kind, text)),
        })
    }
}

/// What stands before the first colon, and what after it; `None` for a path.
fn kind_of(text: &OsStr) -> Option<(&str, &OsStr)> {
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
    let file = if text
        .as_encoded_bytes()
        .windows(3)
        .any(|part| part == b"://")
    {
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

/// `file:///path` as other programs write it.
fn file_url(place: &OsStr) -> Result<&OsStr, String> {
    if place.as_encoded_bytes().starts_with(b"///") {
        Ok(place)
    } else {
        Err("a file URL has three slashes: file:///DIRECTORY/FILE; or else file:FILE".to_owned())
    }
}

/// A url, or a file; `file:` before one is how other tools write that.
fn libsql(place: &str) -> Result<Store, String> {
    let place = match place.strip_prefix("file:") {
        Some(path) => path_of_file_url(path)?,
        None => place,
    };
    if place.contains("://") {
        let (url, account) = match place.rsplit_once('#') {
            Some((url, account)) => (url, named(account)?),
            None => (place, DEFAULT_ACCOUNT.to_owned()),
        };
        return Ok(Store::LibSql(url.to_owned(), account));
    }
    let (path, account) = split_account(OsStr::new(place))?;
    let path = utf8(path, "a libSQL database")?;
    if path.is_empty() {
        return Err("a file or URL is expected after `libsql:`".to_owned());
    }
    Ok(Store::LibSql(path.to_owned(), account))
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

/// A database and the account after the *last* `#`. A `#` that may as well be a part of the file's name
/// is refused: the file would be another one than was meant.
fn split_account(text: &OsStr) -> Result<(&OsStr, String), String> {
    let Some((path, account)) = rsplit_once(text, b'#') else {
        return Ok((text, DEFAULT_ACCOUNT.to_owned()));
    };
    if path.is_empty() {
        return Err("a file is expected before the `#`".to_owned());
    }
    let account = utf8(account, "the name of an account")?;
    let is_like_a_file = account.contains(['/', '\\'])
        || Path::new(account).extension().is_some_and(|extension| {
            let known = ["db", "sqlite", "sqlite3", "session"];
            known
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        });
    let is_a_file = || Path::new(text).exists() && !Path::new(path).exists();
    if !account.is_empty() && (is_like_a_file || is_a_file()) {
        return Err(format!(
            "`{text}` can be read in two ways: `{text}#{DEFAULT_ACCOUNT}` is an account of the file \
             {text}, and `{path}#{escaped}` is the account {account} of the file {path}",
            text = text.display(),
            path = path.display(),
            escaped = account
                .replace('%', "%25")
                .replace('.', "%2E")
                .replace('/', "%2F"),
        ));
    }
    Ok((path, named(account)?))
}

/// An account's name, in which `%23` is a `#`.
fn named(account: &str) -> Result<String, String> {
    if account.is_empty() {
        return Ok(DEFAULT_ACCOUNT.to_owned());
    }
    let mut bytes = Vec::new();
    let mut rest = account;
    while let Some((plain, escaped)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let digits = escaped
            .get(..2)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = escaped.get(2..).unwrap_or_default();
        } else {
            bytes.push(b'%');
            rest = escaped;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| "the name of an account is not UTF-8".to_owned())
}

/// An account's name as [`named`] reads it.
pub(super) fn escaped_account(account: &str) -> String {
    account.replace('%', "%25").replace('#', "%23")
}

/// `image.bin?write=4&erase=4096&size=65536&offset=0`, of which each may be left out.
fn flash_layout(text: &OsStr) -> Result<(PathBuf, FlashLayout), String> {
    let (path, query) = split_once(text, b'?').unwrap_or((text, OsStr::new("")));
    if path.is_empty() {
        return Err("a file is expected after `flash:`".to_owned());
    }
    let mut layout = FlashLayout::default();
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
            Some(("write", bytes)) => layout.write = number(bytes)?,
            Some(("erase", bytes)) => layout.erase = number(bytes)?,
            Some(("size", bytes)) => layout.size = number(bytes)?,
            Some(("offset", bytes)) => layout.offset = number(bytes)?,
            _ => {
                return Err(format!(
                    "{part} is none of write=, erase=, size= and offset="
                ));
            }
        }
    }
    Ok((path.into(), layout))
}

fn utf8<'t>(text: &'t OsStr, what: &str) -> Result<&'t str, String> {
    text.to_str()
        .ok_or_else(|| format!("{} is not UTF-8, which {what} must be", text.display()))
}

/// Splits at the first of these ASCII characters.
fn split_once(text: &OsStr, at: u8) -> Option<(&OsStr, &OsStr)> {
    split(
        text,
        text.as_encoded_bytes()
            .iter()
            .position(|byte| *byte == at)?,
    )
}

/// Splits at the last of these ASCII characters.
fn rsplit_once(text: &OsStr, at: u8) -> Option<(&OsStr, &OsStr)> {
    split(
        text,
        text.as_encoded_bytes()
            .iter()
            .rposition(|byte| *byte == at)?,
    )
}

#[cfg(unix)]
fn split(text: &OsStr, at: usize) -> Option<(&OsStr, &OsStr)> {
    use std::os::unix::ffi::OsStrExt as _;

    let (before, after) = text.as_bytes().split_at_checked(at)?;
    Some((
        OsStr::from_bytes(before),
        OsStr::from_bytes(after.get(1..)?),
    ))
}

/// Names that are not Unicode exist on Unix; elsewhere they are paths as a whole.
#[cfg(not(unix))]
fn split(text: &OsStr, at: usize) -> Option<(&OsStr, &OsStr)> {
    let (before, after) = text.to_str()?.split_at_checked(at)?;
    Some((OsStr::new(before), OsStr::new(after.get(1..)?)))
}
