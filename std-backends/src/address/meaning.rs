//! What the options in an address say.

use core::time::Duration;

use super::options::AddressOption;
use crate::flush::FlushPolicy;
use crate::store::PeerLimits;

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
    Endpoint(String),
    Region(String),
    Own(Option<String>),
    Label(String),
    Limits(PeerLimits),
    Every(Duration),
    MemoryBudget(usize),
    Replicas(u32),
    WipeOnFold,
    AcceptRollback,
    KeyFile(String),
    Anchor(String),
    /// Where a key is, of which this release knows no more than the name.
    Named,
}

impl AddressOption {
    /// What it says.
    ///
    /// # Errors
    /// A sentence about a value that makes no sense.
    pub(crate) fn meaning(&self) -> Result<Meaning, String> {
        let value = self.value.as_deref();
        let wrong = |expected: &str| format!("the option `{}` is {expected}", self.name);
        let text = value.filter(|value| !value.is_empty());
        let flag = |meaning| match switch(value) {
            Some(true) => Ok(meaning),
            _ => Err(wrong("there or not; it has no value")),
        };
        match self.name {
            "deadline" => {
                let deadline = text.and_then(duration);
                let deadline = deadline.filter(|deadline| !deadline.is_zero());
                deadline
                    .map(Meaning::Deadline)
                    .ok_or_else(|| wrong("a time: deadline=30s"))
            }
            "flush" => flush(value)
                .map(Meaning::Flush)
                .ok_or_else(|| wrong("flush=each, flush=60s or flush=never")),
            "create" => switch(value)
                .map(Meaning::Create)
                .ok_or_else(|| wrong("create=1 or create=0")),
            "replica" => text
                .map(|path| Meaning::Replica(path.to_owned()))
                .ok_or_else(|| wrong("a file: replica=FILE")),
            "endpoint" => text
                .map(|url| Meaning::Endpoint(url.to_owned()))
                .ok_or_else(|| wrong("a URL: endpoint=https://HOST")),
            "region" => text
                .map(|name| Meaning::Region(name.to_owned()))
                .ok_or_else(|| wrong("a name: region=eu-central-1")),
            "tls" => switch(value)
                .map(Meaning::Tls)
                .ok_or_else(|| wrong("tls=1 or tls=0")),
            "read_only" => flag(Meaning::ReadOnly),
            "insecure" => flag(Meaning::Insecure),
            "proxy" => flag(Meaning::Proxy),
            "wipe_on_fold" => flag(Meaning::WipeOnFold),
            "accept_rollback" => flag(Meaning::AcceptRollback),
            "keyring" => flag(Meaning::Named),
            "own" if value == Some("") => Err(wrong("own or own=NAME")),
            "own" => Ok(Meaning::Own(self.value.clone())),
            "label" => text
                .map(|label| Meaning::Label(label.to_owned()))
                .ok_or_else(|| wrong("a name: label=NAME")),
            "limits" => value
                .and_then(limits)
                .map(Meaning::Limits)
                .ok_or_else(|| wrong("numbers of peers: limits=users:5000,channels:1000")),
            "every" => text
                .and_then(duration)
                .map(Meaning::Every)
                .ok_or_else(|| wrong("a time: every=60s")),
            "memory_budget" => text
                .and_then(bytes)
                .map(Meaning::MemoryBudget)
                .ok_or_else(|| wrong("a number of bytes: memory_budget=64M")),
            "replicas" => text
                .and_then(|number| number.parse().ok())
                .map(Meaning::Replicas)
                .ok_or_else(|| wrong("a number: replicas=1")),
            "key_file" => text
                .map(|path| Meaning::KeyFile(path.to_owned()))
                .ok_or_else(|| wrong("a file: key_file=FILE")),
            "anchor" => text
                .map(|path| Meaning::Anchor(path.to_owned()))
                .ok_or_else(|| wrong("a file: anchor=FILE")),
            _ => text.map(|_| Meaning::Named).ok_or_else(|| wrong("a file")),
        }
    }
}

/// Whether something is switched on: without a value it is.
fn switch(value: Option<&str>) -> Option<bool> {
    match value {
        None | Some("1" | "yes" | "true") => Some(true),
        Some("0" | "no" | "false") => Some(false),
        Some(_) => None,
    }
}

fn flush(value: Option<&str>) -> Option<FlushPolicy> {
    match value? {
        "each" => Some(FlushPolicy::Each),
        "never" => Some(FlushPolicy::Never),
        time => duration(time).map(FlushPolicy::Within),
    }
}

/// `users:5000,channels:1000`.
fn limits(text: &str) -> Option<PeerLimits> {
    let mut limits = PeerLimits::default();
    for part in text.split(',') {
        let (kind, limit) = part.split_once(':')?;
        let limit = limit.parse().ok()?;
        limits = match kind {
            "users" => limits.users(limit),
            "channels" => limits.channels(limit),
            "chats" => limits.chats(limit),
            "min_peers" => limits.min_peers(limit),
            _ => return None,
        };
    }
    Some(limits)
}

/// The digits at the beginning, and the unit after them.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let unit_at = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(unit_at)?;
    Some((number.parse().ok()?, unit))
}

/// A time as `30`, `30s`, `500ms`, `5m` or `1h`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    match unit {
        "" | "s" => Some(Duration::from_secs(number)),
        "ms" => Some(Duration::from_millis(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

/// A number of bytes as `65536`, `64K`, `64M` or `1G`.
fn bytes(text: &str) -> Option<usize> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    usize::try_from(number.checked_mul(factor)?).ok()
}
