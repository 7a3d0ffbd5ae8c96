//! JSON of other clients: which it is, and those that are read here.
//!
//! | client | told by |
//! |---|---|
//! | gotd | `Version` and `Data` |
//! | Telegram Web (and webogram, telegram-mtproto) | `dc2_auth_key`, also inside of `account1` |
//! | Telethon of 2017 | `auth_key_data` |
//! | Pyrogram of 2018 and 2019 | `auth_key` and `dc_id` |
//! | mtproto-core | `2authKey` |

use mtsession_core::Account;
use mtsession_core::text;
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::clients::address;
use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::gotd;
use crate::clients::home::{Dc, Found, choose};
use crate::clients::import::Import;
mod peers;

use crate::clients::several;

type Object = Map<String, Value>;

/// What JSON is that no reader knows.
const UNKNOWN: ForeignError = ForeignError::NotReadable {
    what: "JSON that is not the session of any known library",
    advice: "export the session as a string instead",
};

pub(super) fn read(text: &str, choice: Option<usize>) -> Result<Import, ForeignError> {
    let parsed = SecretJson::parse(text)?;
    let Some(object) = parsed.0.as_object() else {
        return Err(UNKNOWN);
    };
    match format_of(object) {
        Some(FileFormat::GotdJson) => gotd::read(text, choice),
        Some(FileFormat::WebJson) => read_web(object, choice),
        Some(FileFormat::TelethonJson) => read_telethon(object, choice),
        Some(FileFormat::PyrogramJson) => read_pyrogram(object, choice),
        Some(FileFormat::MtprotoCoreJson) => read_mtproto_core(object, choice),
        _ => Err(UNKNOWN),
    }
}

/// Whose it is; what cannot be parsed is nobody's.
pub(super) fn recognise(text: &str) -> Option<FileFormat> {
    format_of(SecretJson::parse(text).ok()?.0.as_object()?)
}

fn format_of(object: &Object) -> Option<FileFormat> {
    let has = |key| object.contains_key(key);
    if has("Data") && has("Version") {
        Some(FileFormat::GotdJson)
    } else if web_accounts(object).any(|(_, account)| has_web_key(&account.0)) {
        Some(FileFormat::WebJson)
    } else if has("auth_key_data") {
        Some(FileFormat::TelethonJson)
    } else if has("auth_key") && has("dc_id") {
        Some(FileFormat::PyrogramJson)
    } else if object.keys().any(|key| mtproto_core_dc(key).is_some()) {
        Some(FileFormat::MtprotoCoreJson)
    } else {
        None
    }
}

/// Parsed JSON whose texts are wiped on drop.
struct SecretJson(Value);

impl SecretJson {
    fn parse(text: &str) -> Result<Self, ForeignError> {
        let parsed = serde_json::from_str(text);
        parsed
            .map(Self)
            .map_err(|error| ForeignError::json("JSON", &error))
    }
}

impl Drop for SecretJson {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(object) => object.values_mut().for_each(wipe),
        other => *other = Value::Null,
    }
}

/// A number, also as text: browsers store nothing else.
pub(super) fn number(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::String(text) => text.trim_matches('"').parse().ok(),
        other => other.as_i64(),
    }
}

/// A key however it is written: hexadecimal or base64, in one piece or several, as numbers, or as any
/// of these in a text of its own.
fn key(value: Option<&Value>) -> Found {
    match value {
        None | Some(Value::Null) => Found::Nothing,
        Some(value) => bytes(value, 0).map_or(Found::Length(0), |bytes| Found::of(&bytes)),
    }
}

/// How often a text may hold JSON that is a text again.
const MOST_NESTED: u32 = 3;

fn bytes(value: &Value, depth: u32) -> Option<Zeroizing<Vec<u8>>> {
    match value {
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let joined: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            decoded(&Zeroizing::new(joined.concat()))
        }
        Value::Array(items) => {
            let mut bytes = Zeroizing::new(Vec::with_capacity(items.len()));
            for item in items {
                bytes.push(u8::try_from(item.as_i64()? & 0xFF).ok()?);
            }
            Some(bytes)
        }
        // How Node.js writes a buffer.
        Value::Object(object) => bytes(object.get("data")?, depth),
        Value::String(text) => match serde_json::from_str(text).map(SecretJson) {
            Ok(inner) if depth < MOST_NESTED && !inner.0.is_number() => {
                bytes(&inner.0, depth.saturating_add(1))
            }
            _ => decoded(text),
        },
        _ => None,
    }
}

fn decoded(written: &str) -> Option<Zeroizing<Vec<u8>>> {
    const HEX_LEN: usize = 512;

    if written.len() == HEX_LEN && written.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEX_LEN));
        let (pairs, _) = written.as_bytes().as_chunks::<2>();
        for pair in pairs {
            bytes.push(u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?);
        }
        return Some(bytes);
    }
    let mut buffer = Zeroizing::new(vec![0; written.len()]);
    let bytes = text::decoded(written, &mut buffer).ok()?;
    Some(Zeroizing::new(bytes.to_vec()))
}

fn login(
    mut import: Import,
    stated: Option<i32>,
    dcs: &[Dc],
    choice: Option<usize>,
) -> Result<Import, ForeignError> {
    let home = choose(stated, dcs, choice)?;
    import.set_dcs(dcs, &home, stated, "its keys")?;
    Ok(import)
}

/// The DC of a key's name.
fn web_dc(key: &str) -> Option<i32> {
    let id = key.strip_prefix("dc")?.strip_suffix("_auth_key")?;
    address::dc_id(id.parse().ok()?)
}

fn has_web_key(value: &Value) -> bool {
    let has_key = |object: &Object| object.keys().any(|key| web_dc(key).is_some());
    value.as_object().is_some_and(has_key)
}

/// The storage itself, and every account in it. Newer clients write the first account twice.
fn web_accounts(object: &Object) -> impl Iterator<Item = (String, SecretJson)> {
    let nested = object.iter().filter(|(key, _)| key.starts_with("account"));
    let nested = nested.map(|(key, value)| (key.clone(), SecretJson(unpacked(value))));
    let own = (
        "storage".to_owned(),
        SecretJson(Value::Object(object.clone())),
    );
    nested.chain([own])
}

/// A value that may be JSON in a text.
fn unpacked(value: &Value) -> Value {
    let inner = value
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    inner.unwrap_or_else(|| value.clone())
}

fn read_web(object: &Object, choice: Option<usize>) -> Result<Import, ForeignError> {
    let accounts = web_accounts(object).filter(|(_, account)| has_web_key(&account.0));
    let parts = accounts.map(|(name, account)| (name, read_web_account(&account.0)));
    several::only(parts.collect(), choice)
}

fn read_web_account(account: &Value) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::WebJson);
    let user = SecretJson(account.get("user_auth").map_or(Value::Null, unpacked));
    let user_id = number(user.0.get("id")).or_else(|| number(account.get("userId")));
    import.account = Account {
        user_id: user_id
            .or_else(|| number(Some(&user.0)))
            .filter(|id| *id > 0),
        ..Account::default()
    };
    let homes = [
        user.0.get("dcID"),
        user.0.get("dcId"),
        account.get("dc"),
        account.get("dcId"),
    ];
    let stated = homes.into_iter().find_map(number).and_then(address::dc_id);
    let keys = account.as_object().into_iter().flatten();
    let dcs: Vec<Dc> = keys
        .filter_map(|(name, value)| Some((web_dc(name)?, value)))
        .zip(1..)
        .map(|((id, value), row)| Dc {
            id: Some(id),
            servers: Vec::new(),
            key: key(Some(value)),
            account: import.account,
            row,
        })
        .collect();
    login(import, stated, &dcs, None)
}

fn read_telethon(object: &Object, choice: Option<usize>) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::TelethonJson);
    let host = object.get("server_address").and_then(Value::as_str);
    let mut servers = Vec::new();
    match address::server(host, number(object.get("port"))) {
        Ok((server, oddity)) => {
            servers.push(server);
            if let Some(oddity) = oddity {
                import.leave_out("port", None, oddity);
            }
        }
        Err(oddity) => import.leave_out("server_address", None, oddity),
    }
    // It has no DC: the address tells.
    let dcs = [Dc {
        id: number(object.get("dc_id")).and_then(address::dc_id),
        servers,
        key: key(object.get("auth_key_data")),
        account: Account::default(),
        row: 1,
    }];
    peers::read_telethon(&mut import, object);
    let mut import = login(import, None, &dcs, choice)?;
    let salt = number(object.get("salt"));
    if let (Some(salt), Some(dc)) = (salt, import.session.dcs.first_mut()) {
        dc.first_salt = salt;
    }
    Ok(import)
}

fn read_pyrogram(object: &Object, choice: Option<usize>) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::PyrogramJson);
    let user_id = number(object.get("user_id")).filter(|id| *id > 0);
    import.account = Account {
        user_id,
        is_bot: object.get("is_bot").and_then(Value::as_bool),
        test_mode: object.get("test_mode").and_then(Value::as_bool),
        ..Account::default()
    };
    let dcs = [Dc {
        id: number(object.get("dc_id")).and_then(address::dc_id),
        servers: Vec::new(),
        key: key(object.get("auth_key")),
        account: import.account,
        row: 1,
    }];
    peers::read_pyrogram(&mut import, object);
    login(import, None, &dcs, choice)
}

/// The DC of a key's name.
fn mtproto_core_dc(key: &str) -> Option<i32> {
    address::dc_id(key.strip_suffix("authKey")?.parse().ok()?)
}

fn read_mtproto_core(object: &Object, choice: Option<usize>) -> Result<Import, ForeignError> {
    let import = Import::new(FileFormat::MtprotoCoreJson);
    let stated = number(object.get("defaultDcId")).and_then(address::dc_id);
    let dcs: Vec<Dc> = object
        .iter()
        .filter_map(|(name, value)| Some((mtproto_core_dc(name)?, value)))
        .zip(1..)
        .map(|((id, value), row)| Dc {
            id: Some(id),
            servers: Vec::new(),
            key: key(Some(value)),
            account: Account::default(),
            row,
        })
        .collect();
    login(import, stated, &dcs, choice)
}
