//! `mtsession upgrade`: an old session in the current format, with the proof that it is the same.

use std::io::Write as _;

use mtsession::{
    BinaryFileBackend, InMemoryBackend, SessionBackend, SessionBackendExt as _,
    StringSessionBackend,
};

use crate::Done;
use crate::args::UpgradeArgs;
use crate::failure::Failure;
use crate::keys;
use crate::output;
use crate::store::{Loaded, Store};
use crate::tables;
use crate::{compared, report};

pub(crate) fn run(args: &UpgradeArgs) -> Done {
    let old = args.store.load()?;
    let mut out = output::stdout();
    write!(out, "{}", report::text(&args.store, &old, None, false))?;

    let new = Store::File(args.out.clone());
    if args.store.is_same_place(&new) {
        let message = format!("{new} is both source and target; the source is never written to");
        return Err(Failure::Usage(message));
    }
    keys::refuse_plain(&args.store, Some(&new))?;
    if new.is_taken()? {
        let there = new.load()?;
        if !compared::equal(&there.record, &old.record) {
            let message = format!("{new} holds another session; choose another --out");
            return Err(Failure::Usage(message));
        }
    }
    let file = new.session_file()?;
    let file = file.unwrap_or_else(|| BinaryFileBackend::new(&args.out));
    let string = StringSessionBackend::new("");
    let proofs = [
        prove("file", &file, &old)?,
        prove("memory", &InMemoryBackend::new(), &old)?,
        prove("string", &string, &old)?,
    ];
    write!(
        out,
        "\n{}",
        tables::rows(
            ["stored in", "as", "read back"],
            [
                (new.to_string(), report::origin(&new.load()?.origin)),
                ("memory".to_owned(), "the session itself".to_owned()),
                (
                    "a string".to_owned(),
                    format!("{} characters", string.current().len())
                ),
            ]
            .into_iter()
            .zip(&proofs)
            .map(|((place, form), proof)| [place, form, proof.verdict().to_owned()]),
        )
    )?;
    if proofs.iter().all(|proof| proof.equal) {
        writeln!(out, "\n All three are equal to {}.", args.store)?;
        return Ok(());
    }
    Err(Failure::Problems(format!(
        "{} could not be stored without loss",
        args.store
    )))
}

/// Whether a store gave back what it was given.
struct Proof {
    equal: bool,
}

impl Proof {
    fn verdict(&self) -> &'static str {
        if self.equal { "equal" } else { "DIFFERENT" }
    }
}

fn prove(name: &str, backend: &dyn SessionBackend, old: &Loaded) -> Result<Proof, Failure> {
    backend.replace(&old.record)?;
    let stored = backend.read()?.ok_or_else(|| {
        Failure::Problems(format!("the {name} backend lost the session it was given"))
    })?;
    Ok(Proof {
        equal: compared::equal(&old.record, &stored),
    })
}
