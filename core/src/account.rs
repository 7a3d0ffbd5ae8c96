//! Who the session belongs to: facts that the v8 body has no field for.

use serde::{Deserialize, Serialize};

/// The account that a session is logged in to, as far as it is known.
///
/// Stored in the trailer (see [`format`](crate::format)); clients that only know the v8 body lose
/// it when they save.
// The order of fields is a disk format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Account {
    /// The account's user id, positive.
    pub user_id: Option<i64>,
    /// Whether the account is a bot.
    pub is_bot: Option<bool>,
    /// The application the auth key was made with (`api_id` of my.telegram.org).
    pub api_id: Option<i32>,
    /// Whether the account lives on Telegram's test servers.
    pub test_mode: Option<bool>,
}

impl Account {
    /// The account of the user with this id, of whom nothing else is known.
    #[must_use]
    pub const fn user(id: i64) -> Self {
        Self {
            user_id: Some(id),
            is_bot: None,
            api_id: None,
            test_mode: None,
        }
    }

    /// Whether nothing is known.
    ///
    /// ```
    /// use mtsession_core::Account;
    ///
    /// assert!(Account::default().is_empty());
    /// assert!(!Account { is_bot: Some(false), ..Account::default() }.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
