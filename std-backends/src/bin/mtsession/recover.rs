//! `mtsession recover`: what is left of a damaged session file.

use std::fs;
use std::io::{self, Write as _};

use mtsession::BinaryFileBackend;

use crate::Done;
use crate::args::RecoverArgs;
use crate::failure::Failure;
use crate::output;
use crate::report;
use crate::store::{Parts, Store, save_in};

pub(crate) fn run(args: &RecoverArgs) -> Done {
    let RecoverArgs { file, out } = args;
    let is_taken = match fs::symlink_metadata(out) {
        Ok(found) => !found.is_file() || found.len() > 0,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(Store::File(out.clone()).refused("look at", &error)),
    };
    if is_taken {
        let message = format!("{} exists already; choose another --out", out.display());
        return Err(Failure::Usage(message));
    }
    let recovered = match mtsession::recover(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Store::File(file.clone()).not_found());
        }
        recovered => recovered?,
    };
    let parts = Parts {
        session: recovered.session,
        account: recovered.account,
        login_state: recovered.login_state,
        names: recovered.names,
    };
    save_in(&BinaryFileBackend::new(out), &parts)?;
    let stored = Store::File(out.clone()).load()?;
    let is_equal = report::equal(
        (&parts.session, &parts.account),
        (&stored.parts.session, &stored.parts.account),
    );
    if !is_equal {
        let message = format!("{} does not read back as it was stored", out.display());
        return Err(Failure::Problems(message));
    }
    let mut stdout = output::stdout();
    let keys = parts
        .session
        .dcs
        .iter()
        .filter(|dc| dc.auth_key.is_some())
        .count();
    let peers = parts.session.peers.len();
    writeln!(
        stdout,
        "{}: {} and {} of {}, which was not changed",
        out.display(),
        report::counted(keys, ["key", "keys"]),
        report::counted(peers, ["peer", "peers"]),
        file.display(),
    )?;
    if recovered.left_out.is_empty() {
        writeln!(stdout, "Nothing is wrong with it.")?;
    }
    for note in &recovered.left_out {
        writeln!(stdout, "  note: {note}")?;
    }
    Ok(())
}
