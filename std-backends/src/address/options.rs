//! The options in an address.

use std::ffi::OsStr;
use std::path::Path;

use super::text::{rsplit_once, unescaped};

/// An option with its value, as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AddressOption {
    pub(crate) name: &'static str,
    pub(crate) value: Option<String>,
}

/// What this release does.
const KNOWN: [&str; 10] = [
    "deadline",
    "flush",
    "read_only",
    "create",
    "replica",
    "insecure",
    "proxy",
    "tls",
    "endpoint",
    "region",
];

/// What no store of this release does. A program that relies on it must not get a store without it.
const LATER: [&str; 11] = [
    "own",
    "key_file",
    "label",
    "anchor",
    "limits",
    "every",
    "memory_budget",
    "replicas",
    "wipe_on_fold",
    "accept_rollback",
    "keyring",
];

impl AddressOption {
    /// One option of a list. The text is not repeated in an error: it may be a token.
    fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(unescaped(value, "the value of an option")?)),
            None => (text, None),
        };
        let name = known(name).ok_or_else(|| {
            let lower = name.to_ascii_lowercase();
            let secrets = ["token", "jwt", "password", "secret"];
            if secrets.iter().any(|secret| lower.contains(secret)) || lower == "key" {
                return "the address holds a secret: give it by itself, as an option of the program or in \
                        the environment"
                    .to_owned();
            }
            format!(
                "there is an option that is none of those of an address: {}",
                KNOWN.join(", ")
            )
        })?;
        let option = Self { name, value };
        option.meaning()?;
        Ok(option)
    }
}

fn known(name: &str) -> Option<&'static str> {
    KNOWN.into_iter().chain(LATER).find(|known| *known == name)
}

fn parse_all(list: &str) -> Result<Vec<AddressOption>, String> {
    let parts = list.split('&').filter(|part| !part.is_empty());
    parts.map(AddressOption::parse).collect()
}

/// A URL and the options after its first `?`.
pub(super) fn split_url(text: &str) -> Result<(&str, Vec<AddressOption>), String> {
    let (url, list) = text.split_once('?').unwrap_or((text, ""));
    Ok((url, parse_all(list)?))
}

/// An account and the options after its first `?`.
pub(super) fn split_account(text: &str) -> Result<(&str, Vec<AddressOption>), String> {
    let (account, list) = text.split_once('?').unwrap_or((text, ""));
    let options = parse_all(list)
        .map_err(|error| format!("{error}; in the name of an account, `?` is written %3F"))?;
    Ok((account, options))
}

/// A file and the options after its last `?`. A file whose whole name is there is meant; a name with a `?`
/// for a file that is not there yet needs one more at its end.
pub(super) fn split_file(text: &OsStr) -> Result<(&OsStr, Vec<AddressOption>), String> {
    let Some((file, list)) = rsplit_once(text, b'?') else {
        return Ok((text, Vec::new()));
    };
    let options = match list.to_str() {
        Some(list) => parse_all(list),
        None => Err("the options of an address are text".to_owned()),
    };
    match options {
        Err(_) if Path::new(text).exists() => Ok((text, Vec::new())),
        Err(error) => Err(format!(
            "{error}; a file whose name has a `?` is written with one more at its end"
        )),
        Ok(_) if file.is_empty() => Err("a file is expected before the `?`".to_owned()),
        Ok(options) if !options.is_empty() && is_only_whole(text, file) => Err(format!(
            "`{text}` can be read in two ways: `{text}?` is the file that is there, and the file {file} with \
             options is not there",
            text = text.display(),
            file = file.display(),
        )),
        Ok(options) => Ok((file, options)),
    }
}

fn is_only_whole(text: &OsStr, file: &OsStr) -> bool {
    Path::new(text).exists() && !Path::new(file).exists()
}
