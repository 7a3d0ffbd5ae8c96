//! What a target needs of the account: each part known, or an error that names it.

use super::login::Login;
use crate::error::{EncodeError, Field};
use crate::source::SessionSource as _;

/// User ids are far below this; a higher one is something else read as one.
pub(super) const USER_ID_LIMIT: i64 = 1 << 48;

/// What the formats that know their user have in common; each part is needed.
pub(super) struct UserIdentity {
    pub(super) user_id: u64,
    pub(super) is_bot: bool,
}

impl UserIdentity {
    pub(super) fn of<E>(login: &Login) -> Result<Self, EncodeError<E>> {
        let missing = EncodeError::Missing;
        let user_id = login.account().user_id.ok_or(missing(Field::UserId))?;
        Ok(Self {
            user_id: u64::try_from(user_id)
                .ok()
                .filter(|_| (1..USER_ID_LIMIT).contains(&user_id))
                .ok_or(missing(Field::UserId))?,
            is_bot: login.account().is_bot.ok_or(missing(Field::IsBot))?,
        })
    }
}

/// The application id as a string holds it.
pub(super) fn api_id<E>(login: &Login) -> Result<u32, EncodeError<E>> {
    login
        .account()
        .api_id
        .and_then(|id| u32::try_from(id).ok())
        .filter(|id| *id > 0)
        .ok_or(EncodeError::Missing(Field::ApiId))
}

/// The test flag, where it is known or can be told by the address.
pub(super) fn test_mode<E>(login: &Login) -> Result<bool, EncodeError<E>> {
    login
        .test_mode()
        .ok_or(EncodeError::Missing(Field::TestMode))
}
