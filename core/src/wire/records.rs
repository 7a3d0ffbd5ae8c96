//! Fixed-size records: how each is laid out, and lists of them read without copying.

use core::iter::FusedIterator;
use core::marker::PhantomData;

use super::concat::concat_array;
use super::layout::{CHANNEL_LEN, MIN_PEER_LEN, PEER_LEN};
use super::packed_peer::PackedPeer;
use crate::counters::ChannelPts;
use crate::peer::{ChannelKind, MinPeer, Peer, PeerKind};

/// A value with a fixed-size record in the format.
pub(crate) trait Record: Sized {
    /// The record's bytes as they are written.
    type Bytes: AsRef<[u8]>;

    fn to_bytes(&self) -> Self::Bytes;

    /// Reads a record of any version; `None` when it is shorter than every version's.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Record for ChannelPts {
    type Bytes = [u8; CHANNEL_LEN];

    #[inline]
    fn to_bytes(&self) -> Self::Bytes {
        concat_array!(CHANNEL_LEN; self.id.to_le_bytes(), self.pts.to_le_bytes())
    }

    #[inline]
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let (pts, _) = rest.split_first_chunk()?;
        Some(Self {
            id: i64::from_le_bytes(*id),
            pts: i32::from_le_bytes(*pts),
        })
    }
}

impl Record for MinPeer {
    type Bytes = [u8; MIN_PEER_LEN];

    #[inline]
    fn to_bytes(&self) -> Self::Bytes {
        concat_array!(
            MIN_PEER_LEN;
            self.user_id.to_le_bytes(),
            self.peer_id.to_le_bytes(),
            self.msg_id.to_le_bytes()
        )
    }

    #[inline]
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (user_id, rest) = bytes.split_first_chunk()?;
        let (peer_id, rest) = rest.split_first_chunk()?;
        let (msg_id, _) = rest.split_first_chunk()?;
        Some(Self {
            user_id: i64::from_le_bytes(*user_id),
            peer_id: i64::from_le_bytes(*peer_id),
            msg_id: i32::from_le_bytes(*msg_id),
        })
    }
}

impl Record for Peer {
    type Bytes = [u8; PEER_LEN];

    #[inline]
    fn to_bytes(&self) -> Self::Bytes {
        PackedPeer::from(*self).into_bytes()
    }

    #[inline]
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let (access_hash, rest) = rest.split_first_chunk()?;
        // Versions 2 to 5 end after the type, 6 and 7 after the channel kind.
        let (kind, rest) = rest.split_first()?;
        Some(Self {
            id: i64::from_le_bytes(*id),
            access_hash: i64::from_le_bytes(*access_hash),
            kind: PeerKind::from_byte(*kind),
            channel_kind: rest.first().copied().and_then(ChannelKind::from_byte),
            is_community: rest.get(1).is_some_and(|byte| *byte != 0),
        })
    }
}

/// A list of records in two places: the body (whose records are as long as its version has them)
/// and, for those beyond the 65,535th, the trailer.
#[derive(Debug)]
pub(crate) struct Records<'a, T> {
    body: &'a [u8],
    /// Bytes of a record in the body; never zero.
    body_len: usize,
    more: &'a [u8],
    /// Bytes of a record in the trailer; never zero.
    more_len: usize,
    /// Records in both. Asked for several times where the list is copied, so not divided out.
    left: usize,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Records<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Records<'_, T> {}

impl<'a, T> Records<'a, T> {
    pub(crate) const EMPTY: Self = Self::new(&[], 1, 0);

    /// `body` must be `count` records of `record_len` bytes.
    pub(crate) const fn new(body: &'a [u8], record_len: usize, count: usize) -> Self {
        Self {
            body,
            body_len: record_len,
            more: &[],
            more_len: 1,
            left: count,
            of: PhantomData,
        }
    }

    /// Continues the list; `more` must be whole records of `record_len` bytes.
    pub(crate) const fn continued(self, more: &'a [u8], record_len: usize) -> Self {
        let count = match more.len().checked_div(record_len) {
            Some(count) => count,
            None => 0,
        };
        Self {
            more,
            more_len: record_len,
            left: self.left.saturating_add(count),
            ..self
        }
    }
}

impl<T: Record> Iterator for Records<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        if let Some((record, rest)) = self.body.split_at_checked(self.body_len) {
            self.body = rest;
            return T::from_bytes(record);
        }
        let (record, rest) = self.more.split_at_checked(self.more_len)?;
        self.more = rest;
        T::from_bytes(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }

    /// Runs both parts as plain loops: a session of 60,000 peers is copied through here.
    #[inline]
    fn fold<B, F: FnMut(B, T) -> B>(self, init: B, mut f: F) -> B {
        let init = fold_records(self.body, self.body_len, init, &mut f);
        fold_records(self.more, self.more_len, init, &mut f)
    }
}

/// Gives the loop a constant record size where there is one, so that it needs no bounds checks.
#[inline]
fn fold_records<T: Record, B>(
    bytes: &[u8],
    record_len: usize,
    init: B,
    f: &mut impl FnMut(B, T) -> B,
) -> B {
    if record_len == PEER_LEN {
        let (records, _) = bytes.as_chunks::<PEER_LEN>();
        return records
            .iter()
            .filter_map(|record| T::from_bytes(record))
            .fold(init, f);
    }
    let mut state = init;
    let mut rest = bytes;
    while let Some((record, next)) = rest.split_at_checked(record_len) {
        rest = next;
        if let Some(value) = T::from_bytes(record) {
            state = f(state, value);
        }
    }
    state
}

impl<T: Record> ExactSizeIterator for Records<'_, T> {}
impl<T: Record> FusedIterator for Records<'_, T> {}
