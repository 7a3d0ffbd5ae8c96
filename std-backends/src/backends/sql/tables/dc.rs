//! DC entries.

use std::io;

use mtsession_core::{AuthKeyRef, DcFlags, DcRef, DcSlot, SessionMut as _, SessionSource as _};

use super::position;
use crate::backends::sql::checksum::{self, checksum};
use crate::backends::sql::row::Row;
use crate::backends::sql::statement::{Select, Statement, Value};
use crate::record::SessionRecord;

/// The DC table, in order.
pub(in crate::backends::sql) fn select_dcs(account: &str) -> Select {
    let columns = "position, dc_id, flags, addr, auth_key, first_salt, time_offset, account, crc";
    let from = concat!(of_account!("dc"), " ORDER BY position");
    Select::new("dc", columns, from).bind([account.into()])
}

/// Reads a row of the DC table and appends it.
pub(in crate::backends::sql) fn push_dc_row(
    row: &Row<'_>,
    to: &mut SessionRecord,
) -> io::Result<()> {
    let dc = DcRef {
        dc_id: row.number(1)?,
        addr: row.text(3)?,
        auth_key: row.optional_key(4)?.map(AuthKeyRef::new),
        first_salt: row.i64(5)?,
        time_offset: row.number(6)?,
        flags: DcFlags(row.number(2)?),
    };
    let place: i32 = row.number(0)?;
    if usize::try_from(place).ok() != Some(to.dcs().len()) {
        return Err(row.out_of_range(0, place.into()));
    }
    row.check(
        8,
        checksum::of_row(checksum::of_dc(&dc), row.i64(7)?, place),
    )?;
    let Ok(()) = to.push_dc(&dc);
    Ok(())
}

fn dc_params(account: &str, dc: &DcRef<'_>) -> Vec<Value> {
    vec![
        account.into(),
        dc.dc_id.into(),
        dc.flags.0.into(),
        dc.addr.into(),
        dc.auth_key.map(|key| key.as_bytes().as_slice()).into(),
        dc.first_salt.into(),
        dc.time_offset.into(),
        checksum::of_dc(dc).into(),
    ]
}

/// Stores the entry at the place that is chosen by a query of `account` and `position`.
macro_rules! put_dc_at {
    ($($place:tt)+) => {
        concat!(
            "INSERT INTO dc (account, position, dc_id, flags, addr, auth_key, first_salt, time_offset, crc)
            SELECT account, position, ?2, ?3, ?4, ?5, ?6, ?7, ",
            checksum!("?8", "account", "position"),
            " FROM (",
            $($place)+,
            ") WHERE true ON CONFLICT (account, position) DO UPDATE SET dc_id = excluded.dc_id,
            flags = excluded.flags, addr = excluded.addr, auth_key = excluded.auth_key,
            first_salt = excluded.first_salt, time_offset = excluded.time_offset, crc = excluded.crc"
        )
    };
}

/// Stores a DC entry at its position.
pub(in crate::backends::sql) fn replace_dc(
    account: &str,
    index: usize,
    dc: &DcRef<'_>,
) -> Statement {
    const SQL: &str =
        put_dc_at!("SELECT id AS account, ?9 AS position FROM accounts WHERE name = ?1");
    let mut params = dc_params(account, dc);
    params.push(position(index));
    Statement::new(SQL, params)
}

/// Stores a DC entry in its slot, or after the others. The identity is [`DcRef::slot`] in SQL: the id
/// and the flags that make a slot (IPv6, media only, obfuscated TCP only, CDN).
pub(in crate::backends::sql) fn put_dc(account: &str, dc: &DcRef<'_>) -> Statement {
    const SQL: &str = put_dc_at!(concat!(
        "SELECT ",
        account_id!(),
        " AS account, coalesce((SELECT min(position) FROM ",
        of_account!("dc"),
        " AND dc_id = ?2 AND flags & 15 = ?3 & 15), (SELECT max(position) + 1 FROM ",
        of_account!("dc"),
        "), 0) AS position"
    ));
    Statement::new(SQL, dc_params(account, dc))
}

/// Stores salt and clock of the entry in this slot, if there is one. The checksum does not cover them.
pub(in crate::backends::sql) fn put_salt(
    account: &str,
    slot: DcSlot,
    first_salt: i64,
    time_offset: i32,
) -> Statement {
    const SQL: &str = concat!(
        "UPDATE dc SET first_salt = ?4, time_offset = ?5 WHERE account = ",
        account_id!(),
        " AND position = (SELECT min(position) FROM ",
        of_account!("dc"),
        " AND dc_id = ?2 AND flags & 15 = ?3)"
    );
    let params = [
        account.into(),
        slot.dc_id.into(),
        slot.flags().0.into(),
        first_salt.into(),
        time_offset.into(),
    ];
    Statement::new(SQL, params)
}

/// Removes the DC entries from this position on.
pub(in crate::backends::sql) fn truncate_dcs(account: &str, len: usize) -> Statement {
    const SQL: &str = concat!("DELETE FROM ", of_account!("dc"), " AND position >= ?2");
    Statement::new(SQL, [account.into(), position(len)])
}
