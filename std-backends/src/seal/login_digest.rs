//! Whether a session differs from another one in a key or in its login.

use mtsession_core::{Change, DcRef, SessionSource};
use sha2_wiped::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Most bytes of a DC entry, an account or a login state as a change.
const MOST: usize = 1024;

/// A digest of everything whose change raises the generation: keys with their addresses, the home DC, the token,
/// the account and whether the login holds. Not of salts.
pub(crate) fn login_digest(session: &impl SessionSource) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut buffer = Zeroizing::new([0; MOST]);
    let mut add = |change: &Change<'_>| {
        // None is longer: the format has bounds for them, which every writer checks.
        let bytes = change.encode(&mut buffer[..]);
        digest.update(bytes.map_or(&[][..], |bytes| bytes));
    };
    add(&Change::HomeDc(session.home_dc_id()));
    for dc in session.dcs() {
        add(&Change::Dc(DcRef {
            first_salt: 0,
            time_offset: 0,
            ..dc
        }));
    }
    add(&Change::Account(session.account()));
    add(&Change::LoginState(session.login_state()));
    digest.update([u8::from(session.future_auth_token().is_some())]);
    digest.update(session.future_auth_token().unwrap_or_default());
    digest.finalize().into()
}
