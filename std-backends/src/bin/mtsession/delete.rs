//! `mtsession delete`.

use std::io::{self, IsTerminal as _, Write as _};

use crate::Done;
use crate::args::DeleteArgs;
use crate::failure::Failure;
use crate::output;
use crate::store::{Store, refuse_others};

pub(crate) fn run(args: &DeleteArgs) -> Done {
    if !args.store.is_taken()? {
        return Err(args.store.not_found());
    }
    if !args.yes && !confirmed(&args.store)? {
        return Err(Failure::Usage(format!("{} was not deleted", args.store)));
    }
    match (&args.store, args.store.backend()?) {
        (_, Some(backend)) => backend.delete()?,
        (Store::StringFile(path) | Store::Flash(path, _), _) => {
            refuse_others(path)?;
            mtsession::remove_private(path)
                .map_err(|error| args.store.refused("delete", &error))?;
        }
        _ => return Err(Failure::Usage(format!("{} cannot be deleted", args.store))),
    }
    writeln!(
        output::stdout(),
        "{} deleted; the login itself ends only when the client logs out",
        args.store
    )?;
    Ok(())
}

fn confirmed(store: &Store) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "deleting without a terminal needs --yes".to_owned(),
        ));
    }
    let mut out = output::stdout();
    write!(
        out,
        "Delete {store}? Its keys cannot be brought back. [y/N] "
    )?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
