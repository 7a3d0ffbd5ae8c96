//! `mtsession delete`.

use std::io::{self, IsTerminal as _, Write as _};

use mtsession::Owner;

use crate::Done;
use crate::args::DeleteArgs;
use crate::failure::Failure;
use crate::output;
use crate::owners;
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
        delete(store, args.in_use)?;
    }
    Ok(())
}

fn delete(store: &Store, in_use: bool) -> Done {
    match (store, store.backend()?) {
        (_, Some(backend)) => {
            let by = backend.owner()?;
            let ownership = match by {
                Some(by) if !in_use => return Err(owners::is_in_use(store, &by)),
                // Its owner must not make it again with its next write.
                Some(_) => {
                    Some(backend.own(Owner::current().named("mtsession delete").take_over())?)
                }
                None => None,
            };
            backend.delete()?;
            drop(ownership);
        }
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
