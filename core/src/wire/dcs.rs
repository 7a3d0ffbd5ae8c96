//! The DC table, read in place.

use super::layout::{HAS_DC_FLAGS, KEY_LEN};
use super::reader::Reader;
use crate::auth_key::AuthKeyRef;
use crate::dc::{DcFlags, DcRef};
use crate::error::{DecodeError, DecodeErrorKind, Field};

/// The DC table: checked when read, then walked again by every iteration.
#[derive(Clone, Copy)]
pub(super) struct Dcs<'a> {
    reader: Reader<'a>,
    version: u8,
    left: usize,
}

impl<'a> Dcs<'a> {
    /// Moves `reader` to the end of the table.
    pub(super) fn read(reader: &mut Reader<'a>, version: u8) -> Result<Self, DecodeError> {
        let left = reader.len_u8(Field::DcCount)?;
        let dcs = Self {
            reader: *reader,
            version,
            left,
        };
        for _ in 0..left {
            check_dc(reader, version)?;
        }
        Ok(dcs)
    }
}

impl<'a> Iterator for Dcs<'a> {
    type Item = DcRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<DcRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        read_dc(&mut self.reader, self.version).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Dcs<'_> {}

/// Moves `reader` past an entry that [`read_dc`] can read.
fn check_dc(reader: &mut Reader<'_>, version: u8) -> Result<(), DecodeError> {
    let start = *reader;
    reader.i32(Field::DcId)?;
    if reader.presence(Field::DcHasKey)? {
        reader.bytes(KEY_LEN, Field::DcAuthKey)?;
    }
    reader.i64(Field::DcFirstSalt)?;
    reader.i32(Field::DcTimeOffset)?;
    let addr_len = reader.len_u8(Field::DcAddrLen)?;
    let addr = reader.bytes(addr_len, Field::DcAddr)?;
    // Faster than decoding, and true of every address.
    if !addr.is_ascii() {
        *reader = start;
        return read_dc(reader, version).map(|_| ());
    }
    if version >= HAS_DC_FLAGS {
        reader.u8(Field::DcFlags)?;
    }
    Ok(())
}

#[inline]
fn read_dc<'a>(reader: &mut Reader<'a>, version: u8) -> Result<DcRef<'a>, DecodeError> {
    let dc_id = reader.i32(Field::DcId)?;
    let auth_key = if reader.presence(Field::DcHasKey)? {
        Some(AuthKeyRef::new(reader.array(Field::DcAuthKey)?))
    } else {
        None
    };
    let first_salt = reader.i64(Field::DcFirstSalt)?;
    let time_offset = reader.i32(Field::DcTimeOffset)?;
    let addr_len = reader.len_u8(Field::DcAddrLen)?;
    let addr_at = *reader;
    let addr = core::str::from_utf8(reader.bytes(addr_len, Field::DcAddr)?)
        .map_err(|_| addr_at.error(DecodeErrorKind::Utf8, Field::DcAddr))?;
    let flags = if version >= HAS_DC_FLAGS {
        DcFlags(reader.u8(Field::DcFlags)?)
    } else {
        DcFlags::NONE
    };
    Ok(DcRef {
        dc_id,
        addr,
        auth_key,
        first_salt,
        time_offset,
        flags,
    })
}
