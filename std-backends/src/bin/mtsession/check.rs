//! One line of what `verify` says.

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    /// Worth knowing, not wrong.
    Note,
    Problem,
}

impl Outcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

/// How it came out, what was looked at, and what was found.
pub(crate) type Check = (Outcome, &'static str, String);
