//! mtcute's SQLite database.

use std::collections::BTreeMap;

use mtsession_core::foreign::{MtcuteDc, Server};
use mtsession_core::{Account, ChannelKind, Counters, DcFlags, MinPeer, Peer, PeerKind};

use super::cursor::Cursor;
use super::error::ForeignError;
use super::format::FileFormat;
use super::import::{Import, Key};
use super::marked::unmark;
use super::sqlite::{Cells, Db};
use crate::names::PeerNames;

/// The flag of `current_user`.
const USER_IS_BOT: i32 = 1;

// The flags of TL's `channel`, which kept their places through every layer that has them.
const CHANNEL_BROADCAST: u32 = 1 << 5;
const CHANNEL_MEGAGROUP: u32 = 1 << 8;
const CHANNEL_GIGAGROUP: u32 = 1 << 26;

/// TL's `vector`.
pub(super) const VECTOR: u32 = 0x1CB5_C415;
/// TL's `future_salt`.
pub(super) const FUTURE_SALT: u32 = 0x0949_D9DC;
// The constructors of the layer that mtcute 0.29 has. Of other layers the titles are not read: where
// they stand is not known.
pub(super) const USER: u32 = 0x3177_4388;
pub(super) const CHAT: u32 = 0x41CB_F256;
pub(super) const CHANNEL: u32 = 0x1C32_B11C;
/// The flag of `channel` that it has an access hash.
pub(super) const CHANNEL_HAS_HASH: u32 = 1 << 13;

pub(super) fn recognise(db: &Db) -> Option<FileFormat> {
    let is_one = db.has("mtcute_migrations") && db.has("key_value") && db.has("auth_keys");
    is_one.then_some(FileFormat::MtcuteSqlite)
}

pub(super) fn read(db: &Db) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::MtcuteSqlite);
    // Every part has a version of its own; that of the peers tells releases apart.
    let versions = db.rows("mtcute_migrations", &["repo", "version"], |row| {
        let version: Option<i64> = row.get("version")?;
        Ok(version.filter(|_| row.get::<String>("repo").is_ok_and(|repo| repo == "peers")))
    })?;
    import.version = versions.into_iter().flatten().next();
    db.require("key_value", &["key", "value"])?;
    db.require("auth_keys", &["dc", "key"])?;
    let values: BTreeMap<String, Vec<u8>> = db
        .rows("key_value", &["key", "value"], |row| {
            Ok((row.get("key")?, row.get("value")?))
        })?
        .into_iter()
        .collect();

    let main = read_dc(&values, "dc_main")?.ok_or(ForeignError::NotLoggedIn)?;
    let home = i32::from(main.id);
    import.account = Account {
        test_mode: Some(main.test_mode),
        ..read_user(&values)?
    };
    import.set_home(home);

    let keys = db.rows("auth_keys", &["dc", "key"], |row| {
        Ok((row.get::<i32>("dc")?, Key::take(row.get("key")?)?))
    })?;
    let home_key = keys.iter().find(|(dc_id, _)| *dc_id == home);
    let (_, home_key) = home_key.ok_or(ForeignError::NotLoggedIn)?;
    import.push_dc(home, &main.server, Some(home_key));
    if let Some(media) = read_dc(&values, "dc_media")?
        && media.media_only
    {
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
    for (dc_id, key) in keys.iter().filter(|(dc_id, _)| *dc_id != home) {
        match Server::well_known(*dc_id, main.test_mode) {
            Some(server) => import.push_dc(*dc_id, &server, Some(key)),
            // The key is kept for when the servers tell where the DC is.
            None => import.push_entry(*dc_id, String::new(), DcFlags::NONE, Some(key)),
        }
    }

    for dc in import
        .session
        .dcs
        .iter_mut()
        .filter(|dc| dc.flags.is_main())
    {
        if let Some(salts) = values.get(&format!("salts:{}", dc.dc_id)) {
            dc.first_salt = current_salt(salts, unix_now())?;
        }
    }
    read_state(&values, &mut import)?;
    let columns = ["id", "hash", "usernames", "phone", "complete", "isMin"];
    db.require("peers", &["id", "hash", "usernames", "phone"])?;
    for (peer, names) in db.rows("peers", &columns, read_peer)?.into_iter().flatten() {
        import.push_peer(peer, names);
    }
    if db.has("message_refs") {
        let columns = ["peer_id", "chat_id", "msg_id"];
        db.require("message_refs", &columns)?;
        let refs = db.rows("message_refs", &columns, |row| {
            let bare = |column| {
                let bare = unmark(row.get(column)?).map(|(_, id)| id);
                bare.ok_or_else(|| row.damaged(column))
            };
            Ok(MinPeer {
                user_id: bare("peer_id")?,
                peer_id: bare("chat_id")?,
                msg_id: row.get("msg_id")?,
            })
        })?;
        // Every sighting is a row of its own: the last one counts.
        let mut latest = BTreeMap::new();
        for min_peer in refs {
            latest.insert(min_peer.user_id, min_peer);
        }
        for min_peer in latest.into_values() {
            import.put_min_peer(min_peer);
        }
    }
    Ok(import)
}

fn read_dc(
    values: &BTreeMap<String, Vec<u8>>,
    key: &str,
) -> Result<Option<MtcuteDc>, ForeignError> {
    let Some(block) = values.get(key).filter(|block| !block.is_empty()) else {
        return Ok(None);
    };
    match MtcuteDc::parse(block) {
        Some(dc) => Ok(Some(dc)),
        None => Err(ForeignError::damaged(format!("key_value.{key}"))),
    }
}

/// The account; an empty value means nobody.
fn read_user(values: &BTreeMap<String, Vec<u8>>) -> Result<Account, ForeignError> {
    let Some(user) = values.get("current_user").filter(|user| !user.is_empty()) else {
        return Ok(Account::default());
    };
    let what = "key_value.current_user";
    let mut user = Cursor::new(user);
    let version = user.i32(what)?;
    if version != 1 {
        return Err(ForeignError::UnknownVersion(version.into()));
    }
    let flags = user.i32(what)?;
    // Its converter writes 0 where it does not know the user.
    let user_id = Some(user.i64(what)?).filter(|id| *id > 0);
    Ok(Account {
        user_id,
        is_bot: user_id.map(|_| flags & USER_IS_BOT != 0),
        ..Account::default()
    })
}

fn read_state(values: &BTreeMap<String, Vec<u8>>, import: &mut Import) -> Result<(), ForeignError> {
    let number = |key: &str| match values.get(key) {
        None => Ok(0),
        Some(value) => Cursor::new(value).i32(key),
    };
    import.set_counters(Counters {
        pts: number("updates_pts")?,
        qts: number("updates_qts")?,
        date: number("updates_date")?,
        seq: number("updates_seq")?,
    });
    for key in values.keys() {
        if let Some(id) = key.strip_prefix("updates_channel:") {
            let id = id
                .parse()
                .map_err(|_| ForeignError::damaged("key_value.updates_channel"))?;
            import.push_channel(id, number(key)?);
        }
    }
    Ok(())
}

/// A peer known only as "min" has a hash that is good for nothing without its context.
fn read_peer(row: &Cells<'_>) -> Result<Option<(Peer, PeerNames)>, ForeignError> {
    if row.get::<Option<bool>>("isMin")?.unwrap_or_default() {
        return Ok(None);
    }
    let (kind, id) = unmark(row.get("id")?).ok_or_else(|| row.damaged("id"))?;
    let hash: String = row.get("hash")?;
    let complete: Option<Vec<u8>> = row.get("complete")?;
    let peer = Peer {
        id,
        access_hash: access_hash(&hash).ok_or_else(|| row.damaged("hash"))?,
        kind,
        channel_kind: complete
            .as_deref()
            .filter(|_| kind == PeerKind::Channel)
            .and_then(channel_kind),
        is_community: false,
    };
    let usernames: String = row.get("usernames")?;
    let names = PeerNames {
        usernames: serde_json::from_str(&usernames)
            .map_err(|error| ForeignError::json("peers.usernames", &error))?,
        phone: row.get("phone")?,
        title: complete.as_deref().and_then(title),
        ..PeerNames::default()
    };
    Ok(Some((peer, names)))
}

/// Seconds since 1970.
fn unix_now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// The salt that mtcute itself would take: the last that is valid already. Where all are for later, the
/// first is the next best.
fn current_salt(salts: &[u8], now: i64) -> Result<i64, ForeignError> {
    let what = "key_value.salts";
    let mut salts = Cursor::new(salts);
    if salts.u32(what)? != VECTOR {
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
