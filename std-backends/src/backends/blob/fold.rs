//! Where the lists of a session are: in its root, or in a base with the changes since.

use core::time::Duration;
use std::io;

use mtsession_core::wire::encode_to_vec;
use zeroize::Zeroizing;

use super::BlobBackend;
use super::blobs::{Patience, base_prefix};
use super::parts::{ListChange, lists_of, without_lists};
use super::revisions::random_bytes;
use super::root::{BaseRef, crc_of, length};
use super::state::Base;
use crate::blob::{BlobError, Expected, Put};
use crate::error::kind::Outcome;
use crate::record::SessionRecord;

/// A session that is not longer has no base: writing it again is as cheap as any root.
const MAX_WITHOUT_BASE: usize = 32 << 10;

/// How long the changes since a base may become before there is a new one, and that as a part of the base.
const MIN_TAIL: usize = 16 << 10;
const TAIL_PART: usize = 64;

/// How old a base is that no root names: its writer was killed. A younger one may be about to be named.
const ORPHANED: Duration = Duration::from_secs(60 * 60);

/// A session as it is written.
pub(super) struct Parts {
    pub(super) snapshot: Zeroizing<Vec<u8>>,
    pub(super) tail: Vec<u8>,
    pub(super) base: Option<BaseRef>,
    /// The base, where it is a new one.
    pub(super) written: Option<Base>,
}

impl Parts {
    /// Keeps the lists where they are if that is worth it.
    pub(super) fn of(
        record: &SessionRecord,
        lists: ListChange,
        base: Option<BaseRef>,
        mut tail: Vec<u8>,
    ) -> io::Result<Self> {
        if let Some(named) = base {
            let is_kept = match lists {
                ListChange::None => true,
                ListChange::Some(changes) => {
                    tail.extend_from_slice(&changes);
                    let part = usize::try_from(named.len).unwrap_or(usize::MAX) / TAIL_PART;
                    tail.len() <= part.max(MIN_TAIL)
                }
                ListChange::All => false,
            };
            if is_kept {
                return Ok(Self {
                    snapshot: Zeroizing::new(encode_to_vec(&without_lists(record))?),
                    tail,
                    base,
                    written: None,
                });
            }
        }
        Self::folded(record)
    }

    fn folded(record: &SessionRecord) -> io::Result<Self> {
        let snapshot = Zeroizing::new(encode_to_vec(record)?);
        let session = record.session();
        let has_lists = !session.peers.is_empty() || !session.min_peers.is_empty();
        if snapshot.len() <= MAX_WITHOUT_BASE || !has_lists {
            return Ok(Self {
                snapshot,
                tail: Vec::new(),
                base: None,
                written: None,
            });
        }
        let bytes = Zeroizing::new(encode_to_vec(&lists_of(record))?);
        let named = BaseRef {
            id: random_bytes()?,
            len: length(&bytes)?,
            crc: crc_of(&bytes),
        };
        Ok(Self {
            snapshot: Zeroizing::new(encode_to_vec(&without_lists(record))?),
            tail: Vec::new(),
            base: Some(named),
            written: Some(Base { named, bytes }),
        })
    }
}

impl BlobBackend {
    /// Writes a base, which no root names yet. False: it has to be made anew.
    pub(super) fn put_base(&self, base: &Base, patience: &Patience) -> Result<bool, BlobError> {
        let name = self.base_name(base.named.id);
        let put = self
            .blobs
            .put(&name, &base.bytes, Expected::Absent, patience);
        match put {
            Ok(Put::Stored(_)) => Ok(true),
            // Nobody else has its name: an earlier copy of the request was faster than its answer.
            Ok(Put::Conflict) => self.has_base(base, patience),
            Err(error) if error.outcome == Outcome::Unknown => {
                let is_there = self.has_base(base, patience).unwrap_or(false);
                // The account itself is as it was: whatever arrives is swept.
                is_there
                    .then_some(true)
                    .ok_or_else(|| BlobError::unchanged(error.error))
            }
            Err(error) => Err(error),
        }
    }

    fn has_base(&self, base: &Base, patience: &Patience) -> Result<bool, BlobError> {
        let blob = self
            .blobs
            .get(&self.base_name(base.named.id), patience)
            .map_err(BlobError::unchanged)?;
        Ok(blob.is_some_and(|blob| blob.bytes == *base.bytes))
    }

    /// Removes the base that a root has named until now, and after a fold those of writers that were killed.
    pub(super) fn sweep(
        &self,
        before: Option<BaseRef>,
        now: Option<BaseRef>,
        is_folded: bool,
        patience: &Patience,
    ) {
        if let Some(before) = before {
            self.blobs
                .remove_if_possible(&self.base_name(before.id), patience);
        }
        if !is_folded {
            return;
        }
        let kept = now.map(|now| self.base_name(now.id));
        let mut orphans = Vec::new();
        let listed = self
            .blobs
            .list(&base_prefix(&self.account), patience, &mut |listed| {
                if listed.age.is_some_and(|age| age > ORPHANED)
                    && Some(listed.name) != kept.as_deref()
                {
                    orphans.push(listed.name.to_owned());
                }
            });
        if listed.is_ok() {
            for orphan in orphans {
                self.blobs.remove_if_possible(&orphan, patience);
            }
        }
    }
}
