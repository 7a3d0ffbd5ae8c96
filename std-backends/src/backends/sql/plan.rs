//! Which statements bring a database from one state to another.

use std::io;

use mtsession_core::{Change, ChannelPts, EntryKey, SessionSource, UpdateChange, Weight};

use super::connection::Durability;
use super::names;
use super::statement::Statement;
use super::tables::{self, ListItem};
use crate::drop_in::session::PersistedSession;
use crate::record::SessionRecord;

/// Entries that are removed by one statement: a text with their keys is as long as servers take.
const MOST_FORGOTTEN: usize = 10_000;

/// The statements that turn `old` into `new`; what is known of the account stays. Without `old` they
/// replace whatever there is.
pub(super) fn save(
    account: &str,
    old: Option<&SessionRecord>,
    new: &impl SessionSource,
) -> Vec<Statement> {
    let mut statements = session(account, old, new);
    if !statements.is_empty() {
        statements.insert(0, tables::touch_account(account));
    }
    statements
}

/// Adds the statements that remove what belongs to another login than `new` to those that store it: see
/// [`SessionRecord::set_session`].
pub(super) fn forget_other_login(
    account: &str,
    new: &impl SessionSource,
    has_names: bool,
    statements: &mut Vec<Statement>,
) {
    let forget = tables::forget_other_login(account, new, has_names);
    // The account's row is made first, and its DC entries are compared before they change.
    let after_touch = statements.len().min(1);
    statements.splice(after_touch..after_touch, forget);
}

/// The statements that turn `old` into `new`, account and login state included. Names are not part of it.
pub(super) fn replace(
    account: &str,
    old: Option<&SessionRecord>,
    new: &SessionRecord,
) -> Vec<Statement> {
    let mut statements = session(account, old, new);
    if old.is_none_or(|old| old.account() != new.account()) {
        statements.push(tables::set_account(account, new.account()));
    }
    if old.is_none_or(|old| old.login_state() != new.login_state()) {
        statements.push(tables::set_login_state(account, new.login_state()));
    }
    statements.insert(0, tables::touch_account(account));
    statements
}

/// The statements that turn the session of `old` into that of `new`.
fn session(account: &str, old: Option<&SessionRecord>, new: &impl SessionSource) -> Vec<Statement> {
    let mut statements = Vec::new();
    let is_same = |old: &SessionRecord| {
        old.home_dc_id() == new.home_dc_id()
            && old.counters() == new.counters()
            && old.future_auth_token() == new.future_auth_token()
    };
    if !old.is_some_and(is_same) {
        statements.push(tables::save_account(account, new));
    }
    let mut old_dcs = old.map(|old| old.dcs().map(Some)).into_iter().flatten();
    for (position, dc) in new.dcs().enumerate() {
        if old_dcs.next().flatten() != Some(dc) {
            statements.push(tables::replace_dc(account, position, &dc));
        }
    }
    if old.is_none_or(|old| old.dcs().len() > new.dcs().len()) {
        statements.push(tables::truncate_dcs(account, new.dcs().len()));
    }
    save_list(
        account,
        old.map(SessionRecord::channels),
        new.channels(),
        &mut statements,
    );
    save_list(
        account,
        old.map(SessionRecord::peers),
        new.peers(),
        &mut statements,
    );
    save_list(
        account,
        old.map(SessionRecord::min_peers),
        new.min_peers(),
        &mut statements,
    );
    statements
}

fn save_list<T: ListItem>(
    account: &str,
    old: Option<impl ExactSizeIterator<Item = T>>,
    new: impl ExactSizeIterator<Item = T>,
    statements: &mut Vec<Statement>,
) {
    let len = new.len();
    let shrinks = old.as_ref().is_none_or(|old| old.len() > len);
    let mut old = old.into_iter().flatten();
    let changed = new
        .enumerate()
        .filter(|(_, item)| old.next() != Some(*item));
    statements.extend(tables::replace_many(account, changed));
    if shrinks {
        statements.push(tables::truncate::<T>(account, len));
    }
}

/// Changes that are still to be carried out.
type Rest<'c> = core::iter::Peekable<core::slice::Iter<'c, Change<'c>>>;

/// The statements that carry out `changes`.
///
/// # Errors
/// `InvalidInput` for what no session file could hold.
pub(super) fn apply(
    account: &str,
    changes: &[Change<'_>],
    has_names: bool,
) -> io::Result<Vec<Statement>> {
    let mut statements = Vec::with_capacity(changes.len().saturating_add(1));
    let mut needs_account = changes.is_empty();
    let mut rest = changes.iter().peekable();
    while let Some(change) = rest.next() {
        let needs_it = match change {
            Change::Update(update) => update_state(account, *update, &mut rest, &mut statements)?,
            Change::Forget(key) => {
                let keys = forgotten(*key, &mut rest);
                statements.extend(tables::forget(account, &keys));
                if has_names {
                    statements.extend(names::forget(account, &keys));
                }
                true
            }
            Change::Names(names) => {
                check_lengths(change)?;
                statements.extend(names::put(account, names, has_names));
                true
            }
            change => {
                statements.push(of_one(account, change)?);
                true
            }
        };
        needs_account |= needs_it;
    }
    // Counters make the account themselves.
    if needs_account {
        statements.insert(0, tables::touch_account(account));
    }
    Ok(statements)
}

/// The statement of a change that takes one, whatever else changes.
fn of_one(account: &str, change: &Change<'_>) -> io::Result<Statement> {
    if let Change::FutureAuthToken(_) | Change::LoginState(_) | Change::Dc(_) = change {
        check_lengths(change)?;
    }
    Ok(match change {
        Change::HomeDc(dc_id) => tables::set_home_dc(account, *dc_id),
        Change::FutureAuthToken(token) => tables::set_token(account, *token),
        Change::Account(known) => tables::set_account(account, *known),
        Change::LoginState(state) => tables::set_login_state(account, *state),
        Change::Salt {
            dc,
            first_salt,
            time_offset,
        } => tables::put_salt(account, *dc, *first_salt, *time_offset),
        Change::Dc(dc) => tables::put_dc(account, dc),
        Change::Peer(peer) => tables::put_peer(account, peer),
        Change::MinPeer(min_peer) => tables::put_min_peer(account, min_peer),
        _ => return Err(unknown_change()),
    })
}

/// The keys of this removal and of those that follow it, as many as one statement takes.
fn forgotten(key: EntryKey, rest: &mut Rest<'_>) -> Vec<EntryKey> {
    let mut keys = vec![key];
    while keys.len() < MOST_FORGOTTEN
        && let Some(Change::Forget(key)) = rest.peek()
    {
        keys.push(*key);
        rest.next();
    }
    keys
}

/// Adds the statements of a change of the update state, with the pushed channels that follow; says whether the
/// account's row must be there first.
fn update_state(
    account: &str,
    update: UpdateChange,
    rest: &mut Rest<'_>,
    statements: &mut Vec<Statement>,
) -> io::Result<bool> {
    Ok(match update {
        UpdateChange::Channel { id, pts } => {
            statements.push(tables::put_channel(account, ChannelPts { id, pts }));
            true
        }
        UpdateChange::ClearChannels => {
            statements.push(tables::truncate::<ChannelPts>(account, 0));
            true
        }
        UpdateChange::PushChannel { id, pts } => {
            let mut channels = vec![ChannelPts { id, pts }];
            while let Some(channel) = rest.peek().copied().and_then(|change| pushed(change)) {
                channels.push(channel);
                rest.next();
            }
            statements.extend(tables::push_channels(account, &channels));
            true
        }
        _ => {
            let counters = tables::set_counters(account, &update);
            statements.push(counters.ok_or_else(unknown_change)?);
            false
        }
    })
}

/// What [`apply`] does, when it is known which rows there are: those that change are not looked for
/// then. `None` where a change is not one of a row or a counter.
pub(super) fn apply_in_place(
    account: &str,
    known: &SessionRecord,
    changes: &[Change<'_>],
) -> Option<Vec<Statement>> {
    let statement = |change: &Change<'_>| match *change {
        Change::Peer(peer) => Some(match known.position(EntryKey::Peer(peer.key())) {
            Some(at) => tables::update(account, at, &peer),
            None => tables::put_peer(account, &peer),
        }),
        Change::MinPeer(min_peer) => {
            Some(match known.position(EntryKey::MinPeer(min_peer.user_id)) {
                Some(at) => tables::update(account, at, &min_peer),
                None => tables::put_min_peer(account, &min_peer),
            })
        }
        Change::Update(UpdateChange::Channel { id, pts }) => {
            let channel = ChannelPts { id, pts };
            Some(match known.position(EntryKey::Channel(id)) {
                Some(at) => tables::update(account, at, &channel),
                None => tables::put_channel(account, channel),
            })
        }
        Change::Update(ref update) => tables::set_counters(account, update),
        _ => None,
    };
    let touch = core::iter::once(Some(tables::touch_account(account)));
    touch.chain(changes.iter().map(statement)).collect()
}

/// Lengths are checked as every store checks them. Whether there is room for another DC entry is left
/// to the database, which knows how many there are.
fn check_lengths(change: &Change<'_>) -> io::Result<()> {
    Ok(SessionRecord::default().apply_all(core::slice::from_ref(change))?)
}

/// When the changes must be on the disk.
pub(super) fn durability_of(changes: &[Change<'_>]) -> Durability {
    // None is cache in one session and a key in another.
    let must_survive =
        |change: &Change<'_>| change.weight(&PersistedSession::default()) > Weight::Cache;
    if changes.iter().any(must_survive) {
        Durability::Now
    } else {
        Durability::Soon
    }
}

/// A change that was added to the codec, but not here.
fn unknown_change() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "a change of an unknown kind")
}

/// The channel that the change appends, if that is what it does.
fn pushed(change: &Change<'_>) -> Option<ChannelPts> {
    match change {
        Change::Update(UpdateChange::PushChannel { id, pts }) => {
            Some(ChannelPts { id: *id, pts: *pts })
        }
        _ => None,
    }
}
