//! All statements on our tables. `?1` is always the account's name.

/// The account's id. A name in every statement costs less than keeping ids right.
macro_rules! account_id {
    () => {
        "(SELECT id FROM accounts WHERE name = ?1)"
    };
}

/// The rows of a table that are the account's.
macro_rules! of_account {
    ($table:literal) => {
        concat!($table, " WHERE account = ", account_id!())
    };
}

/// Inserts one row at the position of the first row like it, or after the others. Written without
/// `SELECT` as the source: SQLite would build a temporary table for each row then.
macro_rules! put {
    ($table:literal $(by $index:literal)? ($columns:literal) like ($like:literal) values ($values:literal) set ($set:literal)) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (account, position, ",
            $columns,
            ") VALUES (",
            account_id!(),
            ", coalesce((SELECT min(position) FROM ",
            $table,
            // Left to itself, SQLite looks through the account's rows in order of their positions.
            $(" INDEXED BY ", $index,)?
            " WHERE account = ",
            account_id!(),
            " AND ",
            $like,
            "), (SELECT max(position) + 1 FROM ",
            of_account!($table),
            "), 0), ",
            $values,
            ") ON CONFLICT (account, position) DO UPDATE SET ",
            $set
        )
    };
}

pub(super) use account_id;
pub(super) use of_account;

mod account;
mod channel;
mod dc;
mod forget;
mod list;
mod login_state;
mod min_peer;
mod other_login;
pub(super) mod owner;
mod peer;

pub(super) use self::account::{
    delete, delete_unowned, read_account_row, rename, save_account, select_account, select_names,
    select_revision, set_account, set_counters, set_home_dc, set_token, touch_account,
};
pub(super) use self::channel::{push_channels, put_channel};
pub(super) use self::dc::{push_dc_row, put_dc, put_salt, replace_dc, select_dcs, truncate_dcs};
pub(super) use self::forget::{forget, json_of};
pub(super) use self::list::{
    ListItem, MAX_JSON, json_text, replace_many, select, select_last, truncate, update,
};
pub(super) use self::login_state::{read_login_state, select_login_state, set_login_state};
pub(super) use self::min_peer::put_min_peer;
pub(super) use self::other_login::forget_other_login;
pub(super) use self::peer::{channel_kind, peer_of_row, put_peer};

use super::statement::Value;
use mtsession_core::Certain as _;

fn position(index: usize) -> Value {
    Value::Integer(i64::try_from(index).certain("a list in memory has no more than 2^63 items"))
}
