//! `mtsession inspect`.

use std::io::Write as _;

use crate::Done;
use crate::args::InspectArgs;
use crate::report;

pub(crate) fn run(args: &InspectArgs) -> Done {
    let loaded = args.store.load_account(args.number)?;
    let mut out = std::io::stdout();
    if args.json {
        let value = report::json(&args.store, &loaded, args.show_secrets);
        writeln!(out, "{value:#}")?;
    } else {
        write!(
            out,
            "{}",
            report::text(&args.store, &loaded, args.show_secrets)
        )?;
    }
    Ok(())
}
