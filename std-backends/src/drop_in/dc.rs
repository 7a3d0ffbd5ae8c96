//! The drop-in DC entry.

use core::fmt;
use core::net::SocketAddr;
use std::collections::HashMap;
use std::io;

use mtsession_core::clients::Server;
use mtsession_core::wire::wipe;
use mtsession_core::{AUTH_KEY_LEN, AuthKeyRef, DcFlags, DcRef};
use zeroize::Zeroize;

/// One entry of the DC table.
///
/// The fields are those of `ferogram-session` 0.6.6. `Debug` hides the key. A plain struct cannot wipe
/// itself without taking away the right to move its fields out, so call
/// [`zeroize`](Zeroize::zeroize) on copies that you keep.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DcEntry {
    /// The DC's id.
    pub dc_id: i32,
    /// `"ip:port"` or `"[ipv6]:port"`, at most 255 bytes.
    pub addr: String,
    /// The permanent auth key, if one was negotiated.
    #[cfg_attr(feature = "serde", serde(with = "auth_key_numbers"))]
    pub auth_key: Option<[u8; AUTH_KEY_LEN]>,
    /// The salt to start the next connection with.
    pub first_salt: i64,
    /// Server clock minus local clock, in seconds.
    pub time_offset: i32,
    /// What the entry is for.
    #[cfg_attr(feature = "serde", serde(default))]
    pub flags: DcFlags,
}

impl DcEntry {
    /// Whether the address is IPv6, by the flag.
    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.flags.contains(DcFlags::IPV6)
    }

    /// The address, parsed.
    ///
    /// # Errors
    /// `InvalidData` when it is not `"ip:port"` or `"[ipv6]:port"`.
    pub fn socket_addr(&self) -> io::Result<SocketAddr> {
        self.addr.parse().map_err(|_| {
            let message = format!(
                "address {:?} of DC {} is not ip:port",
                self.addr, self.dc_id
            );
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }

    /// An entry without a key, from an address in parts; IPv6 addresses get their brackets and
    /// [`DcFlags::IPV6`].
    ///
    /// ```
    /// use mtsession::{DcEntry, DcFlags};
    ///
    /// let entry = DcEntry::from_parts(2, "2001:67c:4e8:f002::a", 443, DcFlags::NONE);
    /// assert_eq!(entry.addr, "[2001:67c:4e8:f002::a]:443");
    /// assert!(entry.is_ipv6());
    /// assert!(entry.socket_addr().is_ok());
    /// ```
    #[must_use]
    pub fn from_parts(dc_id: i32, ip: &str, port: u16, mut flags: DcFlags) -> Self {
        let ip = ip
            .strip_prefix('[')
            .and_then(|ip| ip.strip_suffix(']'))
            .unwrap_or(ip);
        let addr = if ip.contains(':') {
            flags.set(DcFlags::IPV6);
            format!("[{ip}]:{port}")
        } else {
            format!("{ip}:{port}")
        };
        Self {
            dc_id,
            addr,
            auth_key: None,
            first_salt: 0,
            time_offset: 0,
            flags,
        }
    }

    /// Becomes another entry; the key that it had is overwritten, and the address has its memory.
    pub(crate) fn replace_by(&mut self, dc: &DcRef<'_>) {
        let Self {
            dc_id,
            addr,
            auth_key,
            first_salt,
            time_offset,
            flags,
        } = self;
        *dc_id = dc.dc_id;
        addr.clear();
        addr.push_str(dc.addr);
        match (auth_key, dc.auth_key) {
            (Some(known), Some(key)) => known.copy_from_slice(key.as_bytes()),
            (known, key) => {
                // Storing `None` alone would leave the key's bytes where they are.
                known.as_mut().into_iter().for_each(|known| wipe(known));
                *known = key.map(|key| *key.as_bytes());
            }
        }
        *first_salt = dc.first_salt;
        *time_offset = dc.time_offset;
        *flags = dc.flags;
    }

    /// Borrows the entry as the codec has it.
    #[must_use]
    pub fn as_dc_ref(&self) -> DcRef<'_> {
        DcRef {
            dc_id: self.dc_id,
            addr: &self.addr,
            auth_key: self.auth_key.as_ref().map(AuthKeyRef::new),
            first_salt: self.first_salt,
            time_offset: self.time_offset,
            flags: self.flags,
        }
    }
}

impl From<&DcRef<'_>> for DcEntry {
    fn from(dc: &DcRef<'_>) -> Self {
        Self {
            dc_id: dc.dc_id,
            addr: dc.addr.to_owned(),
            auth_key: dc.auth_key.map(|key| *key.as_bytes()),
            first_salt: dc.first_salt,
            time_offset: dc.time_offset,
            flags: dc.flags,
        }
    }
}

impl fmt::Debug for DcEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DcEntry")
            .field("dc_id", &self.dc_id)
            .field("addr", &self.addr)
            .field("auth_key", &self.as_dc_ref().auth_key)
            .field("first_salt", &self.first_salt)
            .field("time_offset", &self.time_offset)
            .field("flags", &self.flags)
            .finish()
    }
}

impl Zeroize for DcEntry {
    fn zeroize(&mut self) {
        // Wiping the option itself would copy a whole `None` into it: 256 bytes of whatever the stack
        // held, which may be a key.
        if let Some(key) = &mut self.auth_key {
            wipe(key);
        }
        self.auth_key = None;
        self.first_salt.zeroize();
    }
}

/// The production DCs 1 to 5 on port 443, to log in with.
///
/// ```
/// assert_eq!(mtsession::default_dc_addresses()[&2], "149.154.167.51:443");
/// ```
#[must_use]
pub fn default_dc_addresses() -> HashMap<i32, String> {
    (1..=5)
        .filter_map(|dc_id| Some((dc_id, Server::well_known(dc_id, false)?.to_string())))
        .collect()
}

/// An auth key as a sequence of 256 numbers, as ferogram-session's serde has it.
#[cfg(feature = "serde")]
mod auth_key_numbers {
    use core::fmt;

    use mtsession_core::AUTH_KEY_LEN;
    use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
    use serde::ser::Serializer;
    use zeroize::Zeroizing;

    #[expect(clippy::ref_option, reason = "serde's `with` calls it like this")]
    pub(super) fn serialize<S: Serializer>(
        key: &Option<[u8; AUTH_KEY_LEN]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match key {
            Some(key) => serializer.serialize_some(key.as_slice()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u8; AUTH_KEY_LEN]>, D::Error> {
        Ok(Option::<Key>::deserialize(deserializer)?.map(|key| *key.0))
    }

    struct Key(Zeroizing<[u8; AUTH_KEY_LEN]>);

    impl<'de> Deserialize<'de> for Key {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_seq(KeyVisitor)
        }
    }

    struct KeyVisitor;

    impl<'de> Visitor<'de> for KeyVisitor {
        type Value = Key;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an auth key of exactly 256 bytes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Key, A::Error> {
            let mut key = Zeroizing::new([0; AUTH_KEY_LEN]);
            for (index, byte) in key.iter_mut().enumerate() {
                *byte = seq
                    .next_element()?
                    .ok_or_else(|| A::Error::invalid_length(index, &self))?;
            }
            if seq.next_element::<u8>()?.is_some() {
                return Err(A::Error::invalid_length(
                    AUTH_KEY_LEN.saturating_add(1),
                    &self,
                ));
            }
            Ok(Key(key))
        }
    }
}
