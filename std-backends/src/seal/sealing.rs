//! What a program has to open and to seal its stores.

use core::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use mtsession_core::seal::{Generation, Header, KeySlot, MAX_NAME, MAX_SLOTS, SealedKind, StoreId};
use zeroize::Zeroizing;

use super::open_seal::OpenSeal;
use super::passphrase::check_work;
use super::slots::{OwnedSlot, random, unwrap};
use super::{Anchor, KeySource};
use crate::error::kind::StoreErrorKind;
use crate::error::reworded::stored_unflushed;
use crate::error::told::told;
use crate::shown::Shown;
use crate::sync::lock;

/// Keys, and what is asked of a store that they open.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    pub(crate) sources: Vec<Arc<dyn KeySource>>,
    pub(crate) label: Option<String>,
    pub(crate) anchor: Option<Arc<dyn Anchor>>,
    pub(crate) accept_rollback: bool,
}

/// [`Keys`] with the store that they have opened last: no key is derived twice for it.
pub(crate) struct Sealing {
    keys: Keys,
    kept: Mutex<Option<Arc<OpenSeal>>>,
}

impl Sealing {
    pub(crate) fn new(keys: Keys) -> Self {
        Self {
            keys,
            kept: Mutex::default(),
        }
    }

    /// Opens a store, and looks whether it is the one that is meant and not an older one.
    pub(crate) fn open(&self, header: &Header<'_>, kind: SealedKind) -> io::Result<Arc<OpenSeal>> {
        let known = lock(&self.kept).clone();
        let known = known.filter(|known| known.has_header(header));
        let seal = known.map_or_else(|| self.open_and_keep(header, kind), Ok)?;
        self.check_anchor(&seal)?;
        Ok(seal)
    }

    fn open_and_keep(&self, header: &Header<'_>, kind: SealedKind) -> io::Result<Arc<OpenSeal>> {
        let opened = Arc::new(self.open_anew(header, kind)?);
        self.check_label(&opened)?;
        *lock(&self.kept) = Some(Arc::clone(&opened));
        Ok(opened)
    }

    fn open_anew(&self, header: &Header<'_>, kind: SealedKind) -> io::Result<OpenSeal> {
        if header.fields().kind != kind {
            let message = "it was sealed as another kind of store, and does not pass for this one";
            return Err(told(StoreErrorKind::Foreign, message));
        }
        let is_passphrase = |slot: &KeySlot<'_>| slot.kind == KeySlot::PASSPHRASE;
        // What costs nothing is tried first, and what a stranger may have made costly after a look at it.
        let others = header.slots().filter(|slot| !is_passphrase(slot));
        if let Some(dek) = self.try_slots(others, header)? {
            return OpenSeal::of(header, &dek);
        }
        let passphrases = || header.slots().filter(is_passphrase);
        check_work(passphrases())?;
        match self.try_slots(passphrases(), header)? {
            Some(dek) => OpenSeal::of(header, &dek),
            None => Err(not_opened(header)),
        }
    }

    fn try_slots<'s>(
        &self,
        slots: impl Iterator<Item = KeySlot<'s>>,
        header: &Header<'_>,
    ) -> io::Result<Option<Zeroizing<[u8; 32]>>> {
        let fields = header.fields();
        let mut failure = None;
        for slot in slots {
            for source in &self.keys.sources {
                match source.kek(&fields.store, &slot) {
                    Ok(Some(kek)) => {
                        if let Some(dek) = unwrap(&slot, &kek, fields.kind, &fields.store) {
                            return Ok(Some(dek));
                        }
                    }
                    Ok(None) => {}
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
        }
        failure.map_or(Ok(None), Err)
    }

    fn check_label(&self, seal: &OpenSeal) -> io::Result<()> {
        match &self.keys.label {
            Some(label) if label != seal.name() => {
                let message = format!(
                    "it was sealed as {}, not as {}: another session was put in its place, or the label is \
                     wrong",
                    named(seal.name()),
                    named(label)
                );
                Err(told(StoreErrorKind::Foreign, message))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a store that is older than one that was seen, and remembers a newer one.
    fn check_anchor(&self, seal: &OpenSeal) -> io::Result<()> {
        let Some(anchor) = &self.keys.anchor else {
            return Ok(());
        };
        let (here, newest) = (seal.generation(), anchor.read(seal.store())?);
        match newest {
            Some(newest) if newest > here && !self.keys.accept_rollback => {
                let message = format!(
                    "this is an older copy of the store: it has generation {}, and {} was seen; put the newest \
                     one back, or open it with the option `accept_rollback`",
                    here.get(),
                    newest.get()
                );
                Err(told(StoreErrorKind::RolledBack, message))
            }
            Some(newest) if newest >= here => Ok(()),
            _ => anchor.advance(seal.store(), here),
        }
    }

    /// A new store, which all keys open.
    pub(crate) fn born(&self, kind: SealedKind) -> io::Result<OpenSeal> {
        let sources: Vec<_> = self.keys.sources.iter().map(|source| &**source).collect();
        self.born_for(kind, &sources)
    }

    /// A new store, which these keys open.
    pub(crate) fn born_for(
        &self,
        kind: SealedKind,
        sources: &[&dyn KeySource],
    ) -> io::Result<OpenSeal> {
        let name = self.keys.label.clone().unwrap_or_default();
        let store = StoreId::new(random()?);
        made(kind, store, Generation::new(1), name, sources)
    }

    /// The same store in a new generation with a new DEK, which these keys open and no others.
    pub(crate) fn renewed_for(
        &self,
        kind: SealedKind,
        old: &OpenSeal,
        sources: &[&dyn KeySource],
    ) -> io::Result<OpenSeal> {
        let name = self.keys.label.clone();
        let name = name.unwrap_or_else(|| old.name().to_owned());
        made(kind, *old.store(), self.after(old)?, name, sources)
    }

    /// The store after a change of a key or of the login.
    pub(crate) fn changed(&self, old: &OpenSeal) -> io::Result<OpenSeal> {
        Ok(old.in_generation(self.after(old)?))
    }

    /// Whether it is an older copy that was accepted: the next write makes it the newest again.
    pub(crate) fn is_behind(&self, seal: &OpenSeal) -> io::Result<bool> {
        match &self.keys.anchor {
            Some(anchor) if self.keys.accept_rollback => {
                let newest = anchor.read(seal.store())?;
                Ok(newest.is_some_and(|newest| newest > seal.generation()))
            }
            _ => Ok(false),
        }
    }

    /// The next generation: above the one that is there and above that of the anchor, which never goes back.
    fn after(&self, old: &OpenSeal) -> io::Result<Generation> {
        let newest = match &self.keys.anchor {
            Some(anchor) => anchor.read(old.store())?,
            None => None,
        };
        let newest = newest.map_or(0, Generation::get);
        let next = old.generation().get().max(newest).checked_add(1);
        next.map(Generation::new).ok_or_else(|| {
            told(
                StoreErrorKind::Damaged,
                "its generation is the last one there is",
            )
        })
    }

    /// Remembers a store that was written and flushed.
    pub(crate) fn written(&self, seal: &Arc<OpenSeal>) -> io::Result<()> {
        *lock(&self.kept) = Some(Arc::clone(seal));
        let Some(anchor) = &self.keys.anchor else {
            return Ok(());
        };
        anchor
            .advance(seal.store(), seal.generation())
            .map_err(|error| {
                let message = format!(
                    "the change is stored, but its anchor was not advanced ({error}): the next opening does \
                     it; until then an older copy passes"
                );
                stored_unflushed(&error, message)
            })
    }
}

fn made(
    kind: SealedKind,
    store: StoreId,
    generation: Generation,
    name: String,
    sources: &[&dyn KeySource],
) -> io::Result<OpenSeal> {
    if !(1..=MAX_SLOTS).contains(&sources.len()) {
        let message = format!(
            "{} keys were given, and a store is opened by 1 to {MAX_SLOTS}",
            sources.len()
        );
        return Err(told(StoreErrorKind::Invalid, message));
    }
    if name.len() > MAX_NAME {
        let message = format!(
            "the label has {} bytes, at most {MAX_NAME} are allowed",
            name.len()
        );
        return Err(told(StoreErrorKind::Invalid, message));
    }
    let dek = Zeroizing::new(random()?);
    let mut slots = Vec::with_capacity(sources.len());
    for source in sources {
        let new = source.new_slot(&store)?;
        slots.push(OwnedSlot::wrap(&new, kind, &store, &dek)?);
    }
    Ok(OpenSeal::new(kind, store, generation, name, slots, &dek))
}

fn named(name: &str) -> String {
    if name.is_empty() {
        "a session without a label".to_owned()
    } else {
        format!("`{}`", Shown(name))
    }
}

/// No slot opens: which there are is all that anybody learns.
fn not_opened(header: &Header<'_>) -> io::Error {
    let slots: Vec<_> = header.slots().map(|slot| slot.kind_name()).collect();
    let message = format!(
        "it is sealed, and no slot opens with the key that was given; it has: {}",
        slots.join(", ")
    );
    told(StoreErrorKind::Sealed, message)
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing").finish_non_exhaustive()
    }
}
