//! Accounts, and what a session has beside its lists.

use std::io;

use mtsession_core::{Account, Counters, SessionMut as _, SessionSource, UpdateChange};

use super::grow;
use crate::sql::row::Row;
use crate::sql::statement::{Select, Statement, Value};
use crate::stored::Stored;

/// What is not a list.
pub(in crate::sql) fn select_account(account: &str) -> Select {
    let columns = "name, home_dc, pts, qts, date, seq, future_auth_token, user_id, is_bot, api_id, \
                   test_mode";
    Select::new("account", columns, "account WHERE name = ?1").bind([account.into()])
}

/// Reads the account's own row.
pub(in crate::sql) fn read_account_row(row: &Row<'_>, to: &mut Stored) -> io::Result<()> {
    to.set_home_dc_id(row.number(1)?);
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
    grow(to.set_future_auth_token(row.optional_blob(6)?))
}

/// Stores everything that a session has beside its lists.
pub(in crate::sql) fn save_account(account: &str, session: &impl SessionSource) -> Statement {
    const SQL: &str = "\
        INSERT INTO account (name, home_dc, pts, qts, date, seq, future_auth_token)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (name) DO UPDATE SET home_dc = excluded.home_dc, pts = excluded.pts,
            qts = excluded.qts, date = excluded.date, seq = excluded.seq,
            future_auth_token = excluded.future_auth_token";
    let counters = session.counters();
    let params = [
        account.into(),
        session.home_dc_id().into(),
        counters.pts.into(),
        counters.qts.into(),
        counters.date.into(),
        counters.seq.into(),
        session.future_auth_token().into(),
    ];
    Statement::new(SQL, params)
}

/// Makes sure that the account is there.
pub(in crate::sql) fn ensure_account(account: &str) -> Statement {
    const SQL: &str = "INSERT INTO account (name) VALUES (?1) ON CONFLICT (name) DO NOTHING";
    Statement::new(SQL, [account.into()])
}

/// Sets the home DC.
pub(in crate::sql) fn set_home_dc(account: &str, dc_id: i32) -> Statement {
    const SQL: &str = "\
        INSERT INTO account (name, home_dc) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET home_dc = excluded.home_dc";
    Statement::new(SQL, [account.into(), dc_id.into()])
}

/// Sets or removes the future auth token.
pub(in crate::sql) fn set_token(account: &str, token: Option<&[u8]>) -> Statement {
    const SQL: &str = "\
        INSERT INTO account (name, future_auth_token) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET future_auth_token = excluded.future_auth_token";
    Statement::new(SQL, [account.into(), token.into()])
}

/// Stores what is known of the account.
pub(in crate::sql) fn set_account(name: &str, account: Account) -> Statement {
    const SQL: &str = "\
        INSERT INTO account (name, user_id, is_bot, api_id, test_mode) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (name) DO UPDATE SET user_id = excluded.user_id, is_bot = excluded.is_bot,
            api_id = excluded.api_id, test_mode = excluded.test_mode";
    let params = [
        name.into(),
        account.user_id.into(),
        account.is_bot.into(),
        account.api_id.into(),
        account.test_mode.into(),
    ];
    Statement::new(SQL, params)
}

/// Moves the counters. Which of them a change sets is
/// [`counters_after`](UpdateChange::counters_after), said once more as statements that need not read
/// first.
pub(in crate::sql) fn set_counters(account: &str, update: &UpdateChange) -> Option<Statement> {
    const ALL: &str = "\
        INSERT INTO account (name, pts, qts, date, seq) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (name) DO UPDATE SET
            pts = excluded.pts, qts = excluded.qts, date = excluded.date, seq = excluded.seq";
    const PRIMARY: &str = "\
        INSERT INTO account (name, pts, date, seq) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (name) DO UPDATE SET
            pts = excluded.pts, date = excluded.date, seq = excluded.seq";
    const SECONDARY: &str = "\
        INSERT INTO account (name, qts) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET qts = excluded.qts";
    let name = || Value::from(account);
    Some(match *update {
        UpdateChange::Counters(Counters {
            pts,
            qts,
            date,
            seq,
        }) => {
            let params = [name(), pts.into(), qts.into(), date.into(), seq.into()];
            Statement::new(ALL, params)
        }
        UpdateChange::Primary { pts, date, seq } => {
            Statement::new(PRIMARY, [name(), pts.into(), date.into(), seq.into()])
        }
        UpdateChange::Secondary { qts } => Statement::new(SECONDARY, [name(), qts.into()]),
        _ => return None,
    })
}

/// Removes an account and everything of it. Secrets are overwritten first, in place: a local file
/// overwrites whatever is deleted (`secure_delete`), but servers do not, nor let a client ask for it.
pub(in crate::sql) fn delete(account: &str) -> impl Iterator<Item = Statement> {
    [
        concat!(
            "UPDATE dc SET auth_key = zeroblob(256) WHERE account = ",
            account_id!(),
            " AND auth_key IS NOT NULL"
        ),
        "UPDATE account SET future_auth_token = zeroblob(length(future_auth_token))
            WHERE name = ?1 AND future_auth_token IS NOT NULL",
        concat!("DELETE FROM ", of_account!("dc")),
        concat!("DELETE FROM ", of_account!("channel")),
        concat!("DELETE FROM ", of_account!("peer")),
        concat!("DELETE FROM ", of_account!("min_peer")),
        "DELETE FROM account WHERE name = ?1",
    ]
    .into_iter()
    .map(|sql| Statement::new(sql, [account.into()]))
}

/// Gives an account another name.
pub(in crate::sql) fn rename(from: &str, to: &str) -> Statement {
    const SQL: &str = "UPDATE account SET name = ?2 WHERE name = ?1";
    Statement::new(SQL, [from.into(), to.into()])
}

/// The names of all accounts.
pub(in crate::sql) fn select_names() -> Select {
    Select::new("account", "name", "account ORDER BY name")
}
