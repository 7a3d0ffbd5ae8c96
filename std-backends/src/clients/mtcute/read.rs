//! mtcute's SQLite database.

use std::collections::BTreeMap;

use mtsession_core::clients::MtcuteDc;
use mtsession_core::clients::tl;
use mtsession_core::{Account, ChannelKind, Counters, DcFlags, MinPeer, Peer, PeerKind};

use crate::clients::cursor::Cursor;
use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, choose};
use crate::clients::import::Import;
use crate::clients::marked::unmark;
use crate::clients::sqlite::{Cells, Db, Table};
use crate::record::peer_names::PeerNames;
use crate::unix_time;

/// The flag of `current_user`.
const USER_IS_BOT: i32 = 1;

// The flags of TL's `channel`, which kept their places through every layer that has them.
pub(in crate::clients) const CHANNEL_BROADCAST: u32 = 1 << 5;
pub(in crate::clients) const CHANNEL_MEGAGROUP: u32 = 1 << 8;
pub(in crate::clients) const CHANNEL_GIGAGROUP: u32 = 1 << 26;

/// TL's `future_salt`.
pub(in crate::clients) const FUTURE_SALT: u32 = 0x0949_D9DC;
// The constructors of the layer that mtcute 0.29 has. Of other layers the titles are not read: where
// they stand is not known.
pub(in crate::clients) const USER: u32 = 0x3177_4388;
pub(in crate::clients) const CHAT: u32 = 0x41CB_F256;
pub(in crate::clients) const CHANNEL: u32 = 0x1C32_B11C;
/// The flag of `channel` that it has an access hash.
pub(in crate::clients) const CHANNEL_HAS_HASH: u32 = 1 << 13;

const KEY_VALUE: Table = Table::of("key_value", &["key", "value"]);

const AUTH_KEYS: Table = Table::of("auth_keys", &["dc", "key"]);

const PEERS: Table = Table {
    name: "peers",
    needed: &["id", "hash"],
    expected: &["usernames", "phone"],
    optional: &["complete", "isMin"],
};

pub(in crate::clients) fn recognise(db: &Db) -> Option<FileFormat> {
    let is_one = db.has("auth_keys") && (db.has("mtcute_migrations") || db.has("key_value"));
    is_one.then_some(FileFormat::MtcuteSqlite)
}

pub(in crate::clients) fn read(db: &Db, choice: Option<usize>) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::MtcuteSqlite);
    // Every part has a version of its own; that of the peers tells releases apart.
    let migrations = Table::of("mtcute_migrations", &["repo", "version"]);
    let versions = db.cache(&migrations, &mut import.left_out, |row| {
        Ok((row.get::<String>("repo")?, row.get::<i64>("version")?))
    });
    let version = versions.into_iter().find(|(repo, _)| repo == "peers");
    if let Some((_, version)) = version {
        import.set_version(version);
    }
    let values: Values = db
        .cache(&KEY_VALUE, &mut import.left_out, |row| {
            Ok((row.get("key")?, row.get("value")?))
        })
        .into_iter()
        .collect();

    let main = read_dc(&values, "dc_main", &mut import);
    import.account = Account {
        test_mode: main.as_ref().map(|main| main.test_mode),
        ..read_user(&values, &mut import)
    };
    let stated = main.as_ref().map(|main| i32::from(main.id));
    let mut dcs = db.rows(&AUTH_KEYS, &mut import.left_out, |row| {
        Ok(Dc {
            id: row.dc_id("dc"),
            servers: Vec::new(),
            key: row.key("key"),
            account: import.account,
            row: row.number,
        })
    })?;
    for dc in dcs.iter_mut().filter(|dc| dc.id == stated) {
        dc.servers
            .extend(main.as_ref().map(|main| main.server.clone()));
    }
    let home = choose(stated, &dcs, choice)?;
    import.set_dcs(&dcs, &home, stated, AUTH_KEYS.name)?;
    push_media(&values, &mut import);
    read_salts(&values, &mut import);
    read_state(&values, &mut import);
    let peers = db.cache(&PEERS, &mut import.left_out, read_peer);
    for (peer, names) in peers.into_iter().flatten() {
        import.push_peer(peer, names);
    }
    if db.has("message_refs") {
        read_min_peers(db, &mut import);
    }
    Ok(import)
}

type Values = BTreeMap<String, Vec<u8>>;

/// A block of `key_value`; an empty one is none.
fn read_dc(values: &Values, key: &str, import: &mut Import) -> Option<MtcuteDc> {
    let block = values.get(key).filter(|block| !block.is_empty())?;
    let dc = MtcuteDc::parse(block);
    if dc.is_none() {
        import.leave_out(KEY_VALUE.name, None, format!("{key} is damaged"));
    }
    dc
}

/// The DC that serves files.
fn push_media(values: &Values, import: &mut Import) {
    let Some(media) = read_dc(values, "dc_media", import).filter(|media| media.media_only) else {
        return;
    };
    let ipv6 = if media.server.is_ipv6() {
        DcFlags::IPV6
    } else {
        DcFlags::NONE
    };
    import.push_entry(
        i32::from(media.id),
        media.server.to_string(),
        DcFlags::MEDIA_ONLY | ipv6,
        None,
    );
}

fn read_salts(values: &Values, import: &mut Import) {
    let mut damaged = Vec::new();
    for dc in import
        .session
        .dcs
        .iter_mut()
        .filter(|dc| dc.flags.is_main())
    {
        let key = format!("salts:{}", dc.dc_id);
        let Some(salts) = values.get(&key) else {
            continue;
        };
        match current_salt(salts, unix_time::now()) {
            Ok(salt) => dc.first_salt = salt,
            Err(_) => damaged.push(key),
        }
    }
    for key in damaged {
        import.leave_out(KEY_VALUE.name, None, format!("{key} is damaged"));
    }
}

fn read_min_peers(db: &Db, import: &mut Import) {
    let table = Table::of("message_refs", &["peer_id", "chat_id", "msg_id"]);
    let refs = db.cache(&table, &mut import.left_out, |row| {
        let bare = |column| {
            let bare = unmark(row.get(column)?).map(|(_, id)| id);
            bare.ok_or_else(|| format!("{column} is one that no peer has"))
        };
        Ok(MinPeer {
            user_id: bare("peer_id")?,
            peer_id: bare("chat_id")?,
            msg_id: row.get("msg_id")?,
        })
    });
    // Every sighting is a row of its own: the last one counts.
    let mut latest = BTreeMap::new();
    for min_peer in refs {
        latest.insert(min_peer.user_id, min_peer);
    }
    for min_peer in latest.into_values() {
        import.put_min_peer(min_peer);
    }
}

/// The account; an empty value means nobody.
fn read_user(values: &Values, import: &mut Import) -> Account {
    let Some(user) = values.get("current_user").filter(|user| !user.is_empty()) else {
        return Account::default();
    };
    parse_user(user).unwrap_or_else(|| {
        let reason = "current_user is damaged, or of a newer version";
        import.leave_out(KEY_VALUE.name, None, reason);
        Account::default()
    })
}

fn parse_user(user: &[u8]) -> Option<Account> {
    const VERSION: i32 = 1;

    let what = "current_user";
    let mut user = Cursor::new(user);
    if user.i32(what).ok()? != VERSION {
        return None;
    }
    let flags = user.i32(what).ok()?;
    // Its converter writes 0 where it does not know the user.
    let user_id = Some(user.i64(what).ok()?).filter(|id| *id > 0);
    Some(Account {
        user_id,
        is_bot: user_id.map(|_| flags & USER_IS_BOT != 0),
        ..Account::default()
    })
}

fn read_state(values: &Values, import: &mut Import) {
    let number = |key: &str| match values.get(key) {
        None => Some(0),
        Some(value) => Cursor::new(value).i32(key).ok(),
    };
    let counters = ["updates_pts", "updates_qts", "updates_date", "updates_seq"].map(number);
    // The four belong together.
    if let [Some(pts), Some(qts), Some(date), Some(seq)] = counters {
        import.set_counters(Counters {
            pts,
            qts,
            date,
            seq,
        });
    } else {
        import.leave_out(KEY_VALUE.name, None, "the update state is damaged");
    }
    for key in values.keys() {
        let Some(id) = key.strip_prefix("updates_channel:") else {
            continue;
        };
        match (id.parse(), number(key)) {
            (Ok(id @ 1..), Some(pts)) => import.push_channel(id, pts),
            _ => import.leave_out(
                KEY_VALUE.name,
                None,
                "the update state of a channel is damaged",
            ),
        }
    }
}

/// A peer known only as "min" has a hash that is good for nothing without its context.
fn read_peer(row: &mut Cells<'_>) -> Result<Option<(Peer, PeerNames)>, String> {
    if row.may::<bool>("isMin").unwrap_or_default() {
        return Ok(None);
    }
    let (kind, id) = unmark(row.get("id")?).ok_or("id is one that no peer has")?;
    let hash: String = row.get("hash")?;
    let complete: Option<Vec<u8>> = row.may("complete");
    let peer = Peer {
        id,
        access_hash: access_hash(&hash).ok_or("hash is not two numbers")?,
        kind,
        channel_kind: complete
            .as_deref()
            .filter(|_| kind == PeerKind::Channel)
            .and_then(channel_kind),
        is_community: false,
    };
    let usernames: Option<String> = row.may("usernames");
    let usernames = usernames.map_or(Ok(Vec::new()), |json| serde_json::from_str(&json));
    let names = PeerNames {
        usernames: usernames.unwrap_or_else(|_| {
            row.leave_out("usernames is no list of names");
            Vec::new()
        }),
        phone: row.may("phone"),
        title: complete.as_deref().and_then(title),
        ..PeerNames::default()
    };
    Ok(Some((peer, names)))
}

/// The salt that mtcute itself would take: the last that is valid already. Where all are for later, the
/// first is the next best.
fn current_salt(salts: &[u8], now: i64) -> Result<i64, ForeignError> {
    let what = "key_value.salts";
    let mut salts = Cursor::new(salts);
    if salts.u32(what)? != tl::VECTOR {
        return Err(ForeignError::damaged(what));
    }
    let mut current = 0;
    for index in 0..salts.i32(what)? {
        if salts.u32(what)? != FUTURE_SALT {
            return Err(ForeignError::damaged(what));
        }
        let valid_since = i64::from(salts.i32(what)?);
        let _valid_until = salts.i32(what)?;
        let salt = salts.i64(what)?;
        if index == 0 || valid_since <= now {
            current = salt;
        }
    }
    Ok(current)
}

/// What a peer's TL object calls it: the full name of a user, the title of anything else.
fn title(object: &[u8]) -> Option<String> {
    let what = "peers.complete";
    let mut object = Cursor::new(object);
    let constructor = object.u32(what).ok()?;
    let flags = object.u32(what).ok()?;
    let mut skip = |count: usize| object.bytes(count, what).map(|_| ()).ok();
    let texts = match constructor {
        // flags2, id, access_hash
        USER => {
            skip(if flags & 1 == 0 { 12 } else { 20 })?;
            (flags >> 1 & 0b11).count_ones()
        }
        // id
        CHAT => {
            skip(8)?;
            1
        }
        CHANNEL => {
            skip(if flags & CHANNEL_HAS_HASH == 0 {
                12
            } else {
                20
            })?;
            1
        }
        _ => return None,
    };
    let mut words = Vec::new();
    for _ in 0..texts {
        let text = str::from_utf8(object.tl_bytes(what).ok()?).ok()?;
        words.extend(Some(text).filter(|text| !text.is_empty()));
    }
    Some(words.join(" ")).filter(|title| !title.is_empty())
}

/// `"low|high"`, two signed halves; empty where there is none.
fn access_hash(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let (low, high) = text.split_once('|')?;
    let high = i64::from(high.parse::<i32>().ok()?) << 32;
    let low = i64::from(low.parse::<i32>().ok()?.cast_unsigned());
    Some(high | low)
}

/// The kind of a channel by the flags of its TL object, which follow the constructor.
fn channel_kind(channel: &[u8]) -> Option<ChannelKind> {
    let mut channel = Cursor::new(channel);
    channel.u32("constructor").ok()?;
    let flags = channel.u32("flags").ok()?;
    if flags & CHANNEL_GIGAGROUP != 0 {
        Some(ChannelKind::Gigagroup)
    } else if flags & CHANNEL_MEGAGROUP != 0 {
        Some(ChannelKind::Megagroup)
    } else if flags & CHANNEL_BROADCAST != 0 {
        Some(ChannelKind::Broadcast)
    } else {
        None
    }
}
