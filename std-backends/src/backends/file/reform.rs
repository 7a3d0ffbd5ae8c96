//! Sealing a session file, sealing it anew, and making it a plain one: one new file each, in the place of the
//! old one.

use std::io;
use std::sync::Arc;

use mtsession_core::seal::SealedKind;

use super::backend::BinaryFileBackend;
use super::content::{Found, read_locked};
use super::fold::{Old, Reform, write};
use super::form::Form;
use super::lock::{Held, with_lock};
use super::paths::Paths;
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::fs::disk::OpenFile as _;
use crate::fs::erase;
use crate::seal::{KeySource, OpenSeal, Sealing};

/// What is to become of a session file.
#[derive(Clone, Copy)]
pub(crate) enum Reforming<'k> {
    /// Plain, it is sealed with these keys.
    Seal(&'k [&'k dyn KeySource]),
    /// Sealed, it is sealed anew with these keys.
    Reseal(&'k [&'k dyn KeySource]),
    /// Sealed, it becomes plain.
    Unseal,
}

impl Reforming<'_> {
    pub(crate) const fn action(self) -> &'static str {
        match self {
            Self::Seal(_) => "seal",
            Self::Reseal(_) => "reseal",
            Self::Unseal => "unseal",
        }
    }
}

impl BinaryFileBackend {
    /// Changes the form of the file. `sealing` is what the store was opened with.
    pub(crate) fn reform(&self, reforming: Reforming<'_>, sealing: &Sealing) -> io::Result<()> {
        self.reform_locked(reforming, sealing)
            .map_err(self.error(reforming.action()))
    }

    fn reform_locked(&self, reforming: Reforming<'_>, sealing: &Sealing) -> io::Result<()> {
        let mut state = self.state();
        let paths = self.prepare(&mut state)?;
        let sealed = with_lock(&paths, self.settings, |held| {
            self.write_reformed(&paths, held, reforming, sealing)
        })?;
        match sealed {
            Some(seal) => sealing.written(&seal),
            None => Ok(()),
        }
    }

    /// What has sealed the new file; `None` where somebody has replaced the old one meanwhile.
    #[expect(
        clippy::option_option,
        reason = "see above; the inner one is of a plain file"
    )]
    fn write_reformed(
        &self,
        paths: &Paths,
        held: Held<'_>,
        reforming: Reforming<'_>,
        sealing: &Sealing,
    ) -> io::Result<Option<Option<Arc<OpenSeal>>>> {
        let settings = self.settings();
        let found = read_locked(held, paths, settings)?;
        settings.fence.admit(&found, paths)?;
        let Found {
            content,
            bytes,
            before,
        } = found;
        let Some(content) = content else {
            let message = "there is no session: a new one is born sealed where a key is given";
            return Err(told(StoreErrorKind::Absent, message));
        };
        let seal = next_seal(&content.form, reforming, sealing)?.map(Arc::new);
        let reform = seal.clone().map_or(Reform::Unseal, Reform::Seal);
        let old = Old::of(Some(&content), bytes, before).reformed(reform);
        let written = write(paths, held, &content.stored, old, settings)?;
        let Some(stored) = written.if_not_moved() else {
            return Ok(None);
        };
        let is_durable = stored.is_some_and(|stored| stored.1.is_durable);
        if is_durable && held.file.status().is_ok_and(|found| found.links == 0) {
            // The old file has no name any more, and what was plain in it need not stay on the disk.
            let _ = erase(held.file);
        }
        Ok(Some(seal))
    }
}

fn next_seal(
    form: &Form,
    reforming: Reforming<'_>,
    sealing: &Sealing,
) -> io::Result<Option<OpenSeal>> {
    let is_sealed = "it is sealed already: `reseal` changes its keys";
    let is_plain = "it is not sealed";
    match (reforming, form.seal()) {
        (Reforming::Seal(_), Some(_)) => Err(told(StoreErrorKind::Sealed, is_sealed)),
        (Reforming::Reseal(_) | Reforming::Unseal, None) => {
            Err(told(StoreErrorKind::NotSealed, is_plain))
        }
        (Reforming::Seal(keys), None) => sealing.born_for(SealedKind::File, keys).map(Some),
        (Reforming::Reseal(keys), Some(old)) => {
            sealing.renewed_for(SealedKind::File, old, keys).map(Some)
        }
        (Reforming::Unseal, Some(_)) => Ok(None),
    }
}
