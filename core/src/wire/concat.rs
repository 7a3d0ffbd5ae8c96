//! Fixed-size parts in one array.

use crate::bug;

/// Joins fixed-size parts into one array, so that they are written at once. The parts must add up to
/// its length.
macro_rules! concat_array {
    ($len:expr; $($part:expr),+) => {{
        let mut record = [0; $len];
        let rest = record.as_mut_slice();
        $(let rest = $crate::wire::join_part(rest, &$part);)+
        debug_assert!(rest.is_empty());
        record
    }};
}

pub(crate) use concat_array;

#[inline]
pub(crate) fn join_part<'r, const N: usize>(rest: &'r mut [u8], part: &[u8; N]) -> &'r mut [u8] {
    if let Some((head, tail)) = rest.split_first_chunk_mut() {
        *head = *part;
        return tail;
    }
    let _ = bug!("parts are longer than their record");
    &mut []
}
