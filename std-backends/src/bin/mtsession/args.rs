//! The command line's grammar and help.

use clap::{Parser, Subcommand, ValueEnum};

use crate::store::Store;

/// Look at MTProto (Telegram) client sessions, check them, and move them between stores.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Stores:
  my.session        a session file (the backend is chosen by its content)
  string:-          a session string, from standard input or to standard output
  string:FILE       a session string in a file
  env:NAME          a session string in the environment variable NAME (read only)
  sqlite:FILE       an SQLite database; sqlite:FILE#NAME is one account of many
  libsql:URL        a libSQL server, or a file; libsql:URL#NAME is one account of many. The token
                    is taken from LIBSQL_AUTH_TOKEN or TURSO_AUTH_TOKEN
  ferogram:FILE     a new SQLite database for ferogram-session 0.6.6, to go back to it

Secrets are never taken from the command line and never printed, unless asked for with
--show-secrets or by exporting a string.

Exit codes:
  0  done, nothing wrong     2  wrong usage            4  not readable as a session
  1  problems were found     3  no session there       5  the store failed (permissions, disk, ...)";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a session holds; keys appear as fingerprints
    Inspect(InspectArgs),
    /// Check a session byte by byte, its checksum, its journal and its file mode
    Verify(VerifyArgs),
    /// Show an old session, store it in the current format, and prove that nothing was lost
    Upgrade(UpgradeArgs),
    /// Copy a session from one store to another
    Convert(ConvertArgs),
    /// Print a session as a string: whoever reads it owns the account
    Export(ExportArgs),
    /// Store a session string that comes from standard input
    Import(ImportArgs),
    /// List the accounts of a database
    Accounts(AccountsArgs),
    /// Copy a database while other programs use it
    Backup(BackupArgs),
    /// Remove a session and everything that could bring its keys back
    Delete(DeleteArgs),
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
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The session to check
    pub(crate) store: Store,
    /// Print one JSON object instead of lines
    #[arg(long)]
    pub(crate) json: bool,
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
pub(crate) struct ConvertArgs {
    /// Where the session is
    pub(crate) from: Store,
    /// Where it shall be, too
    pub(crate) to: Store,
    /// Replace a session that is already there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// The session to print
    pub(crate) store: Store,
    /// Which kind of string
    #[arg(long, value_enum, default_value_t = StringKind::Native)]
    pub(crate) format: StringKind,
    /// The account's user id, for compact strings of sessions that do not know it
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Option<i64>,
}

/// The kinds of session strings that can be written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StringKind {
    /// Everything, as long as it needs to be
    Native,
    /// Home DC, key and user id only: 364 characters
    Compact,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Where to store it
    pub(crate) store: Store,
    /// Replace a session that is already there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountsArgs {
    /// The database
    pub(crate) store: Store,
    /// Print one JSON array instead of lines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// The database, all accounts of it
    pub(crate) store: Store,
    /// A new file
    pub(crate) file: std::path::PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeleteArgs {
    /// The session to remove
    pub(crate) store: Store,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}
