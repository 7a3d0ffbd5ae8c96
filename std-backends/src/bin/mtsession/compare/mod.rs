//! What a target holds, compared with what was written to it: each kind of difference in words of its own.

use core::fmt::Display;

use mtsession::codec::{LoginState, Peer, PeerKind, SessionSource as _};
use mtsession::{
    Account, CachedPeer, DcEntry, Fingerprint, PeerNames, PersistedSession, SessionRecord, Shown,
    UpdatesStateSnap,
};

use crate::counted::counted;

/// How much of a session a store promises to give back as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Everything.
    Everything,
    /// Everything but what peers are called.
    NoNames,
    /// The login: what else another library keeps differs from library to library.
    Login,
}

/// Everything that differs although the store promises it, one line for each kind. No line has a secret.
pub(crate) fn differences(
    written: &SessionRecord,
    found: &SessionRecord,
    promise: Promise,
) -> Vec<String> {
    // Every field by its name, so that a new one cannot be forgotten.
    let (from, to) = (written.session(), found.session());
    let PersistedSession {
        home_dc_id,
        dcs: from_dcs,
        updates_state,
        peers,
        min_peers,
        future_auth_token,
    } = from;
    let mut lines = Vec::new();
    lines.extend(differs("the home DC", *home_dc_id, to.home_dc_id));
    if promise == Promise::Login {
        let key = |session: &PersistedSession| key_of(session.dc_for(session.home_dc_id, false));
        lines.extend(differs("the auth key of the home DC", key(from), key(to)));
        let both_know = |from: Option<i64>, to: Option<i64>| from.is_some() && to.is_some();
        lines.extend(account(&written.account(), &found.account(), both_know));
        return lines;
    }
    lines.extend(dcs(from_dcs, &to.dcs));
    lines.extend(token(
        future_auth_token.as_deref(),
        to.future_auth_token.as_deref(),
    ));
    lines.extend(account(&written.account(), &found.account(), |_, _| true));
    lines.extend(differs(
        "whether the login still holds",
        login_state(written.login_state()),
        login_state(found.login_state()),
    ));
    lines.extend(counters(updates_state, &to.updates_state));
    lines.extend(list(
        "channels with their own pts",
        &updates_state.channels,
        &to.updates_state.channels,
        |(id, pts)| format!("channel {id} with pts {pts}"),
    ));
    lines.extend(list("peers", peers, &to.peers, peer));
    lines.extend(list("min peers", min_peers, &to.min_peers, |peer| {
        format!("user {} in chat {}", peer.user_id, peer.peer_id)
    }));
    if promise == Promise::Everything {
        let (from, to) = (sorted(written.peer_names()), sorted(found.peer_names()));
        lines.extend(list("names of peers", &from, &to, names));
    }
    lines
}

/// In one order, whatever the store's is.
fn sorted(mut names: Vec<PeerNames>) -> Vec<PeerNames> {
    names.sort_by_key(|names| (names.kind, names.id));
    names
}

/// What differs, where both are shown.
#[expect(
    clippy::needless_pass_by_value,
    reason = "numbers and words that were made for it"
)]
fn differs<T: PartialEq + Display>(what: &str, expected: T, found: T) -> Option<String> {
    (expected != found).then(|| format!("{what}: expected {expected}, found {found}"))
}

/// What differs in a list: the first of its items, and how many there are.
fn list<T: PartialEq>(
    what: &str,
    expected: &[T],
    found: &[T],
    name: impl Fn(&T) -> String,
) -> Option<String> {
    let len = expected.len().max(found.len());
    let mut differing = (0..len).filter(|at| expected.get(*at) != found.get(*at));
    let first = differing.next()?;
    let count = differing.count().saturating_add(1);
    let named = |item: Option<&T>| item.map_or_else(|| "nothing".to_owned(), &name);
    let (expected, found) = (named(expected.get(first)), named(found.get(first)));
    let found = if expected == found {
        "the same with another content"
    } else {
        &found
    };
    Some(format!(
        "{what}: {count} of {len} differ, the first in place {}: expected {expected}, found {found}",
        first.saturating_add(1)
    ))
}

/// Keys, addresses and the rest of the DC entries.
fn dcs(from: &[DcEntry], to: &[DcEntry]) -> Vec<String> {
    let ids = |dcs: &[DcEntry]| -> Vec<_> { dcs.iter().map(|dc| (dc.dc_id, dc.flags.0)).collect() };
    let name = |(id, flags): &(i32, u8)| format!("DC {id} with flags {flags}");
    if let Some(line) = list("DC entries", &ids(from), &ids(to), name) {
        return vec![line];
    }
    let pairs = from.iter().zip(to);
    pairs.flat_map(|(from, to)| dc(from, to)).collect()
}

/// What differs in two entries of the same DC and kind.
fn dc(from: &DcEntry, to: &DcEntry) -> Vec<String> {
    let DcEntry {
        dc_id,
        addr,
        auth_key: _,
        first_salt,
        time_offset,
        flags,
    } = from;
    let of = format!("of DC {dc_id} with flags {}", flags.0);
    let quoted = |addr: &str| format!("`{}`", Shown(addr));
    let mut lines = Vec::new();
    lines.extend(differs(
        &format!("the auth key {of}"),
        key_of(Some(from)),
        key_of(Some(to)),
    ));
    lines.extend(differs(
        &format!("the address {of}"),
        quoted(addr),
        quoted(&to.addr),
    ));
    if *first_salt != to.first_salt {
        lines.push(format!(
            "the salt {of}: expected the one that was written, found another"
        ));
    }
    let offset = format!("the clock offset {of}, in seconds");
    lines.extend(differs(&offset, *time_offset, to.time_offset));
    lines
}

fn key_of(dc: Option<&DcEntry>) -> String {
    let key = dc.and_then(|dc| dc.as_dc_ref().auth_key);
    key.map_or_else(
        || "none".to_owned(),
        |key| format!("the one with fingerprint {}", Fingerprint::of(key)),
    )
}

fn token(expected: Option<&[u8]>, found: Option<&[u8]>) -> Option<String> {
    let words = |token: Option<&[u8]>| match token {
        None => "none".to_owned(),
        Some(token) => counted(token.len(), ["byte", "bytes"]),
    };
    let is_as_long = expected.map(<[u8]>::len) == found.map(<[u8]>::len);
    let other = if is_as_long { "other " } else { "" };
    (expected != found).then(|| {
        let (expected, found) = (words(expected), words(found));
        format!("the future auth token: expected {expected}, found {other}{found}")
    })
}

/// What differs of the account, in fields for which `counts` says so.
fn account(
    from: &Account,
    to: &Account,
    counts: impl Fn(Option<i64>, Option<i64>) -> bool,
) -> Vec<String> {
    let words = |value: Option<i64>, yes_or_no: bool| match (value, yes_or_no) {
        (None, _) => "unknown".to_owned(),
        (Some(value), false) => value.to_string(),
        (Some(0), true) => "no".to_owned(),
        (Some(_), true) => "yes".to_owned(),
    };
    [
        ("the account's user id", from.user_id, to.user_id, false),
        (
            "whether the account is a bot",
            from.is_bot.map(i64::from),
            to.is_bot.map(i64::from),
            true,
        ),
        (
            "the account's api_id",
            from.api_id.map(i64::from),
            to.api_id.map(i64::from),
            false,
        ),
        (
            "whether the account is on the test servers",
            from.test_mode.map(i64::from),
            to.test_mode.map(i64::from),
            true,
        ),
    ]
    .into_iter()
    .filter(|(_, from, to, _)| counts(*from, *to))
    .filter_map(|(what, from, to, yes_or_no)| {
        differs(what, words(from, yes_or_no), words(to, yes_or_no))
    })
    .collect()
}

/// A login state as a person says it.
fn login_state(state: LoginState<'_>) -> String {
    match state {
        LoginState::Active => "that it holds".to_owned(),
        LoginState::Revoked { error, .. } => {
            format!("that the server ended it ({})", Shown(error))
        }
        LoginState::Moving { to, .. } => format!("that it is being moved to {}", Shown(to)),
        LoginState::Moved { to, .. } => format!("that it was moved to {}", Shown(to)),
        _ => "something that this release does not know".to_owned(),
    }
}

fn counters(from: &UpdatesStateSnap, to: &UpdatesStateSnap) -> Vec<String> {
    [
        ("pts", from.pts, to.pts),
        ("qts", from.qts, to.qts),
        ("date", from.date, to.date),
        ("seq", from.seq, to.seq),
    ]
    .into_iter()
    .filter_map(|(name, from, to)| differs(&format!("the update counter {name}"), from, to))
    .collect()
}

fn peer(peer: &CachedPeer) -> String {
    format!("{} {}", kind(Peer::from(peer).kind), peer.id)
}

fn names(names: &PeerNames) -> String {
    let usernames = counted(names.usernames.len(), ["username", "usernames"]);
    let has = |value: &Option<String>| if value.is_some() { "a" } else { "no" };
    format!(
        "{} {} with {usernames}, {} phone number and {} title",
        kind(names.kind),
        names.id,
        has(&names.phone),
        has(&names.title)
    )
}

const fn kind(kind: PeerKind) -> &'static str {
    match kind {
        PeerKind::User => "user",
        PeerKind::Chat => "chat",
        PeerKind::Channel => "channel",
    }
}

#[cfg(test)]
mod tests;
