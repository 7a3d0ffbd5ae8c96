//! The bytes of a root: the blob that says what an account is, and that is replaced with each change.
//!
//! ```text
//! 0    "MTSB" | u8 1 | u8 kind: 0 account, 1 tombstone | u8 n | u8 0
//! 8    8 x [16] revisions, the newest first, n of them                                          128 bytes
//! 136  [16] owner, 0 = nobody | [16] base, 0 = none | u32 base length | u32 base CRC-32C
//! 176  u32 peers | u32 min peers | u32 snapshot length | u32 tail length                  of an account
//! 192  snapshot: a session file | tail: changes, one after the other                      of an account
//! end  u32 CRC-32C of all before
//! ```
//!
//! The head of the revisions names this very state. The others are the last ones of each of the last eight
//! writers, so that one whose answer was lost finds out whether its change is stored. A tombstone ends after
//! the revisions: what is left of a deleted account, and what keeps a creation that arrives late from bringing
//! it back.
//!
//! With a base, the snapshot is a session without peers, min peers and names. Those are in the base, as they
//! were when it was written, and the changes of the tail follow it.

use std::io;

use mtsession_core::wire::Crc32c;
use zeroize::Zeroizing;

use super::revisions::{MAX_REVISIONS, Revisions};
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;

const MAGIC: [u8; 4] = *b"MTSB";
const VERSION: u8 = 1;
const ACCOUNT: u8 = 0;
const TOMBSTONE: u8 = 1;

const REVISIONS_AT: usize = 8;
const ACCOUNT_AT: usize = REVISIONS_AT + MAX_REVISIONS * 16;
const SNAPSHOT_AT: usize = ACCOUNT_AT + 56;

/// Bytes of a tombstone. No account is as short, so a list tells them apart by their sizes.
pub(crate) const TOMBSTONE_LEN: usize = ACCOUNT_AT + 4;
const _: () = assert!(TOMBSTONE_LEN < SNAPSHOT_AT, "no account is as short");

/// The lists of a session, in a blob of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BaseRef {
    /// Never used again.
    pub(super) id: [u8; 16],
    pub(super) len: u32,
    pub(super) crc: u32,
}

/// What an account's root says, but for its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) revisions: Revisions,
    /// The token of the one who owns the account; zeros where nobody does.
    pub(super) owner: [u8; 16],
    pub(super) base: Option<BaseRef>,
    /// How many peers and min peers the session has, wherever they are.
    pub(super) peers: u32,
    pub(super) min_peers: u32,
}

/// What a root is.
pub(super) enum Root<'b> {
    Account {
        header: Header,
        snapshot: &'b [u8],
        tail: &'b [u8],
    },
    Tombstone(Revisions),
}

impl<'b> Root<'b> {
    /// # Errors
    /// `InvalidData`: somebody else's, a newer release's, or damaged.
    pub(super) fn parse(bytes: &'b [u8]) -> io::Result<Self> {
        if !bytes.starts_with(&MAGIC) {
            let message =
                "what is stored under the account's name is not an account of this library";
            return Err(told(StoreErrorKind::Foreign, message));
        }
        let (content, crc) = bytes.split_last_chunk().ok_or_else(damaged)?;
        if crc_of(content) != u32::from_le_bytes(*crc) {
            return Err(damaged());
        }
        let (kind, revisions) = match content.get(4..ACCOUNT_AT) {
            Some(
                [
                    VERSION,
                    kind @ (ACCOUNT | TOMBSTONE),
                    count,
                    0,
                    revisions @ ..,
                ],
            ) => {
                let revisions = Revisions::parse(*count, revisions).ok_or_else(damaged)?;
                (*kind, revisions)
            }
            Some(_) => return Err(newer()),
            None => return Err(damaged()),
        };
        let rest = content.get(ACCOUNT_AT..).ok_or_else(damaged)?;
        if kind == TOMBSTONE {
            return Ok(Self::Tombstone(revisions));
        }
        parse_account(rest, revisions).ok_or_else(damaged)
    }

    pub(super) fn revisions(&self) -> &Revisions {
        match self {
            Self::Account { header, .. } => &header.revisions,
            Self::Tombstone(revisions) => revisions,
        }
    }
}

fn parse_account(bytes: &[u8], revisions: Revisions) -> Option<Root<'_>> {
    let (owner, rest) = bytes.split_first_chunk()?;
    let (id, mut rest) = rest.split_first_chunk::<16>()?;
    let mut numbers = [0_u32; 6];
    for number in &mut numbers {
        let (bytes, after) = rest.split_first_chunk()?;
        *number = u32::from_le_bytes(*bytes);
        rest = after;
    }
    let [len, crc, peers, min_peers, snapshot_len, tail_len] = numbers;
    let (snapshot, tail) = rest.split_at_checked(usize::try_from(snapshot_len).ok()?)?;
    if tail.len() != usize::try_from(tail_len).ok()? {
        return None;
    }
    let header = Header {
        revisions,
        owner: *owner,
        base: (*id != [0; 16]).then_some(BaseRef { id: *id, len, crc }),
        peers,
        min_peers,
    };
    Some(Root::Account {
        header,
        snapshot,
        tail,
    })
}

impl Header {
    /// The bytes of a root. Never grows: no copy of a key is left.
    ///
    /// # Errors
    /// `FileTooLarge` for a session of more than 4 GiB.
    pub(super) fn encode(&self, snapshot: &[u8], tail: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        let len = SNAPSHOT_AT
            .saturating_add(snapshot.len())
            .saturating_add(tail.len())
            .saturating_add(4);
        let mut root = Zeroizing::new(Vec::with_capacity(len));
        put_start(&mut root, ACCOUNT, &self.revisions);
        root.extend_from_slice(&self.owner);
        let base = self.base.unwrap_or(BaseRef {
            id: [0; 16],
            len: 0,
            crc: 0,
        });
        root.extend_from_slice(&base.id);
        for number in [
            base.len,
            base.crc,
            self.peers,
            self.min_peers,
            length(snapshot)?,
            length(tail)?,
        ] {
            root.extend_from_slice(&number.to_le_bytes());
        }
        root.extend_from_slice(snapshot);
        root.extend_from_slice(tail);
        put_crc(&mut root);
        Ok(root)
    }
}

/// The bytes of a tombstone.
pub(super) fn tombstone(revisions: &Revisions) -> Vec<u8> {
    let mut root = Vec::with_capacity(TOMBSTONE_LEN);
    put_start(&mut root, TOMBSTONE, revisions);
    put_crc(&mut root);
    root
}

fn put_start(root: &mut Vec<u8>, kind: u8, revisions: &Revisions) {
    root.extend_from_slice(&MAGIC);
    root.extend_from_slice(&[VERSION, kind, revisions.count(), 0]);
    for revision in revisions.padded() {
        root.extend_from_slice(&revision.0);
    }
}

fn put_crc(root: &mut Vec<u8>) {
    let crc = crc_of(root);
    root.extend_from_slice(&crc.to_le_bytes());
}

/// How long something is, as it is stored.
pub(super) fn length(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len()).map_err(|_| {
        let message = "the session has more than 4 GiB, and no store of blobs takes it";
        told(StoreErrorKind::TooLarge, message)
    })
}

pub(super) fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc32c::new();
    crc.update(bytes);
    crc.value()
}

/// What is stored cannot be read.
pub(super) fn damaged() -> io::Error {
    let message =
        "the account is damaged: its checksum is wrong, or a part is missing; it is left as it is";
    told(StoreErrorKind::Damaged, message)
}

fn newer() -> io::Error {
    let message = "a newer release of this library wrote the account: update this program; it is left as it is";
    told(StoreErrorKind::Newer, message)
}

#[cfg(test)]
mod tests;
