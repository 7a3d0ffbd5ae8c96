//! What a session says, entry by entry.

use std::collections::{HashMap, HashSet};

use mtsession_embedded::sim::Plain;

/// What is asked of an entry: what it is, and what it says.
pub(crate) type Entry = (String, String);

/// Every entry of a session; equal ones as often as they are there.
pub(crate) fn entries(session: &Plain) -> HashMap<Entry, i32> {
    let mut all = vec![
        ("home".into(), session.home_dc_id.to_string()),
        ("counters".into(), format!("{:?}", session.counters)),
    ];
    if !session.account.is_empty() {
        all.push(("account".into(), format!("{:?}", session.account)));
    }
    if let Some(token) = &session.token {
        all.push(("token".into(), format!("{token:?}")));
    }
    all.extend(session.dcs.iter().map(|dc| {
        let said = format!("{dc:?}");
        (format!("dc {}", dc.dc_id), said)
    }));
    all.extend(session.channels.iter().map(|channel| {
        let said = channel.pts.to_string();
        (format!("channel {}", channel.id), said)
    }));
    all.extend(session.peers.iter().map(|peer| {
        let said = format!("{peer:?}");
        (format!("peer {}", peer.id), said)
    }));
    all.extend(session.min_peers.iter().map(|peer| {
        let said = format!("{peer:?}");
        (format!("min peer {}", peer.user_id), said)
    }));
    let mut counts = HashMap::new();
    for entry in all {
        *counts.entry(entry).or_default() += 1;
    }
    counts
}

/// What two sessions say differently.
pub(crate) fn differences(one: &Plain, other: &Plain) -> HashSet<String> {
    let mut counts = entries(one);
    for (entry, count) in entries(other) {
        *counts.entry(entry).or_default() -= count;
    }
    counts.retain(|_, count| *count != 0);
    counts.into_keys().map(|(what, _)| what).collect()
}
