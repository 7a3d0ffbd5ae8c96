//! The formats of session strings: their names, and what each has room for.

use core::fmt;

use super::carries::Carries;

/// The format of a session string.
///
/// ```
/// use mtsession_core::clients::{Carries, StringFormat};
///
/// assert_eq!(StringFormat::GramJs.to_string(), "a GramJS string");
/// let lost = StringFormat::Mtcute.carries().without(StringFormat::Telethon.carries());
/// assert_eq!(lost.to_string(), "user id, bot flag, test flag, media DC");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StringFormat {
    /// Our own whole session.
    Native,
    /// Our own login, version 1 or 2.
    Compact,
    /// Telethon's `StringSession`, version 1.
    Telethon,
    /// Pyrogram before 2.0, user ids below 2^31 - 1.
    PyrogramOld32,
    /// Pyrogram before 2.0, larger user ids.
    PyrogramOld64,
    /// Pyrogram 2 and every living fork of it.
    Pyrogram,
    /// GramJS's `StringSession`, version 1.
    GramJs,
    /// mtcute's session string, version 3.
    Mtcute,
    /// MTKruto before it stored the account, and what mtcute's converter writes.
    MtkrutoOld,
    /// MTKruto's auth string.
    Mtkruto,
}

impl StringFormat {
    /// Every format.
    pub const ALL: [Self; 10] = [
        Self::Native,
        Self::Compact,
        Self::Telethon,
        Self::PyrogramOld32,
        Self::PyrogramOld64,
        Self::Pyrogram,
        Self::GramJs,
        Self::Mtcute,
        Self::MtkrutoOld,
        Self::Mtkruto,
    ];

    /// Says what a string of this format is, with its article.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "a native string",
            Self::Compact => "a compact string",
            Self::Telethon => "a Telethon string",
            Self::PyrogramOld32 => "an old Pyrogram string (32-bit user id)",
            Self::PyrogramOld64 => "an old Pyrogram string (64-bit user id)",
            Self::Pyrogram => "a Pyrogram string",
            Self::GramJs => "a GramJS string",
            Self::Mtcute => "an mtcute string",
            Self::MtkrutoOld => "an old MTKruto string",
            Self::Mtkruto => "an MTKruto string",
        }
    }

    /// What a string of this format has room for.
    #[must_use]
    pub const fn carries(self) -> Carries {
        const LOGIN: Carries = Carries::HOME_DC.union(Carries::HOME_KEY);
        const WHO: Carries = Carries::USER_ID.union(Carries::IS_BOT);

        match self {
            Self::Native => Carries::OURS,
            Self::Compact => LOGIN.union(Carries::ADDRESS).union(Carries::USER_ID),
            Self::Telethon => LOGIN.union(Carries::ADDRESS),
            Self::GramJs => LOGIN.union(Carries::ADDRESS).union(Carries::HOST_NAME),
            Self::PyrogramOld32 | Self::PyrogramOld64 => LOGIN.union(WHO).union(Carries::TEST_MODE),
            Self::Pyrogram | Self::Mtkruto => LOGIN
                .union(WHO)
                .union(Carries::API_ID)
                .union(Carries::TEST_MODE),
            Self::Mtcute => LOGIN
                .union(Carries::ADDRESS)
                .union(WHO)
                .union(Carries::TEST_MODE)
                .union(Carries::MEDIA_DC),
            Self::MtkrutoOld => LOGIN.union(Carries::TEST_MODE),
        }
    }

    /// What must be known before a string of this format can be written.
    ///
    /// Less than it [`carries`](Self::carries) only where the library itself copes with the gap.
    #[must_use]
    pub const fn needs(self) -> Carries {
        match self {
            Self::Native => Carries::NONE,
            // Without a user mtcute asks the server who it is.
            Self::Mtcute => Carries::HOME_DC
                .union(Carries::HOME_KEY)
                .union(Carries::ADDRESS)
                .union(Carries::TEST_MODE),
            Self::GramJs => Self::Telethon.carries(),
            other => other.carries(),
        }
    }
}

impl fmt::Display for StringFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
