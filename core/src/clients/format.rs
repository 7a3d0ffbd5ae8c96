//! The formats of session strings: one row for each, with its name and what it has room for.

use core::fmt;

use super::contents::Contents;

const LOGIN: Contents = Contents::HOME_DC.union(Contents::HOME_KEY);
const USER: Contents = Contents::USER_ID.union(Contents::IS_BOT);
const OLD_PYROGRAM: Contents = LOGIN.union(USER).union(Contents::TEST_MODE);
const PYROGRAM: Contents = OLD_PYROGRAM.union(Contents::API_ID);
const TELETHON: Contents = LOGIN.union(Contents::ADDRESS);
const MTKRUTO_OLD: Contents = LOGIN.union(Contents::TEST_MODE);
const COMPACT: Contents = TELETHON.union(Contents::USER_ID);
const MTCUTE: Contents = TELETHON
    .union(USER)
    .union(Contents::TEST_MODE)
    .union(Contents::MEDIA_DC);

/// Makes the enum and all its answers from the rows of the table.
macro_rules! string_formats {
    ($($(#[$doc:meta])* $format:ident: $name:literal, carries $carries:expr, needs $needs:expr;)+) => {
        /// The format of a session string.
        ///
        /// ```
        /// use mtsession_core::clients::{Contents, StringFormat};
        ///
        /// assert_eq!(StringFormat::GramJs.to_string(), "a GramJS string");
        /// let lost = StringFormat::Mtcute.carries().without(StringFormat::Telethon.carries());
        /// assert_eq!(lost.to_string(), "user id, bot flag, test flag, media DC");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum StringFormat {
            $($(#[$doc])* $format,)+
        }

        impl StringFormat {
            /// Every format.
            pub const ALL: [Self; [$(Self::$format),+].len()] = [$(Self::$format),+];

            /// Says what a string of this format is, with its article.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$format => $name,)+
                }
            }

            /// What a string of this format has room for.
            #[must_use]
            pub const fn carries(self) -> Contents {
                match self {
                    $(Self::$format => $carries,)+
                }
            }

            /// What must be known before a string of this format can be written.
            ///
            /// Less than it [`carries`](Self::carries) only where the library itself copes with the gap.
            #[must_use]
            pub const fn needs(self) -> Contents {
                match self {
                    $(Self::$format => $needs,)+
                }
            }
        }
    };
}

string_formats! {
    /// Our own whole session.
    Native: "a native string", carries Contents::OURS, needs Contents::NONE;
    /// Our own login, version 1 or 2.
    Compact: "a compact string", carries COMPACT, needs COMPACT;
    /// Telethon's `StringSession`, version 1.
    Telethon: "a Telethon string", carries TELETHON, needs TELETHON;
    /// Pyrogram before 2.0, user ids below 2^31 - 1.
    PyrogramOld32: "an old Pyrogram string (32-bit user id)", carries OLD_PYROGRAM, needs OLD_PYROGRAM;
    /// Pyrogram before 2.0, larger user ids.
    PyrogramOld64: "an old Pyrogram string (64-bit user id)", carries OLD_PYROGRAM, needs OLD_PYROGRAM;
    /// Pyrogram 2 and every living fork of it.
    Pyrogram: "a Pyrogram string", carries PYROGRAM, needs PYROGRAM;
    /// GramJS's `StringSession`, version 1.
    GramJs: "a GramJS string", carries TELETHON.union(Contents::HOST_NAME), needs TELETHON;
    /// mtcute's session string, version 3. Without a user mtcute asks the server who it is.
    Mtcute: "an mtcute string", carries MTCUTE, needs TELETHON.union(Contents::TEST_MODE);
    /// MTKruto before it stored the account, and what mtcute's converter writes.
    MtkrutoOld: "an old MTKruto string", carries MTKRUTO_OLD, needs MTKRUTO_OLD;
    /// MTKruto's auth string.
    Mtkruto: "an MTKruto string", carries PYROGRAM, needs PYROGRAM;
}

impl fmt::Display for StringFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
