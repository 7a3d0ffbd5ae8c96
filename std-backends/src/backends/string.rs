//! The session as a string, kept wherever the program keeps strings.

use std::io;
use std::sync::Mutex;

use mtsession_core::text::decode_any;
use mtsession_core::{Change, DecodeErrorKind, SessionSource};
use zeroize::Zeroizing;

use crate::backend::SessionBackend;
use crate::backends::optimistic;
use crate::drop_in::session::PersistedSession;
use crate::drop_in::session_encoding::encode_to_string;
use crate::error::StoreError;
use crate::error::kind::StoreErrorKind;
use crate::owner::{Lease, Mine, OwnedInProcess, Owner, OwnerInfo, Ownership};
use crate::record::{Keeps, SessionRecord};
use crate::secret_bytes::SecretBytes;
use crate::sync::lock;

const NAME: &str = "string-session";

/// Keeps the session as a string, which starts as the one it is given and is a native string after
/// every write; store [`current`](Self::current) where you keep secrets.
///
/// Reads native and compact strings in whatever they were pasted with, as
/// [`detect`](mtsession_core::clients::detect) does: an assignment, quotes, line breaks, escapes. Every granular write encodes the whole string anew.
///
/// ```
/// use mtsession::{SessionBackend, StringSessionBackend};
///
/// let backend = StringSessionBackend::new("");
/// assert!(backend.load()?.is_none());
/// backend.set_home_dc(2)?;
/// let again = StringSessionBackend::new(backend.current());
/// assert_eq!(again.load()?.expect("stored above").home_dc_id, 2);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct StringSessionBackend {
    /// Held by every writer, before the text itself: the last attempt of an update holds it while the
    /// caller's code runs, which may still read.
    turn: Mutex<()>,
    text: Mutex<Zeroizing<String>>,
    owned: OwnedInProcess,
    mine: Mine,
}

impl StringSessionBackend {
    /// Starts with an existing string, or with an empty one for a new session. Nothing is decoded
    /// before the first call that needs it.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            turn: Mutex::default(),
            text: Mutex::new(Zeroizing::new(text.into())),
            owned: OwnedInProcess::default(),
            mine: Mine::default(),
        }
    }

    /// The string as it is now: **anyone who reads it owns the account**.
    pub fn current(&self) -> String {
        String::clone(&lock(&self.text))
    }
}

fn decode(text: &str, action: &'static str) -> io::Result<Option<SessionRecord>> {
    let mut buffer = SecretBytes::zeros(text.len());
    match decode_any(text, &mut buffer) {
        Ok(session) => Ok(Some(SessionRecord::copy_of(&session))),
        // Nothing but white space, perhaps with a byte order mark.
        Err(error) if error.kind == DecodeErrorKind::Empty => Ok(None),
        Err(error) => Err(StoreError::io(NAME, "", action, error)),
    }
}

/// Whether it is the string of another library, or several: probably put here by mistake.
fn is_somebody_elses(error: &io::Error) -> bool {
    StoreError::of(error).is_some_and(|error| error.kind() == StoreErrorKind::Foreign)
}

fn encode(session: &impl SessionSource, action: &'static str) -> io::Result<Zeroizing<String>> {
    encode_to_string(session).map_err(|error| StoreError::io(NAME, "", action, error))
}

impl SessionBackend for StringSessionBackend {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        let _turn = lock(&self.turn);
        let mut text = lock(&self.text);
        let mut record = match decode(&text, "save") {
            Ok(known) => known.unwrap_or_default(),
            Err(error) if is_somebody_elses(&error) => return Err(error),
            // What cannot be read has no account to keep.
            Err(_) => SessionRecord::default(),
        };
        record.set_session(session.clone());
        *text = encode(&record, "save")?;
        Ok(())
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        let stored = decode(&lock(&self.text), "load")?;
        Ok(stored.map(SessionRecord::into_session))
    }

    fn delete(&self) -> io::Result<()> {
        let _turn = lock(&self.turn);
        *lock(&self.text) = Zeroizing::default();
        Ok(())
    }

    fn name(&self) -> &str {
        NAME
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        const ACTION: &str = "apply changes";

        let _turn = lock(&self.turn);
        let mut text = lock(&self.text);
        let mut record = decode(&text, ACTION)?.unwrap_or_default();
        record.replay(changes);
        *text = encode(&record, ACTION)?;
        Ok(())
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        decode(&lock(&self.text), "load")
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        const ACTION: &str = "update";

        let store = |before: Option<&SessionRecord>, record| {
            let mut text = lock(&self.text);
            let is_same = decode(&text, ACTION)?.as_ref() == before;
            if is_same {
                *text = encode(&record, ACTION)?;
            }
            Ok(is_same)
        };
        optimistic::update_in_turn(&self.turn, change, || self.read(), store)
    }

    fn keeps(&self) -> Keeps {
        Keeps::ALL
    }

    /// There is one handle on a string: it is refused to a second owner, and nobody else could write.
    fn own(&self, owner: Owner) -> io::Result<Ownership> {
        let _turn = lock(&self.turn);
        let owned = self.owned.own(&self.mine, &owner);
        owned.map_err(|error| StoreError::io(NAME, "", "own", error))
    }

    fn lease(&self) -> Option<Lease> {
        self.mine.lease()
    }

    fn owner(&self) -> io::Result<Option<OwnerInfo>> {
        Ok(self.owned.info())
    }
}
