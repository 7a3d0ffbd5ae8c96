//! A process that does a few things with a session file, or a database `….db`, and says what came of
//! each: `file-ops PATH OPERATION…`. Tests run it as other users and with failing system calls.

use std::io;
use std::path::Path;
use std::time::Duration;

use mtsession::{FlushPolicy, PersistedSession, SessionBackend, StoreOptions, UpdateStateChange};
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::stores::sqlite;

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().expect("a path");
    let options = StoreOptions::new().deadline(Duration::from_millis(200));
    let backend = if Path::new(&path).extension().is_some_and(|it| it == "db") {
        options.connect(sqlite(&path))
    } else {
        options.flush(FlushPolicy::Each).connect(Path::new(&path))
    };
    for operation in args {
        let done = match &*operation {
            #[cfg(feature = "full")]
            "import" => mtsession::clients::read(Path::new(&path))
                .map(|import| format!("{}, {} peers", import.format, import.session.peers.len())),
            _ => match &backend {
                Ok(backend) => run(&**backend, &operation),
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            },
        };
        match done {
            Ok(answer) => println!("{operation}: {answer}"),
            Err(error) => println!("{operation}: ERR {:?} {error}", error.kind()),
        }
    }
}

fn run(backend: &dyn SessionBackend, operation: &str) -> io::Result<String> {
    let (name, number) = operation.split_at(operation.trim_end_matches(char::is_numeric).len());
    let number: i32 = number.parse().unwrap_or_default();
    match name {
        "save" => backend.save(&session(number))?,
        "pts" => backend.apply_update_state(UpdateStateChange::Primary {
            pts: number,
            date: 1,
            seq: 1,
        })?,
        "dc" => {
            let mut dc = session(number).dcs.remove(0);
            dc.dc_id = 4;
            backend.update_dc(&dc)?;
        }
        "home" => backend.set_home_dc(number)?,
        "delete" => backend.delete()?,
        "load" => {
            return Ok(backend.load()?.map_or("None".to_owned(), |session| {
                let key = session.dcs.first().and_then(|dc| dc.auth_key);
                let key = (0..=9).find(|seed| key == Some(key_of(*seed)));
                format!(
                    "home {} dcs {} pts {} key {key:?}",
                    session.home_dc_id,
                    session.dcs.len(),
                    session.updates_state.pts
                )
            }));
        }
        other => panic!("{other} is not an operation"),
    }
    Ok("ok".to_owned())
}

/// A login with a key of its own.
fn session(number: i32) -> PersistedSession {
    let mut session = sized(1, 0, 0, 0);
    session.dcs[0].auth_key = Some(key_of(u8::try_from(number).expect("a small number")));
    session.updates_state.pts = 0;
    session
}
