//! Telethon 2's SQLite database, schema 10.

use mtsession_core::{Account, Counters};

use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, choose};
use crate::clients::import::Import;
use crate::clients::sqlite::{Cells, Db, Table};

const DATACENTER: Table = Table {
    name: "datacenter",
    needed: &["auth"],
    expected: &["id"],
    // Its first previews had two addresses.
    optional: &["addr", "ipv4_addr", "ipv6_addr"],
};

const USER: Table = Table {
    name: "user",
    needed: &["id"],
    expected: &["dc", "bot"],
    optional: &[],
};

const STATE: Table = Table::of("state", &["pts", "qts", "date", "seq"]);

const CHANNEL_STATE: Table = Table::of("channelstate", &["id", "pts"]);

pub(in crate::clients) fn recognise(db: &Db) -> Result<Option<FileFormat>, ForeignError> {
    let is_one =
        db.has("datacenter") && (db.has("channelstate") || db.has_column("datacenter", "auth")?);
    Ok(is_one.then_some(FileFormat::Telethon2Sqlite))
}

pub(in crate::clients) fn read(db: &Db, choice: Option<usize>) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::Telethon2Sqlite);
    let version = Table::of("version", &["version"]);
    if let Some(version) = db.version(&version, &mut import.left_out) {
        import.set_version(version);
    }
    let users = db.cache(&USER, &mut import.left_out, |row| {
        let account = Account {
            user_id: Some(row.get::<i64>("id")?).filter(|id| *id > 0),
            is_bot: row.may("bot"),
            ..Account::default()
        };
        Ok((account, row.dc_id("dc")))
    });
    let stated = match *users {
        [(account, home)] => {
            import.account = account;
            home
        }
        [] => None,
        _ => {
            let reason = format!("{} users where one is expected", users.len());
            import.leave_out(USER.name, None, reason);
            None
        }
    };
    let dcs = db.rows(&DATACENTER, &mut import.left_out, |row| Ok(read_dc(row)))?;
    let home = choose(stated, &dcs, choice)?;
    import.set_dcs(&dcs, &home, stated, DATACENTER.name)?;

    if let Some(state) = db.account_state(&STATE, &mut import.left_out) {
        import.set_counters(state);
    }
    if db.has(CHANNEL_STATE.name) {
        let channels = db.cache(&CHANNEL_STATE, &mut import.left_out, |row| {
            let id = Some(row.get::<i64>("id")?).filter(|id| *id > 0);
            let pts = row.get("pts")?;
            Ok((
                id.ok_or("id is that of no channel")?,
                Counters {
                    pts,
                    ..Counters::default()
                },
            ))
        });
        import.push_states(channels);
    }
    Ok(import)
}

fn read_dc(row: &mut Cells<'_>) -> Dc {
    Dc {
        id: row.dc_id("id"),
        servers: row.servers(&["addr", "ipv4_addr", "ipv6_addr"]),
        key: row.key("auth"),
        account: Account::default(),
        row: row.number,
    }
}
