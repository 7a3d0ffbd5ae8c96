//! The TL file of grammers before 0.9.
//!
//! The order of an address's bytes changed without a change of the constructors: 0.7 stores them as
//! they are on the wire, 0.8 reversed. Telegram's own networks tell which it is.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mtsession_core::clients::Server;
use mtsession_core::clients::tl::{FALSE, TRUE, VECTOR};
use mtsession_core::{Account, Counters};

use crate::clients::address;
use crate::clients::cursor::Cursor;
use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, Found, choose};
use crate::clients::import::Import;

/// How such a file begins.
pub(in crate::clients) const MAGIC: [u8; 4] = SESSION.to_le_bytes();

const SESSION: u32 = 0xA73E_B8CE;
const DATA_CENTER: u32 = 0x756D_16B6;
const USER: u32 = 0x672F_428D;
const UPDATE_STATE: u32 = 0xD0CA_DCC1;
const CHANNEL_STATE: u32 = 0xC2B0_F8CD;

struct TlDc {
    id: i32,
    ipv4: Option<[u8; 4]>,
    ipv6: Option<[u8; 16]>,
    port: i32,
    key: Found,
}

pub(in crate::clients) fn read(
    bytes: &[u8],
    choice: Option<usize>,
) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::GrammersTl);
    let mut input = Cursor::new(bytes);
    constructor(&mut input, SESSION, "header")?;
    let flags = input.u32("header")?;
    let mut found = Vec::new();
    let listed = read_dcs(&mut input, &mut found);
    let mut stated = None;
    // Nothing after what cannot be read can be found.
    let rest = listed.and_then(|()| read_rest(&mut input, flags, &mut import, &mut stated));
    if let Err(error) = rest {
        import.leave_out("the rest of the file", None, error.to_string());
    } else if !input.is_empty() {
        import.leave_out("the end of the file", None, "more follows it");
    }

    let reversed = is_reversed(&found);
    let dcs: Vec<Dc> = (1..)
        .zip(found)
        .map(|(row, dc)| dc.into_dc(row, reversed, &mut import))
        .collect();
    let home = choose(stated, &dcs, choice)?;
    import.set_dcs(&dcs, &home, stated, DCS)?;
    Ok(import)
}

/// What the DCs are called in a report.
const DCS: &str = "DC list";

fn read_dcs(input: &mut Cursor<'_>, found: &mut Vec<TlDc>) -> Result<(), ForeignError> {
    constructor(input, VECTOR, DCS)?;
    for _ in 0..input.u32(DCS)? {
        found.push(read_dc(input)?);
    }
    Ok(())
}

/// User and update state.
fn read_rest(
    input: &mut Cursor<'_>,
    flags: u32,
    import: &mut Import,
    stated: &mut Option<i32>,
) -> Result<(), ForeignError> {
    if flags & 1 != 0 {
        constructor(input, USER, "user")?;
        let user_id = Some(input.i64("user")?).filter(|id| *id > 0);
        *stated = address::dc_id(input.i32("user")?.into());
        let is_bot = match input.u32("user")? {
            TRUE => Some(true),
            FALSE => Some(false),
            _ => {
                import.leave_out("user", None, "the bot flag is neither true nor false");
                None
            }
        };
        import.account = Account {
            user_id,
            is_bot,
            ..Account::default()
        };
    }
    if flags & 2 != 0 {
        constructor(input, UPDATE_STATE, "update state")?;
        import.set_counters(Counters {
            pts: input.i32("update state")?,
            qts: input.i32("update state")?,
            date: input.i32("update state")?,
            seq: input.i32("update state")?,
        });
        constructor(input, VECTOR, "channel list")?;
        for _ in 0..input.u32("channel list")? {
            let (id, pts) = read_channel(input)?;
            import.push_channel(id, pts);
        }
    }
    Ok(())
}

impl TlDc {
    fn into_dc(self, row: usize, reversed: bool, import: &mut Import) -> Dc {
        let ipv4 = self.ipv4.map(|ip| IpAddr::from(ordered(ip, reversed)));
        let ipv6 = self.ipv6.map(|ip| IpAddr::from(ordered(ip, reversed)));
        let mut servers = Vec::new();
        if let Ok(port) = u16::try_from(self.port) {
            let ips = ipv4.into_iter().chain(ipv6);
            servers.extend(ips.map(|ip| Server::new(ip, port)));
        } else {
            import.leave_out(DCS, Some(row), "the port is out of range");
        }
        Dc {
            id: address::dc_id(self.id.into()),
            servers,
            key: self.key,
            account: Account::default(),
            row,
        }
    }
}

/// The order that more addresses make sense in; as they are where both or none do.
fn is_reversed(dcs: &[TlDc]) -> bool {
    let telegrams = |reversed: bool| {
        let v4 = dcs.iter().filter_map(|dc| dc.ipv4);
        let v4 = v4.map(|ip| IpAddr::V4(Ipv4Addr::from(ordered(ip, reversed))));
        let v6 = dcs.iter().filter_map(|dc| dc.ipv6);
        let v6 = v6.map(|ip| IpAddr::V6(Ipv6Addr::from(ordered(ip, reversed))));
        v4.chain(v6)
            .filter(|ip| Server::new(*ip, 0).is_telegrams())
            .count()
    };
    telegrams(true) > telegrams(false)
}

fn ordered<const N: usize>(mut ip: [u8; N], reversed: bool) -> [u8; N] {
    if reversed {
        ip.reverse();
    }
    ip
}

fn read_dc(input: &mut Cursor<'_>) -> Result<TlDc, ForeignError> {
    constructor(input, DATA_CENTER, "DC")?;
    let flags = input.u32("DC")?;
    let id = input.i32("DC")?;
    let ipv4 = (flags & 1 != 0)
        .then(|| input.array("DC's address"))
        .transpose()?;
    let ipv6 = (flags & 2 != 0)
        .then(|| input.array("DC's address"))
        .transpose()?;
    let port = input.i32("DC's port")?;
    let key = if flags & 4 != 0 {
        Found::of(input.tl_bytes("DC's key")?)
    } else {
        Found::Nothing
    };
    Ok(TlDc {
        id,
        ipv4,
        ipv6,
        port,
        key,
    })
}

fn read_channel(input: &mut Cursor<'_>) -> Result<(i64, i32), ForeignError> {
    constructor(input, CHANNEL_STATE, "channel")?;
    Ok((input.i64("channel")?, input.i32("channel")?))
}

fn constructor(input: &mut Cursor<'_>, expected: u32, what: &str) -> Result<(), ForeignError> {
    if input.u32(what)? == expected {
        Ok(())
    } else {
        Err(ForeignError::damaged(format!(
            "its {what} is something else"
        )))
    }
}
