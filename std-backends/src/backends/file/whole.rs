//! Where a session ends in a file that goes on after it.

use mtsession_core::{DecodeError, DecodeErrorKind, Integrity, SessionSource as _, SessionView};

/// Checks a session file. Gives the session, and the bytes before its end.
///
/// An editor ends a file with a newline, and a file system that allocates in advance ends it with
/// zeros. Neither is damage to a session that is whole before them, and that ends there for certain.
///
/// # Errors
/// As [`SessionView::parse`].
pub(crate) fn parse_whole(bytes: &[u8]) -> Result<(SessionView<'_>, &[u8]), DecodeError> {
    let error = match SessionView::parse(bytes) {
        Ok(view) => return Ok((view, bytes)),
        Err(error) => error,
    };
    let Some((whole, rest)) = bytes.split_at_checked(error.offset) else {
        return Err(error);
    };
    if error.kind != DecodeErrorKind::TrailingBytes || !is_padding(rest) {
        return Err(error);
    }
    let view = SessionView::parse(whole)?;
    if view.integrity() == Integrity::StructureOnly
        && rest.contains(&0)
        && !ends_before_zeros(&view)
    {
        return Err(error);
    }
    Ok((view, whole))
}

/// Zeros, or the end of a line, or both in this order.
fn is_padding(rest: &[u8]) -> bool {
    let lines = rest
        .iter()
        .position(|byte| *byte != 0)
        .and_then(|at| rest.get(at..));
    lines
        .unwrap_or_default()
        .iter()
        .all(|byte| b"\r\n".contains(byte))
}

/// Whether zeros after a session without checksum are only that. If its last blocks were never
/// written, their zeros read as entries of nothing.
fn ends_before_zeros(view: &SessionView<'_>) -> bool {
    view.dcs()
        .all(|dc| dc.dc_id != 0 && !dc.addr.is_empty() && !dc.addr.contains('\0'))
        && view.dcs().len() > 0
        && view.channels().all(|channel| channel.id != 0)
        && view.peers().all(|peer| peer.id != 0)
        && view.min_peers().all(|peer| peer.user_id != 0)
}
