//! The command line's grammar and help.

use clap::builder::PossibleValue;
use clap::{Parser, Subcommand, ValueEnum, value_parser};
use mtsession::Account;
use mtsession::clients::Target;
use mtsession::codec::clients::{StringFormat, TelethonIpv6};

use crate::accounts::{AccountsArgs, BackupArgs, RenameArgs, RestoreArgs};
use crate::dates;
use crate::keys::{Asking, KeyArgs};
use crate::seal::{ResealArgs, SealArgs};
use crate::store::Store;

/// Look at MTProto (Telegram) client sessions, check them, and move them between stores.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

const AFTER_HELP: &str = "\
Stores:
  my.session               a session file, a database, or a session of another client library:
                           its content decides
  string:-                 a session string, from standard input or to standard output
  string:FILE              a session string in a file
  env:NAME                 a session string in the environment variable NAME (read only)
  sqlite:FILE[#ACCOUNT]    one account of an SQLite database
  libsql:URL[#ACCOUNT]     one account of a libSQL database (token from LIBSQL_AUTH_TOKEN
                           or TURSO_AUTH_TOKEN); libsql://HOST by itself will do
  redis://HOST[:PORT][/NUMBER][#ACCOUNT]
                           one account in Redis (password from REDISCLI_AUTH); rediss:// with TLS
  postgres://USER@HOST[:PORT]/DATABASE[#ACCOUNT]
                           one account in PostgreSQL (password from PGPASSWORD)
  's3://BUCKET[/PREFIX][#ACCOUNT][?endpoint=URL&region=NAME]'
                           one account in S3 (keys from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
                           and AWS_SESSION_TOKEN)
  'flash:IMAGE[?write=4&erase=4096&size=65536&offset=0]'
                           the dump of a device's flash, or an image for its region; quoted,
                           because & and ? mean something to a shell. What is not said of a dump,
                           its log's headers say

A path with a colon is written ./a:b, because KIND:PLACE is a store of that kind. The account is what
follows the last #, so that sqlite:a#b.db#default is an account of the file a#b.db; in the name of an
account, %23 is a # and %25 is a %.

As targets of convert, also the sessions of other libraries; FILE - prints the string:
  telethon:FILE  telethon7:FILE  pyrogram:FILE  kurigram:FILE  mtcute:FILE  grammers:FILE
  gramjs:DIRECTORY  tdata:DIRECTORY  mtkruto:FILE
  ferogram:FILE (a database for ferogram-session 0.6.6)

Sealed session files are opened with --key-file, the key file that MTSESSION_KEY_FILE names, or
--passphrase; what is made with a key is sealed, unless --plain says otherwise.

The local passcode of a tdata directory, and the key of a TDLib log (as text or in base64), are taken from the
variable MTSESSION_PASSCODE.

Secrets are never taken from the command line and never printed, unless asked for with
--show-secrets or by exporting a string.

Exit codes:
  0  done, nothing wrong     2  wrong usage            4  not readable as a session
  1  problems were found     3  no session there       5  the store failed (permissions, disk, ...)";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a session holds; keys appear as fingerprints
    Inspect(InspectArgs),
    /// List the sessions of folders, databases and servers, a line each
    List(ListArgs),
    /// Check a session byte by byte, its checksum, its journal and its file mode
    Verify(VerifyArgs),
    /// Show an old session, store it in the current format, and prove that nothing was lost
    Upgrade(UpgradeArgs),
    /// Copy a session from one store to another
    Convert(ConvertArgs),
    /// Print a session as a string: anyone who reads it owns the account
    Export(ExportArgs),
    /// Store a session string that comes from standard input
    Import(ImportArgs),
    /// Remove a session and everything that could bring its keys back
    Delete(DeleteArgs),
    /// Remove peers that were not used for longest; keys and the account stay
    Prune(PruneArgs),
    /// Give an account of a database or a server another name
    Rename(RenameArgs),
    /// List the accounts of a database
    Accounts(AccountsArgs),
    /// Copy all accounts of a store, a whole database for example, while others go on using it
    Backup(BackupArgs),
    /// Put a copy back into a store, in place of all that is in it
    Restore(RestoreArgs),
    /// Make a file with a new key, which seals sessions and opens them
    Keygen {
        /// The file, which must not be there yet
        #[arg(value_name = "FILE")]
        file: std::path::PathBuf,
    },
    /// Seal a session file, or a directory of them, with the keys of --key-file and --passphrase
    Seal(SealArgs),
    /// Make a sealed session file plain
    Unseal(SealArgs),
    /// Seal a sealed session file anew, so that exactly the new keys open it
    Reseal(ResealArgs),
    /// Get back what is left of a damaged session file, its keys first
    Recover(RecoverArgs),
    /// Print the completions of the command line for a shell
    Completions {
        /// The shell that reads them
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

impl Command {
    /// How a passphrase is asked for.
    pub(crate) const fn asking(&self) -> Asking {
        match self {
            Self::Convert(_) | Self::Import(_) | Self::Upgrade(_) | Self::Seal(_) => Asking::Twice,
            _ => Asking::Once,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The session to show
    pub(crate) store: Store,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Print auth keys and the future auth token in hexadecimal
    #[arg(long)]
    pub(crate) show_secrets: bool,
    /// Which of several logins, counted from 1: the accounts of Telegram Desktop's `tdata`, say
    #[arg(long = "account", value_name = "N")]
    pub(crate) number: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Folders, databases, servers and sessions
    #[arg(required = true, value_name = "PLACE")]
    pub(crate) places: Vec<Store>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Only sessions whose key is in another one as well: two programs that use both lose both
    #[arg(long)]
    pub(crate) duplicates: bool,
    /// Only sessions without an auth key: nobody is logged in
    #[arg(long, conflicts_with = "duplicates")]
    pub(crate) no_key: bool,
    /// Only sessions whose newest update is older than this: 90d, 2w, 36h
    #[arg(long, value_name = "AGE", value_parser = dates::age)]
    pub(crate) older_than: Option<core::time::Duration>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The session to check, or several; of folders, databases and servers every session
    #[arg(required = true, value_name = "PLACE")]
    pub(crate) places: Vec<Store>,
    /// Print one JSON object instead of lines
    #[arg(long)]
    pub(crate) json: bool,
    /// Which of several logins, counted from 1: the accounts of Telegram Desktop's `tdata`, say
    #[arg(long = "account", value_name = "N")]
    pub(crate) number: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct UpgradeArgs {
    /// A session of any version; it is only read
    pub(crate) store: Store,
    /// Where to store it in the current format
    #[arg(long, value_name = "FILE")]
    pub(crate) out: std::path::PathBuf,
}

#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct ConvertArgs {
    /// Where the session is
    pub(crate) from: Store,
    /// Where it is to be, too
    pub(crate) to: Store,
    /// Copy every session of a folder, database or server into a store of many accounts, and what is there
    /// already not again
    #[arg(long, conflicts_with = "number")]
    pub(crate) all: bool,
    /// What accounts are called, with --all: `{name}`, as before, is the default; `{user_id}`, `{key}` and
    /// `{dc}` are known as well
    #[arg(long, value_name = "TEMPLATE", requires = "all")]
    pub(crate) name: Option<String>,
    /// Print what became of the sessions as one JSON object, with --all
    #[arg(long, requires = "all")]
    pub(crate) json: bool,
    /// Replace a session of ours that is already there; those of other libraries never are
    #[arg(long)]
    pub(crate) force: bool,
    /// Leave no login at the source: it says where it went, and has no key any more. A run that was interrupted
    /// is gone on with by the same command
    #[arg(long = "move", conflicts_with_all = ["all", "number", "in_use"])]
    pub(crate) moves: bool,
    /// Undo a --move that was interrupted before the target had the login
    #[arg(long, requires = "moves")]
    pub(crate) undo: bool,
    /// Also where another program owns the session and uses it
    #[arg(long)]
    pub(crate) in_use: bool,
    /// Which of several logins, counted from 1: the accounts of Telegram Desktop's `tdata`, say
    #[arg(long = "account", value_name = "N")]
    pub(crate) number: Option<usize>,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// The session to print
    pub(crate) store: Store,
    /// Which kind of string
    #[arg(long, value_enum, default_value_t = StringKind::NATIVE)]
    pub(crate) format: StringKind,
    /// Also where another program owns the session and uses it
    #[arg(long)]
    pub(crate) in_use: bool,
    /// Which of several logins, counted from 1: the accounts of Telegram Desktop's `tdata`, say
    #[arg(long = "account", value_name = "N")]
    pub(crate) number: Option<usize>,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

/// The largest id that Telegram gives to a user.
const MAX_USER_ID: i64 = 0xFF_FFFF_FFFF;

/// What other formats need and the session may not know.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct AccountArgs {
    /// The account's user id, where the session does not know it
    #[arg(long, value_name = "ID", value_parser = value_parser!(i64).range(1..=MAX_USER_ID))]
    user_id: Option<i64>,
    /// The account is a bot
    #[arg(long, conflicts_with = "user")]
    bot: bool,
    /// The account is not a bot
    #[arg(long)]
    user: bool,
    /// The application that the auth key was made with
    #[arg(long, value_name = "ID", value_parser = value_parser!(i32).range(1..))]
    api_id: Option<i32>,
    /// The account lives on Telegram's test servers
    #[arg(long, conflicts_with = "production")]
    test: bool,
    /// The account lives on the production servers
    #[arg(long)]
    production: bool,
    /// Keep an IPv6 address for Telethon, which must then be started with `use_ipv6`
    #[arg(long)]
    ipv6: bool,
}

impl AccountArgs {
    /// Adds what was said on the command line.
    pub(crate) fn complete(&self, account: &mut Account) {
        account.user_id = self.user_id.or(account.user_id);
        account.api_id = self.api_id.or(account.api_id);
        if self.bot || self.user {
            account.is_bot = Some(self.bot);
        }
        if self.test || self.production {
            account.test_mode = Some(self.test);
        }
    }

    pub(crate) fn telethon_ipv6(&self) -> TelethonIpv6 {
        if self.ipv6 {
            TelethonIpv6::Keep
        } else {
            TelethonIpv6::Replace
        }
    }
}

/// A kind of session strings that can be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StringKind(StringFormat);

impl StringKind {
    const NATIVE: Self = Self(StringFormat::Native);

    /// The format, unless it is that of a whole session.
    pub(crate) fn login(self) -> Option<StringFormat> {
        (self.0 != StringFormat::Native).then_some(self.0)
    }

    /// Our own names, and those that the other libraries have everywhere.
    fn name(self) -> &'static str {
        let is_its = |target: &Target| target.string() == Some(self.0);
        match self.0 {
            StringFormat::Native => "native",
            StringFormat::Compact => "compact",
            _ => Target::ALL
                .into_iter()
                .find(is_its)
                .map_or("", Target::scheme),
        }
    }
}

impl ValueEnum for StringKind {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::NATIVE,
            Self(StringFormat::Compact),
            Self(StringFormat::Telethon),
            Self(StringFormat::Pyrogram),
            Self(StringFormat::GramJs),
            Self(StringFormat::Mtcute),
            Self(StringFormat::Mtkruto),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self.0 {
            StringFormat::Native => "everything, as long as it needs to be",
            StringFormat::Compact => "home DC, key and user id only: 364 characters",
            other => other.name(),
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Where to store it
    pub(crate) store: Store,
    /// Replace a session of ours that is already there; those of other libraries never are
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeleteArgs {
    /// The session to remove, or several
    #[arg(required = true, value_name = "STORE")]
    pub(crate) stores: Vec<Store>,
    /// Also where another program owns the session and uses it: it cannot write to it any more
    #[arg(long)]
    pub(crate) in_use: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PruneArgs {
    /// The session; the account itself and channels whose updates are followed stay in any case
    pub(crate) store: Store,
    /// At most this many users
    #[arg(long, value_name = "N")]
    pub(crate) users: Option<u32>,
    /// At most this many channels
    #[arg(long, value_name = "N")]
    pub(crate) channels: Option<u32>,
    /// At most this many chats
    #[arg(long, value_name = "N")]
    pub(crate) chats: Option<u32>,
    /// At most this many users that are known only from messages
    #[arg(long, value_name = "N")]
    pub(crate) min_peers: Option<u32>,
    /// Say how many would go, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecoverArgs {
    /// The damaged session file, or a copy of it; it is only read
    pub(crate) file: std::path::PathBuf,
    /// Where to store what is found, as a session file that must not exist
    #[arg(long, value_name = "NEW")]
    pub(crate) out: std::path::PathBuf,
}
