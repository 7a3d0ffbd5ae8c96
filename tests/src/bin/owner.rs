//! A process that owns a session: `owner ADDRESS [NAME] [take-over]`. It says `owned`, or what the store says
//! instead, and then carries out the lines of its standard input, one answer for each.

#![allow(clippy::expect_used, reason = "a test may panic: that is how it fails")]

use std::io::{self, BufRead as _, Write as _};
use std::time::Instant;

use mtsession::codec::EntryKey;
use mtsession::{
    Change, Lease, Owner, Ownership, PersistedSession, SessionBackend, StoreError, UpdateChange,
};

fn say(line: &str) {
    let mut out = io::stdout();
    writeln!(out, "{line}").expect("somebody reads");
    out.flush().expect("somebody reads");
}

fn words(error: &io::Error) -> String {
    let kind = StoreError::of(error).map(StoreError::kind);
    let owner = StoreError::of(error).and_then(StoreError::owner);
    let owner = owner.map_or_else(String::new, |owner| {
        format!("[{} {} {}]", owner.program, owner.pid, owner.host)
    });
    format!("{kind:?} {owner} {error}").replace('\n', " ")
}

fn carry_out(
    line: &str,
    backend: &dyn SessionBackend,
    ownership: &mut Option<Ownership>,
) -> io::Result<String> {
    let (command, number) = line.split_once(' ').unwrap_or((line, "0"));
    let number: i32 = number.parse().unwrap_or_default();
    match command {
        "qts" => backend.apply(&[Change::Update(UpdateChange::Secondary { qts: number })])?,
        "home" => backend.set_home_dc(number)?,
        "batch" => {
            let channels: Vec<_> = (0..i64::from(number))
                .map(|id| Change::Update(UpdateChange::Channel { id, pts: number }))
                .collect();
            backend.apply(&channels)?;
        }
        "save" => backend.save(&PersistedSession {
            home_dc_id: number,
            ..PersistedSession::default()
        })?,
        "update" => backend.update(&mut |record| {
            record.apply_all(&[Change::HomeDc(number)])?;
            Ok(())
        })?,
        "forget" => backend.apply(&[Change::Forget(EntryKey::Channel(0))])?,
        "delete" => backend.delete()?,
        "prune" => backend.retain_peers(&mut |_| false)?,
        "load" => {
            return Ok(backend.load()?.map_or("none".to_owned(), |session| {
                let state = session.updates_state;
                format!(
                    "home {} qts {} channels {}",
                    session.home_dc_id,
                    state.qts,
                    state.channels.len()
                )
            }));
        }
        "lease" => {
            let lease = backend.lease();
            let left = |lease: &Lease| {
                lease
                    .valid_until()
                    .map(|end| end.saturating_duration_since(Instant::now()).as_secs())
            };
            return Ok(lease.map_or("none".to_owned(), |lease| {
                format!("lost {} left {:?}", lease.is_lost(), left(&lease))
            }));
        }
        "release" => {
            if let Some(ownership) = ownership.take() {
                ownership.release()?;
            }
        }
        _ => return Ok(format!("no command {command}")),
    }
    Ok("done".to_owned())
}

fn main() {
    let mut args = std::env::args().skip(1);
    let address = args.next().expect("an address");
    let mut owner = Owner::current();
    for word in args {
        owner = match &*word {
            "take-over" => owner.take_over(),
            name => owner.named(name),
        };
    }
    let backend = match mtsession::connect(&*address) {
        Ok(backend) => backend,
        Err(error) => return say(&words(&error)),
    };
    let mut ownership = match backend.own(owner) {
        Ok(ownership) => Some(ownership),
        Err(error) => return say(&words(&error)),
    };
    say("owned");
    for line in io::stdin().lock().lines() {
        let line = line.expect("text");
        match carry_out(&line, &*backend, &mut ownership) {
            Ok(answer) => say(&answer),
            Err(error) => say(&words(&error)),
        }
    }
}
