//! mtcute's SQLite database.

use mtsession_core::clients::MtcuteDc;
use mtsession_core::clients::tl;
use mtsession_core::{ChannelKind, PeerKind, SessionSource as _};
use rusqlite::{Connection, params};

use crate::clients::error::ForeignError;
use crate::clients::marked::mark;
use crate::clients::mtcute::read::{
    CHANNEL, CHANNEL_BROADCAST, CHANNEL_GIGAGROUP, CHANNEL_HAS_HASH, CHANNEL_MEGAGROUP, CHAT,
    FUTURE_SALT, USER,
};
use crate::clients::outgoing::{MarkedPeer, Outgoing};
use mtsession_core::Certain as _;

const TABLES: &str = "
    CREATE TABLE mtcute_migrations (repo TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL);
    CREATE TABLE auth_keys (dc INTEGER PRIMARY KEY, key BLOB NOT NULL);
    CREATE TABLE temp_auth_keys (
        dc INTEGER NOT NULL, idx INTEGER NOT NULL, key BLOB NOT NULL, expires INTEGER NOT NULL,
        PRIMARY KEY (dc, idx)
    );
    CREATE TABLE key_value (key TEXT PRIMARY KEY, value BLOB NOT NULL);
    CREATE TABLE message_refs (
        peer_id INTEGER NOT NULL, chat_id INTEGER NOT NULL, msg_id INTEGER NOT NULL
    );
    CREATE TABLE peers (
        id INTEGER PRIMARY KEY, hash TEXT NOT NULL, usernames JSON NOT NULL,
        updated INTEGER NOT NULL, phone TEXT, complete BLOB,
        isMin INTEGER NOT NULL DEFAULT false
    );
    CREATE INDEX idx_message_refs_peer ON message_refs (peer_id);
    CREATE INDEX idx_message_refs ON message_refs (chat_id, msg_id);
    CREATE INDEX idx_peers_usernames ON peers (usernames);
    CREATE INDEX idx_peers_phone ON peers (phone);
    INSERT INTO mtcute_migrations VALUES
        ('auth_keys', 1), ('kv', 1), ('ref_messages', 1), ('peers', 2);";

const CHAT_PHOTO_EMPTY: u32 = 0x37C1_011C;

pub(in crate::clients) fn write(
    db: &Connection,
    outgoing: &Outgoing<'_>,
) -> Result<(), ForeignError> {
    db.execute_batch(TABLES)?;
    let mut key = db.prepare("INSERT OR IGNORE INTO auth_keys VALUES (?1, ?2)")?;
    key.execute(params![outgoing.dc_id(), outgoing.key()])?;
    for dc in outgoing
        .record
        .session()
        .dcs
        .iter()
        .filter(|dc| dc.flags.is_main())
    {
        if let Some(auth_key) = &dc.auth_key {
            key.execute(params![dc.dc_id, auth_key])?;
        }
    }
    write_values(db, outgoing)?;

    let mut row = db.prepare("INSERT INTO peers VALUES (?1, ?2, ?3, ?4, ?5, ?6, false)")?;
    let updated = i64::from(outgoing.record.counters().date).saturating_mul(1000);
    for peer in outgoing.peers().filter(|peer| !peer.peer.is_community) {
        let usernames: Vec<String> = peer.usernames().collect();
        row.execute(params![
            peer.id,
            hash_text(&peer),
            serde_json::Value::from(usernames).to_string(),
            updated,
            peer.phone(),
            tl_object(&peer),
        ])?;
    }
    let mut row = db.prepare("INSERT INTO message_refs VALUES (?1, ?2, ?3)")?;
    for min_peer in outgoing.min_peers() {
        // The chat's kind is not stored with it; a channel that is known is one, and there are no
        // min users in basic groups.
        let chat = mark(PeerKind::Channel, min_peer.peer_id);
        row.execute(params![min_peer.user_id, chat, min_peer.msg_id])?;
    }
    Ok(())
}

fn write_values(db: &Connection, outgoing: &Outgoing<'_>) -> Result<(), ForeignError> {
    let mut row = db.prepare("INSERT OR IGNORE INTO key_value VALUES (?1, ?2)")?;
    let mut put = |key: &str, value: &[u8]| row.execute(params![key, value]);
    let block = |dc_id: i32, media_only, server: &mtsession_core::clients::Server| {
        let id = u8::try_from(dc_id).map_err(|_| ForeignError::UnknownDc(dc_id))?;
        let dc = MtcuteDc {
            id,
            media_only,
            test_mode: outgoing.test_mode(),
            server: server.clone(),
        };
        Ok::<_, ForeignError>(dc.to_bytes())
    };
    let main = block(outgoing.dc_id(), false, outgoing.login.server())?;
    put("dc_main", &main)?;
    let media = match outgoing.login.media() {
        Some(media) => block(media.dc_id, true, &media.server)?,
        None => main.clone(),
    };
    put("dc_media", &media)?;

    let account = outgoing.account();
    if let (Some(user_id), Some(is_bot)) = (account.user_id, account.is_bot) {
        let mut user = 1_i32.to_le_bytes().to_vec();
        user.extend(i32::from(is_bot).to_le_bytes());
        user.extend(user_id.to_le_bytes());
        put("current_user", &user)?;
    }
    let counters = outgoing.record.counters();
    if counters.is_initialised() {
        put("updates_pts", &counters.pts.to_le_bytes())?;
        put("updates_qts", &counters.qts.to_le_bytes())?;
        put("updates_date", &counters.date.to_le_bytes())?;
        put("updates_seq", &counters.seq.to_le_bytes())?;
    }
    for dc in &outgoing.record.session().dcs {
        if dc.first_salt != 0 && dc.flags.is_main() {
            put(&format!("salts:{}", dc.dc_id), &salts(dc.first_salt))?;
        }
    }
    for channel in outgoing.channels() {
        let key = format!("updates_channel:{}", channel.id);
        put(&key, &channel.pts.to_le_bytes())?;
    }
    Ok(())
}

/// One salt, from the beginning: until when it is valid is not known, and the server says which one it
/// wants instead.
fn salts(salt: i64) -> Vec<u8> {
    let mut salts = Vec::new();
    salts.extend(tl::VECTOR.to_le_bytes());
    salts.extend(1_i32.to_le_bytes());
    salts.extend(FUTURE_SALT.to_le_bytes());
    salts.extend(0_i32.to_le_bytes());
    salts.extend(i32::MAX.to_le_bytes());
    salts.extend(salt.to_le_bytes());
    salts
}

/// `"low|high"`, two signed halves; empty for chats.
fn hash_text(peer: &MarkedPeer<'_>) -> String {
    if peer.peer.kind == PeerKind::Chat {
        return String::new();
    }
    let hash = peer.peer.access_hash.cast_unsigned();
    let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).certain("32 bits are left");
    let (low, high) = (half(hash).cast_signed(), half(hash >> 32).cast_signed());
    format!("{low}|{high}")
}

/// The peer as the server would send it, with what is known of it.
fn tl_object(peer: &MarkedPeer<'_>) -> Vec<u8> {
    // Empty where it is not known: a stand-in would pass for a name.
    let title = peer.title().unwrap_or_default();
    let mut object = Vec::new();
    match peer.peer.kind {
        PeerKind::User => {
            // access_hash, first_name, then phone where it is known.
            let flags = 0b11 | u32::from(peer.phone().is_some()) << 4;
            object.extend(USER.to_le_bytes());
            object.extend(flags.to_le_bytes());
            object.extend(0_u32.to_le_bytes());
            object.extend(peer.peer.id.to_le_bytes());
            object.extend(peer.peer.access_hash.to_le_bytes());
            put_string(&mut object, title);
            if let Some(phone) = peer.phone() {
                put_string(&mut object, phone);
            }
        }
        PeerKind::Chat => {
            object.extend(CHAT.to_le_bytes());
            object.extend(0_u32.to_le_bytes());
            object.extend(peer.peer.id.to_le_bytes());
            put_string(&mut object, title);
            object.extend(CHAT_PHOTO_EMPTY.to_le_bytes());
            // Participants, date, version.
            object.extend([0; 12]);
        }
        PeerKind::Channel => {
            let kind = match peer.peer.channel_kind {
                Some(ChannelKind::Megagroup) => CHANNEL_MEGAGROUP,
                Some(ChannelKind::Gigagroup) => CHANNEL_MEGAGROUP | CHANNEL_GIGAGROUP,
                Some(ChannelKind::Broadcast) | None => CHANNEL_BROADCAST,
            };
            let flags: u32 = CHANNEL_HAS_HASH | kind;
            object.extend(CHANNEL.to_le_bytes());
            object.extend(flags.to_le_bytes());
            object.extend(0_u32.to_le_bytes());
            object.extend(peer.peer.id.to_le_bytes());
            object.extend(peer.peer.access_hash.to_le_bytes());
            put_string(&mut object, title);
            object.extend(CHAT_PHOTO_EMPTY.to_le_bytes());
            // Date.
            object.extend([0; 4]);
        }
    }
    object
}

/// A TL string; names that are too long for its short form are cut.
fn put_string(object: &mut Vec<u8>, text: &str) {
    let ends = text
        .char_indices()
        .map(|(at, char)| at.saturating_add(char.len_utf8()));
    let end = ends
        .take_while(|end| *end <= 0xFD)
        .last()
        .unwrap_or_default();
    let text = text.get(..end).certain("a character ends there");
    object.push(u8::try_from(text.len()).certain("the text was cut to 253 bytes"));
    object.extend(text.as_bytes());
    object.resize(object.len().next_multiple_of(4), 0);
}
