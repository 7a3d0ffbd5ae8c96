//! What a shell and `man` know of the command: both are made from its grammar.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::Done;
use crate::args::Args;

const NAME: &str = "mtsession";

/// Prints the completions for `shell`.
pub(crate) fn completions(shell: Shell) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), NAME, &mut script);
    Ok(io::stdout().write_all(&script)?)
}

/// Prints the manual: one page for the command and one after it for each of its parts.
pub(crate) fn manual() -> Done {
    let mut command = Args::command().name(NAME);
    command.build();
    let mut pages = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut pages)?;
    for part in command
        .get_subcommands()
        .filter(|part| part.get_name() != "help")
    {
        clap_mangen::Man::new(part.clone()).render(&mut pages)?;
    }
    Ok(io::stdout().write_all(&pages)?)
}
