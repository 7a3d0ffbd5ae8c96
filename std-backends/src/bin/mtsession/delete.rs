//! `mtsession delete`.

use std::io::{self, IsTerminal as _, Write as _};

use crate::Done;
use crate::args::DeleteArgs;
use crate::failure::Failure;
use crate::output;
use crate::store::{Store, refuse_others};

pub(crate) fn run(args: &DeleteArgs) -> Done {
    // Of several, none is removed where one is not there: a name was mistyped.
    for store in &args.stores {
        if !store.is_taken()? {
            return Err(store.not_found());
        }
    }
    for store in &args.stores {
        if !args.yes && !confirmed(store)? {
            return Err(Failure::Usage(format!("{store} was not deleted")));
        }
        delete(store)?;
    }
    Ok(())
}

fn delete(store: &Store) -> Done {
    match (store, store.backend()?) {
        (_, Some(backend)) => backend.delete()?,
        (Store::StringFile(path) | Store::Flash(path, _), _) => {
            refuse_others(path)?;
            mtsession::remove_private(path).map_err(|error| store.refused("delete", &error))?;
        }
        _ => return Err(Failure::Usage(format!("{store} cannot be deleted"))),
    }
    writeln!(
        output::stdout(),
        "{store} deleted; the login itself ends only when the client logs out"
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
