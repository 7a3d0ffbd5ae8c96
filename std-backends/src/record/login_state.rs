//! A login state that owns its text.

use mtsession_core::Certain as _;
use mtsession_core::LoginState;

/// A [`LoginState`] that owns its text.
///
/// ```
/// use mtsession::codec::LoginState;
/// use mtsession::OwnedLoginState;
///
/// let moved = LoginState::Moved { at: 1_750_000_000, to: "sqlite:new.db" };
/// let owned = OwnedLoginState::from(moved);
/// assert_eq!(owned.as_state(), moved);
/// assert!(OwnedLoginState::default().as_state().is_active());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedLoginState {
    number: u8,
    at: i64,
    text: String,
}

impl OwnedLoginState {
    /// The state itself.
    #[must_use]
    pub fn as_state(&self) -> LoginState<'_> {
        // Only numbers of states are ever stored.
        LoginState::from_parts(self.number, self.at, &self.text)
            .certain("the number of no login state")
    }
}

impl From<LoginState<'_>> for OwnedLoginState {
    fn from(state: LoginState<'_>) -> Self {
        Self {
            number: state.number(),
            at: state.at(),
            text: state.text().to_owned(),
        }
    }
}
