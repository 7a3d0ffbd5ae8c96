//! The bytes of a new session file.

use std::io;

use std::sync::Arc;

use mtsession_core::SessionSource;
use mtsession_core::wire::FencingToken;
use mtsession_core::wire::session_file::{HEADER_LEN, TailHeader, tail_start};

use super::form::Form;
use crate::fs::file_len;
use crate::seal::OpenSeal;
use crate::secret_bytes::SecretBytes;
use crate::unique::unique_number;

/// The bytes of a new session file.
pub(super) struct NewFile {
    /// The snapshot.
    pub(super) snapshot: SecretBytes,
    /// Zeros up to the tail, and its header.
    pub(super) opening: Vec<u8>,
    pub(super) header: TailHeader,
    pub(super) form: Form,
}

impl NewFile {
    /// The session with the token of the program that owns it, sealed by what is given.
    pub(super) fn of(
        session: &impl SessionSource,
        seal: Option<Arc<OpenSeal>>,
        owner: Option<FencingToken>,
    ) -> io::Result<Self> {
        let (snapshot, form) = Form::snapshot(seal, session, owner)?;
        let crc = snapshot.last_chunk().copied().map(u32::from_le_bytes);
        let header = TailHeader {
            snapshot_len: file_len(snapshot.len()),
            snapshot_crc: crc.unwrap_or_default(),
            salt: unique_number(),
        };
        Ok(Self {
            opening: opening(snapshot.len(), header),
            snapshot,
            header,
            form,
        })
    }

    /// Bytes of all of it.
    pub(super) fn len(&self) -> u64 {
        file_len(self.snapshot.len()).saturating_add(file_len(self.opening.len()))
    }
}

/// What follows a snapshot of this length: zeros up to the tail, and its header.
pub(super) fn opening(snapshot_len: usize, header: TailHeader) -> Vec<u8> {
    let padding = tail_start(snapshot_len).saturating_sub(snapshot_len);
    let mut opening = Vec::with_capacity(padding.saturating_add(HEADER_LEN));
    opening.resize(padding, 0);
    opening.extend_from_slice(&header.to_bytes());
    opening
}
