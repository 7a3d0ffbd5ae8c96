//! What two sessions have in common, and what one of them lost.

use mtsession::codec::SessionSource as _;
use mtsession::{PeerNames, SessionRecord};

use crate::counted::counted;
/// Whether two sessions and their accounts are the same in every field, peers and order included.
pub(crate) fn equal(a: &SessionRecord, b: &SessionRecord) -> bool {
    let (from, to) = (a.session(), b.session());
    from == to && a.account() == b.account() && from.encoded_len() == to.encoded_len()
}

/// How many names of each kind `before` has and `after` has not, in words; `None` where all are kept.
pub(crate) fn names_lost(before: &[PeerNames], after: &[PeerNames]) -> Option<String> {
    let (before, after) = (count_names(before), count_names(after));
    let lost = [0, 1, 2].map(|kind: usize| {
        let count = |counts: &[usize; 3]| counts.get(kind).copied().unwrap_or_default();
        count(&before).saturating_sub(count(&after))
    });
    let parts: Vec<_> = lost
        .into_iter()
        .zip([
            ["username", "usernames"],
            ["phone", "phones"],
            ["title", "titles"],
        ])
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(count, what))
        .collect();
    let (last, rest) = parts.split_last()?;
    Some(match rest {
        [] => last.clone(),
        rest => format!("{} and {last}", rest.join(", ")),
    })
}

/// Usernames, phones and titles.
pub(crate) fn count_names(names: &[PeerNames]) -> [usize; 3] {
    [
        names.iter().map(|names| names.usernames.len()).sum(),
        names.iter().filter(|names| names.phone.is_some()).count(),
        names.iter().filter(|names| names.title.is_some()).count(),
    ]
}
