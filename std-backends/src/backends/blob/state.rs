//! What an open account knows of its blobs, and how it is brought up to date.

use std::io;

use mtsession_core::{Change, SessionView};
use zeroize::Zeroizing;

use super::BlobBackend;
use super::blobs::{Patience, base_prefix, root_name};
use super::parts::Joined;
use super::revisions::{Revision, Revisions};
use super::root::{BaseRef, Header, Root, crc_of, damaged, length};
use crate::backends::file::Newer;
use crate::blob::{Blob, Expected, Version};
use crate::event::{self, Event};
use crate::record::{SessionHead, SessionRecord};

/// How often a base that is gone may mean that the root is another one by now.
const FOLDS_MEANWHILE: usize = 8;

/// What is kept between calls.
#[derive(Default)]
pub(super) struct State {
    /// What was there when it was last looked at; `None` before that, and where it must be looked at again.
    pub(super) seen: Option<Seen>,
    /// The lists as they were last read, however the root has changed since.
    pub(super) base: Option<Base>,
    /// The last revision that this process has made, and which process that was.
    mine: Option<(Revision, u32)>,
    /// Nothing is known of a change of this handle: it may still arrive.
    pub(super) is_uncertain: bool,
}

/// The root that was seen.
pub(super) enum Seen {
    Nothing,
    Tombstone(Version, Revisions),
    Account(Box<Known>),
}

/// An account that was read.
pub(super) struct Known {
    pub(super) version: Version,
    pub(super) header: Header,
    /// The whole session.
    pub(super) record: SessionRecord,
    /// The changes of its lists since the base, encoded.
    pub(super) tail: Vec<u8>,
}

/// Lists that were read, or written.
pub(super) struct Base {
    pub(super) named: BaseRef,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl Seen {
    pub(super) fn revisions(&self) -> Option<&Revisions> {
        match self {
            Self::Nothing => None,
            Self::Tombstone(_, revisions) => Some(revisions),
            Self::Account(known) => Some(&known.header.revisions),
        }
    }

    /// The newest revision; `None` where nothing ever was.
    pub(super) fn head(&self) -> Option<Revision> {
        self.revisions().and_then(Revisions::head)
    }

    pub(super) fn expected(&self) -> Expected<'_> {
        match self {
            Self::Nothing => Expected::Absent,
            Self::Tombstone(version, _) => Expected::Is(version),
            Self::Account(known) => Expected::Is(&known.version),
        }
    }

    pub(super) fn account(&self) -> Option<&Known> {
        match self {
            Self::Account(known) => Some(known),
            Self::Nothing | Self::Tombstone(..) => None,
        }
    }
}

impl State {
    /// The last revision of this process: a child after a fork is another writer.
    pub(super) fn mine(&self) -> Option<Revision> {
        let (revision, process) = self.mine?;
        (process == std::process::id()).then_some(revision)
    }

    pub(super) fn set_mine(&mut self, revision: Revision) {
        self.mine = Some((revision, std::process::id()));
    }

    /// A store that does not know the last change of this process any more was set back.
    fn notice_set_back(&mut self, revisions: Option<&Revisions>, place: &str) {
        let Some(mine) = self.mine() else {
            return;
        };
        let is_known = revisions.is_some_and(|known| known.contains(mine) || known.is_full());
        if !is_known {
            self.mine = None;
            event::emit(|| Event::SetBack {
                server: place.to_owned(),
            });
        }
    }
}

impl BlobBackend {
    /// Looks at the root, and reads what has changed.
    pub(super) fn refresh<'s>(
        &self,
        state: &'s mut State,
        patience: &Patience,
    ) -> io::Result<&'s Seen> {
        let seen = self.look(state, patience);
        match seen {
            Ok(seen) => Ok(state.seen.insert(seen)),
            Err(error) => {
                state.seen = None;
                Err(error)
            }
        }
    }

    fn look(&self, state: &mut State, patience: &Patience) -> io::Result<Seen> {
        let place = self.blobs.store.name();
        let mut missing = None;
        for _ in 0..FOLDS_MEANWHILE {
            let Some(blob) = self.get_root(patience)? else {
                state.notice_set_back(None, place);
                return Ok(Seen::Nothing);
            };
            let root = Root::parse(&blob.bytes)?;
            state.notice_set_back(Some(root.revisions()), place);
            let (header, snapshot, tail) = match root {
                Root::Tombstone(revisions) => {
                    return Ok(Seen::Tombstone(blob.version.clone(), revisions));
                }
                Root::Account {
                    header,
                    snapshot,
                    tail,
                } => (header, snapshot, tail),
            };
            if let Some(Seen::Account(known)) = state.seen.take()
                && known.version == blob.version
                && known.header == header
            {
                return Ok(Seen::Account(known));
            }
            let base = match header.base {
                Some(named) if missing == Some(named.id) => return Err(damaged()),
                Some(named) => {
                    let Some(base) = self.base(state, named, patience)? else {
                        // The lists were folded since the root was read.
                        missing = Some(named.id);
                        continue;
                    };
                    Some(base)
                }
                None => None,
            };
            let record = record_of(snapshot, base, tail)?;
            return Ok(Seen::Account(Box::new(Known {
                version: blob.version.clone(),
                header,
                record,
                tail: tail.to_vec(),
            })));
        }
        Err(damaged())
    }

    pub(super) fn get_root(&self, patience: &Patience) -> io::Result<Option<Blob>> {
        self.blobs.get(&root_name(&self.account), patience)
    }

    /// The bytes of a base; `None` where it is not there.
    fn base<'s>(
        &self,
        state: &'s mut State,
        named: BaseRef,
        patience: &Patience,
    ) -> io::Result<Option<&'s [u8]>> {
        if state.base.as_ref().is_none_or(|base| base.named != named) {
            let Some(mut blob) = self.blobs.get(&self.base_name(named.id), patience)? else {
                return Ok(None);
            };
            if length(&blob.bytes)? != named.len || crc_of(&blob.bytes) != named.crc {
                return Err(damaged());
            }
            let bytes = Zeroizing::new(core::mem::take(&mut blob.bytes));
            state.base = Some(Base { named, bytes });
        }
        Ok(state.base.as_ref().map(|base| base.bytes.as_slice()))
    }

    pub(super) fn base_name(&self, id: [u8; 16]) -> String {
        let id = u128::from_be_bytes(id);
        format!("{}{id:032x}", base_prefix(&self.account))
    }

    /// All but the peers, for which only the root is read.
    pub(super) fn look_at_head(
        &self,
        state: &mut State,
        patience: &Patience,
    ) -> io::Result<Option<SessionHead>> {
        let Some(blob) = self.get_root(patience)? else {
            return Ok(None);
        };
        match Root::parse(&blob.bytes)? {
            Root::Tombstone(_) => Ok(None),
            Root::Account {
                header, snapshot, ..
            } => {
                let known = state.seen.as_ref().and_then(Seen::account);
                if let Some(known) = known
                    && known.version == blob.version
                    && known.header == header
                {
                    return Ok(Some(known.record.head()));
                }
                let mut head = SessionRecord::from_bytes(snapshot)?.head();
                head.peers = header.peers.into();
                head.min_peers = header.min_peers.into();
                Ok(Some(head))
            }
        }
    }
}

/// The session of a root.
fn record_of(snapshot: &[u8], base: Option<&[u8]>, tail: &[u8]) -> io::Result<SessionRecord> {
    let rest = SessionView::parse(snapshot)?;
    let mut record = match base {
        Some(base) => SessionRecord::copy_of(&Joined {
            rest,
            lists: SessionView::parse(base)?,
        }),
        None => SessionRecord::copy_of(&rest),
    };
    let mut tail = tail;
    while !tail.is_empty() {
        // The checksum holds: what is not known is newer.
        let (change, after) = Change::decode(tail).map_err(|_| Newer)?;
        record.replay(&[change]);
        tail = after;
    }
    Ok(record)
}
