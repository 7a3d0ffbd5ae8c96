//! Our own two kinds of session strings.

use super::compact::CompactSession;
use crate::clients::{Detected, detect};
use crate::either::forward_to_either;
use crate::error::{DecodeError, DecodeErrorKind, Field};
use crate::source::SessionSource;
use crate::wire::SessionView;

/// A session from a string of either kind.
#[derive(Debug)]
pub enum AnySession<'b> {
    /// A whole session, read in place.
    Native(SessionView<'b>),
    /// What a login needs.
    Compact(CompactSession),
}

/// Decodes a native or compact string; `buffer` must be at least as long as the text.
///
/// White space, quotes, padding and the standard alphabet are accepted. What `buffer` holds
/// afterwards is the decoded session: wipe it when done.
///
/// ```
/// use mtsession_core::text::decode_any;
///
/// let mut buffer = [0; 64];
/// let error = decode_any("not a session!", &mut buffer).unwrap_err();
/// assert_eq!(error.to_string(), "character 13 of the session string is not base64");
/// ```
///
/// A string of another library is refused by its name, which takes the decoders of all of them: about
/// 12 KB of code on a Cortex-M0+. Firmware that does without calls [`decoded`](super::decoded) and then
/// [`CompactSession::decode`] or [`SessionView::parse`].
///
/// # Errors
/// Those of [`detect`], and [`DecodeErrorKind::ForeignString`] for a sound string of another
/// library.
pub fn decode_any<'b>(text: &str, buffer: &'b mut [u8]) -> Result<AnySession<'b>, DecodeError> {
    match detect(text, buffer)? {
        Detected::Own(session) => Ok(session),
        Detected::Foreign(format, _) => {
            let kind = DecodeErrorKind::ForeignString(format);
            Err(DecodeError::new(kind, Field::StringText, 0))
        }
    }
}

impl SessionSource for AnySession<'_> {
    forward_to_either!(self; (Self::Native(view) => view, Self::Compact(compact) => compact));
}
