//! The account name in an address.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::DEFAULT_ACCOUNT;
use super::options::{self, AddressOption};
use super::text::{rsplit_once, unescaped, utf8};

/// The extensions that files with sessions have.
const EXTENSIONS: [&str; 4] = ["db", "sqlite", "sqlite3", "session"];

/// What follows the place of a store.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) account: Option<String>,
    pub(super) options: Vec<AddressOption>,
}

/// A file, the account after the *last* `#`, and options. A `#` that may as well be a part of the file's name
/// is refused: the file would be another one than was meant.
pub(super) fn split_file(text: &OsStr) -> Result<(&OsStr, Rest), String> {
    let Some((file, account)) = rsplit_once(text, b'#') else {
        let (file, options) = options::split_file(text)?;
        let account = None;
        return Ok((file, Rest { account, options }));
    };
    if file.is_empty() {
        return Err("a file is expected before the `#`".to_owned());
    }
    let account = utf8(account, "the name of an account")?;
    let (name, after) = options::split_account(account)?;
    let is_a_file = || Path::new(text).exists() && !Path::new(file).exists();
    if !name.is_empty() && (is_like_a_file(name) || is_a_file()) {
        return Err(format!(
            "`{text}` can be read in two ways: `{text}#{DEFAULT_ACCOUNT}` is an account of the file \
             {text}, and `{file}#{escaped}` is the account {name} of the file {file}",
            text = text.display(),
            file = file.display(),
            escaped = name
                .replace('%', "%25")
                .replace('.', "%2E")
                .replace('/', "%2F"),
        ));
    }
    let account = Some(named(name)?);
    let (file, mut options) = options::split_file(file)?;
    options.extend(after);
    Ok((file, Rest { account, options }))
}

/// A URL without options and account.
pub(super) fn split_url(text: &str) -> Result<(&str, Rest), String> {
    let (url, account) = match text.rsplit_once('#') {
        Some((url, account)) => (url, Some(account)),
        None => (text, None),
    };
    let (url, mut options) = options::split_url(url)?;
    let account = match account.map(options::split_account).transpose()? {
        Some((name, after)) => {
            options.extend(after);
            Some(named(name)?)
        }
        None => None,
    };
    Ok((url, Rest { account, options }))
}

pub(super) fn is_like_a_file(account: &str) -> bool {
    account.contains(['/', '\\']) || has_extension(Path::new(account), &EXTENSIONS)
}

/// Whether a path where nothing is yet means a database.
pub(crate) fn is_like_a_database(path: &Path) -> bool {
    has_extension(path, &["db", "sqlite", "sqlite3"])
}

fn has_extension(path: &Path, known: &[&str]) -> bool {
    path.extension().is_some_and(|extension| {
        known
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Refuses names that no list of accounts could show.
pub(crate) fn check_name(name: &str) -> io::Result<()> {
    if name.is_empty() || name.chars().any(char::is_control) {
        let message = "an account's name must not be empty or contain control characters";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

/// An account's name, in which `%23` is a `#`.
fn named(account: &str) -> Result<String, String> {
    if account.is_empty() {
        return Err(format!(
            "the name of an account is expected after `#`; without `#` it is the account \
             `{DEFAULT_ACCOUNT}`"
        ));
    }
    unescaped(account, "the name of an account")
}
