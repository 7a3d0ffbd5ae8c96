//! Portable compact strings, with the names of `ferogram-session` 0.6.6.
//!
//! New code finds the same without a heap in [`core::text`](mtsession_core::text).

use core::fmt;
use core::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mtsession_core::Certain as _;
use mtsession_core::text::{COMPACT_MAX_CHARS, CompactFull, CompactSession, decode_any, decoded};
use mtsession_core::{AUTH_KEY_LEN, AuthKey, DecodeErrorKind, Decoded};

use crate::secret_bytes::SecretBytes;

/// A version 1 session: what a login needs, and the state of the connection that exported it.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the fields are those of CompactSession and CompactFull"
)]
pub struct FullSession {
    pub dc_id: u8,
    pub ip: IpAddr,
    pub port: u16,
    pub auth_key: [u8; AUTH_KEY_LEN],
    pub user_id: i64,
    pub server_salt: i64,
    pub seq_no: u32,
    pub layer: u32,
}

/// A version 2 session: what a login needs.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of CompactSession")]
pub struct Session {
    pub dc_id: u8,
    pub ip: IpAddr,
    pub port: u16,
    pub auth_key: [u8; AUTH_KEY_LEN],
    pub user_id: i64,
}

/// A compact string, decoded.
///
/// ```
/// use mtsession::{Session, StringSession};
///
/// let session = Session {
///     dc_id: 2,
///     ip: "149.154.167.51".parse()?,
///     port: 443,
///     auth_key: [7; 256],
///     user_id: 777_000,
/// };
/// let text = StringSession::from(session).encode();
/// assert_eq!(StringSession::decode(&text)?.session().user_id, 777_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum StringSession {
    /// Version 1.
    V1(FullSession),
    /// Version 2.
    V2(Session),
}

/// Why a compact string could not be decoded or encoded.
#[derive(Debug)]
pub enum StringSessionError {
    /// The text is not base64.
    Base64(base64::DecodeError),
    /// The data is cut short, too long, or lacks what the target version needs.
    InvalidData,
    /// The version byte is neither 1 nor 2.
    UnsupportedVersion(u8),
    /// The address family byte is neither 4 nor 6.
    UnknownIpType(u8),
}

impl StringSession {
    /// Decodes a compact string, in whatever it was pasted with.
    ///
    /// # Errors
    /// See [`StringSessionError`]. A native string is not a compact one: it has another version byte.
    pub fn decode(text: &str) -> Result<Self, StringSessionError> {
        let mut buffer = SecretBytes::zeros(text.len());
        let compact = if let Ok(Decoded::Compact(compact)) = decode_any(text, &mut buffer) {
            compact
        } else {
            // Its own errors are part of the old API.
            let bytes = decoded(text, &mut buffer).map_err(|_| base64_error(text))?;
            CompactSession::decode(bytes).map_err(|error| match error.kind {
                DecodeErrorKind::CompactVersion(byte) => {
                    StringSessionError::UnsupportedVersion(byte)
                }
                DecodeErrorKind::IpType(byte) => StringSessionError::UnknownIpType(byte),
                _ => StringSessionError::InvalidData,
            })?
        };
        let v2 = Session {
            dc_id: compact.dc_id(),
            ip: compact.ip(),
            port: compact.port(),
            auth_key: *compact.auth_key().as_bytes(),
            user_id: compact.user_id(),
        };
        Ok(match compact.full() {
            None => Self::V2(v2),
            Some(full) => Self::V1(FullSession {
                dc_id: v2.dc_id,
                ip: v2.ip,
                port: v2.port,
                auth_key: v2.auth_key,
                user_id: v2.user_id,
                server_salt: full.server_salt,
                seq_no: full.seq_no,
                layer: full.layer,
            }),
        })
    }

    /// The version 2 string; what only version 1 carries is left out.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(&compact(&self.session()))
    }

    /// The version 1 string, or nothing for a version 2 session, which lacks what it needs: use
    /// [`try_encode_v1`](Self::try_encode_v1). (The old crate panicked.)
    #[must_use]
    pub fn encode_v1(&self) -> String {
        self.try_encode_v1().unwrap_or_default()
    }

    /// The version 1 string.
    ///
    /// # Errors
    /// [`StringSessionError::InvalidData`] for a version 2 session.
    pub fn try_encode_v1(&self) -> Result<String, StringSessionError> {
        let full = self.full_session().ok_or(StringSessionError::InvalidData)?;
        Ok(encode(&compact(&self.session()).with_full(CompactFull {
            server_salt: full.server_salt,
            seq_no: full.seq_no,
            layer: full.layer,
        })))
    }

    /// What both versions carry.
    #[must_use]
    pub fn session(&self) -> Session {
        match self {
            Self::V1(full) => Session {
                dc_id: full.dc_id,
                ip: full.ip,
                port: full.port,
                auth_key: full.auth_key,
                user_id: full.user_id,
            },
            Self::V2(session) => session.clone(),
        }
    }

    /// The version 1 session, if it is one.
    #[must_use]
    pub fn full_session(&self) -> Option<&FullSession> {
        match self {
            Self::V1(full) => Some(full),
            Self::V2(_) => None,
        }
    }

    /// 1 or 2.
    #[must_use]
    pub fn version(&self) -> u8 {
        match self {
            Self::V1(_) => 1,
            Self::V2(_) => 2,
        }
    }
}

fn compact(session: &Session) -> CompactSession {
    let key = AuthKey::new(session.auth_key);
    CompactSession::new(
        session.dc_id,
        session.ip,
        session.port,
        key,
        session.user_id,
    )
}

fn encode(compact: &CompactSession) -> String {
    let mut text = Vec::with_capacity(COMPACT_MAX_CHARS);
    let Ok(()) = compact.encode(&mut text);
    String::from_utf8(text).certain("base64 is ASCII")
}

/// The error that the drop-in API promises for text that is not base64.
fn base64_error(text: &str) -> StringSessionError {
    match URL_SAFE_NO_PAD.decode(text.trim()) {
        Err(error) => StringSessionError::Base64(error),
        Ok(_) => StringSessionError::InvalidData,
    }
}

impl From<FullSession> for StringSession {
    fn from(session: FullSession) -> Self {
        Self::V1(session)
    }
}

impl From<Session> for StringSession {
    fn from(session: Session) -> Self {
        Self::V2(session)
    }
}

/// Hides the key.
impl fmt::Debug for FullSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FullSession")
            .field("dc_id", &self.dc_id)
            .field("ip", &self.ip)
            .field("port", &self.port)
            .field("user_id", &self.user_id)
            .field("seq_no", &self.seq_no)
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}

/// Hides the key.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("dc_id", &self.dc_id)
            .field("ip", &self.ip)
            .field("port", &self.port)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// Hides the key.
impl fmt::Debug for StringSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V1(full) => f.debug_tuple("V1").field(full).finish(),
            Self::V2(session) => f.debug_tuple("V2").field(session).finish(),
        }
    }
}

impl fmt::Display for StringSessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64(_) => {
                f.write_str("session string is not base64, or characters are missing")
            }
            Self::InvalidData => {
                f.write_str("session string is cut short, too long, or not a full session")
            }
            Self::UnsupportedVersion(byte) => {
                write!(
                    f,
                    "session string version {byte} is not a compact one (1 or 2)"
                )
            }
            Self::UnknownIpType(byte) => {
                write!(f, "session string has address family {byte}, not 4 or 6")
            }
        }
    }
}

impl core::error::Error for StringSessionError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Base64(error) => Some(error),
            _ => None,
        }
    }
}

impl From<base64::DecodeError> for StringSessionError {
    fn from(error: base64::DecodeError) -> Self {
        Self::Base64(error)
    }
}
