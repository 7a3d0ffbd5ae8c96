//! The files that can be written, one row for each, and how.

use mtsession_core::clients::{Contents, StringFormat, TelethonIpv6};

use crate::clients::formats::FileFormat;

const LOGIN: Contents = Contents::HOME_DC
    .union(Contents::HOME_KEY)
    .union(Contents::ADDRESS);
const USER: Contents = Contents::USER_ID.union(Contents::IS_BOT);

/// Makes the enum, its answers and the list of libraries from the rows of the table.
macro_rules! targets {
    (files {
        $($(#[$doc:meta])* $target:ident: $scheme:literal writes $format:ident, string $string:expr, needs $needs:expr;)+
    }
    texts { $($text_scheme:literal writes $text:ident;)+ }) => {
        /// What is written, in the version that the library itself writes today (or still reads).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Target {
            $($(#[$doc])* $target,)+
            /// A text file with a session string.
            Text(StringFormat),
        }

        impl Target {
            /// Every kind of file, and every string of a library that has no file.
            pub const ALL: [Self; [$(Self::$target,)+ $(Self::Text(StringFormat::$text)),+].len()] =
                [$(Self::$target,)+ $(Self::Text(StringFormat::$text)),+];

            /// The format of what is written.
            #[must_use]
            pub const fn format(self) -> FileFormat {
                match self {
                    $(Self::$target => FileFormat::$format,)+
                    Self::Text(format) => FileFormat::Text(format),
                }
            }

            /// What must be known, because the library would throw the login away without it.
            #[must_use]
            pub const fn needs(self) -> Contents {
                match self {
                    $(Self::$target => $needs,)+
                    Self::Text(format) => format.needs(),
                }
            }

            /// The name that addresses have it by, as in `telethon:new.session`; empty for strings of
            /// other libraries than those in [`ALL`](Self::ALL).
            #[must_use]
            pub const fn scheme(self) -> &'static str {
                match self {
                    $(Self::$target => $scheme,)+
                    $(Self::Text(StringFormat::$text) => $text_scheme,)+
                    Self::Text(_) => "",
                }
            }

            /// The string that the same library reads; grammers has none.
            #[must_use]
            pub const fn string(self) -> Option<StringFormat> {
                match self {
                    $(Self::$target => $string,)+
                    Self::Text(format) => Some(format),
                }
            }
        }
    };
}

targets! {
    files {
        /// Telethon 1.43 and later. Older releases cannot open it.
        Telethon8: "telethon" writes TelethonSqlite, string Some(StringFormat::Telethon), needs LOGIN;
        /// Telethon 1.17 to 1.42; newer releases migrate it.
        Telethon7: "telethon7" writes TelethonSqlite, string Some(StringFormat::Telethon), needs LOGIN;
        /// Pyrogram 2; pyrofork, pyrotgfork and kurigram migrate it. It asks for the api id where that is
        /// not known.
        Pyrogram3: "pyrogram" writes PyrogramSqlite, string Some(StringFormat::Pyrogram),
            needs LOGIN.union(USER).union(Contents::TEST_MODE);
        /// kurigram 2.2.
        Kurigram7: "kurigram" writes KurigramSqlite, string Some(StringFormat::Pyrogram),
            needs LOGIN.union(USER).union(Contents::TEST_MODE);
        /// mtcute's SQLite storage.
        Mtcute: "mtcute" writes MtcuteSqlite, string Some(StringFormat::Mtcute),
            needs LOGIN.union(Contents::TEST_MODE);
        /// grammers 0.8 and later.
        Grammers: "grammers" writes GrammersSqlite, string None, needs LOGIN.union(USER);
        /// The directory of a GramJS `StoreSession`, which must have the session's name.
        GramJsStore: "gramjs" writes GramJsStore, string Some(StringFormat::GramJs), needs LOGIN;
        /// Telegram Desktop's directory with one account, without a passcode.
        Tdata: "tdata" writes Tdata, string None, needs Contents::HOME_DC.union(Contents::HOME_KEY).union(Contents::USER_ID);
    }
    texts {
        "mtkruto" writes Mtkruto;
    }
}

impl Target {
    /// The target that addresses have by this name.
    ///
    /// ```
    /// use mtsession::clients::Target;
    ///
    /// assert_eq!(Target::from_scheme("telethon7"), Some(Target::Telethon7));
    /// assert_eq!(Target::from_scheme("sqlite"), None);
    /// ```
    #[must_use]
    pub fn from_scheme(scheme: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|target| target.scheme() == scheme)
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
