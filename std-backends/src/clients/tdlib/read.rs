//! The login in the key-value store of a log.

use std::collections::BTreeSet;

use mtsession_core::Account;
use mtsession_core::clients::Server;

use super::binlog::{self, Values};
use crate::clients::address;
use crate::clients::cursor::Cursor;
use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, Found, choose};
use crate::clients::import::Import;

/// What the parts of a login are called in a report.
const KEYS: &str = "auth keys";
const ADDRESSES: &str = "dc_options";
const SALTS: &str = "salts";
const LOG: &str = "log";

/// Ids that DCs of Telegram can have; those of CDNs begin later, and no login is on them.
const DC_IDS: core::ops::RangeInclusive<i32> = 1..=999;

/// Flags of Telegram's own `dcOption` that do not keep an address from being used for everything; others do:
/// for media only, obfuscated only, a CDN, with a secret.
const IPV6: i32 = 1;
const STATIC: i32 = 16;
const HAS_SECRET: i32 = 32;

/// Reads a log. `test_mode`: whether it is that of the test servers, as far as that is known.
pub(in crate::clients) fn read(
    log: &[u8],
    test_mode: Option<bool>,
    key: &[u8],
    choice: Option<usize>,
) -> Result<Import, ForeignError> {
    let values = binlog::replay(log, key)?;
    let mut import = Import::new(FileFormat::TdlibBinlog);
    if let Some(at) = values.ends_early_at {
        import.leave_out(LOG, None, format!("it cannot be read from byte {at} on"));
    }
    match values.text("auth") {
        Some("ok") => {}
        // Logged out, or the servers have ended it.
        Some(_) => return Err(ForeignError::NotLoggedIn),
        None => import
            .notes
            .push("nothing says that the login was completed".to_owned()),
    }
    import.account = Account {
        user_id: number(&values, "my_id").filter(|id| *id > 0),
        is_bot: Some(values.text("auth_is_bot") == Some("true")),
        test_mode,
        ..Account::default()
    };
    let servers = read_servers(&values, &mut import);
    let mut dcs = Vec::new();
    let mut keys = values.numbered("auth");
    let with_address = servers.iter().map(|(dc_id, _)| *dc_id);
    let ids: BTreeSet<i32> = keys.keys().copied().chain(with_address).collect();
    for id in ids.into_iter().filter(|id| DC_IDS.contains(id)) {
        let row = usize::try_from(id).unwrap_or_default();
        let is_of_it = |(dc_id, server): &(i32, Server)| (*dc_id == id).then(|| server.clone());
        let servers: Vec<Server> = servers.iter().filter_map(is_of_it).collect();
        let key = keys.remove(&id).map_or(Ok(Found::Nothing), read_key);
        let key = key.unwrap_or_else(|error| {
            import.leave_out(KEYS, Some(row), error.to_string());
            Found::Nothing
        });
        dcs.push(Dc {
            id: Some(id),
            servers,
            key,
            account: import.account,
            row,
        });
    }
    let stated = number(&values, "main_dc_id").and_then(address::dc_id);
    let home =
        choose(stated, &dcs, choice).map_err(|error| match (error, values.ends_early_at) {
            (ForeignError::NotLoggedIn, Some(at)) => {
                ForeignError::damaged(format!("from byte {at} on, and no auth key is before"))
            }
            (error, _) => error,
        })?;
    import.set_dcs(&dcs, &home, stated, KEYS)?;
    set_salts(&values, &mut import);
    Ok(import)
}

/// A value that is a decimal number.
fn number(values: &Values, key: &str) -> Option<i64> {
    values.text(key)?.parse().ok()
}

/// `u64 id of the key | i32 flags | key | …`
fn read_key(value: &[u8]) -> Result<Found, ForeignError> {
    let mut value = Cursor::new(value);
    value.i64("id of a key")?;
    value.i32("flags of a key")?;
    Ok(Found::of(value.tl_bytes("key")?))
}

/// Where the DCs are: of each family the first address that is for everything.
fn read_servers(values: &Values, import: &mut Import) -> Vec<(i32, Server)> {
    let mut servers: Vec<(i32, Server)> = Vec::new();
    let mut options = Cursor::new(values.get(ADDRESSES).unwrap_or(&[0; 4]));
    for row in 1..=options.i32(ADDRESSES).unwrap_or_default() {
        let (flags, dc_id, server) = match read_option(&mut options) {
            Ok(option) => option,
            Err(error) => {
                let row = usize::try_from(row).ok();
                import.leave_out(ADDRESSES, row, error.to_string());
                break;
            }
        };
        let is_known =
            |(known, other): &(i32, Server)| *known == dc_id && other.is_ipv6() == server.is_ipv6();
        if flags & !(IPV6 | STATIC) == 0 && !servers.iter().any(is_known) {
            servers.push((dc_id, server));
        }
    }
    servers
}

/// `i32 flags | i32 DC | address | i32 port | secret where there is one`
fn read_option(options: &mut Cursor<'_>) -> Result<(i32, i32, Server), ForeignError> {
    let what = "address of a DC";
    let flags = options.i32(what)?;
    let dc_id = options.i32(what)?;
    let host = str::from_utf8(options.tl_bytes(what)?).ok();
    let port = options.i32(what)?;
    if flags & HAS_SECRET != 0 {
        options.tl_bytes(what)?;
    }
    let (server, _) = address::server(host, Some(port.into())).map_err(ForeignError::damaged)?;
    Ok((flags, dc_id, server))
}

/// The salt that the servers gave out first: `i32 count | (i64 salt | f64 from | f64 to)…`
fn set_salts(values: &Values, import: &mut Import) {
    let salts = values.numbered("salt");
    for dc in &mut import.session.dcs {
        let Some(salts) = salts.get(&dc.dc_id) else {
            continue;
        };
        let mut salts = Cursor::new(salts);
        let count = salts.i32(SALTS).unwrap_or_default();
        if dc.auth_key.is_some() && count > 0 {
            dc.first_salt = salts.i64(SALTS).unwrap_or_default();
        }
    }
}
