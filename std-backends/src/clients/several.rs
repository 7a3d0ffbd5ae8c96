//! Several logins in one place: none is picked silently.

use mtsession_core::AuthKeyRef;

use crate::clients::candidate::Candidate;
use crate::clients::error::ForeignError;
use crate::clients::import::Import;
use crate::fingerprint::Fingerprint;

/// What was read from one part of a place: its name, and the login or why there is none.
pub(super) type Read = (String, Result<Import, ForeignError>);

/// The only login of a place. Of several with different keys the one with the chosen number, counted
/// from 1 over all parts; of several with the same key the one that was lived in.
pub(super) fn only(mut parts: Vec<Read>, choice: Option<usize>) -> Result<Import, ForeignError> {
    let count = parts.len();
    if let Some(number) = choice {
        let at = number.checked_sub(1).filter(|at| *at < count);
        let at = at.ok_or(ForeignError::NoAccount { number, count })?;
        let mut import = parts.swap_remove(at).1?;
        import.accounts = count;
        return Ok(import);
    }
    let mut logins: Vec<(Candidate, Import)> = Vec::new();
    let mut failed = Vec::new();
    for (number, (place, read)) in (1..).zip(parts) {
        match read.and_then(|import| Ok((candidate(number, &import)?, import))) {
            Ok(login) => add(&mut logins, login),
            Err(error @ ForeignError::SeveralKeys(_)) => return Err(error),
            Err(error) => failed.push((place, error)),
        }
    }
    match logins.len() {
        0 => Err(worst(failed)),
        1 => {
            let (_, mut import) = logins.remove(0);
            // Nobody ever was in the others, or what was there is lost.
            for (place, error) in failed {
                if !matches!(error, ForeignError::NotLoggedIn) {
                    import.leave_out(&place, None, error.to_string());
                }
            }
            Ok(import)
        }
        _ => {
            let candidates = logins.into_iter().map(|(candidate, _)| candidate);
            Err(ForeignError::SeveralKeys(candidates.collect()))
        }
    }
}

/// The login of one part.
fn candidate(number: usize, import: &Import) -> Result<Candidate, ForeignError> {
    let session = &import.session;
    let mut homes = session
        .dcs
        .iter()
        .filter(|dc| dc.dc_id == session.home_dc_id);
    let key = homes.find_map(|dc| dc.auth_key.as_ref());
    let key = key.ok_or(ForeignError::NotLoggedIn)?;
    Ok(Candidate {
        number,
        dc_id: session.home_dc_id,
        fingerprint: Fingerprint::of(AuthKeyRef::new(key)),
        user_id: import.account.user_id,
    })
}

/// Of two parts with the same key, the one with more in it is kept.
fn add(logins: &mut Vec<(Candidate, Import)>, login: (Candidate, Import)) {
    let same = |(known, _): &&mut (Candidate, Import)| known.fingerprint == login.0.fingerprint;
    match logins.iter_mut().find(same) {
        None => logins.push(login),
        Some(known) if login.1.session.peers.len() > known.1.session.peers.len() => *known = login,
        Some(_) => {}
    }
}

/// An error that says more than that nobody is logged in, if there is one.
fn worst(failed: Vec<(String, ForeignError)>) -> ForeignError {
    let says_little = |error: &ForeignError| matches!(error, ForeignError::NotLoggedIn);
    let errors = failed.into_iter().map(|(_, error)| error);
    errors
        .reduce(|first, other| if says_little(&first) { other } else { first })
        .unwrap_or(ForeignError::NotLoggedIn)
}
