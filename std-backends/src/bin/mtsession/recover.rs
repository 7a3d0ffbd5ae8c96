//! `mtsession recover`: what is left of a damaged session file.

use std::fs;
use std::io::{self, Write as _};

use mtsession::{
    BinaryFileBackend, Change, PersistedSession, SessionBackendExt as _, SessionRecord,
};

use crate::Done;
use crate::args::RecoverArgs;
use crate::failure::Failure;
use crate::output;
use crate::store::Store;
use crate::{compared, report};

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
    let mut record = SessionRecord::from(PersistedSession::clone(&recovered.session));
    let alongside = [
        Change::Account(recovered.account),
        Change::LoginState(recovered.login_state.as_state()),
    ];
    record.apply_all(&alongside).map_err(io::Error::from)?;
    record.set_peer_names(&recovered.names)?;
    BinaryFileBackend::new(out).replace(&record)?;
    let stored = Store::File(out.clone()).load()?;
    if !compared::equal(&record, &stored.record) {
        let message = format!("{} does not read back as it was stored", out.display());
        return Err(Failure::Problems(message));
    }
    let mut stdout = output::stdout();
    let keys = record
        .session()
        .dcs
        .iter()
        .filter(|dc| dc.auth_key.is_some())
        .count();
    let peers = record.session().peers.len();
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
