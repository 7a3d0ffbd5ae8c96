//! `mtsession recover`: what is left of a damaged session file.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use mtsession::{
    BinaryFileBackend, Change, PersistedSession, SessionBackendExt as _, SessionRecord,
};

use crate::Done;
use crate::args::RecoverArgs;
use crate::failure::Failure;
use crate::keys;
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
    let (from, to) = (Store::File(file.clone()), Store::File(out.clone()));
    keys::refuse_plain(&from, Some(&to))?;
    let (record, left_out) = if keys::is_sealed_store(&from) && keys::has_any() {
        opened(&from)?
    } else {
        salvaged(file)?
    };
    let target = to.session_file()?;
    let target = target.unwrap_or_else(|| BinaryFileBackend::new(out));
    target.replace(&record)?;
    let stored = to.load()?;
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
    if left_out.is_empty() {
        writeln!(stdout, "Nothing is wrong with it.")?;
    }
    for note in &left_out {
        writeln!(stdout, "  note: {note}")?;
    }
    Ok(())
}

/// What of a plain file is left, and what is not.
fn salvaged(file: &Path) -> Result<(SessionRecord, Vec<String>), Failure> {
    let recovered = match mtsession::recover(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Store::File(file.to_owned()).not_found());
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
    Ok((record, recovered.left_out))
}

/// The same of a sealed one: all that opens, up to the first change that does not.
fn opened(file: &Store) -> Result<(SessionRecord, Vec<String>), Failure> {
    let opened = file.session_file()?.ok_or_else(|| file.not_found())?;
    let (record, status) = opened.read_with_status()?.ok_or_else(|| file.not_found())?;
    let lost = (status.tail_lost > 0).then(|| {
        format!(
            "{} bytes of the changes after it do not open",
            status.tail_lost
        )
    });
    Ok((record, lost.into_iter().collect()))
}
