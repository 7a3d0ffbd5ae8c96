//! Our own two kinds of session strings.

use crate::clients::detect;
use crate::decoded::Decoded;
use crate::error::{DecodeError, DecodeErrorKind, Field};

/// Decodes a native or compact string; `buffer` must be at least as long as the text. Never gives
/// [`Decoded::Client`].
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
/// [`CompactSession::decode`](super::CompactSession::decode) or
/// [`SessionView::parse`](crate::SessionView::parse).
///
/// # Errors
/// Those of [`detect`], and [`DecodeErrorKind::ForeignString`] for a sound string of another
/// library.
pub fn decode_any<'b>(text: &str, buffer: &'b mut [u8]) -> Result<Decoded<'b>, DecodeError> {
    match detect(text, buffer)? {
        Decoded::Client(format, _) => {
            let kind = DecodeErrorKind::ForeignString(format);
            Err(DecodeError::new(kind, Field::StringText, 0))
        }
        own => Ok(own),
    }
}
