//! What can be written, and how.

use mtsession_core::clients::{Carries, StringFormat, TelethonIpv6};

use crate::clients::formats::FileFormat;

/// What is written, in the version that the library itself writes today (or still reads).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// Telethon 1.17 to 1.42; newer releases migrate it.
    Telethon7,
    /// Telethon 1.43 and later. Older releases cannot open it.
    Telethon8,
    /// Pyrogram 2; pyrofork, pyrotgfork and kurigram migrate it.
    Pyrogram3,
    /// kurigram 2.2.
    Kurigram7,
    /// mtcute's SQLite storage.
    Mtcute,
    /// grammers 0.8 and later.
    Grammers,
    /// The directory of a GramJS `StoreSession`, which must have the session's name.
    GramJsStore,
    /// A text file with a session string.
    Text(StringFormat),
}

impl Target {
    /// The format of what is written.
    #[must_use]
    pub const fn format(self) -> FileFormat {
        match self {
            Self::Telethon7 | Self::Telethon8 => FileFormat::TelethonSqlite,
            Self::Pyrogram3 => FileFormat::PyrogramSqlite,
            Self::Kurigram7 => FileFormat::KurigramSqlite,
            Self::Mtcute => FileFormat::MtcuteSqlite,
            Self::Grammers => FileFormat::GrammersSqlite,
            Self::GramJsStore => FileFormat::GramJsStore,
            Self::Text(format) => FileFormat::Text(format),
        }
    }

    /// What must be known, because the library would throw the login away without it.
    #[must_use]
    pub const fn needs(self) -> Carries {
        const LOGIN: Carries = Carries::HOME_DC
            .union(Carries::HOME_KEY)
            .union(Carries::ADDRESS);
        const WHO: Carries = Carries::USER_ID.union(Carries::IS_BOT);
        match self {
            Self::Telethon7 | Self::Telethon8 | Self::GramJsStore => LOGIN,
            // The api id is asked for by the library where it is not known.
            Self::Pyrogram3 | Self::Kurigram7 => LOGIN.union(WHO).union(Carries::TEST_MODE),
            Self::Mtcute => LOGIN.union(Carries::TEST_MODE),
            Self::Grammers => LOGIN.union(WHO),
            Self::Text(format) => format.needs(),
        }
    }
}

/// How to write.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What Telethon gets where the session has an IPv6 address.
    pub ipv6: TelethonIpv6,
}

impl Options {
    /// The same with another treatment of IPv6 addresses for Telethon.
    #[must_use]
    pub const fn with_ipv6(self, ipv6: TelethonIpv6) -> Self {
        Self { ipv6 }
    }
}
