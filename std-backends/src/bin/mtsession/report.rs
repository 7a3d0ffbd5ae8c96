//! What a session looks like to a person: tables and JSON, without secrets.

use core::fmt::Write as _;

use mtsession::codec::seal::Generation;
use mtsession::codec::{AuthKeyRef, Integrity, SessionSource as _};
use mtsession::{
    Account, DcEntry, DcFlags, Fingerprint, OwnerInfo, PeerNames, PersistedSession, Shown,
};
use serde_json::{Value, json};

use crate::compared::{count_names, names_lost};
pub(crate) use crate::counted::counted;
use crate::dates;
use crate::owners;
use crate::remarks;
use crate::store::{Loaded, Origin, Store};
use crate::tables::{facts, rows};

/// Everything about a session that may be shown.
pub(crate) fn text(
    store: &Store,
    loaded: &Loaded,
    owner: Option<&OwnerInfo>,
    show_secrets: bool,
) -> String {
    let session = loaded.record.session();
    let mut text = format!("{store}: {}\n\n", origin(&loaded.origin));
    text += &facts([
        ("home DC", home(session)),
        ("account", account(&loaded.record.account())),
        (
            "login",
            owners::state_in_words(&loaded.record.login_state()),
        ),
        (
            "owner",
            owner.map_or_else(|| "nobody".to_owned(), owners::in_words),
        ),
        ("updates", updates(session)),
        (
            "channels",
            count(session.updates_state.channels.len(), "with their own pts"),
        ),
        ("peers", peers(session)),
        ("their names", names(&loaded.record.peer_names())),
        (
            "min peers",
            count(session.min_peers.len(), "known from messages"),
        ),
        ("future auth token", token(session, show_secrets)),
    ]);
    text.push('\n');
    text += &dc_table(session);
    for line in remarks::lines(loaded) {
        let _ = writeln!(text, "\n{line}");
    }
    if show_secrets {
        for dc in &session.dcs {
            if let Some(key) = &dc.auth_key {
                let _ = writeln!(
                    text,
                    "\nauth key of DC {} {}\n{}",
                    dc.dc_id,
                    Shown(&dc.addr),
                    hex(key)
                );
            }
        }
    }
    text
}

/// The DC table; keys appear as fingerprints.
pub(crate) fn dc_table(session: &PersistedSession) -> String {
    let cells = |dc: &DcEntry| {
        [
            dc.dc_id.to_string(),
            flags(dc.flags),
            Shown(&dc.addr).to_string(),
            fingerprint(dc).unwrap_or_else(|| "none".to_owned()),
            format!("{} s", dc.time_offset),
        ]
    };
    rows(
        ["DC", "kind", "address", "auth key", "clock offset"],
        session.dcs.iter().map(cells),
    )
}

/// The same as [`text`] for programs.
pub(crate) fn json(
    store: &Store,
    loaded: &Loaded,
    owner: Option<&OwnerInfo>,
    show_secrets: bool,
) -> Value {
    let session = loaded.record.session();
    let stats = session.stats();
    let state = &session.updates_state;
    let dc = |dc: &DcEntry| dc_json(dc, show_secrets);
    let token = session.future_auth_token.as_ref();
    let account = loaded.record.account();
    let state_of_login = loaded.record.login_state();
    let [usernames, phones, titles] = count_names(&loaded.record.peer_names());
    let mut value = json!({
        "store": store.name(),
        "format": format_json(&loaded.origin),
        "state": owners::state(&state_of_login),
        "state_at": state_of_login.at(),
        "state_text": state_of_login.text(),
        "owner": owners::in_json(owner),
        "home_dc_id": session.home_dc_id,
        "account": {
            "user_id": account.user_id,
            "is_bot": account.is_bot,
            "api_id": account.api_id,
            "test_mode": account.test_mode,
        },
        "dcs": session.dcs.iter().map(dc).collect::<Vec<_>>(),
        "updates_state": {
            "pts": state.pts,
            "qts": state.qts,
            "date": state.date,
            "seq": state.seq,
            "channels": state.channels.len(),
        },
        "peers": {
            "total": stats.peers_total,
            "users": stats.peers_users,
            "channels": stats.peers_channels,
            "chats": stats.peers_chats,
            "communities": stats.peers_communities,
        },
        "peer_names": {
            "usernames": usernames,
            "phones": phones,
            "titles": titles,
        },
        "min_peers": stats.min_peers,
        "future_auth_token_len": token.map(Vec::len),
        "encoded_len": stats.approx_bytes,
        "left_out": remarks::left_out(loaded),
        "notes": remarks::notes(loaded),
    });
    if let (true, Some(token), Some(object)) = (show_secrets, token, value.as_object_mut()) {
        object.insert("future_auth_token".into(), hex(token).into());
    }
    value
}

fn dc_json(dc: &DcEntry, show_secrets: bool) -> Value {
    let mut value = json!({
        "dc_id": dc.dc_id,
        "flags": dc.flags.0,
        "addr": dc.addr,
        "auth_key_fingerprint": fingerprint(dc),
        "time_offset": dc.time_offset,
    });
    if let (true, Some(object)) = (show_secrets, value.as_object_mut()) {
        object.insert("auth_key".into(), dc.auth_key.map(|key| hex(&key)).into());
        object.insert("first_salt".into(), dc.first_salt.into());
    }
    value
}

/// The fingerprint of the home DC's key, which is the login: that of the first of its entries that has one.
pub(crate) fn home_fingerprint(home_dc_id: i32, dcs: &[DcEntry]) -> Option<String> {
    let mut homes = dcs.iter().filter(|dc| dc.dc_id == home_dc_id);
    homes.find_map(fingerprint)
}

/// The key's fingerprint, if there is a key.
pub(crate) fn fingerprint(dc: &DcEntry) -> Option<String> {
    let key = dc.auth_key.as_ref()?;
    Some(Fingerprint::of(AuthKeyRef::new(key)).to_string())
}

/// What a session was found as, in words.
pub(crate) fn origin(origin: &Origin) -> String {
    match origin {
        Origin::File(status) => {
            let mut text = format!(
                "session file, version {}, {} bytes, {}",
                status.version,
                status.snapshot_len,
                integrity(status.integrity)
            );
            if let Ok(records @ 1..) = usize::try_from(status.tail_records) {
                let changes = counted(records, ["change", "changes"]);
                let _ = write!(text, ", {changes} after its snapshot");
            }
            if let Some(generation) = status.generation {
                let _ = write!(text, ", sealed, generation {}", generation.get());
            }
            text
        }
        Origin::Native(version, checked) => {
            format!("native string, version {version}, {}", integrity(*checked))
        }
        Origin::Compact(version) => format!("compact string, version {version}"),
        Origin::Database => "account of a database".to_owned(),
        Origin::Flash(0) => "flash image".to_owned(),
        Origin::Flash(damaged) => {
            let records = counted((*damaged).into(), ["record", "records"]);
            format!("flash image, {records} damaged")
        }
        Origin::Foreign(format, None) => format.to_string(),
        Origin::Foreign(format, Some(version)) => format!("{format}, version {version}"),
    }
}

/// The same in a word or two.
pub(crate) fn short_origin(origin: &Origin) -> String {
    match origin {
        Origin::File(status) if status.generation.is_some() => {
            format!("sealed session v{}", status.version)
        }
        Origin::File(status) => format!("session v{}", status.version),
        Origin::Native(version, _) => format!("string v{version}"),
        Origin::Compact(version) => format!("compact string v{version}"),
        Origin::Database => "account".to_owned(),
        Origin::Flash(_) => "flash image".to_owned(),
        Origin::Foreign(format, _) => {
            let name = format.name();
            let article = ["a ", "an "];
            let bare = article
                .iter()
                .find_map(|article| name.strip_prefix(article));
            bare.unwrap_or(name).to_owned()
        }
    }
}

fn format_json(origin: &Origin) -> Value {
    let checked = |integrity| integrity == Integrity::Checksummed;
    match origin {
        Origin::File(status) => json!({
            "kind": "file",
            "version": status.version,
            "checksum": checked(status.integrity),
            "len": status.len,
            "snapshot_len": status.snapshot_len,
            "tail_records": status.tail_records,
            "tail_lost": status.tail_lost,
            "flush_failed": status.flush_failed,
            "sealed": status.generation.is_some(),
            "generation": status.generation.map(Generation::get),
        }),
        Origin::Native(version, integrity) => json!({
            "kind": "native-string",
            "version": version,
            "checksum": checked(*integrity),
        }),
        Origin::Compact(version) => json!({ "kind": "compact-string", "version": version }),
        Origin::Database => json!({ "kind": "database" }),
        Origin::Flash(damaged) => json!({ "kind": "flash", "damaged": damaged }),
        Origin::Foreign(format, version) => {
            json!({ "kind": "foreign", "format": format.name(), "version": version })
        }
    }
}

fn integrity(integrity: Integrity) -> &'static str {
    match integrity {
        Integrity::Checksummed => "checksum holds",
        Integrity::StructureOnly => "no checksum",
    }
}

fn home(session: &PersistedSession) -> String {
    match session.home_dc_id {
        0 => "none: not logged in".to_owned(),
        id => match session.dc_for(id, false) {
            Some(dc) => {
                let place = if dc.addr.is_empty() {
                    "without an address".to_owned()
                } else {
                    format!("at {}", Shown(&dc.addr))
                };
                let key = if dc.auth_key.is_some() {
                    "key known"
                } else {
                    "no key"
                };
                format!("{id} {place}, {key}")
            }
            None => format!("{id}, not in the DC table"),
        },
    }
}

fn account(account: &Account) -> String {
    let mut parts = Vec::new();
    if let Some(id) = account.user_id {
        parts.push(format!("user id {id}"));
    }
    if let Some(is_bot) = account.is_bot {
        parts.push(if is_bot { "bot" } else { "not a bot" }.to_owned());
    }
    if let Some(id) = account.api_id {
        parts.push(format!("api_id {id}"));
    }
    if let Some(test) = account.test_mode {
        parts.push(if test { "test servers" } else { "production" }.to_owned());
    }
    if parts.is_empty() {
        return "not recorded in this session".to_owned();
    }
    parts.join(", ")
}

fn updates(session: &PersistedSession) -> String {
    let state = &session.updates_state;
    if !state.is_initialised() {
        return "never fetched".to_owned();
    }
    format!(
        "pts {}, qts {}, seq {}, last on {}",
        state.pts,
        state.qts,
        state.seq,
        dates::date_and_age(state.date.into(), dates::now())
    )
}

fn peers(session: &PersistedSession) -> String {
    let stats = session.stats();
    if stats.peers_total == 0 {
        return "none".to_owned();
    }
    let kinds = [
        (stats.peers_users, ["user", "users"]),
        (stats.peers_channels, ["channel", "channels"]),
        (stats.peers_chats, ["chat", "chats"]),
        (stats.peers_communities, ["community", "communities"]),
    ];
    let kinds: Vec<_> = kinds
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| counted(count, kind))
        .collect();
    format!("{}: {}", stats.peers_total, kinds.join(", "))
}

fn names(names: &[PeerNames]) -> String {
    names_lost(names, &[]).unwrap_or_else(|| "none".to_owned())
}

fn count(count: usize, what: &str) -> String {
    match count {
        0 => "none".to_owned(),
        _ => format!("{count} {what}"),
    }
}

fn token(session: &PersistedSession, show_secrets: bool) -> String {
    match &session.future_auth_token {
        None => "none".to_owned(),
        Some(token) if show_secrets => hex(token),
        Some(token) => format!("{} bytes [redacted]", token.len()),
    }
}

fn flags(flags: DcFlags) -> String {
    let names = [
        (DcFlags::IPV6, "IPv6"),
        (DcFlags::MEDIA_ONLY, "media"),
        (DcFlags::TCPO_ONLY, "obfuscated"),
        (DcFlags::CDN, "CDN"),
        (DcFlags::STATIC, "static"),
    ];
    let set: Vec<_> = names
        .iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .map(|(_, name)| *name)
        .collect();
    if set.is_empty() {
        "main".to_owned()
    } else {
        set.join(" ")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
