//! The SQLite database of grammers 0.8 and later.

use mtsession_core::{Account, ChannelKind, Peer, PeerKind};

use crate::clients::address;
use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, choose};
use crate::clients::import::Import;
use crate::clients::left_out::{self, LeftOut};
use crate::clients::marked::unmark;
use crate::clients::sqlite::{Cells, Db, Table};
use crate::record::peer_names::PeerNames;

// The bits of `subtype`.
pub(in crate::clients) const USER_SELF: u8 = 1;
pub(in crate::clients) const USER_BOT: u8 = 2;
pub(in crate::clients) const MEGAGROUP: u8 = 4;
pub(in crate::clients) const BROADCAST: u8 = 8;
pub(in crate::clients) const GIGAGROUP: u8 = MEGAGROUP | BROADCAST;
pub(in crate::clients) const COMMUNITY: u8 = 16;

const DC_OPTION: Table = Table {
    name: "dc_option",
    needed: &["auth_key"],
    expected: &["dc_id", "ipv4", "ipv6"],
    optional: &[],
};

const PEER_INFO: Table = Table {
    name: "peer_info",
    needed: &["peer_id", "hash"],
    expected: &["subtype"],
    optional: &[],
};

const UPDATE_STATE: Table = Table::of("update_state", &["pts", "qts", "date", "seq"]);

pub(in crate::clients) fn recognise(db: &Db) -> Result<Option<FileFormat>, ForeignError> {
    let is_one = db.has("dc_option")
        && (db.has("dc_home") || db.has("peer_info") || db.has_column("dc_option", "auth_key")?);
    Ok(is_one.then_some(FileFormat::GrammersSqlite))
}

pub(in crate::clients) fn read(db: &Db, choice: Option<usize>) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::GrammersSqlite);
    if let Ok(version) = db.user_version() {
        import.set_version(version);
    }
    let stated = read_home(db, &mut import.left_out);
    let dcs = db.rows(&DC_OPTION, &mut import.left_out, |row| Ok(read_dc(row)))?;
    let home = choose(stated, &dcs, choice)?;
    import.set_dcs(&dcs, &home, stated, DC_OPTION.name)?;

    let peers = db.cache(&PEER_INFO, &mut import.left_out, read_peer);
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

    if let Some(state) = db.account_state(&UPDATE_STATE, &mut import.left_out) {
        import.set_counters(state);
    }
    if db.has("channel_state") {
        let table = Table::of("channel_state", &["peer_id", "pts"]);
        let channels = db.cache(&table, &mut import.left_out, |row| {
            let id: i64 = row.get("peer_id")?;
            let id = Some(id)
                .filter(|id| *id > 0)
                .ok_or("peer_id is that of no channel")?;
            Ok((id, row.get("pts")?))
        });
        for (id, pts) in channels {
            import.push_channel(id, pts);
        }
    }
    Ok(import)
}

/// The home, where exactly one is stated.
fn read_home(db: &Db, left_out: &mut Vec<LeftOut>) -> Option<i32> {
    let table = Table::of("dc_home", &["dc_id"]);
    let homes = db.cache(&table, left_out, |row| {
        address::dc_id(row.get("dc_id")?).ok_or_else(|| "dc_id is one that no DC has".to_owned())
    });
    if let [home] = *homes {
        return Some(home);
    }
    let reason = format!("{} rows where one is expected", homes.len());
    left_out::add(left_out, table.name, None, reason);
    None
}

fn read_dc(row: &mut Cells<'_>) -> Dc {
    Dc {
        id: row.dc_id("dc_id"),
        servers: row.servers(&["ipv4", "ipv6"]),
        key: row.key("auth_key"),
        account: Account::default(),
        row: row.number,
    }
}

/// A peer, and for the account itself whether it is a bot.
fn read_peer(row: &mut Cells<'_>) -> Result<(Peer, Option<bool>), String> {
    let (kind, id) = unmark(row.get("peer_id")?).ok_or("peer_id is one that no peer has")?;
    let subtype: u8 = row.may("subtype").unwrap_or_default();
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
}
