//! Who owns an account.
//!
//! The token of the owner is in the account's own row, which every write changes: the statement that does so fails
//! where the token is not the writer's, and with it all of the transaction. An account that is owned before
//! anybody has logged in is a row whose revision is [`NO_SESSION`], which nobody reads.
//!
//! On a server, the row of `lease` says until when, by the server's clock. In a file a lock of the system decides,
//! and the row is there for people.

use mtsession_core::wire::FencingToken;

use crate::backends::sql::definition::no_session;
use crate::backends::sql::statement::{Select, Statement, Value};

/// For how many seconds a lease holds.
pub(in crate::backends::sql) const TERM: i64 = 30;

/// How many seconds after the end of a lease another owner may come.
const MARGIN: i64 = 5;

/// Who may put a token into an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backends::sql) enum Terms {
    /// Who has the lock of the system, for as long as it has that.
    Lock,
    /// The one who comes when no lease holds, or takes over.
    Lease { takes_over: bool },
}

/// Whether nobody has a lease of the account at hand, `?3` seconds after its end.
macro_rules! is_free {
    ($margin:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM lease WHERE account = accounts.id AND expires + ",
            $margin,
            " > unixepoch())"
        )
    };
}

/// Makes a token the account's, or fails.
pub(in crate::backends::sql) fn take(
    account: &str,
    token: &FencingToken,
    who: &str,
    terms: Terms,
) -> [Statement; 3] {
    const PLACE: &str = concat!(
        "INSERT INTO accounts (name, revisions) VALUES (?1, ",
        no_session!(),
        ") ON CONFLICT (name) DO NOTHING"
    );
    const TAKE: &str = concat!(
        "UPDATE accounts SET owner = ?2,
            revisions = CASE WHEN owner IS NULL OR owner = ?2 OR ?4 OR ",
        is_free!("?3"),
        " THEN revisions END WHERE name = ?1"
    );
    const LEASE: &str = "\
        INSERT INTO lease (account, who, expires)
        SELECT id, ?2, CASE WHEN ?3 IS NULL THEN 0 ELSE unixepoch() + ?3 END
        FROM accounts WHERE name = ?1
        ON CONFLICT (account) DO UPDATE SET who = excluded.who, expires = excluded.expires";
    let (may_take, term) = match terms {
        Terms::Lock => (true, None),
        Terms::Lease { takes_over } => (takes_over, Some(TERM)),
    };
    let name = || Value::from(account);
    let taken = [name(), token[..].into(), MARGIN.into(), may_take.into()];
    [
        Statement::new(PLACE, [name()]),
        Statement::new(TAKE, taken),
        Statement::new(LEASE, [name(), who.into(), term.into()]),
    ]
}

/// Makes a lease longer, or fails where the token is not the account's any more.
pub(in crate::backends::sql) fn extend(account: &str, token: &FencingToken) -> [Statement; 2] {
    const LEASE: &str = concat!(
        "UPDATE lease SET expires = unixepoch() + ?2 WHERE account = ",
        account_id!()
    );
    [
        Statement::new(GUARD, [account.into(), token[..].into()]),
        Statement::new(LEASE, [account.into(), TERM.into()]),
    ]
}

/// Fails where the token `?2` is not the account's.
const GUARD: &str = "\
    INSERT INTO accounts (name, revisions)
    SELECT ?1, NULL WHERE (SELECT owner FROM accounts WHERE name = ?1) IS NOT ?2";

/// Fails where the writer does not own the account, and somebody else does.
pub(super) fn fence(account: &str) -> Statement {
    Statement::fenced(GUARD, [account.into()])
}

/// Makes the row of an account one without a session, with another number, and leaves its owner.
pub(super) const KEEP: [&str; 4] = [
    // No name has such a character.
    concat!(
        "INSERT INTO accounts (name, revisions, owner)
            SELECT name || char(1), ",
        no_session!(),
        ", owner FROM accounts WHERE name = ?1"
    ),
    "UPDATE lease SET account = (SELECT id FROM accounts WHERE name = ?1 || char(1))
        WHERE account = (SELECT id FROM accounts WHERE name = ?1)",
    "DELETE FROM accounts WHERE name = ?1",
    "UPDATE accounts SET name = ?1 WHERE name = ?1 || char(1)",
];

/// Gives the account free, if the token is its own.
pub(in crate::backends::sql) fn release(account: &str, token: &[u8]) -> [Statement; 3] {
    const LEASE: &str = "\
        DELETE FROM lease WHERE account = (SELECT id FROM accounts WHERE name = ?1 AND owner = ?2)";
    const ACCOUNT: &str = "UPDATE accounts SET owner = NULL WHERE name = ?1 AND owner = ?2";
    [
        Statement::new(LEASE, [account.into(), token.into()]),
        Statement::new(ACCOUNT, [account.into(), token.into()]),
        forget_place(account),
    ]
}

/// Removes the row of an account that was owned, and never had a session.
fn forget_place(account: &str) -> Statement {
    const SQL: &str = concat!(
        "DELETE FROM accounts WHERE name = ?1 AND owner IS NULL AND revisions = ",
        no_session!()
    );
    Statement::new(SQL, [account.into()])
}

/// Gives an account free whose owner has not been heard of for too long.
pub(in crate::backends::sql) fn release_expired(account: &str) -> [Statement; 2] {
    const ACCOUNT: &str = concat!(
        "UPDATE accounts SET owner = NULL WHERE name = ?1 AND ",
        is_free!("?2")
    );
    [
        Statement::new(ACCOUNT, [account.into(), MARGIN.into()]),
        forget_place(account),
    ]
}

/// Who owns the account: what is written down of it, its token, and whether its lease holds.
pub(in crate::backends::sql) fn select(account: &str) -> Select {
    let columns = "account, who, owner, expires + 5 > unixepoch()";
    let from = "lease JOIN accounts ON accounts.id = account WHERE name = ?1 AND owner IS NOT NULL";
    Select::new("lease", columns, from).bind([account.into()])
}
