//! The options in an address.

use core::time::Duration;
use std::ffi::OsStr;
use std::path::Path;

use super::text::{rsplit_once, unescaped};
use crate::flush::FlushPolicy;

/// An option with its value, as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AddressOption {
    pub(crate) name: &'static str,
    pub(crate) value: Option<String>,
}

/// What an option says.
pub(crate) enum Meaning {
    Deadline(Duration),
    Flush(FlushPolicy),
    ReadOnly,
    Create(bool),
    Replica(String),
    Insecure,
    Proxy,
    Tls(bool),
    /// Something that this release does not do.
    Later,
}

/// What this release does.
const KNOWN: [&str; 8] = [
    "deadline",
    "flush",
    "read_only",
    "create",
    "replica",
    "insecure",
    "proxy",
    "tls",
];

/// What later releases do. A program that relies on it must not get a store without it.
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

    /// What it says.
    ///
    /// # Errors
    /// A sentence about a value that makes no sense.
    pub(crate) fn meaning(&self) -> Result<Meaning, String> {
        let Self { name, value } = self;
        let wrong = |expected: &str| format!("the option `{name}` is {expected}");
        let is_set = |value: &Option<String>| match value.as_deref() {
            None | Some("1" | "yes" | "true") => Some(true),
            Some("0" | "no" | "false") => Some(false),
            Some(_) => None,
        };
        Ok(match *name {
            "deadline" => {
                let deadline = value.as_deref().and_then(duration);
                Meaning::Deadline(
                    deadline
                        .filter(|deadline| !deadline.is_zero())
                        .ok_or_else(|| wrong("a time: deadline=30s"))?,
                )
            }
            "flush" => Meaning::Flush(match value.as_deref() {
                Some("each") => FlushPolicy::Each,
                Some("never") => FlushPolicy::Never,
                value => FlushPolicy::Within(
                    value
                        .and_then(duration)
                        .ok_or_else(|| wrong("flush=each, flush=60s or flush=never"))?,
                ),
            }),
            "create" => {
                Meaning::Create(is_set(value).ok_or_else(|| wrong("create=1 or create=0"))?)
            }
            "replica" => match value.as_deref() {
                Some(path) if !path.is_empty() => Meaning::Replica(path.to_owned()),
                _ => return Err(wrong("a file: replica=FILE")),
            },
            "tls" => Meaning::Tls(is_set(value).ok_or_else(|| wrong("tls=1 or tls=0"))?),
            "read_only" | "insecure" | "proxy" if is_set(value) != Some(true) => {
                return Err(wrong("there or not; it has no value"));
            }
            "read_only" => Meaning::ReadOnly,
            "insecure" => Meaning::Insecure,
            "proxy" => Meaning::Proxy,
            _ => Meaning::Later,
        })
    }
}

fn known(name: &str) -> Option<&'static str> {
    KNOWN.into_iter().chain(LATER).find(|known| *known == name)
}

/// A time as `30`, `30s`, `500ms`, `5m` or `1h`.
fn duration(text: &str) -> Option<Duration> {
    let unit_at = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(unit_at)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "" | "s" => Some(Duration::from_secs(number)),
        "ms" => Some(Duration::from_millis(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
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
