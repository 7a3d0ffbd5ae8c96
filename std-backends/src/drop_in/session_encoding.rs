//! A session as bytes, as a string and as a file.

use core::fmt;
use std::io;
use std::path::Path;

use mtsession_core::Certain as _;
use mtsession_core::text::{Base64Sink, decode_any, encoded_text_len};
use mtsession_core::wire::{Sink, encode_to_vec};
use mtsession_core::{DecodeErrorKind, SessionSource, SessionView};
use zeroize::Zeroizing;

use crate::backend::SessionBackend;
use crate::backends::file::BinaryFileBackend;
use crate::drop_in::session::PersistedSession;
use crate::record::{SessionRecord, TooLong};
use crate::secret_bytes::SecretBytes;

impl PersistedSession {
    /// The session encoded as version 8 with a checksummed trailer, which older readers ignore.
    ///
    /// What no file can hold (more than 255 DC entries, an address of more than 255 bytes, a token of
    /// more than 65,535) encodes to nothing, which every reader refuses; use
    /// [`try_to_bytes`](Self::try_to_bytes) to learn which it is.
    ///
    /// ```
    /// use mtsession::PersistedSession;
    ///
    /// let session = PersistedSession { home_dc_id: 2, ..Default::default() };
    /// assert_eq!(PersistedSession::from_bytes(&session.to_bytes())?, session);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.try_to_bytes().unwrap_or_default()
    }

    /// Like [`to_bytes`](Self::to_bytes), but says what does not fit.
    ///
    /// # Errors
    /// `InvalidInput` with an [`TooLong`](mtsession_core::EncodeError::TooLong) inside.
    pub fn try_to_bytes(&self) -> io::Result<Vec<u8>> {
        Ok(encode_to_vec(self)?)
    }

    /// Decodes any version, with or without trailer, and session files with the changes at their end.
    ///
    /// # Errors
    /// `InvalidData` with a [`DecodeError`](mtsession_core::DecodeError) inside, which says which
    /// field, where and why.
    pub fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        match SessionView::parse(bytes) {
            Err(error) if error.kind == DecodeErrorKind::HasChanges => {
                SessionRecord::from_bytes(bytes).map(SessionRecord::into_session)
            }
            parsed => Ok(Self::copy_of(&parsed?)),
        }
    }

    /// Decodes a session string: native or compact, in whatever it was pasted with.
    ///
    /// # Errors
    /// `InvalidData` with a [`DecodeError`](mtsession_core::DecodeError) inside.
    pub fn from_string(text: &str) -> io::Result<Self> {
        let mut buffer = SecretBytes::zeros(text.len());
        Ok(Self::copy_of(&decode_any(text, &mut buffer)?))
    }

    /// The native session string, wiped when dropped.
    ///
    /// # Errors
    /// As [`try_to_bytes`](Self::try_to_bytes).
    pub fn to_session_string(&self) -> io::Result<Zeroizing<String>> {
        Ok(encode_to_string(self)?)
    }

    /// Saves to a file as [`BinaryFileBackend`] does.
    ///
    /// # Errors
    /// As [`SessionBackend::save`].
    pub fn save(&self, path: &Path) -> io::Result<()> {
        BinaryFileBackend::new(path).save(self)
    }

    /// Loads from a file as [`BinaryFileBackend`] does.
    ///
    /// # Errors
    /// As [`SessionBackend::load`]; `NotFound` when there is no file.
    pub fn load(path: &Path) -> io::Result<Self> {
        BinaryFileBackend::new(path).load()?.ok_or_else(|| {
            let message = format!("no session at {}", path.display());
            io::Error::new(io::ErrorKind::NotFound, message)
        })
    }
}

/// Why the characters of a string are text.
const ASCII: &str = "base64 is ASCII";

/// Encodes any session as a native string.
pub(crate) fn encode_to_string<S: SessionSource>(source: &S) -> Result<Zeroizing<String>, TooLong> {
    let bytes = SecretBytes::from(encode_to_vec(source)?);
    let mut text = Vec::with_capacity(encoded_text_len(bytes.len()));
    let Ok(()) = write_base64(&bytes, &mut text);
    Ok(Zeroizing::new(String::from_utf8(text).certain(ASCII)))
}

/// Writes bytes as the characters of a string. Encoding a session into memory first takes less time
/// than gathering its fields for the sink.
fn write_base64<W: Sink>(bytes: &[u8], sink: &mut W) -> Result<(), W::Error> {
    let mut base64 = Base64Sink::new(sink);
    base64.write(bytes)?;
    base64.finish()
}

/// Writes the **session string**: anyone who reads it owns the account. Nothing is written for a session
/// that no string can hold; see [`PersistedSession::to_bytes`].
impl fmt::Display for PersistedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct ToFormatter<'f, 'b>(&'f mut fmt::Formatter<'b>);

        impl Sink for ToFormatter<'_, '_> {
            type Error = fmt::Error;

            fn write(&mut self, bytes: &[u8]) -> fmt::Result {
                self.0.write_str(str::from_utf8(bytes).certain(ASCII))
            }
        }

        match encode_to_vec(self) {
            Ok(bytes) => write_base64(&SecretBytes::from(bytes), &mut ToFormatter(f)),
            Err(_) => Ok(()),
        }
    }
}
