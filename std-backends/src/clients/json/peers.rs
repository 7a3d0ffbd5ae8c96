//! The peers in the old JSON sessions of Telethon and Pyrogram: marked ids with access hashes.
//!
//! Telethon of 2017 has pairs of both in `entities`. Pyrogram of 2018 and 2019 has them as an object,
//! `peers_by_id`, and names in two more, `peers_by_username` and `peers_by_phone`.

use std::collections::BTreeMap;

use mtsession_core::{Peer, PeerKind};
use serde_json::{Map, Value};

use crate::clients::import::Import;
use crate::clients::json::number;
use crate::clients::marked::unmark_of_any_age;
use crate::record::peer_names::PeerNames;

type Object = Map<String, Value>;

pub(super) fn read_telethon(import: &mut Import, object: &Object) {
    const PLACE: &str = "entities";

    let pairs: Vec<_> = match object.get(PLACE) {
        None | Some(Value::Null) => return,
        Some(Value::Array(pairs)) => pairs.iter().map(pair).collect(),
        Some(Value::Object(peers)) => peers
            .iter()
            .map(|(id, hash)| Some((id_of(id), hash)))
            .collect(),
        Some(_) => return import.leave_out(PLACE, None, "it is not a list of peers"),
    };
    for (row, pair) in (1..).zip(pairs) {
        let peer = pair
            .ok_or("it is not a pair of an id and an access hash")
            .and_then(|(id, hash)| peer(id, hash));
        match peer {
            Ok(peer) => import.push_peer(peer, PeerNames::default()),
            Err(reason) => import.leave_out(PLACE, Some(row), reason),
        }
    }
}

pub(super) fn read_pyrogram(import: &mut Import, object: &Object) {
    let mut names = BTreeMap::<i64, PeerNames>::new();
    for (name, id) in entries(import, object, "peers_by_username") {
        if let Some(id) = number(Some(id)) {
            names.entry(id).or_default().usernames.push(name.clone());
        } else {
            import.leave_out("peers_by_username", None, "an id that is not a number");
        }
    }
    for (phone, id) in entries(import, object, "peers_by_phone") {
        if let Some(id) = number(Some(id)) {
            names.entry(id).or_default().phone = Some(phone.clone());
        } else {
            import.leave_out("peers_by_phone", None, "an id that is not a number");
        }
    }
    for (row, (id, hash)) in (1..).zip(entries(import, object, "peers_by_id")) {
        let id = id_of(id);
        match peer(id, hash) {
            Ok(peer) => {
                let names = id.and_then(|id| names.remove(&id)).unwrap_or_default();
                import.push_peer(peer, names);
            }
            Err(reason) => import.leave_out("peers_by_id", Some(row), reason),
        }
    }
    for _ in names {
        import.leave_out("names", None, "of a peer that is not there");
    }
}

/// What an object in the object holds.
fn entries<'o>(
    import: &mut Import,
    object: &'o Object,
    place: &str,
) -> impl Iterator<Item = (&'o String, &'o Value)> + use<'o> {
    let peers = match object.get(place) {
        Some(Value::Object(peers)) => Some(peers),
        None | Some(Value::Null) => None,
        Some(_) => {
            import.leave_out(place, None, "it is not a list of peers");
            None
        }
    };
    peers.into_iter().flatten()
}

fn pair(pair: &Value) -> Option<(Option<i64>, &Value)> {
    match pair.as_array()?.as_slice() {
        [id, hash] => Some((number(Some(id)), hash)),
        _ => None,
    }
}

fn id_of(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// A peer by its marked id; only basic groups have no access hash.
fn peer(id: Option<i64>, access_hash: &Value) -> Result<Peer, &'static str> {
    let has_none = access_hash.is_null();
    let hash = if has_none {
        Some(0)
    } else {
        number(Some(access_hash))
    };
    let access_hash = hash.ok_or("its access hash is not a number")?;
    let (kind, id) = id
        .and_then(|id| unmark_of_any_age(id, access_hash))
        .ok_or("its id is one that no peer has")?;
    if has_none && kind != PeerKind::Chat {
        return Err("it has no access hash");
    }
    Ok(Peer {
        id,
        access_hash,
        kind,
        ..Peer::default()
    })
}
