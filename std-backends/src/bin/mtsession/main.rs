//! The `mtsession` command: look at sessions, check them, and move them between stores.

mod accounts;
mod args;
mod convert;
mod delete;
mod failure;
mod inspect;
mod report;
mod store;
mod upgrade;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};
use crate::failure::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.command {
        Command::Inspect(command) => inspect::run(command),
        Command::Verify(command) => verify::run(command),
        Command::Upgrade(command) => upgrade::run(command),
        Command::Convert(command) => convert::convert(command),
        Command::Export(command) => convert::export(command),
        Command::Import(command) => convert::import(command),
        Command::Delete(command) => delete::run(command),
        Command::Accounts(command) => accounts::list(command),
        Command::Backup(command) => accounts::backup(command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mtsession: {failure}");
            failure.exit_code()
        }
    }
}

/// What every command returns.
type Done = Result<(), Failure>;
