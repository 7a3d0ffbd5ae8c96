//! The session files of other libraries: one row for each format, with its name, the newest version that
//! is known, and what it has room for.

use core::fmt;

use mtsession_core::clients::{Contents, StringFormat};

const LOGIN: Contents = Contents::HOME_DC.union(Contents::HOME_KEY);
const USER: Contents = Contents::USER_ID.union(Contents::IS_BOT);
const STATE: Contents = Contents::COUNTERS.union(Contents::CHANNEL_PTS);
const NAMED_PEERS: Contents = Contents::PEERS
    .union(Contents::USERNAMES)
    .union(Contents::PHONES);
const DC_TABLE: Contents = LOGIN
    .union(Contents::ADDRESS)
    .union(Contents::OTHER_ADDRESSES)
    .union(Contents::OTHER_KEYS);
const ALL_KEYS: Contents = LOGIN.union(Contents::OTHER_KEYS);
const OLD_PYROGRAM: Contents = LOGIN
    .union(USER)
    .union(Contents::TEST_MODE)
    .union(NAMED_PEERS);
const PYROGRAM: Contents = OLD_PYROGRAM
    .union(Contents::API_ID)
    .union(Contents::CHANNEL_KINDS);
const WITH_SERVER: Contents = LOGIN.union(Contents::ADDRESS);
const MTCUTE: Contents = WITH_SERVER
    .union(USER)
    .union(STATE)
    .union(NAMED_PEERS)
    .union(Contents::OTHER_KEYS)
    .union(Contents::TEST_MODE)
    .union(Contents::TITLES)
    .union(Contents::CHANNEL_KINDS)
    .union(Contents::MIN_PEERS)
    .union(Contents::MEDIA_DC)
    .union(Contents::SALTS);

/// Makes the enum and all its answers from the rows of the table.
macro_rules! file_formats {
    ($($(#[$doc:meta])* $format:ident: $name:literal, newest $newest:expr, carries $carries:expr;)+) => {
        /// The format of a session file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FileFormat {
            $($(#[$doc])* $format,)+
            /// A text file with a session string.
            Text(StringFormat),
        }

        impl FileFormat {
            /// Every format of a library's own files.
            pub const ALL: [Self; [$(Self::$format),+].len()] = [$(Self::$format),+];

            /// Says what it is, with its article.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$format => $name,)+
                    Self::Text(format) => format.name(),
                }
            }

            /// The newest schema or file version that is known, where the library counts them.
            #[must_use]
            pub const fn newest_version(self) -> Option<i64> {
                match self {
                    $(Self::$format => $newest,)+
                    Self::Text(_) => None,
                }
            }

            /// What it has room for.
            #[must_use]
            pub const fn carries(self) -> Contents {
                match self {
                    $(Self::$format => $carries,)+
                    Self::Text(format) => format.carries(),
                }
            }
        }
    };
}

file_formats! {
    /// Telethon's SQLite database.
    TelethonSqlite: "a Telethon database", newest Some(8),
        carries WITH_SERVER.union(STATE).union(NAMED_PEERS).union(Contents::TITLES);
    /// The SQLite database of Telethon 2.
    Telethon2Sqlite: "a Telethon 2 database", newest Some(10),
        carries DC_TABLE.union(USER).union(STATE);
    /// Telethon's JSON file of 2017.
    TelethonJson: "a Telethon JSON session of 2017", newest None,
        carries WITH_SERVER.union(Contents::SALTS).union(Contents::PEERS);
    /// Pyrogram's SQLite database, 1.x or 2.x.
    PyrogramSqlite: "a Pyrogram database", newest Some(3), carries PYROGRAM;
    /// pyrofork's SQLite database.
    PyroforkSqlite: "a pyrofork database", newest Some(4), carries PYROGRAM.union(STATE);
    /// The SQLite database of pyrotgfork, and of kurigram before schema 7.
    PyrotgforkSqlite: "a pyrotgfork or older kurigram database", newest Some(6),
        carries PYROGRAM.union(STATE);
    /// kurigram's SQLite database from schema 7.
    KurigramSqlite: "a kurigram database", newest Some(7),
        carries PYROGRAM.union(STATE).union(Contents::ADDRESS);
    /// mtcute's SQLite database.
    MtcuteSqlite: "an mtcute database", newest Some(2), carries MTCUTE;
    /// The SQLite database of grammers 0.8 and later.
    GrammersSqlite: "a grammers database", newest Some(1),
        carries DC_TABLE.union(USER).union(STATE).union(Contents::PEERS).union(Contents::CHANNEL_KINDS);
    /// The TL file of grammers before 0.9.
    GrammersTl: "a session file of grammers 0.1 to 0.8", newest None,
        carries DC_TABLE.union(USER).union(STATE);
    /// The directory of GramJS's `StoreSession`.
    GramJsStore: "a GramJS store", newest None,
        carries WITH_SERVER.union(Contents::HOST_NAME).union(NAMED_PEERS).union(Contents::TITLES);
    /// gotd's JSON file.
    GotdJson: "a gotd session file", newest Some(1),
        carries WITH_SERVER.union(Contents::TEST_MODE).union(Contents::SALTS);
    /// Telegram Desktop's `tdata` directory; its version is the release, which changes all the time.
    Tdata: "Telegram Desktop's tdata", newest None, carries ALL_KEYS.union(Contents::USER_ID);
    /// `TDLib`'s log.
    TdlibBinlog: "TDLib's td.binlog", newest None,
        carries DC_TABLE.union(USER).union(Contents::TEST_MODE).union(Contents::SALTS);
    /// Pyrogram's JSON file of 2018 and 2019.
    PyrogramJson: "a Pyrogram JSON session of 2018 or 2019", newest None, carries OLD_PYROGRAM;
    /// The local storage of Telegram's web clients, as JSON.
    WebJson: "the local storage of Telegram Web", newest None,
        carries ALL_KEYS.union(Contents::USER_ID);
    /// The JSON file of mtproto-core.
    MtprotoCoreJson: "an mtproto-core session", newest None, carries ALL_KEYS;
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
