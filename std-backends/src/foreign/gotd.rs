//! gotd's JSON file.

use std::borrow::Cow;

use mtsession_core::Account;
use mtsession_core::foreign::Server;
use mtsession_core::text;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::error::ForeignError;
use super::format::FileFormat;
use super::import::{Import, Key};

/// The only version there is; gotd takes any other for "no session".
const VERSION: i64 = 1;

#[derive(Deserialize)]
struct File<'a> {
    #[serde(rename = "Version")]
    version: i64,
    #[serde(borrow, rename = "Data")]
    data: Data<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data<'a> {
    #[serde(default)]
    config: Config,
    #[serde(rename = "DC")]
    dc: i32,
    #[serde(borrow, default)]
    addr: Cow<'a, str>,
    #[serde(borrow)]
    auth_key: Cow<'a, str>,
    #[serde(default)]
    salt: i64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    test_mode: bool,
    #[serde(rename = "ThisDC")]
    this_dc: i32,
}

pub(super) fn read(json: &str) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::GotdJson);
    let file: File<'_> =
        serde_json::from_str(json).map_err(|error| ForeignError::json("JSON", &error))?;
    if file.version != VERSION {
        return Err(ForeignError::UnknownVersion(file.version));
    }
    let data = file.data;
    import.version = Some(file.version);
    // A configuration is there only once the server has sent one.
    import.account = Account {
        test_mode: (data.config.this_dc != 0).then_some(data.config.test_mode),
        ..Account::default()
    };
    if data.auth_key.is_empty() {
        return Err(ForeignError::NotLoggedIn);
    }
    let mut buffer = Zeroizing::new(vec![0; data.auth_key.len()]);
    let key = text::decoded(&data.auth_key, &mut buffer).map_err(ForeignError::Text)?;
    let key = Key::of(key)?;
    let server = match Server::parse(&data.addr) {
        Some(server) => server,
        None if data.addr.is_empty() => Server::well_known(data.dc, data.config.test_mode)
            .ok_or(ForeignError::UnknownDc(data.dc))?,
        None => return Err(ForeignError::damaged("Data.Addr")),
    };
    import.set_home(data.dc);
    import.push_dc(data.dc, &server, Some(&key));
    if let Some(dc) = import.session.dcs.first_mut() {
        dc.first_salt = data.salt;
    }
    Ok(import)
}
