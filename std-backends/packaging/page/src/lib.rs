//! What the page asks, as two functions on bytes: [`inspect`] and [`convert`]. Module `exports` makes them callable
//! from a browser; the rest is ordinary code, which tests run anywhere.

#[cfg(target_family = "wasm")]
mod exports;

use mtsession::clients::{self, ForeignError, Options, ReadOptions, Target};
use mtsession::codec::clients::{Contents, StringFormat};
use mtsession::codec::{SessionMut as _, SessionSource as _};
use mtsession::{Fingerprint, SessionRecord};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// How the page calls the formats of this library.
const OURS: &str = "mtsession";

/// A session of whatever library.
struct Found {
    format: String,
    version: Option<i64>,
    accounts: usize,
    record: SessionRecord,
    /// What could not be read, and what else is worth knowing.
    remarks: Vec<String>,
}

/// Reads bytes as whatever they are. `account` is the number of a login, where there are several.
fn read(bytes: &[u8], account: Option<usize>) -> Result<Found, String> {
    let options = ReadOptions::default();
    let options = account.into_iter().fold(options, ReadOptions::account);
    let import = match clients::read_bytes(bytes, &options) {
        Ok(import) => import,
        Err(error) if matches!(ForeignError::of(&error), Some(ForeignError::Own)) => {
            let record = SessionRecord::from_bytes(bytes).map_err(|error| error.to_string())?;
            return Ok(Found {
                format: "a session file of mtsession or ferogram".to_owned(),
                version: None,
                accounts: 1,
                record,
                remarks: Vec::new(),
            });
        }
        Err(error) => return Err(why(&error)),
    };
    let left_out = import
        .left_out
        .iter()
        .map(|part| format!("Left out: {part}"));
    Ok(Found {
        format: import.format.to_string(),
        version: import.version,
        accounts: import.accounts,
        record: import.record().map_err(|error| error.to_string())?,
        remarks: left_out.chain(import.notes.iter().cloned()).collect(),
    })
}

/// An error without the words about stores and places that only a program needs.
fn why(error: &std::io::Error) -> String {
    ForeignError::of(error).map_or_else(|| error.to_string(), ForeignError::to_string)
}

/// All that a session holds.
fn contents(record: &SessionRecord) -> Contents {
    let names = record.peer_names();
    let mut found = Contents::of(record);
    for (present, part) in [
        (
            names.iter().any(|of| !of.usernames.is_empty()),
            Contents::USERNAMES,
        ),
        (names.iter().any(|of| of.phone.is_some()), Contents::PHONES),
        (names.iter().any(|of| of.title.is_some()), Contents::TITLES),
    ] {
        if present {
            found |= part;
        }
    }
    found
}

/// What a person wants to know of a session; of its key no more than a fingerprint.
fn described(found: &Found) -> Value {
    let Found { record, .. } = found;
    let home = record.home_dc_id();
    let session = record.session();
    let entry = session
        .dcs
        .iter()
        .find(|dc| dc.dc_id == home && dc.auth_key.is_some());
    let key = record
        .dcs()
        .find(|dc| dc.dc_id == home && dc.auth_key.is_some())
        .and_then(|dc| dc.auth_key.map(|key| Fingerprint::of(key).to_string()));
    let account = record.account();
    let names = record.peer_names();
    json!({
        "format": found.format,
        "version": found.version,
        "accounts": found.accounts,
        "dc": home,
        "address": entry.map(|dc| dc.addr.clone()),
        "key": key,
        "user_id": account.user_id,
        "is_bot": account.is_bot,
        "api_id": account.api_id,
        "test_mode": account.test_mode,
        "peers": record.peers().count(),
        "named": names.iter().filter(|of| !of.is_empty()).count(),
        "channels": record.channels().count(),
        "pts": session.updates_state.pts,
        "remarks": found.remarks,
        "holds": contents(record).names().collect::<Vec<_>>(),
    })
}

/// Says what the bytes are: `{"format": …}` or `{"error": …}`.
#[must_use]
pub fn inspect(bytes: &[u8], request: &Value) -> Value {
    let found = read(bytes, account(request));
    found.map_or_else(|error| json!({ "error": error }), |found| described(&found))
}

fn account(request: &Value) -> Option<usize> {
    usize::try_from(request["account"].as_u64()?).ok()
}

/// The targets that the page offers: a name, what it writes, and whether that is text.
#[must_use]
pub fn targets() -> Value {
    let directory = |target: &Target| matches!(target, Target::GramJsStore | Target::Tdata);
    let files = Target::ALL.into_iter().filter(|target| !directory(target));
    let files = files.filter(|target| !matches!(target, Target::Text(_)));
    let files = files.map(|target| json!({ "name": target.scheme(), "what": target.format().name(), "is_text": false }));
    let strings = StringFormat::ALL.into_iter();
    let strings = strings.map(|format| json!({ "name": format!("string:{}", format.name()), "what": format.name(), "is_text": true }));
    let ours = json!({ "name": OURS, "what": "a session file of mtsession", "is_text": false });
    core::iter::once(ours).chain(files).chain(strings).collect()
}

/// Makes the session of another library of the bytes, and reads it back.
///
/// The request says `"to"`, and what the target needs and the session lacks: `"user_id"`, `"is_bot"`, `"api_id"`,
/// `"test_mode"`.
#[must_use]
pub fn convert(bytes: &[u8], request: &Value) -> (Value, Zeroizing<Vec<u8>>) {
    converted(bytes, request)
        .unwrap_or_else(|error| (json!({ "error": error }), Zeroizing::default()))
}

fn converted(bytes: &[u8], request: &Value) -> Result<(Value, Zeroizing<Vec<u8>>), String> {
    let mut found = read(bytes, account(request))?;
    let mut account = found.record.account();
    let api_id = request["api_id"]
        .as_i64()
        .and_then(|id| i32::try_from(id).ok());
    account.user_id = request["user_id"].as_i64().or(account.user_id);
    account.is_bot = request["is_bot"].as_bool().or(account.is_bot);
    account.api_id = api_id.or(account.api_id);
    account.test_mode = request["test_mode"].as_bool().or(account.test_mode);
    found.record.set_account(account);

    let to = request["to"].as_str().unwrap_or_default();
    let made = write(to, &found.record)?;
    let back = read(&made, None)?;
    let lost = contents(&found.record).without(contents(&back.record));
    let said = json!({
        "from": described(&found),
        "to": described(&back),
        "lost": lost.names().collect::<Vec<_>>(),
    });
    Ok((said, made))
}

fn write(to: &str, record: &SessionRecord) -> Result<Zeroizing<Vec<u8>>, String> {
    if to == OURS {
        return record.to_bytes().map_err(|error| error.to_string());
    }
    let string = to.strip_prefix("string:");
    let string = string.and_then(|name| StringFormat::ALL.into_iter().find(|of| of.name() == name));
    let target = string.map(Target::Text).or_else(|| Target::from_scheme(to));
    let target = target.ok_or_else(|| format!("there is no target {to}"))?;
    clients::write_bytes(target, Options::default(), record, &record.peer_names())
        .map_err(|error| why(&error))
}
