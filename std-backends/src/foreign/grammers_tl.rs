//! The TL file of grammers before 0.9.
//!
//! The order of an address's bytes changed without a change of the constructors: 0.7 stores them as
//! they are on the wire, 0.8 reversed. Telegram's own networks tell which it is.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mtsession_core::foreign::Server;
use mtsession_core::{Account, Counters};

use super::cursor::Cursor;
use super::error::ForeignError;
use super::format::FileFormat;
use super::import::{Import, Key};

/// How such a file begins.
pub(super) const MAGIC: [u8; 4] = SESSION.to_le_bytes();

const SESSION: u32 = 0xA73E_B8CE;
const VECTOR: u32 = 0x1CB5_C415;
const DATA_CENTER: u32 = 0x756D_16B6;
const USER: u32 = 0x672F_428D;
const UPDATE_STATE: u32 = 0xD0CA_DCC1;
const CHANNEL_STATE: u32 = 0xC2B0_F8CD;
const TRUE: u32 = 0x9972_75B5;
const FALSE: u32 = 0xBC79_9737;

struct Dc {
    id: i32,
    ipv4: Option<[u8; 4]>,
    ipv6: Option<[u8; 16]>,
    port: u16,
    key: Option<Key>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::GrammersTl);
    let mut input = Cursor::new(bytes);
    constructor(&mut input, SESSION, "header")?;
    let flags = input.u32("header")?;
    let dcs = vector(&mut input, "DC list", read_dc)?;
    if flags & 1 != 0 {
        constructor(&mut input, USER, "user")?;
        import.account = Account {
            user_id: Some(input.i64("user")?),
            ..Account::default()
        };
        import.set_home(input.i32("user")?);
        import.account.is_bot = match input.u32("user")? {
            TRUE => Some(true),
            FALSE => Some(false),
            _ => return Err(ForeignError::damaged("its user's bot flag")),
        };
    }
    if flags & 2 != 0 {
        constructor(&mut input, UPDATE_STATE, "update state")?;
        import.set_counters(Counters {
            pts: input.i32("update state")?,
            qts: input.i32("update state")?,
            date: input.i32("update state")?,
            seq: input.i32("update state")?,
        });
        for (id, pts) in vector(&mut input, "channel list", read_channel)? {
            import.push_channel(id, pts);
        }
    }
    if !input.is_empty() {
        return Err(ForeignError::damaged("more follows its end"));
    }

    if import.session.home_dc_id == 0 {
        // Not signed in yet, or signed in by a release that did not store the user: the DC with the
        // only key is the home.
        let mut with_key = dcs.iter().filter(|dc| dc.key.is_some());
        match (with_key.next(), with_key.next()) {
            (Some(dc), None) => import.set_home(dc.id),
            _ => return Err(ForeignError::NotLoggedIn),
        }
    }
    let home = import.session.home_dc_id;
    if !dcs.iter().any(|dc| dc.id == home && dc.key.is_some()) {
        return Err(ForeignError::NotLoggedIn);
    }
    let reversed = is_reversed(&dcs);
    for dc in dcs {
        let addresses = [
            dc.ipv4
                .map(|ip| ordered(ip, reversed))
                .map(|ip| IpAddr::V4(Ipv4Addr::from(ip))),
            dc.ipv6
                .map(|ip| ordered(ip, reversed))
                .map(|ip| IpAddr::V6(Ipv6Addr::from(ip))),
        ];
        for ip in addresses.into_iter().flatten() {
            import.push_dc(dc.id, &Server::new(ip, dc.port), dc.key.as_ref());
        }
    }
    Ok(import)
}

/// The order that more addresses make sense in; as they are where both or none do.
fn is_reversed(dcs: &[Dc]) -> bool {
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

fn read_dc(input: &mut Cursor<'_>) -> Result<Dc, ForeignError> {
    constructor(input, DATA_CENTER, "DC")?;
    let flags = input.u32("DC")?;
    let id = input.i32("DC")?;
    let ipv4 = (flags & 1 != 0)
        .then(|| input.array("DC's address"))
        .transpose()?;
    let ipv6 = (flags & 2 != 0)
        .then(|| input.array("DC's address"))
        .transpose()?;
    let port = u16::try_from(input.i32("DC's port")?)
        .map_err(|_| ForeignError::damaged("port of a DC"))?;
    let key = if flags & 4 != 0 {
        match Key::of(input.tl_bytes("DC's key")?) {
            Err(ForeignError::NotLoggedIn) => None,
            key => Some(key?),
        }
    } else {
        None
    };
    Ok(Dc {
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

fn vector<'a, T>(
    input: &mut Cursor<'a>,
    what: &str,
    read: impl Fn(&mut Cursor<'a>) -> Result<T, ForeignError>,
) -> Result<Vec<T>, ForeignError> {
    constructor(input, VECTOR, what)?;
    let count = input.u32(what)?;
    // Grows with what is really there, not with what is announced.
    (0..count).map(|_| read(input)).collect()
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
