//! Whether the login of an account still holds. No row is a login in use.

use std::io;

use mtsession_core::{LoginState, SessionMut as _};

use crate::backends::sql::row::Row;
use crate::backends::sql::statement::{Select, Statement, Value};
use crate::record::SessionRecord;

/// The row of an account that is not in use.
pub(in crate::backends::sql) fn select_login_state(account: &str) -> Select {
    let from = of_account!("login_state");
    Select::new("login_state", "account, state, at, text", from).bind([account.into()])
}

/// Reads it.
pub(in crate::backends::sql) fn read_login_state(
    row: &Row<'_>,
    to: &mut SessionRecord,
) -> io::Result<()> {
    let number = row.i64(1)?;
    let state = u8::try_from(number)
        .ok()
        .and_then(|number| Some((number, row.i64(2).ok()?)));
    let text = row.text(3)?;
    let state = state.and_then(|(number, at)| LoginState::from_parts(number, at, text));
    let Some(state) = state else {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!(
                "the state {number} of the login is unknown: a newer release wrote it, so update this \
                 program"
            ),
        ));
    };
    let Ok(()) = to.set_login_state(state);
    Ok(())
}

/// Stores it. The account's row must be there.
pub(in crate::backends::sql) fn set_login_state(account: &str, state: LoginState<'_>) -> Statement {
    const REMOVE: &str = concat!("DELETE FROM ", of_account!("login_state"));
    const SET: &str = concat!(
        "INSERT INTO login_state (account, state, at, text) VALUES (",
        account_id!(),
        ", ?2, ?3, ?4) ON CONFLICT (account) DO UPDATE SET state = excluded.state, at = excluded.at,
            text = excluded.text"
    );
    if state.is_active() {
        return Statement::new(REMOVE, [account.into()]);
    }
    let params = [
        account.into(),
        state.number().into(),
        Value::Integer(state.at()),
        state.text().into(),
    ];
    Statement::new(SET, params)
}
