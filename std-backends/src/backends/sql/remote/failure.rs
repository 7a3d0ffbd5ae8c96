//! Why a request failed, and what is known of a change that it carried.

use core::fmt;
use core::time::Duration;
use std::io;

use crate::error::classify::{inside, of_error};
use crate::error::kind::{Outcome, StoreErrorKind};

/// A request that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: io::ErrorKind,
    pub(super) message: String,
    /// It may have been carried out, or may still be.
    pub(super) is_unknown: bool,
    /// Sending it once more can help.
    pub(super) can_be_repeated: bool,
    /// How long the server asks to wait before that.
    pub(super) wait: Option<Duration>,
    /// What stood in the way.
    pub(super) reason: Reason,
}

/// What stood in the way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The server said no, and why where that is known.
    Refused(Option<StoreErrorKind>),
    /// Others were faster, or too many.
    Contended,
    /// The server could not be reached or understood.
    Unreachable,
}

impl Failure {
    /// The server said no, and will say it again.
    pub(super) fn refused(kind: io::ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            is_unknown: false,
            can_be_repeated: false,
            wait: None,
            reason: Reason::Refused(None),
        }
    }

    /// An error about what was to be sent or about what was read.
    pub(super) fn about(error: &io::Error) -> Self {
        Self {
            reason: Reason::Refused(Some(of_error(error).0)),
            ..Self::refused(error.kind(), error.to_string())
        }
    }

    /// Not carried out, but perhaps the next time.
    pub(super) fn not_carried_out(kind: io::ErrorKind, message: impl Into<String>) -> Self {
        Self {
            can_be_repeated: true,
            reason: match kind {
                io::ErrorKind::WouldBlock => Reason::Contended,
                _ => Reason::Unreachable,
            },
            ..Self::refused(kind, message)
        }
    }

    /// The server may have got it, and may carry it out later.
    pub(super) fn unanswered(kind: io::ErrorKind, message: impl Into<String>) -> Self {
        Self {
            is_unknown: true,
            reason: Reason::Unreachable,
            ..Self::not_carried_out(kind, message)
        }
    }

    /// What came is not an answer that can be believed.
    pub(super) fn garbled(what: impl fmt::Display) -> Self {
        let message =
            format!("the answer is not what a libSQL server sends ({what}): check the url");
        Self::unanswered(io::ErrorKind::InvalidData, message)
    }

    /// The time for the whole call is over; nothing more is sent.
    pub(super) fn deadline(whole: Duration) -> Self {
        let message = format!("the call was not finished within its deadline of {whole:?}");
        Self {
            can_be_repeated: false,
            ..Self::not_carried_out(io::ErrorKind::TimedOut, message)
        }
    }

    /// The server said no, as opposed to not answering.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.reason, Reason::Refused(_))
    }

    /// The same with words that `quote` made presentable.
    pub(super) fn quoting(self, quote: impl FnOnce(&str) -> String) -> Self {
        Self {
            message: quote(&self.message),
            ..self
        }
    }

    /// As the error of a read.
    pub(super) fn of_read(self) -> io::Error {
        self.into_error(Fate::NoChange)
    }

    /// As the error of a change.
    pub(super) fn of_change(self) -> io::Error {
        let fate = if self.is_unknown {
            Fate::Unknown
        } else {
            Fate::Unchanged
        };
        self.into_error(fate)
    }

    fn into_error(self, fate: Fate) -> io::Error {
        let error = RemoteError {
            message: self.message,
            fate,
            reason: self.reason,
        };
        io::Error::new(self.kind, error)
    }
}

/// What is known of a change that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backends::sql) enum Fate {
    /// There was none: something was read.
    NoChange,
    Unchanged,
    Unknown,
    /// It was stored; what failed came after.
    Stored,
}

/// What is inside of every `io::Error` about a server.
#[derive(Debug)]
pub(crate) struct RemoteError {
    message: String,
    fate: Fate,
    reason: Reason,
}

impl RemoteError {
    pub(in crate::backends::sql) fn of(error: &io::Error) -> Option<&Self> {
        inside(error)
    }

    /// Whether the server said no, as opposed to being busy, or to not answering.
    pub(in crate::backends::sql) fn is_refusal(&self) -> bool {
        matches!(self.reason, Reason::Refused(_))
    }

    /// Whether the server could not be reached or understood.
    pub(in crate::backends::sql) fn is_offline(&self) -> bool {
        self.reason == Reason::Unreachable
    }

    /// What is wrong, in an `io::Error` of this kind.
    pub(crate) fn kind(&self, kind: io::ErrorKind) -> StoreErrorKind {
        match self.reason {
            Reason::Unreachable => StoreErrorKind::Unreachable,
            Reason::Contended => StoreErrorKind::Contended,
            Reason::Refused(Some(known)) => known,
            Reason::Refused(None) => match StoreErrorKind::of_io(kind) {
                StoreErrorKind::Other => StoreErrorKind::Refused,
                known => known,
            },
        }
    }

    pub(in crate::backends::sql) fn fate(&self) -> Fate {
        self.fate
    }

    /// The same error with other words, and perhaps more knowledge.
    pub(in crate::backends::sql) fn reworded(&self, fate: Fate, words: fmt::Arguments<'_>) -> Self {
        Self {
            message: words.to_string(),
            fate,
            reason: self.reason,
        }
    }

    /// What became of the change.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.fate {
            Fate::NoChange | Fate::Unchanged => Outcome::Unchanged,
            Fate::Unknown => Outcome::Unknown,
            Fate::Stored => Outcome::Stored,
        }
    }

    /// The words alone.
    pub(in crate::backends::sql) fn message(&self) -> &str {
        &self.message
    }
}

/// Says of an error in the course of a change, while nothing but reads was sent, that nothing was
/// changed.
pub(in crate::backends::sql) fn in_change(error: io::Error) -> io::Error {
    match RemoteError::of(&error) {
        Some(cause) if cause.fate == Fate::NoChange => {
            let cause = cause.reworded(Fate::Unchanged, format_args!("{}", cause.message));
            io::Error::new(error.kind(), cause)
        }
        _ => error,
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        f.write_str(match self.fate {
            Fate::NoChange | Fate::Stored => "",
            Fate::Unchanged => " (nothing was changed)",
            Fate::Unknown => " (whether the change was stored is unknown; load to find out)",
        })
    }
}

impl core::error::Error for RemoteError {}
