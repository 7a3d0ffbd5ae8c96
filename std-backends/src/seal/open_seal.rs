//! A sealed store that is open: its header, and the keys of what is in it.

use core::fmt;
use std::io;

use mtsession_core::seal::{
    BOX_OVERHEAD, Generation, HEADER_MAC_LEN, Header, HeaderFields, KeySlot, MAC_LEN, NONCE_LEN,
    SealedKind, StoreId, put_header,
};
use mtsession_core::wire::{Crc32c, FencingToken, encode, encode_owned_to_vec, wipe};
use mtsession_core::{EncodeError, SessionSource, encoded_len};

use super::schedule::SubKeys;
use super::slots::{OwnedSlot, random};
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::secret_bytes::SecretBytes;

const BODY: &[u8] = b"body";
const TAIL: &[u8] = b"tail";

/// What boxes and records begin with that have none before them.
pub(crate) const NO_MAC: [u8; MAC_LEN] = [0; MAC_LEN];

/// A sealed store that is open.
pub(crate) struct OpenSeal {
    kind: SealedKind,
    store: StoreId,
    generation: Generation,
    name: String,
    slots: Vec<OwnedSlot>,
    keys: SubKeys,
    /// All of the header, with what authenticates it.
    header: Vec<u8>,
}

impl OpenSeal {
    /// The store with this header, whose key is `dek`.
    pub(super) fn of(header: &Header<'_>, dek: &[u8; 32]) -> io::Result<Self> {
        let HeaderFields {
            kind,
            store,
            generation,
            name,
        } = header.fields();
        let keys = SubKeys::of(&store, dek);
        let (covered, mac) = header.parts();
        if !keys.is_mac(covered, &mac) {
            let message =
                "its header was changed after it was sealed: nothing in it is to be trusted";
            return Err(told(StoreErrorKind::Damaged, message));
        }
        Ok(Self {
            kind,
            store,
            generation,
            name: name.to_owned(),
            slots: header
                .slots()
                .map(|slot| OwnedSlot::copy_of(&slot))
                .collect(),
            keys,
            header: header.bytes().to_vec(),
        })
    }

    /// A new store, which these slots open.
    pub(super) fn new(
        kind: SealedKind,
        store: StoreId,
        generation: Generation,
        name: String,
        slots: Vec<OwnedSlot>,
        dek: &[u8; 32],
    ) -> Self {
        let keys = SubKeys::of(&store, dek);
        let mut seal = Self {
            kind,
            store,
            generation,
            name,
            slots,
            keys,
            header: Vec::new(),
        };
        seal.write_header();
        seal
    }

    /// The same store in a newer generation.
    pub(super) fn in_generation(&self, generation: Generation) -> Self {
        let mut seal = Self {
            kind: self.kind,
            store: self.store,
            generation,
            name: self.name.clone(),
            slots: self.slots.clone(),
            keys: self.keys.copy(),
            header: Vec::new(),
        };
        seal.write_header();
        seal
    }

    fn write_header(&mut self) {
        let slots: Vec<KeySlot<'_>> = self.slots.iter().map(OwnedSlot::as_slot).collect();
        let fields = HeaderFields {
            kind: self.kind,
            store: self.store,
            generation: self.generation,
            name: &self.name,
        };
        let mut header = Vec::new();
        let Ok(()) = put_header(&fields, &slots, &mut header);
        let mac: [u8; HEADER_MAC_LEN] = self.keys.mac(&header);
        header.extend_from_slice(&mac);
        self.header = header;
    }

    pub(crate) const fn store(&self) -> &StoreId {
        &self.store
    }

    pub(crate) const fn generation(&self) -> Generation {
        self.generation
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is its header.
    pub(super) fn has_header(&self, header: &Header<'_>) -> bool {
        self.header == header.bytes()
    }

    /// Header and body of a session, as a file begins and a string is, and the MAC of the body's box.
    pub(crate) fn snapshot(
        &self,
        session: &impl SessionSource,
        owner: Option<FencingToken>,
    ) -> io::Result<(Vec<u8>, [u8; MAC_LEN])> {
        let owned = owner.map(|token| encode_owned_to_vec(session, &token));
        let owned = owned.transpose()?.map(SecretBytes::from);
        let len = match &owned {
            Some(bytes) => bytes.len(),
            None => encoded_len(session)?,
        };
        let box_len = len.saturating_add(BOX_OVERHEAD);
        let stored_len = u32::try_from(box_len).map_err(|_| {
            let message = format!("the session has {box_len} bytes, more than can be sealed");
            told(StoreErrorKind::TooLarge, message)
        })?;
        // Never grows: no copy of a key is left.
        let room = box_len.saturating_add(self.header.len()).saturating_add(8);
        let mut out = Vec::with_capacity(room);
        out.extend_from_slice(&self.header);
        out.extend_from_slice(&stored_len.to_le_bytes());
        let start = out.len();
        out.resize(start.saturating_add(NONCE_LEN), 0);
        let encoded: Result<(), EncodeError<_>> = match &owned {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            None => encode(session, &mut out),
        };
        if let Err(error) = encoded {
            wipe(&mut out);
            return Err(error.into());
        }
        out.resize(out.len().saturating_add(MAC_LEN), 0);
        let mac = match random() {
            Ok(nonce) => {
                let sealed = out.get_mut(start..).unwrap_or_default();
                self.keys.body.seal(&nonce, &self.body_ad(), sealed);
                mac_of(sealed)
            }
            Err(error) => {
                wipe(&mut out);
                return Err(error);
            }
        };
        let mut crc = Crc32c::new();
        crc.update(&out);
        out.extend_from_slice(&crc.value().to_le_bytes());
        Ok((out, mac))
    }

    /// What is in the box of a body.
    pub(crate) fn open_body(&self, body: &[u8]) -> io::Result<SecretBytes> {
        let mut opened = SecretBytes::from(body.to_vec());
        let len = match self.keys.body.open(&self.body_ad(), &mut opened) {
            Ok(text) => text.len(),
            Err(error) => {
                let message =
                    format!("its content does not open with the key of its header: {error}");
                return Err(told(StoreErrorKind::Damaged, message));
            }
        };
        Ok(opened.part(NONCE_LEN, len))
    }

    fn body_ad(&self) -> Vec<u8> {
        [BODY, &self.header].concat()
    }

    /// Seals what is in `text` in its place, after the box with the MAC `before`.
    pub(crate) fn seal_record(
        &self,
        before: &[u8; MAC_LEN],
        text: &mut Vec<u8>,
    ) -> io::Result<[u8; MAC_LEN]> {
        let len = text.len();
        text.resize(len.saturating_add(BOX_OVERHEAD), 0);
        text.copy_within(..len, NONCE_LEN);
        self.keys.tail.seal(&random()?, &tail_ad(before), text);
        Ok(mac_of(text))
    }

    /// What is in a record after the box with the MAC `before`, decrypted in its place; `None` where it does
    /// not open.
    pub(crate) fn open_record<'b>(
        &self,
        before: &[u8; MAC_LEN],
        record: &'b mut [u8],
    ) -> Option<&'b mut [u8]> {
        self.keys.tail.open(&tail_ad(before), record).ok()
    }
}

fn tail_ad(before: &[u8; MAC_LEN]) -> [u8; TAIL.len() + MAC_LEN] {
    let mut ad = [0; TAIL.len() + MAC_LEN];
    let (label, mac) = ad.split_at_mut(TAIL.len());
    label.copy_from_slice(TAIL);
    mac.copy_from_slice(before);
    ad
}

/// The MAC at the end of a box.
pub(crate) fn mac_of(sealed: &[u8]) -> [u8; MAC_LEN] {
    sealed.last_chunk().copied().unwrap_or(NO_MAC)
}

/// Which store, never a key.
impl fmt::Debug for OpenSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSeal")
            .field("store", &self.store)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
