//! gotd's JSON file.

use std::borrow::Cow;

use mtsession_core::Account;
use mtsession_core::text;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::clients::address;
use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, Found, choose};
use crate::clients::import::Import;

#[derive(Deserialize)]
struct File<'a> {
    /// gotd takes any but 1 for "no session".
    #[serde(default, rename = "Version")]
    version: Value,
    #[serde(borrow, rename = "Data")]
    data: Data<'a>,
}

/// The key has to be what it should be; the rest is taken as far as it is.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data<'a> {
    #[serde(default)]
    config: Value,
    #[serde(default, rename = "DC")]
    dc: Value,
    #[serde(default)]
    addr: Value,
    #[serde(borrow)]
    auth_key: Cow<'a, str>,
    #[serde(default)]
    salt: Value,
}

pub(super) fn read(json: &str, choice: Option<usize>) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::GotdJson);
    let File { version, data } =
        serde_json::from_str(json).map_err(|error| ForeignError::json("JSON", &error))?;
    match version.as_i64() {
        Some(version) => import.set_version(version),
        None => import.leave_out("Version", None, "not a number"),
    }
    let mut buffer = Zeroizing::new(vec![0; data.auth_key.len()]);
    let key: &[u8] = match &*data.auth_key {
        "" => &[],
        key => text::decoded(key, &mut buffer).map_err(ForeignError::Text)?,
    };
    // A configuration is there only once the server has sent one.
    let this_dc = data.config.get("ThisDC").and_then(Value::as_i64);
    let this_dc = this_dc.and_then(address::dc_id);
    import.account = Account {
        test_mode: this_dc.and_then(|_| {
            let test_mode = data.config.get("TestMode");
            test_mode.map_or(Some(false), Value::as_bool)
        }),
        ..Account::default()
    };
    let id = data.dc.as_i64().and_then(address::dc_id);
    if id.is_none() {
        import.leave_out("Data.DC", None, "not the id of a DC");
    }
    let mut servers = Vec::new();
    match data.addr.as_str() {
        Some("") => {}
        Some(addr) => match address::joined(addr) {
            Ok(server) => servers.push(server),
            Err(oddity) => import.leave_out("Data.Addr", None, oddity),
        },
        None if data.addr.is_null() => {}
        None => import.leave_out("Data.Addr", None, "not text"),
    }
    let dcs = [Dc {
        id: id.or(this_dc),
        servers,
        key: Found::of(key),
        account: import.account,
        row: 1,
    }];
    let home = choose(None, &dcs, choice)?;
    import.set_dcs(&dcs, &home, None, "Data")?;
    match (data.salt.as_i64(), import.session.dcs.first_mut()) {
        (Some(salt), Some(dc)) => dc.first_salt = salt,
        (None, _) if !data.salt.is_null() => import.leave_out("Data.Salt", None, "not a number"),
        _ => {}
    }
    Ok(import)
}
