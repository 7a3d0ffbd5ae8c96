//! A login state that owns its text.

use mtsession_core::Certain as _;
use mtsession_core::LoginState;

/// A login state that owns its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnedLogin {
    number: u8,
    at: i64,
    text: String,
}

impl OwnedLogin {
    /// The state itself.
    pub(crate) fn get(&self) -> LoginState<'_> {
        // Only numbers of states are ever stored.
        LoginState::from_parts(self.number, self.at, &self.text)
            .certain("the number of no login state")
    }
}

impl From<LoginState<'_>> for OwnedLogin {
    fn from(state: LoginState<'_>) -> Self {
        Self {
            number: state.number(),
            at: state.at(),
            text: state.text().to_owned(),
        }
    }
}
