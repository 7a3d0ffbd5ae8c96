//! Whether a login still holds, as far as the client that stored it knows.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Most bytes of the text of a [`LoginState`]: names of errors and addresses are short.
pub const LOGIN_TEXT_MAX: usize = 255;

/// Whether the login of a session still holds.
///
/// Stored in the trailer (see [`format`](crate::format)), where an older release refuses the session
/// instead of using a login that was given up.
///
/// ```
/// use mtsession_core::LoginState;
///
/// let revoked = LoginState::Revoked { at: 1_750_000_000, error: "AUTH_KEY_UNREGISTERED" };
/// assert!(!revoked.is_active());
/// assert_eq!(revoked.text(), "AUTH_KEY_UNREGISTERED");
/// assert_eq!(LoginState::default(), LoginState::Active);
/// ```
// The order of variants and fields is a disk format: variants are only ever added at the end, and a new
// field is a new variant.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LoginState<'a> {
    /// The login is in use, or nothing else is known of it.
    #[default]
    Active,
    /// The server has ended the login.
    Revoked {
        /// When this was learnt, in seconds since 1970.
        at: i64,
        /// The server's error, such as `AUTH_KEY_UNREGISTERED`; at most [`LOGIN_TEXT_MAX`] bytes.
        error: &'a str,
    },
    /// The session is being moved to another store: nothing may use the login before that is decided.
    Moving {
        /// When this began, in seconds since 1970.
        at: i64,
        /// The address of the other store; at most [`LOGIN_TEXT_MAX`] bytes.
        to: &'a str,
    },
    /// The session was moved to another store and must not be used from here.
    Moved {
        /// When this was, in seconds since 1970.
        at: i64,
        /// The address of the other store; at most [`LOGIN_TEXT_MAX`] bytes.
        to: &'a str,
    },
}

impl<'a> LoginState<'a> {
    /// Whether the login may be used.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self, Self::Active)
    }

    /// When the state was entered, in seconds since 1970; 0 for an active login.
    #[must_use]
    pub const fn at(&self) -> i64 {
        match *self {
            Self::Active => 0,
            Self::Revoked { at, .. } | Self::Moving { at, .. } | Self::Moved { at, .. } => at,
        }
    }

    /// The error or the address; empty for an active login.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        match *self {
            Self::Active => "",
            Self::Revoked { error, .. } => error,
            Self::Moving { to, .. } | Self::Moved { to, .. } => to,
        }
    }

    /// The state's number, as databases and the trailer store it.
    #[must_use]
    pub const fn number(&self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Revoked { .. } => 1,
            Self::Moving { .. } => 2,
            Self::Moved { .. } => 3,
        }
    }

    /// The state with this [`number`](Self::number); `None` for a number of a newer release.
    #[must_use]
    pub const fn from_parts(number: u8, at: i64, text: &'a str) -> Option<Self> {
        Some(match number {
            0 => Self::Active,
            1 => Self::Revoked { at, error: text },
            2 => Self::Moving { at, to: text },
            3 => Self::Moved { at, to: text },
            _ => return None,
        })
    }
}

impl fmt::Debug for LoginState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, field) = match self {
            Self::Active => return f.write_str("Active"),
            Self::Revoked { .. } => ("Revoked", "error"),
            Self::Moving { .. } => ("Moving", "to"),
            Self::Moved { .. } => ("Moved", "to"),
        };
        f.debug_struct(name)
            .field("at", &self.at())
            .field(field, &self.text())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_made_of_its_parts() {
        for number in 0..=3 {
            let state = LoginState::from_parts(number, 5, "text").unwrap();
            assert_eq!(state.number(), number);
            let again = LoginState::from_parts(state.number(), state.at(), state.text());
            assert_eq!(again, Some(state));
        }
        assert_eq!(LoginState::from_parts(4, 5, "text"), None);
    }
}
