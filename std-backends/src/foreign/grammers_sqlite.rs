//! The SQLite database of grammers 0.8 and later.

use mtsession_core::{Account, ChannelKind, DcFlags, Peer, PeerKind};

use super::error::ForeignError;
use super::format::FileFormat;
use super::import::{Import, Key};
use super::marked::unmark;
use super::sqlite::Db;
use crate::names::PeerNames;

// The bits of `subtype`.
pub(super) const USER_SELF: u8 = 1;
pub(super) const USER_BOT: u8 = 2;
pub(super) const MEGAGROUP: u8 = 4;
pub(super) const BROADCAST: u8 = 8;
pub(super) const GIGAGROUP: u8 = MEGAGROUP | BROADCAST;
pub(super) const COMMUNITY: u8 = 16;

pub(super) fn recognise(db: &Db) -> Option<FileFormat> {
    let is_one = db.has("dc_home") && db.has("dc_option") && db.has("peer_info");
    is_one.then_some(FileFormat::GrammersSqlite)
}

pub(super) fn read(db: &Db) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::GrammersSqlite);
    import.version = Some(db.user_version()?);
    let home = db.only_row("dc_home", &["dc_id"], |row| row.get("dc_id"))?;
    import.set_home(home);

    let columns = ["dc_id", "ipv4", "ipv6", "auth_key"];
    db.require("dc_option", &columns)?;
    let dcs = db.rows("dc_option", &columns, |row| {
        Ok((
            row.get("dc_id")?,
            row.get::<Option<String>>("ipv4")?,
            row.get::<Option<String>>("ipv6")?,
            row.get::<Option<Vec<u8>>>("auth_key")?,
        ))
    })?;
    let mut home_has_key = false;
    for (dc_id, ipv4, ipv6, key) in dcs {
        let key = key.map(Key::take).transpose()?;
        home_has_key |= dc_id == home && key.is_some();
        for (addr, flags) in [(ipv4, DcFlags::NONE), (ipv6, DcFlags::IPV6)] {
            if let Some(addr) = addr.filter(|addr| !addr.is_empty()) {
                import.push_entry(dc_id, addr, flags, key.as_ref());
            }
        }
    }
    if !home_has_key {
        return Err(ForeignError::NotLoggedIn);
    }

    let columns = ["peer_id", "hash", "subtype"];
    db.require("peer_info", &columns)?;
    let peers = db.rows("peer_info", &columns, |row| {
        let (kind, id) = unmark(row.get("peer_id")?).ok_or_else(|| row.damaged("peer_id"))?;
        let subtype = row.get::<Option<u8>>("subtype")?.unwrap_or_default();
        let is_channel = kind == PeerKind::Channel;
        let peer = Peer {
            id,
            access_hash: row.get::<Option<i64>>("hash")?.unwrap_or_default(),
            kind,
            channel_kind: match subtype & GIGAGROUP {
                GIGAGROUP => Some(ChannelKind::Gigagroup),
                MEGAGROUP => Some(ChannelKind::Megagroup),
                BROADCAST => Some(ChannelKind::Broadcast),
                _ => None,
            }
            .filter(|_| is_channel),
            is_community: is_channel && subtype & COMMUNITY != 0,
        };
        let is_self = kind == PeerKind::User && subtype & USER_SELF != 0;
        Ok((peer, is_self.then_some(subtype & USER_BOT != 0)))
    })?;
    for (peer, is_self) in peers {
        if let Some(is_bot) = is_self {
            import.account = Account {
                user_id: Some(peer.id),
                is_bot: Some(is_bot),
                ..Account::default()
            };
        }
        import.push_peer(peer, PeerNames::default());
    }

    if db.has("update_state") {
        let columns = ["pts", "qts", "date", "seq"];
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method itself is not general enough over the row's lifetime"
        )]
        let states = db.rows("update_state", &columns, |row| row.counters())?;
        match *states {
            [] => {}
            [state] => import.set_counters(state),
            _ => {
                return Err(ForeignError::Rows {
                    table: "update_state",
                    count: states.len(),
                });
            }
        }
    }
    if db.has("channel_state") {
        let channels = db.rows("channel_state", &["peer_id", "pts"], |row| {
            Ok((row.get("peer_id")?, row.get("pts")?))
        })?;
        for (id, pts) in channels {
            import.push_channel(id, pts);
        }
    }
    Ok(import)
}
