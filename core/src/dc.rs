//! Data centres: address, key and salt of each, and which entries are the same one.

use core::ops::BitOr;

use serde::{Deserialize, Serialize};

use crate::auth_key::{AUTH_KEY_LEN, AuthKeyRef};

/// What a DC entry is for; the bits of Telegram's `dcOption` that a session keeps.
///
/// Unknown bits are kept as they are.
///
/// ```
/// use mtsession_core::DcFlags;
///
/// let flags = DcFlags::IPV6 | DcFlags::STATIC;
/// assert!(flags.contains(DcFlags::IPV6));
/// assert!(!flags.contains(DcFlags::MEDIA_ONLY));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DcFlags(pub u8);

impl DcFlags {
    /// A plain IPv4 entry.
    pub const NONE: Self = Self(0);
    /// The address is IPv6.
    pub const IPV6: Self = Self(1);
    /// Serves files only.
    pub const MEDIA_ONLY: Self = Self(1 << 1);
    /// Reachable over obfuscated TCP only.
    pub const TCPO_ONLY: Self = Self(1 << 2);
    /// A content delivery node; has keys of its own.
    pub const CDN: Self = Self(1 << 3);
    /// The address should be preferred over others of the DC.
    pub const STATIC: Self = Self(1 << 4);

    /// The bits that make two entries of one DC different entries.
    const SLOT: u8 = Self::IPV6.0 | Self::MEDIA_ONLY.0 | Self::TCPO_ONLY.0 | Self::CDN.0;

    /// Whether every bit of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets the bits of `flag`.
    pub const fn set(&mut self, flag: Self) {
        self.0 |= flag.0;
    }

    /// Whether an ordinary connection can use the entry: neither media-only nor CDN.
    #[must_use]
    pub const fn is_main(self) -> bool {
        self.0 & (Self::MEDIA_ONLY.0 | Self::CDN.0) == 0
    }
}

impl BitOr for DcFlags {
    type Output = Self;

    fn bitor(self, rhs: Self) -> Self {
        Self(self.0 | rhs.0)
    }
}

/// The identity of a DC entry: its id and the flags that tell entries of one DC apart.
///
/// The one rule for "is this the same entry": a media-only, CDN, IPv6 or obfuscated-only entry never
/// replaces the main one, while `STATIC` and unknown bits are mere properties.
// The order of fields is a disk format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(from = "(i32, DcFlags)")]
pub struct DcSlot {
    /// The DC's id.
    pub dc_id: i32,
    flags: u8,
}

impl DcSlot {
    /// The slot that an entry of this DC with these flags belongs to.
    ///
    /// ```
    /// use mtsession_core::{DcFlags, DcSlot};
    ///
    /// assert_eq!(DcSlot::new(2, DcFlags::NONE), DcSlot::new(2, DcFlags::STATIC));
    /// assert_ne!(DcSlot::new(2, DcFlags::NONE), DcSlot::new(2, DcFlags::MEDIA_ONLY));
    /// ```
    #[must_use]
    pub const fn new(dc_id: i32, flags: DcFlags) -> Self {
        Self {
            dc_id,
            flags: flags.0 & DcFlags::SLOT,
        }
    }

    /// The flags that tell entries of one DC apart.
    #[must_use]
    pub const fn flags(&self) -> DcFlags {
        DcFlags(self.flags)
    }
}

/// Bits that name no slot are left out, whichever library wrote them.
impl From<(i32, DcFlags)> for DcSlot {
    fn from((dc_id, flags): (i32, DcFlags)) -> Self {
        Self::new(dc_id, flags)
    }
}

/// One entry of the DC table, borrowed from wherever it is stored.
// The order of fields is a disk format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DcRef<'a> {
    /// The DC's id; 1 to 5 in production, others for CDN and media.
    pub dc_id: i32,
    /// `"ip:port"`, or `"[ipv6]:port"`; at most 255 bytes of UTF-8 in every format.
    pub addr: &'a str,
    /// The permanent auth key, if one was negotiated with this DC.
    #[serde(borrow)]
    pub auth_key: Option<AuthKeyRef<'a>>,
    /// The salt to start the next connection with.
    pub first_salt: i64,
    /// Server clock minus local clock, in seconds.
    pub time_offset: i32,
    /// What the entry is for.
    pub flags: DcFlags,
}

impl<'a> DcRef<'a> {
    /// An entry of no DC: what stands in the table for one that is still to come.
    pub const EMPTY: DcRef<'static> = DcRef::new(0, "");

    /// The entry of this DC at this address, with no key yet.
    ///
    /// ```
    /// use mtsession_core::DcRef;
    ///
    /// let dc = DcRef::new(2, "149.154.167.51:443").with_key(&[7; 256]);
    /// assert!(dc.auth_key.is_some());
    /// ```
    #[must_use]
    pub const fn new(dc_id: i32, addr: &'a str) -> Self {
        Self {
            dc_id,
            addr,
            auth_key: None,
            first_salt: 0,
            time_offset: 0,
            flags: DcFlags::NONE,
        }
    }

    /// The same with this auth key.
    #[must_use]
    pub const fn with_key(self, key: &'a [u8; AUTH_KEY_LEN]) -> Self {
        Self {
            auth_key: Some(AuthKeyRef::new(key)),
            ..self
        }
    }

    /// The entry's identity.
    #[must_use]
    pub const fn slot(&self) -> DcSlot {
        DcSlot::new(self.dc_id, self.flags)
    }

    /// Whether the address is IPv6, by the flag.
    #[must_use]
    pub const fn is_ipv6(&self) -> bool {
        self.flags.contains(DcFlags::IPV6)
    }
}
