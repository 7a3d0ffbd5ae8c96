//! Accounts, and what a session has in addition to its lists.

use std::io;

use mtsession_core::{Account, Counters, SessionMut as _, SessionSource, UpdateChange};

use super::owner;
use crate::backends::sql::checksum::{self, checksum};
use crate::backends::sql::definition::{new_revision, no_session};
use crate::backends::sql::row::Row;
use crate::backends::sql::statement::{Select, Statement, Value};
use crate::record::SessionRecord;

/// What is not a list.
pub(in crate::backends::sql) fn select_account(account: &str) -> Select {
    let columns = "name, home_dc, pts, qts, date, seq, future_auth_token, user_id, is_bot, api_id, \
                   test_mode, id, crc";
    let from = concat!("accounts WHERE name = ?1 AND revisions <> ", no_session!());
    Select::new("accounts", columns, from).bind([account.into()])
}

/// Reads the account's own row.
pub(in crate::backends::sql) fn read_account_row(
    row: &Row<'_>,
    to: &mut SessionRecord,
) -> io::Result<()> {
    let home_dc = row.number(1)?;
    let token = row.optional_blob(6)?;
    row.check(
        12,
        checksum::of_row(checksum::of_token(token), row.i64(11)?, home_dc),
    )?;
    to.set_home_dc_id(home_dc);
    to.set_counters(Counters {
        pts: row.number(2)?,
        qts: row.number(3)?,
        date: row.number(4)?,
        seq: row.number(5)?,
    });
    to.set_account(Account {
        user_id: row.optional_i64(7)?,
        is_bot: row.optional_bool(8)?,
        api_id: row.optional_number(9)?,
        test_mode: row.optional_bool(10)?,
    });
    let Ok(()) = to.set_future_auth_token(token);
    Ok(())
}

/// The revision `?r` if the writer with the token `?o` owns the account, or nobody does. Otherwise nothing, which no
/// account has: the statement fails, and all of its transaction.
macro_rules! if_owner {
    ($revision:literal, $owner:literal) => {
        concat!(
            "CASE WHEN (SELECT owner FROM accounts WHERE name = ?1) IS ",
            $owner,
            " THEN ",
            $revision,
            " END"
        )
    };
}

/// Makes sure that the account is there, and gives it a new revision. Whatever changes rows of other
/// tables comes after it.
pub(in crate::backends::sql) fn touch_account(account: &str) -> Statement {
    const SQL: &str = concat!(
        "INSERT INTO accounts (name, revisions) VALUES (?1, ",
        if_owner!("?2", "?3"),
        ") ON CONFLICT (name) DO UPDATE SET revisions = excluded.revisions"
    );
    Statement::revising(SQL, [account.into()])
}

/// Stores everything that a session has in addition to its lists.
pub(in crate::backends::sql) fn save_account(
    account: &str,
    session: &impl SessionSource,
) -> Statement {
    const SQL: &str = concat!(
        "UPDATE accounts SET home_dc = ?2, pts = ?3, qts = ?4, date = ?5, seq = ?6,
            future_auth_token = ?7, crc = ",
        checksum!("?8", "id", "?2"),
        " WHERE name = ?1"
    );
    let counters = session.counters();
    let token = session.future_auth_token();
    let params = [
        account.into(),
        session.home_dc_id().into(),
        counters.pts.into(),
        counters.qts.into(),
        counters.date.into(),
        counters.seq.into(),
        token.into(),
        checksum::of_token(token).into(),
    ];
    Statement::new(SQL, params)
}

/// Sets the home DC. The checksum moves with it, so that damage of the token still shows.
pub(in crate::backends::sql) fn set_home_dc(account: &str, dc_id: i32) -> Statement {
    const SQL: &str = concat!(
        "UPDATE accounts SET home_dc = ?2, crc = CASE WHEN crc IS NULL AND future_auth_token IS NULL THEN ",
        checksum!("?3", "id", "?2"),
        " ELSE ",
        checksum!("crc", "0", "(?2 - home_dc)"),
        " END WHERE name = ?1"
    );
    let no_token = checksum::of_token(None).into();
    Statement::new(SQL, [account.into(), dc_id.into(), no_token])
}

/// Sets or removes the future auth token.
pub(in crate::backends::sql) fn set_token(account: &str, token: Option<&[u8]>) -> Statement {
    const SQL: &str = concat!(
        "UPDATE accounts SET future_auth_token = ?2, crc = ",
        checksum!("?3", "id", "home_dc"),
        " WHERE name = ?1"
    );
    let crc = checksum::of_token(token).into();
    Statement::new(SQL, [account.into(), token.into(), crc])
}

/// Stores what is known of the account.
pub(in crate::backends::sql) fn set_account(name: &str, account: Account) -> Statement {
    const SQL: &str = "\
        UPDATE accounts SET user_id = ?2, is_bot = ?3, api_id = ?4, test_mode = ?5 WHERE name = ?1";
    let params = [
        name.into(),
        account.user_id.into(),
        account.is_bot.into(),
        account.api_id.into(),
        account.test_mode.into(),
    ];
    Statement::new(SQL, params)
}

/// Moves the counters, makes the account if need be, and gives it a new revision. Which of them a
/// change sets is [`counters_after`](UpdateChange::counters_after), said once more as statements that
/// need not read first.
pub(in crate::backends::sql) fn set_counters(
    account: &str,
    update: &UpdateChange,
) -> Option<Statement> {
    const ALL: &str = concat!(
        "INSERT INTO accounts (name, pts, qts, date, seq, revisions) VALUES (?1, ?2, ?3, ?4, ?5, ",
        if_owner!("?6", "?7"),
        ") ON CONFLICT (name) DO UPDATE SET pts = excluded.pts, qts = excluded.qts,
            date = excluded.date, seq = excluded.seq, revisions = excluded.revisions"
    );
    const PRIMARY: &str = concat!(
        "INSERT INTO accounts (name, pts, date, seq, revisions) VALUES (?1, ?2, ?3, ?4, ",
        if_owner!("?5", "?6"),
        ") ON CONFLICT (name) DO UPDATE SET pts = excluded.pts, date = excluded.date,
            seq = excluded.seq, revisions = excluded.revisions"
    );
    const SECONDARY: &str = concat!(
        "INSERT INTO accounts (name, qts, revisions) VALUES (?1, ?2, ",
        if_owner!("?3", "?4"),
        ") ON CONFLICT (name) DO UPDATE SET qts = excluded.qts, revisions = excluded.revisions"
    );
    let name = || Value::from(account);
    Some(match *update {
        UpdateChange::Counters(Counters {
            pts,
            qts,
            date,
            seq,
        }) => {
            let params = [name(), pts.into(), qts.into(), date.into(), seq.into()];
            Statement::revising(ALL, params)
        }
        UpdateChange::Primary { pts, date, seq } => {
            Statement::revising(PRIMARY, [name(), pts.into(), date.into(), seq.into()])
        }
        UpdateChange::Secondary { qts } => Statement::revising(SECONDARY, [name(), qts.into()]),
        _ => return None,
    })
}

/// Remembers that there was an account, for those who are about to make it again.
fn bury(account: &str) -> impl Iterator<Item = Statement> {
    const FORGET: &str = "DELETE FROM gone WHERE at < unixepoch() - 86400";
    const BURY: &str = "\
        INSERT INTO gone (name, revisions, at)
        SELECT name, revisions, unixepoch() FROM accounts WHERE name = ?1
        ON CONFLICT (name) DO UPDATE SET revisions = excluded.revisions, at = excluded.at";
    [
        Statement::new(FORGET, []),
        Statement::new(BURY, [account.into()]),
    ]
    .into_iter()
}

/// Removes an account and everything of it. Secrets are overwritten first, in place: a local file
/// overwrites whatever is deleted (`secure_delete`), but servers do not, nor let a client ask for it.
///
/// What says who owns the account stays where somebody does.
pub(in crate::backends::sql) fn delete(
    account: &str,
    is_owned: bool,
) -> impl Iterator<Item = Statement> {
    core::iter::once(owner::fence(account)).chain(delete_rows(account, is_owned))
}

/// The same for one that nobody can own.
pub(in crate::backends::sql) fn delete_unowned(account: &str) -> impl Iterator<Item = Statement> {
    delete_rows(account, false)
}

fn delete_rows(account: &str, is_owned: bool) -> impl Iterator<Item = Statement> {
    let last: &[&'static str] = if is_owned {
        &owner::KEEP
    } else {
        &[
            concat!("DELETE FROM ", of_account!("lease")),
            "DELETE FROM accounts WHERE name = ?1",
        ]
    };
    let statements = [
        concat!(
            "UPDATE dc SET auth_key = zeroblob(256) WHERE account = ",
            account_id!(),
            " AND auth_key IS NOT NULL"
        ),
        "UPDATE accounts SET future_auth_token = zeroblob(length(future_auth_token))
            WHERE name = ?1 AND future_auth_token IS NOT NULL",
        concat!("DELETE FROM ", of_account!("dc")),
        concat!("DELETE FROM ", of_account!("channel")),
        concat!("DELETE FROM ", of_account!("peer")),
        concat!("DELETE FROM ", of_account!("min_peer")),
        concat!("DELETE FROM ", of_account!("login_state")),
    ];
    let statements = statements.into_iter().chain(last.iter().copied());
    bury(account).chain(statements.map(|sql| Statement::new(sql, [account.into()])))
}

/// Gives an account another name.
pub(in crate::backends::sql) fn rename(from: &str, to: &str) -> impl Iterator<Item = Statement> {
    const SQL: &str = concat!(
        "UPDATE accounts SET name = ?2, revisions = ",
        new_revision!(),
        " WHERE name = ?1"
    );
    core::iter::once(owner::fence(from))
        .chain(bury(from))
        .chain([Statement::new(SQL, [from.into(), to.into()])])
}

/// What every change of the account changes.
pub(in crate::backends::sql) fn select_revision(account: &str) -> Select {
    let from = concat!("accounts WHERE name = ?1 AND revisions <> ", no_session!());
    Select::new("accounts", "name, revisions", from).bind([account.into()])
}

/// The names of all accounts.
pub(in crate::backends::sql) fn select_names() -> Select {
    let from = concat!(
        "accounts WHERE revisions <> ",
        no_session!(),
        " ORDER BY name"
    );
    Select::new("accounts", "name", from)
}
