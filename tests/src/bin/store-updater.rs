//! A process that changes whole records: `store-updater KIND PLACE UPDATES` adds one to qts and a channel of its
//! own with every `update`, and counts pts up after each. KIND is `file`, `sqlite` or `libsql`, or with a server
//! as its place `remote`.

use mtsession::{
    BinaryFileBackend, Change, LibSqlBackend, SessionBackend, SqliteBackend, UpdateChange,
};

fn open(kind: &str, place: &str) -> Box<dyn SessionBackend> {
    match kind {
        "file" => Box::new(BinaryFileBackend::new(place)),
        "sqlite" => Box::new(SqliteBackend::open(place).unwrap()),
        "libsql" => Box::new(LibSqlBackend::open_local(place).unwrap()),
        #[cfg(feature = "full")]
        "remote" => Box::new(LibSqlBackend::open_remote(place, "").expect("a server")),
        other => panic!("no store {other}"),
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let kind = args.next().expect("a kind of store");
    let place = args.next().expect("a place");
    let updates: i32 = args.next().and_then(|n| n.parse().ok()).expect("a number");
    let backend = open(&kind, &place);
    let own = i64::from(std::process::id()) * 1_000_000;
    for n in 0..updates {
        backend
            .update(&mut |record| {
                let mut session = record.session().clone();
                session.updates_state.qts += 1;
                session.updates_state.channels.push((own + i64::from(n), 1));
                record.set_session(session);
                Ok(())
            })
            .expect("update");
        let primary = UpdateChange::Primary {
            pts: n,
            date: n,
            seq: n,
        };
        backend.apply(&[Change::Update(primary)]).expect("apply");
    }
}
