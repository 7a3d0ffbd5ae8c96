//! Without the feature `seal` nothing can be sealed or opened, and what would be asked of it is never asked.

use std::io;
use std::sync::Arc;

use mtsession_core::SessionSource;
use mtsession_core::seal::{Header, SealedKind};
use mtsession_core::wire::FencingToken;

use crate::secret_bytes::SecretBytes;

/// Bytes that authenticate a box.
type Mac = [u8; 16];

/// No store is open that is sealed.
#[derive(Debug)]
pub(crate) enum OpenSeal {}

impl OpenSeal {
    pub(crate) fn snapshot(
        &self,
        _: &impl SessionSource,
        _: Option<FencingToken>,
    ) -> io::Result<(Vec<u8>, Mac)> {
        match *self {}
    }

    pub(crate) fn open_body(&self, _: &[u8]) -> io::Result<SecretBytes> {
        match *self {}
    }

    pub(crate) fn seal_record(&self, _: &Mac, _: &mut Vec<u8>) -> io::Result<Mac> {
        match *self {}
    }

    pub(crate) fn open_record<'b>(&self, _: &Mac, _: &'b mut [u8]) -> Option<&'b mut [u8]> {
        match *self {}
    }
}

/// No store can be opened that is sealed.
#[derive(Debug)]
pub(crate) enum Sealing {}

impl Sealing {
    pub(crate) fn open(&self, _: &Header<'_>, _: SealedKind) -> io::Result<Arc<OpenSeal>> {
        match *self {}
    }

    pub(crate) fn born(&self, _: SealedKind) -> io::Result<OpenSeal> {
        match *self {}
    }

    pub(crate) fn changed(&self, _: &OpenSeal) -> io::Result<OpenSeal> {
        match *self {}
    }

    pub(crate) fn is_behind(&self, _: &OpenSeal) -> io::Result<bool> {
        match *self {}
    }

    pub(crate) fn written(&self, _: &Arc<OpenSeal>) -> io::Result<()> {
        match *self {}
    }
}

/// The MAC at the end of a box.
pub(crate) fn mac_of(_: &[u8]) -> Mac {
    [0; 16]
}

/// Of no session anything is compared.
pub(crate) fn login_digest(_: &impl SessionSource) -> [u8; 32] {
    [0; 32]
}
