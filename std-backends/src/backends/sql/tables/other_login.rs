//! What goes when a session of another login is stored: the rule of
//! [`SessionRecord::set_session`](crate::SessionRecord::set_session), as statements that need not know
//! what is there.

use mtsession_core::SessionSource;
use zeroize::Zeroizing;

use crate::backends::sql::statement::{Statement, Value};
use crate::record::home_key;

/// Where the auth key of the account's home DC is among the keys `?2` of the new session: 0 where it is in
/// none of them, `NULL` where there is no such key.
macro_rules! place_of_home_key {
    () => {
        concat!(
            "(SELECT instr(?2, auth_key) FROM ",
            of_account!("dc"),
            " AND dc_id = (SELECT home_dc FROM accounts WHERE name = ?1)
                AND auth_key IS NOT NULL ORDER BY position LIMIT 1)"
        )
    };
}

/// Removes account data, login state and names unless the new session has the key that they belong to.
/// Must come before the new DC entries.
pub(in crate::backends::sql) fn forget_other_login(
    account: &str,
    new: &impl SessionSource,
    has_names: bool,
) -> Vec<Statement> {
    const ACCOUNT: &str = concat!(
        "UPDATE accounts SET user_id = NULL, is_bot = NULL, api_id = NULL, test_mode = NULL
            WHERE name = ?1 AND ",
        place_of_home_key!(),
        " = 0"
    );
    const LOGIN_STATE: &str = concat!(
        "DELETE FROM ",
        of_account!("login_state"),
        " AND ",
        place_of_home_key!(),
        " = 0"
    );
    const NAMES: &str = concat!(
        "DELETE FROM ",
        of_account!("names"),
        " AND ",
        place_of_home_key!(),
        " = 0"
    );
    let mut keys = Zeroizing::new(Vec::new());
    if home_key(new).is_some() {
        let count = new.dcs().filter(|dc| dc.auth_key.is_some()).count();
        // Never grows: no copy of a key is left.
        keys.reserve_exact(count.saturating_mul(mtsession_core::AUTH_KEY_LEN));
        for key in new.dcs().filter_map(|dc| dc.auth_key) {
            keys.extend_from_slice(key.as_bytes());
        }
    }
    let statement = |sql| Statement::new(sql, [account.into(), Value::from(keys.as_slice())]);
    let mut statements = vec![statement(ACCOUNT), statement(LOGIN_STATE)];
    statements.extend(has_names.then(|| statement(NAMES)));
    statements
}
