//! The postcard encoding of a `Change`, by hand.
//!
//! The bytes are those of [`Change::encode`]; the tests compare. Serde's generic code for the same
//! takes 4 KiB more of a microcontroller's flash, a quarter of the whole log. Peers and channels are
//! [packed](crate::packed) and not known here.

use mtsession_core::{
    Account, AuthKeyRef, Change, Counters, DcFlags, DcRef, MinPeer, UpdateChange,
};

/// Writes the change and returns its length; `None` if it does not fit.
pub(crate) fn encode(change: &Change<'_>, place: &mut [u8]) -> Option<usize> {
    let mut writer = Writer { place, len: 0 };
    match change {
        Change::HomeDc(id) => {
            writer.byte(0)?;
            writer.signed((*id).into())?;
        }
        Change::Dc(dc) => {
            writer.byte(1)?;
            writer.signed(dc.dc_id.into())?;
            writer.bytes(dc.addr.as_bytes())?;
            let key = dc.auth_key.as_ref().map(|key| key.as_bytes().as_slice());
            writer.optional_bytes(key)?;
            writer.signed(dc.first_salt)?;
            writer.signed(dc.time_offset.into())?;
            writer.byte(dc.flags.0)?;
        }
        Change::Update(UpdateChange::Counters(counters)) => {
            writer.byte(2)?;
            writer.byte(0)?;
            for value in [counters.pts, counters.qts, counters.date, counters.seq] {
                writer.signed(value.into())?;
            }
        }
        Change::Update(UpdateChange::ClearChannels) => {
            writer.byte(2)?;
            writer.byte(4)?;
        }
        Change::MinPeer(min_peer) => {
            writer.byte(4)?;
            for value in [min_peer.user_id, min_peer.peer_id, min_peer.msg_id.into()] {
                writer.signed(value)?;
            }
        }
        Change::FutureAuthToken(token) => {
            writer.byte(5)?;
            writer.optional_bytes(*token)?;
        }
        Change::Account(account) => {
            writer.byte(6)?;
            writer.optional(account.user_id)?;
            writer.optional_bool(account.is_bot)?;
            writer.optional(account.api_id.map(i64::from))?;
            writer.optional_bool(account.test_mode)?;
        }
        _ => return None,
    }
    Some(writer.len)
}

/// Reads a change; `None` for what is none, or a newer release's.
pub(crate) fn decode(bytes: &[u8]) -> Option<Change<'_>> {
    let mut reader = Reader(bytes);
    Some(match reader.byte()? {
        0 => Change::HomeDc(reader.int()?),
        1 => Change::Dc(DcRef {
            dc_id: reader.int()?,
            addr: core::str::from_utf8(reader.bytes()?).ok()?,
            auth_key: match reader.optional_bytes()? {
                Some(key) => Some(AuthKeyRef::new(key.try_into().ok()?)),
                None => None,
            },
            first_salt: reader.signed()?,
            time_offset: reader.int()?,
            flags: DcFlags(reader.byte()?),
        }),
        2 => Change::Update(match reader.byte()? {
            0 => UpdateChange::Counters(Counters {
                pts: reader.int()?,
                qts: reader.int()?,
                date: reader.int()?,
                seq: reader.int()?,
            }),
            4 => UpdateChange::ClearChannels,
            _ => return None,
        }),
        4 => Change::MinPeer(MinPeer {
            user_id: reader.signed()?,
            peer_id: reader.signed()?,
            msg_id: reader.int()?,
        }),
        5 => Change::FutureAuthToken(reader.optional_bytes()?),
        6 => Change::Account(Account {
            user_id: reader.optional()?,
            is_bot: reader.optional_bool()?,
            api_id: match reader.optional()? {
                Some(id) => Some(i32::try_from(id).ok()?),
                None => None,
            },
            test_mode: reader.optional_bool()?,
        }),
        _ => return None,
    })
}

struct Writer<'p> {
    place: &'p mut [u8],
    len: usize,
}

impl Writer<'_> {
    fn byte(&mut self, byte: u8) -> Option<()> {
        *self.place.get_mut(self.len)? = byte;
        self.len = self.len.wrapping_add(1);
        Some(())
    }

    /// Seven bits a byte, the lowest first.
    fn varint(&mut self, mut value: u64) -> Option<()> {
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            if value == 0 {
                return self.byte(low);
            }
            self.byte(low | 0x80)?;
        }
    }

    fn signed(&mut self, value: i64) -> Option<()> {
        self.varint(((value << 1) ^ (value >> 63)).cast_unsigned())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        self.varint(u64::try_from(bytes.len()).ok()?)?;
        let end = self.len.checked_add(bytes.len())?;
        self.place.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }

    fn optional_bytes(&mut self, bytes: Option<&[u8]>) -> Option<()> {
        self.byte(bytes.is_some().into())?;
        bytes.map_or(Some(()), |bytes| self.bytes(bytes))
    }

    fn optional(&mut self, value: Option<i64>) -> Option<()> {
        self.byte(value.is_some().into())?;
        value.map_or(Some(()), |value| self.signed(value))
    }

    fn optional_bool(&mut self, value: Option<bool>) -> Option<()> {
        self.byte(value.is_some().into())?;
        value.map_or(Some(()), |value| self.byte(value.into()))
    }
}

struct Reader<'b>(&'b [u8]);

#[expect(clippy::option_option, reason = "the outer one: the input goes on")]
impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg())
    }

    fn int(&mut self) -> Option<i32> {
        i32::try_from(self.signed()?).ok()
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let len = usize::try_from(self.varint()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Whether a value follows.
    fn is_some(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn optional_bytes(&mut self) -> Option<Option<&'b [u8]>> {
        Some(if self.is_some()? {
            Some(self.bytes()?)
        } else {
            None
        })
    }

    fn optional(&mut self) -> Option<Option<i64>> {
        Some(if self.is_some()? {
            Some(self.signed()?)
        } else {
            None
        })
    }

    fn optional_bool(&mut self) -> Option<Option<bool>> {
        Some(if self.is_some()? {
            Some(self.is_some()?)
        } else {
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(change: Change<'_>) {
        let (mut ours, mut theirs) = ([0; 600], [0; 600]);
        let len = encode(&change, &mut ours).unwrap();
        let expected = change.encode(&mut theirs).unwrap();
        assert_eq!(ours[..len], *expected, "{change:?}");
        assert_eq!(decode(expected), Some(change));
        for cut in 0..len {
            assert_eq!(decode(&expected[..cut]), None, "{change:?} cut at {cut}");
            assert_eq!(encode(&change, &mut ours[..cut]), None);
        }
    }

    #[test]
    fn writes_and_reads_what_postcard_does() {
        let key = core::array::from_fn(|n| u8::try_from(n).unwrap());
        for value in [0, 1, -1, 63, 64, -65, i32::MAX, i32::MIN] {
            let long = i64::from(value) << 31;
            same(Change::HomeDc(value));
            for auth_key in [None, Some(AuthKeyRef::new(&key))] {
                same(Change::Dc(DcRef {
                    dc_id: value,
                    addr: "149.154.167.51:443",
                    auth_key,
                    first_salt: long,
                    time_offset: value,
                    flags: DcFlags(0x93),
                }));
            }
            same(Change::Update(UpdateChange::Counters(Counters {
                pts: value,
                qts: 1,
                date: -value.max(-9),
                seq: 3,
            })));
            same(Change::MinPeer(MinPeer {
                user_id: long,
                peer_id: -5,
                msg_id: value,
            }));
            same(Change::Account(Account {
                user_id: Some(long),
                is_bot: Some(value > 0),
                api_id: Some(value),
                test_mode: None,
            }));
        }
        same(Change::Update(UpdateChange::ClearChannels));
        same(Change::Account(Account::default()));
        same(Change::FutureAuthToken(None));
        same(Change::FutureAuthToken(Some(&[5; 200])));
    }
}
