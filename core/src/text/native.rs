//! Native strings: the whole session, trailer included.

use core::convert::Infallible;

use super::base64::{Base64Sink, encoded_text_len};
use crate::error::EncodeError;
use crate::source::SessionSource;
use crate::wire::{Sink, encode, encoded_len};

/// Encodes a session as a native string into any sink.
///
/// ```
/// use mtsession_core::text::{decode_any, encode_native};
/// use mtsession_core::{FixedSession, SessionMut, SessionSource};
///
/// let mut session = FixedSession::<1, 1, 1, 1, 1>::new();
/// session.set_home_dc_id(4);
///
/// let mut text = heapless::Vec::<u8, 512>::new();
/// encode_native(&session, &mut text)?;
/// let text = str::from_utf8(&text)?;
/// let mut buffer = [0; 128];
/// assert_eq!(decode_any(text, &mut buffer)?.home_dc_id(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn encode_native<S: SessionSource, W: Sink>(
    source: &S,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    let mut base64 = Base64Sink::new(sink);
    encode(source, &mut base64)?;
    base64.finish().map_err(EncodeError::Sink)
}

/// Characters that [`encode_native`] writes.
pub fn native_len<S: SessionSource>(source: &S) -> Result<usize, EncodeError<Infallible>> {
    encoded_len(source).map(encoded_text_len)
}
