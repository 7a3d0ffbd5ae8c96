//! The SQLite database of grammers 0.8 and later.

use core::net::IpAddr;
use std::collections::BTreeMap;

use mtsession_core::Certain as _;
use mtsession_core::clients::{Contents, Host, Server};
use mtsession_core::{AUTH_KEY_LEN, ChannelKind, DcFlags, PeerKind, SessionSource as _};
use rusqlite::{Connection, params};

use crate::clients::error::ForeignError;
use crate::clients::grammers::read::{
    BROADCAST, COMMUNITY, GIGAGROUP, MEGAGROUP, USER_BOT, USER_SELF,
};
use crate::clients::outgoing::{MarkedPeer, Outgoing};

const TABLES: &str = "
    CREATE TABLE dc_home (dc_id INTEGER NOT NULL, PRIMARY KEY (dc_id));
    CREATE TABLE dc_option (
        dc_id INTEGER NOT NULL, ipv4 TEXT NOT NULL, ipv6 TEXT NOT NULL, auth_key BLOB,
        PRIMARY KEY (dc_id)
    );
    CREATE TABLE peer_info (
        peer_id INTEGER NOT NULL, hash INTEGER, subtype INTEGER, PRIMARY KEY (peer_id)
    );
    CREATE TABLE update_state (
        pts INTEGER NOT NULL, qts INTEGER NOT NULL, date INTEGER NOT NULL, seq INTEGER NOT NULL
    );
    CREATE TABLE channel_state (
        peer_id INTEGER NOT NULL, pts INTEGER NOT NULL, PRIMARY KEY (peer_id)
    );
    PRAGMA user_version = 1;";

/// What is known of a DC.
#[derive(Default)]
struct Dc<'a> {
    ipv4: Option<Server>,
    ipv6: Option<Server>,
    key: Option<&'a [u8; AUTH_KEY_LEN]>,
}

pub(in crate::clients) fn write(
    db: &Connection,
    outgoing: &Outgoing<'_>,
) -> Result<(), ForeignError> {
    db.execute_batch(TABLES)?;
    db.execute("INSERT INTO dc_home VALUES (?1)", [outgoing.dc_id()])?;
    write_dcs(db, outgoing)?;

    let account = outgoing.account();
    let mut row = db.prepare("INSERT INTO peer_info VALUES (?1, ?2, ?3)")?;
    let mut has_own = false;
    for peer in outgoing.peers() {
        let is_own = Some(peer.id) == account.user_id;
        has_own |= is_own;
        let subtype = if is_own {
            own_subtype(outgoing)
        } else {
            subtype_of(&peer)
        };
        let hash = peer.peer.access_hash;
        row.execute(params![
            peer.id,
            hash,
            Some(subtype).filter(|bits| *bits != 0)
        ])?;
    }
    if !has_own {
        let own_id = account.user_id.certain("the target has asked for it");
        row.execute(params![own_id, None::<i64>, own_subtype(outgoing)])?;
    }

    let counters = outgoing.record.counters();
    if counters.is_initialised() {
        db.execute(
            "INSERT INTO update_state VALUES (?1, ?2, ?3, ?4)",
            params![counters.pts, counters.qts, counters.date, counters.seq],
        )?;
    }
    let mut row = db.prepare("INSERT INTO channel_state VALUES (?1, ?2)")?;
    for channel in outgoing.channels() {
        row.execute(params![channel.id, channel.pts])?;
    }
    Ok(())
}

/// Both address families are needed for every DC: what is not known is Telegram's own, and where there
/// is no IPv6 address, the IPv4 one in its IPv6 form.
fn write_dcs(db: &Connection, outgoing: &Outgoing<'_>) -> Result<(), ForeignError> {
    let home = outgoing.dc_id();
    let mut dcs = BTreeMap::<i32, Dc<'_>>::new();
    for entry in outgoing
        .record
        .session()
        .dcs
        .iter()
        .filter(|dc| dc.flags.is_main())
    {
        let dc = dcs.entry(entry.dc_id).or_default();
        if entry.flags.contains(DcFlags::TCPO_ONLY) {
            continue;
        }
        let server = Server::parse(&entry.addr)
            .map(|server| server.resolved(entry.dc_id, outgoing.test_mode()));
        let known = if server.as_ref().is_some_and(Server::is_ipv6) {
            &mut dc.ipv6
        } else {
            &mut dc.ipv4
        };
        *known = known.take().or(server);
        dc.key = dc.key.or(entry.auth_key.as_ref());
    }
    if let Some(dc) = dcs.get_mut(&home) {
        dc.key = Some(outgoing.key());
    }
    let mut row = db.prepare("INSERT INTO dc_option VALUES (?1, ?2, ?3, ?4)")?;
    for (dc_id, dc) in dcs {
        let test_mode = outgoing.test_mode();
        let ipv4 = dc
            .ipv4
            .filter(|server| matches!(server.host, Host::Ip(_)))
            .or_else(|| Server::well_known(dc_id, test_mode));
        let ipv6 = dc
            .ipv6
            .or_else(|| Server::well_known_ipv6(dc_id, test_mode))
            .or_else(|| ipv4.as_ref().and_then(mapped));
        match (ipv4, ipv6) {
            (Some(ipv4), Some(ipv6)) => {
                row.execute(params![dc_id, ipv4.to_string(), ipv6.to_string(), dc.key])?;
            }
            _ if dc_id == home => return Err(ForeignError::Missing(Contents::ADDRESS)),
            _ => {}
        }
    }
    Ok(())
}

fn mapped(server: &Server) -> Option<Server> {
    match server.host {
        Host::Ip(IpAddr::V4(ip)) => Some(Server::new(ip.to_ipv6_mapped().into(), server.port)),
        _ => None,
    }
}

fn own_subtype(outgoing: &Outgoing<'_>) -> u8 {
    if outgoing.account().is_bot == Some(true) {
        USER_SELF | USER_BOT
    } else {
        USER_SELF
    }
}

fn subtype_of(peer: &MarkedPeer<'_>) -> u8 {
    match (peer.peer.kind, peer.peer.channel_kind) {
        _ if peer.peer.is_community => COMMUNITY,
        (PeerKind::Channel, Some(ChannelKind::Broadcast)) => BROADCAST,
        (PeerKind::Channel, Some(ChannelKind::Megagroup)) => MEGAGROUP,
        (PeerKind::Channel, Some(ChannelKind::Gigagroup)) => GIGAGROUP,
        _ => 0,
    }
}
