//! `mtsession inspect`.

use std::io::Write as _;

use crate::Done;
use crate::args::InspectArgs;
use crate::keys;
use crate::output;
use crate::owners;
use crate::report;

pub(crate) fn run(args: &InspectArgs) -> Done {
    keys::refuse_unsealed(&args.store)?;
    let loaded = args.store.load_account(args.number)?;
    let owner = owners::of_loaded(&args.store, &loaded)?;
    let owner = owner.as_ref();
    if args.json {
        let value = report::json(&args.store, &loaded, owner, args.show_secrets);
        output::json(&value)?;
    } else {
        let text = report::text(&args.store, &loaded, owner, args.show_secrets);
        write!(output::stdout(), "{text}")?;
    }
    Ok(())
}
