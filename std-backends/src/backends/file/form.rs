//! The two forms of a session file, plain and sealed: the one place where its bytes are made and read.

use std::io;
use std::sync::Arc;

use mtsession_core::seal::SealedKind;
use mtsession_core::wire::journal::{Record, is_journalable};
use mtsession_core::wire::session_file::TailHeader;
use mtsession_core::wire::{FencingToken, encode_owned_to_vec, encode_to_vec};
use mtsession_core::{Change, SealedFile, SessionSource, TailEnd, Weight};

use super::tail::{self, MAC_LEN, Newer, Tail, next_sound};
use crate::drop_in::session::PersistedSession;
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::fs::file_len;
use crate::seal::{OpenSeal, Sealing, login_digest, mac_of};
use crate::secret_bytes::SecretBytes;

/// How the bytes of a session file are made and read.
#[derive(Clone, Debug, Default)]
pub(super) enum Form {
    #[default]
    Plain,
    Sealed(Arc<Sealed>),
}

/// A sealed session file.
#[derive(Debug)]
pub(super) struct Sealed {
    seal: Arc<OpenSeal>,
    /// The MAC of the snapshot's box, which the first record continues.
    body_mac: [u8; MAC_LEN],
    /// Of keys and login in the snapshot, which are nowhere else: a file that differs in them is a new
    /// generation.
    login: [u8; 32],
}

impl Form {
    /// Opens a sealed file: its form, and its snapshot.
    pub(super) fn open(
        file: &SealedFile<'_>,
        sealing: Option<&Sealing>,
    ) -> io::Result<(Arc<OpenSeal>, SecretBytes)> {
        let Some(sealing) = sealing else {
            return Err(is_sealed_without_a_key(file));
        };
        let seal = sealing.open(&file.header(), SealedKind::File)?;
        let snapshot = seal.open_body(file.body())?;
        Ok((seal, snapshot))
    }

    /// The form of a file whose snapshot is `session` and has this body.
    pub(super) fn sealed(seal: Arc<OpenSeal>, body: &[u8], session: &impl SessionSource) -> Self {
        Self::Sealed(Arc::new(Sealed {
            seal,
            body_mac: mac_of(body),
            login: login_digest(session),
        }))
    }

    /// What seals the file that takes the place of one of this form, if anything does.
    pub(super) fn becomes(
        &self,
        sealing: Option<&Sealing>,
        session: &impl SessionSource,
    ) -> io::Result<Option<Arc<OpenSeal>>> {
        let Some(sealing) = sealing else {
            return Ok(None);
        };
        match self {
            // There is nothing yet, or nothing that can be read.
            Self::Plain => sealing.born(SealedKind::File).map(Arc::new).map(Some),
            Self::Sealed(sealed) => {
                let is_same = sealed.login == login_digest(session);
                if is_same && !sealing.is_behind(&sealed.seal)? {
                    return Ok(Some(Arc::clone(&sealed.seal)));
                }
                sealing.changed(&sealed.seal).map(Arc::new).map(Some)
            }
        }
    }

    /// What has sealed it.
    pub(super) fn seal(&self) -> Option<&Arc<OpenSeal>> {
        match self {
            Self::Plain => None,
            Self::Sealed(sealed) => Some(&sealed.seal),
        }
    }

    /// The bytes of a new snapshot, and the form of its file.
    pub(super) fn snapshot(
        seal: Option<Arc<OpenSeal>>,
        session: &impl SessionSource,
        owner: Option<FencingToken>,
    ) -> io::Result<(SecretBytes, Self)> {
        let Some(seal) = seal else {
            let bytes = match owner {
                Some(token) => encode_owned_to_vec(session, &token)?,
                None => encode_to_vec(session)?,
            };
            return Ok((bytes.into(), Self::Plain));
        };
        let (bytes, body_mac) = seal.snapshot(session, owner)?;
        let login = login_digest(session);
        let form = Self::Sealed(Arc::new(Sealed {
            seal,
            body_mac,
            login,
        }));
        Ok((bytes.into(), form))
    }

    /// The end of a tail without records.
    pub(super) fn start(&self, header: TailHeader) -> Tail {
        let mut tail = Tail::of_header(header);
        if let Self::Sealed(sealed) = self {
            tail.mac = sealed.body_mac;
        }
        tail
    }

    /// Whether a change may go into the tail. In a sealed file only what can be learnt again: everything else
    /// raises the generation, which is in the header.
    pub(super) fn takes(&self, change: &Change<'_>) -> bool {
        let is_light = || change.weight(&PersistedSession::default()) == Weight::Cache;
        is_journalable(change) && (matches!(self, Self::Plain) || is_light())
    }

    /// Encodes one batch after `tail` into `record`, and returns the tail after it.
    pub(super) fn encode(
        &self,
        changes: &[Change<'_>],
        tail: Tail,
        record: &mut Vec<u8>,
        payload: &mut Vec<u8>,
    ) -> io::Result<Tail> {
        match self {
            Self::Plain => Ok(tail::encode(changes, tail, record, payload)?),
            Self::Sealed(sealed) => {
                tail::put_changes(changes, payload)?;
                let mac = sealed.seal.seal_record(&tail.mac, payload)?;
                let after = tail::put(payload, tail, record)?;
                Ok(Tail { mac, ..after })
            }
        }
    }

    /// Calls `f` with the changes of every good record in `bytes`, which follow `tail`, and returns the tail
    /// after them. A record that does not open ends it.
    ///
    /// # Errors
    /// [`Newer`], after the records before that one.
    pub(super) fn replay(
        &self,
        bytes: &[u8],
        tail: Tail,
        mut f: impl FnMut(&[Change<'_>]),
    ) -> Result<Tail, Newer> {
        let Self::Sealed(sealed) = self else {
            return tail::replay(bytes, tail, f);
        };
        let (mut tail, mut rest) = (tail, bytes);
        while let Some(record) = Record::first(rest, tail.chain).filter(|it| !it.is_mark()) {
            let mut payload = SecretBytes::from(record.payload.to_vec());
            let Some(opened) = sealed.seal.open_record(&tail.mac, &mut payload) else {
                break;
            };
            let mut changes = Vec::new();
            tail::decode(opened, &mut changes)?;
            f(&changes);
            rest = record.after;
            tail = Tail {
                mac: mac_of(record.payload),
                ..tail.after(file_len(record.len), record.chain)
            };
        }
        Ok(tail)
    }

    /// How a sealed tail ends whose good part ends at `tail` and is followed by `after`.
    pub(super) fn end(after: &[u8], tail: Tail) -> TailEnd {
        match Record::first(after, tail.chain) {
            _ if after.is_empty() => TailEnd::Whole,
            Some(record) if record.is_mark() => TailEnd::Whole,
            // Its checksum holds and its box does not open: it was changed or moved.
            Some(_) => TailEnd::Damaged,
            None if next_sound(after).is_some() => TailEnd::Damaged,
            None => TailEnd::Torn,
        }
    }
}

/// The file is sealed, and no key was given.
fn is_sealed_without_a_key(file: &SealedFile<'_>) -> io::Error {
    let slots: Vec<_> = file.header().slots().map(|slot| slot.kind_name()).collect();
    let how = if cfg!(feature = "seal") {
        "give one of its keys"
    } else {
        "enable the feature `seal` of mtsession, and give one of its keys"
    };
    let message = format!("it is sealed: {how} ({})", slots.join(", "));
    told(StoreErrorKind::Sealed, message)
}

/// The file is plain although a key was given.
pub(super) fn is_plain(moved: Option<&std::path::Path>) -> io::Error {
    let moved = moved.map_or_else(String::new, |path| {
        format!(
            "; a program that knows no sealed sessions has moved the sealed one to {}: put it back",
            path.display()
        )
    });
    let message = format!(
        "it is not sealed although a key was given: `Store::seal` seals it, and without a \
         key it is read as it is{moved}"
    );
    told(StoreErrorKind::NotSealed, message)
}
