//! A DC entry in fixed memory.

use heapless::String;

use crate::auth_key::{AuthKey, AuthKeyRef};
use crate::dc::{DcFlags, DcRef};
use crate::error::{Field, Full};

/// Longest address that a [`FixedSession`](crate::FixedSession) keeps, in bytes.
///
/// Telegram sends IP addresses: the longest is `"[…39 characters…]:65535"`, 47 bytes. The rest is
/// for host names of test set-ups.
pub const FIXED_ADDR_LEN: usize = 63;

/// One DC entry of a [`FixedSession`](crate::FixedSession). The key is wiped on drop.
#[derive(Debug)]
pub struct FixedDc {
    dc_id: i32,
    addr: String<FIXED_ADDR_LEN, u8>,
    auth_key: Option<AuthKey>,
    first_salt: i64,
    time_offset: i32,
    flags: DcFlags,
}

impl FixedDc {
    pub(crate) const fn new() -> Self {
        Self {
            dc_id: 0,
            addr: String::new(),
            auth_key: None,
            first_salt: 0,
            time_offset: 0,
            flags: DcFlags::NONE,
        }
    }

    /// Takes over an entry whose address fits. In place: an entry is large, and has a key.
    pub(crate) fn set(&mut self, dc: &DcRef<'_>) -> Result<(), Full> {
        self.addr.clear();
        self.addr
            .push_str(dc.addr)
            .map_err(|_| Full(Field::DcAddr))?;
        self.dc_id = dc.dc_id;
        self.auth_key = dc.auth_key.map(AuthKeyRef::copy_key);
        self.first_salt = dc.first_salt;
        self.time_offset = dc.time_offset;
        self.flags = dc.flags;
        Ok(())
    }

    pub(crate) fn set_salt(&mut self, first_salt: i64, time_offset: i32) {
        self.first_salt = first_salt;
        self.time_offset = time_offset;
    }

    /// Borrows the entry.
    #[must_use]
    pub fn as_ref(&self) -> DcRef<'_> {
        DcRef {
            dc_id: self.dc_id,
            addr: &self.addr,
            auth_key: self.auth_key.as_ref().map(AuthKey::as_ref),
            first_salt: self.first_salt,
            time_offset: self.time_offset,
            flags: self.flags,
        }
    }
}
