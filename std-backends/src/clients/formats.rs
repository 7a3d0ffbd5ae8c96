//! The session files of other libraries: their names, and what each has room for.

use core::fmt;

use mtsession_core::clients::{Carries, StringFormat};

/// The format of a session file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileFormat {
    /// Telethon's SQLite database.
    TelethonSqlite,
    /// The SQLite database of Telethon 2.
    Telethon2Sqlite,
    /// Telethon's JSON file of 2017.
    TelethonJson,
    /// Pyrogram's SQLite database, 1.x or 2.x.
    PyrogramSqlite,
    /// pyrofork's SQLite database.
    PyroforkSqlite,
    /// The SQLite database of pyrotgfork, and of kurigram before schema 7.
    PyrotgforkSqlite,
    /// kurigram's SQLite database from schema 7.
    KurigramSqlite,
    /// mtcute's SQLite database.
    MtcuteSqlite,
    /// The SQLite database of grammers 0.8 and later.
    GrammersSqlite,
    /// The TL file of grammers before 0.9.
    GrammersTl,
    /// The directory of GramJS's `StoreSession`.
    GramJsStore,
    /// gotd's JSON file.
    GotdJson,
    /// Telegram Desktop's `tdata` directory.
    Tdata,
    /// Pyrogram's JSON file of 2018 and 2019.
    PyrogramJson,
    /// The local storage of Telegram's web clients, as JSON.
    WebJson,
    /// The JSON file of mtproto-core.
    MtprotoCoreJson,
    /// A text file with a session string.
    Text(StringFormat),
}

impl FileFormat {
    /// Says what it is, with its article.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TelethonSqlite => "a Telethon database",
            Self::Telethon2Sqlite => "a Telethon 2 database",
            Self::TelethonJson => "a Telethon JSON session of 2017",
            Self::PyrogramSqlite => "a Pyrogram database",
            Self::PyroforkSqlite => "a pyrofork database",
            Self::PyrotgforkSqlite => "a pyrotgfork or older kurigram database",
            Self::KurigramSqlite => "a kurigram database",
            Self::MtcuteSqlite => "an mtcute database",
            Self::GrammersSqlite => "a grammers database",
            Self::GrammersTl => "a session file of grammers 0.1 to 0.8",
            Self::GramJsStore => "a GramJS store",
            Self::GotdJson => "a gotd session file",
            Self::Tdata => "Telegram Desktop's tdata",
            Self::PyrogramJson => "a Pyrogram JSON session of 2018 or 2019",
            Self::WebJson => "the local storage of Telegram Web",
            Self::MtprotoCoreJson => "an mtproto-core session",
            Self::Text(format) => format.name(),
        }
    }

    /// The newest schema or file version that is known, where the library counts them.
    pub(super) const fn newest_version(self) -> Option<i64> {
        match self {
            Self::TelethonSqlite => Some(8),
            Self::Telethon2Sqlite => Some(10),
            Self::PyrogramSqlite => Some(3),
            Self::PyroforkSqlite => Some(4),
            Self::PyrotgforkSqlite => Some(6),
            Self::KurigramSqlite => Some(7),
            Self::MtcuteSqlite => Some(2),
            Self::GrammersSqlite | Self::GotdJson => Some(1),
            // tdata has the number of the release, which changes all the time.
            Self::TelethonJson
            | Self::GrammersTl
            | Self::GramJsStore
            | Self::Tdata
            | Self::PyrogramJson
            | Self::WebJson
            | Self::MtprotoCoreJson
            | Self::Text(_) => None,
        }
    }

    /// What it has room for.
    #[must_use]
    pub const fn carries(self) -> Carries {
        const LOGIN: Carries = Carries::HOME_DC.union(Carries::HOME_KEY);
        const WHO: Carries = Carries::USER_ID.union(Carries::IS_BOT);
        const STATE: Carries = Carries::COUNTERS.union(Carries::CHANNEL_PTS);
        const NAMED_PEERS: Carries = Carries::PEERS
            .union(Carries::USERNAMES)
            .union(Carries::PHONES);
        const PYROGRAM: Carries = LOGIN
            .union(WHO)
            .union(Carries::API_ID)
            .union(Carries::TEST_MODE)
            .union(NAMED_PEERS)
            .union(Carries::CHANNEL_KINDS);

        match self {
            Self::TelethonSqlite => LOGIN
                .union(Carries::ADDRESS)
                .union(STATE)
                .union(NAMED_PEERS)
                .union(Carries::TITLES),
            Self::PyrogramSqlite => PYROGRAM,
            Self::PyroforkSqlite | Self::PyrotgforkSqlite => PYROGRAM.union(STATE),
            Self::KurigramSqlite => PYROGRAM.union(STATE).union(Carries::ADDRESS),
            Self::MtcuteSqlite => LOGIN
                .union(WHO)
                .union(STATE)
                .union(NAMED_PEERS)
                .union(Carries::ADDRESS)
                .union(Carries::OTHER_KEYS)
                .union(Carries::TEST_MODE)
                .union(Carries::TITLES)
                .union(Carries::CHANNEL_KINDS)
                .union(Carries::MIN_PEERS)
                .union(Carries::MEDIA_DC)
                .union(Carries::SALTS),
            Self::GrammersSqlite => LOGIN
                .union(WHO)
                .union(STATE)
                .union(Carries::ADDRESS)
                .union(Carries::OTHER_ADDRESSES)
                .union(Carries::OTHER_KEYS)
                .union(Carries::PEERS)
                .union(Carries::CHANNEL_KINDS),
            Self::GrammersTl | Self::Telethon2Sqlite => LOGIN
                .union(WHO)
                .union(STATE)
                .union(Carries::ADDRESS)
                .union(Carries::OTHER_ADDRESSES)
                .union(Carries::OTHER_KEYS),
            Self::GramJsStore => LOGIN
                .union(Carries::ADDRESS)
                .union(Carries::HOST_NAME)
                .union(NAMED_PEERS)
                .union(Carries::TITLES),
            Self::GotdJson => LOGIN
                .union(Carries::ADDRESS)
                .union(Carries::TEST_MODE)
                .union(Carries::SALTS),
            Self::TelethonJson => LOGIN
                .union(Carries::ADDRESS)
                .union(Carries::SALTS)
                .union(Carries::PEERS),
            Self::PyrogramJson => LOGIN
                .union(WHO)
                .union(Carries::TEST_MODE)
                .union(NAMED_PEERS),
            Self::Tdata | Self::WebJson => LOGIN.union(Carries::USER_ID).union(Carries::OTHER_KEYS),
            Self::MtprotoCoreJson => LOGIN.union(Carries::OTHER_KEYS),
            Self::Text(format) => format.carries(),
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
