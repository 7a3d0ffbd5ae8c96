//! The `mtsession` command: look at sessions, check them, and move them between stores.

mod accounts;
mod args;
mod check;
mod compare;
mod compared;
mod convert;
mod convert_all;
mod counted;
mod dates;
mod delete;
mod failure;
mod file_modes;
mod inspect;
mod keys;
mod list;
mod moving;
mod output;
mod owners;
mod places;
mod prune;
mod recover;
mod remarks;
mod report;
mod seal;
mod shell;
mod store;
mod tables;
mod upgrade;
mod verify;

use core::error::Error as _;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::{Args, Command};
use crate::failure::Failure;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return misused(&error),
    };
    let done = keys::read(&args.keys, args.command.asking()).and_then(|()| run(&args.command));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::note(&failure);
            failure.exit_code()
        }
    }
}

fn run(command: &Command) -> Done {
    match command {
        Command::Inspect(command) => inspect::run(command),
        Command::List(command) => list::run(command),
        Command::Verify(command) => verify::run(command),
        Command::Upgrade(command) => upgrade::run(command),
        Command::Convert(command) => convert::convert(command),
        Command::Export(command) => convert::export(command),
        Command::Import(command) => convert::import(command),
        Command::Delete(command) => delete::run(command),
        Command::Prune(command) => prune::run(command),
        Command::Rename(command) => accounts::rename(command),
        Command::Accounts(command) => accounts::list(command),
        Command::Backup(command) => accounts::backup(command),
        Command::Restore(command) => accounts::restore(command),
        Command::Keygen { file } => keys::generate(file),
        Command::Seal(command) => seal::seal(command),
        Command::Unseal(command) => seal::unseal(command),
        Command::Reseal(command) => seal::reseal(command),
        Command::Recover(command) => recover::run(command),
        Command::Completions { shell } => shell::completions(*shell),
        Command::Man => shell::manual(),
    }
}

/// Says what is wrong with the command line, or shows the help that was asked for.
fn misused(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    match (error.kind(), error.source()) {
        // The argument itself is not repeated: it may be a url with a password in it.
        (ErrorKind::ValueValidation, Some(reason)) => {
            let option = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::String(option)) => option.as_str(),
                _ => "an argument",
            };
            output::note(format_args!("{option}: {reason}"));
        }
        _ => output::complain(&error.render().to_string()),
    }
    Failure::Usage(String::new()).exit_code()
}

/// What every command returns.
type Done = Result<(), Failure>;
