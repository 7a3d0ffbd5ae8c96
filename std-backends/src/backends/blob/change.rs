//! A change is carried out once, and what became of it is found out.
//!
//! The root is replaced where it still is what the change was made on. Where it is not, or where no answer
//! came, it is read: with the change's revision among those of the root, the change is stored. Otherwise it is
//! made again on what is there. A put that may still arrive does no harm: it expects what is there no more.

use std::io;

use mtsession_core::{List, SessionSource as _};
use zeroize::Zeroizing;

use super::BlobBackend;
use super::blobs::{Patience, is_worth_repeating, root_name};
use super::fold::Parts;
use super::parts::ListChange;
use super::revisions::{Revision, Revisions};
use super::root::Header;
use super::state::{Base, Known, Seen, State};
use crate::backends::optimistic::Updated;
use crate::blob::{BlobError, Put};
use crate::error::kind::{Outcome, StoreErrorKind};
use crate::error::told::told;
use crate::record::SessionRecord;

/// How often a change is made again because others were faster.
const CONFLICTS: u32 = 50;

/// What a change makes of a session, which is new where nothing is there.
pub(super) type Plan<'p> = dyn FnMut(&mut SessionRecord) -> io::Result<ListChange> + 'p;

/// Why a change was not stored, and what became of it.
pub(super) type Failed = (io::Error, Outcome);

/// Which state a change may be made on.
#[derive(Clone, Copy)]
pub(super) enum On {
    /// Any.
    Any,
    /// This one: its newest revision, or none where nothing ever was.
    Only(Option<Revision>),
    /// One without an account.
    Absent,
}

impl On {
    fn allows(self, seen: &Seen) -> bool {
        match self {
            Self::Any => true,
            Self::Only(head) => seen.head() == head,
            Self::Absent => seen.account().is_none(),
        }
    }
}

/// A root that is ready to be stored.
struct Planned {
    seen: Seen,
    header: Header,
    record: SessionRecord,
    tail: Vec<u8>,
    root: Zeroizing<Vec<u8>>,
    /// The lists, where they are written anew.
    base: Option<Base>,
}

impl BlobBackend {
    /// Carries out a change, or finds out that it never will be.
    pub(super) fn carry_out(
        &self,
        state: &mut State,
        on: On,
        plan: &mut Plan<'_>,
    ) -> Result<Updated, Failed> {
        let mut patience = self.blobs.patience();
        let to = Revision::random().map_err(unchanged)?;
        let mut is_unknown = false;
        let mut conflicts = 0;
        let mut last = None;
        loop {
            if state.seen.is_none() || last.is_some() {
                self.refresh(state, &patience)
                    .map_err(|error| outcome(error, is_unknown))?;
            }
            let seen = state.seen.as_ref().unwrap_or(&Seen::Nothing);
            if seen.revisions().is_some_and(|known| known.contains(to)) {
                state.set_mine(to);
                state.is_uncertain = false;
                self.told_none.note(true);
                return Ok(Updated::Done);
            }
            if last.is_some_and(|from| from != seen.head()) {
                if is_unknown && seen.revisions().is_some_and(Revisions::is_full) {
                    return Err((forgotten(), Outcome::Unknown));
                }
                // Whatever is on its way expects what is there no more.
                is_unknown = false;
                conflicts = u32::saturating_add(conflicts, 1);
            }
            if !on.allows(seen) {
                return Ok(Updated::Lost);
            }
            if conflicts >= CONFLICTS {
                return Err((contended(), Outcome::Unchanged));
            }
            last = Some(seen.head());
            match self.attempt(state, to, plan, &patience) {
                Ok(true) => return Ok(Updated::Done),
                Ok(false) => {}
                Err(error) => {
                    let may_arrive = error.outcome == Outcome::Unknown;
                    is_unknown |= may_arrive;
                    state.is_uncertain |= may_arrive;
                    if !may_arrive && !is_worth_repeating(&error.error) {
                        return Err(outcome(error.error, is_unknown));
                    }
                    patience
                        .pause()
                        .map_err(|_| outcome(error.error, is_unknown))?;
                    continue;
                }
            }
            patience
                .pause()
                .map_err(|error| outcome(error, is_unknown))?;
        }
    }

    /// Makes the change on what was seen, and puts it there once. False: something else is there.
    fn attempt(
        &self,
        state: &mut State,
        to: Revision,
        plan: &mut Plan<'_>,
        patience: &Patience,
    ) -> Result<bool, BlobError> {
        let seen = state.seen.take().unwrap_or(Seen::Nothing);
        let mut planned = planned(seen, state.mine(), to, plan).map_err(BlobError::unchanged)?;
        if let Some(base) = &planned.base
            && !self.put_base(base, patience)?
        {
            return Ok(false);
        }
        let (name, expected) = (root_name(&self.account), planned.seen.expected());
        match self.blobs.put(&name, &planned.root, expected, patience)? {
            Put::Conflict => Ok(false),
            Put::Stored(version) => {
                state.set_mine(to);
                state.is_uncertain = false;
                self.told_none.note(true);
                let before = planned.seen.account().and_then(|known| known.header.base);
                if before != planned.header.base {
                    let written = planned.base.take();
                    let is_new = written.is_some();
                    state.base = written;
                    self.sweep(before, planned.header.base, is_new, patience);
                }
                state.seen = Some(Seen::Account(Box::new(Known {
                    version,
                    header: planned.header,
                    record: planned.record,
                    tail: planned.tail,
                })));
                Ok(true)
            }
        }
    }
}

/// The root with the change in it.
fn planned(
    seen: Seen,
    mine: Option<Revision>,
    to: Revision,
    plan: &mut Plan<'_>,
) -> io::Result<Planned> {
    // What is there only remains to be known for what a put expects.
    let (seen, before) = match seen {
        Seen::Account(known) => {
            let Known {
                version,
                header,
                record,
                tail,
            } = *known;
            let rest = Known {
                version,
                header: header.clone(),
                record: SessionRecord::default(),
                tail: Vec::new(),
            };
            (Seen::Account(Box::new(rest)), Some((header, record, tail)))
        }
        seen => (seen, None),
    };
    let revisions = seen.revisions().cloned().unwrap_or_default();
    let (header, mut record, tail) = match before {
        Some((header, record, tail)) => (Some(header), record, tail),
        None => (None, SessionRecord::default(), Vec::new()),
    };
    let lists = plan(&mut record)?;
    let owner = header.as_ref().map_or([0; 16], |header| header.owner);
    let base = header.and_then(|header| header.base);
    let parts = Parts::of(&record, lists, base, tail)?;
    let count = |list| u32::try_from(record.count(list)).unwrap_or(u32::MAX);
    let header = Header {
        revisions: revisions.after(to, mine),
        owner,
        base: parts.base,
        peers: count(List::Peers),
        min_peers: count(List::MinPeers),
    };
    let root = header.encode(&parts.snapshot, &parts.tail)?;
    Ok(Planned {
        seen,
        header,
        record,
        tail: parts.tail,
        root,
        base: parts.written,
    })
}

fn unchanged(error: io::Error) -> Failed {
    (error, Outcome::Unchanged)
}

fn outcome(error: io::Error, is_unknown: bool) -> Failed {
    let outcome = if is_unknown {
        Outcome::Unknown
    } else {
        Outcome::Unchanged
    };
    (error, outcome)
}

/// So many others have written since an unanswered attempt that its revision may be forgotten.
fn forgotten() -> io::Error {
    let message = "no answer came, and many others have written since: load the session to find out whether the \
                   change is stored";
    told(StoreErrorKind::Unreachable, message)
}

fn contended() -> io::Error {
    let message = "other programs keep changing the account at the same time";
    told(StoreErrorKind::Contended, message)
}
