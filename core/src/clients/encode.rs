//! A login as the string of any library.

use super::format::StringFormat;
use super::login::{Login, TelethonIpv6, is_zero};
use super::{gramjs, mtcute, mtkruto, pyrogram, telethon};
use crate::error::{EncodeError, Field};
use crate::text::{CompactSession, encode_native};
use crate::wire::Sink;

impl Login {
    /// Writes the string into any sink. What `format` has no room for is left out:
    /// [`Contents::of`](super::Contents::of) [without](super::Contents::without) [`StringFormat::carries`] says what that is.
    ///
    /// # Errors
    /// [`EncodeError::Missing`] names what `format` needs and the login lacks, such as
    /// [`Field::UserId`]: without it the other library would throw the login away.
    /// [`EncodeError::TooLong`] where a number does not fit. Nothing is written then.
    pub fn encode<W: Sink>(
        &self,
        format: StringFormat,
        ipv6: TelethonIpv6,
        sink: &mut W,
    ) -> Result<(), EncodeError<W::Error>> {
        if is_zero(self.auth_key().as_bytes()) {
            return Err(EncodeError::Missing(Field::DcAuthKey));
        }
        match format {
            StringFormat::Native => encode_native(self, sink),
            StringFormat::Compact => CompactSession::from_login(self)?
                .encode(sink)
                .map_err(EncodeError::Sink),
            StringFormat::Telethon => telethon::encode(self, ipv6, sink),
            StringFormat::PyrogramOld32 => pyrogram::encode_old32(self, sink),
            StringFormat::PyrogramOld64 => pyrogram::encode_old64(self, sink),
            StringFormat::Pyrogram => pyrogram::encode_new(self, sink),
            StringFormat::GramJs => gramjs::encode(self, sink),
            StringFormat::Mtcute => mtcute::encode(self, sink),
            StringFormat::MtkrutoOld => mtkruto::encode_old(self, sink),
            StringFormat::Mtkruto => mtkruto::encode_new(self, sink),
        }
    }
}
