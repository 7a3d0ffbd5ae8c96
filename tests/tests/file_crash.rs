//! The file backend when its process dies, and when several processes write.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mtsession::codec::{PeerKey, SessionSource as _};
use mtsession::{BinaryFileBackend, PeerQuery, PersistedSession, SessionBackend, SessionRecord};
use mtsession_tests::random::key_of;

fn writer(path: &Path, mode: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_file-writer"))
        .arg(path)
        .arg(mode)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// How many times a writer is killed; `CRASH_ROUNDS` sets another number.
fn rounds() -> u32 {
    let set = std::env::var("CRASH_ROUNDS").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(200)
}

/// A small generator: which acknowledgement is the last one waited for. Where in the write after it
/// the kill arrives is up to the scheduler.
fn xorshift(state: &mut u32) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    *state
}

#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    let rounds = rounds();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    let mut random = 0x2545_F491;
    let mut next = 1;
    for round in 0..rounds {
        let mut child = writer(&path, &next.to_string());
        let wanted = 1 + xorshift(&mut random) % 120;
        let mut acknowledged = next - 1;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.take(usize::try_from(wanted).unwrap()) {
            acknowledged = line.unwrap().parse().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let record = BinaryFileBackend::new(&path).read().unwrap().unwrap();
        assert_batch_is_whole(&record);
        let session = record.session();
        let state = &session.updates_state;
        let stored = state.pts;
        assert!(
            stored >= acknowledged,
            "round {round}: {acknowledged} was acknowledged, {stored} is there"
        );
        assert_eq!(
            (state.date, state.seq),
            (stored, stored),
            "round {round}: a torn write"
        );
        assert_key_is_whole(session);
        next = stored + 1;
    }
    println!("{rounds} rounds, {next} writes");
    assert!(next > i32::try_from(rounds).unwrap());
    assert_no_leftovers(dir.path());
}

/// Account, login state and names are of one batch.
fn assert_batch_is_whole(record: &SessionRecord) {
    let Some(n) = record.account().user_id else {
        return;
    };
    let (at, to) = (record.login_state().at(), record.login_state().text());
    assert_eq!((at, to), (n, n.to_string().as_str()));
    let id = 1_000_000_000 + n % 8;
    // A save since then may not have the peer.
    if let Some(known) = record.find_peer(PeerQuery::Key(PeerKey::user(id)))
        && known.peer.access_hash == n
    {
        assert_eq!(known.names.title, Some(n.to_string()));
    }
}

/// Key and salt of the entry that is written again and again are of one write.
fn assert_key_is_whole(session: &PersistedSession) {
    for dc in session.all_dcs_for(9) {
        let low = dc.first_salt.to_le_bytes()[0];
        assert_eq!(dc.auth_key, Some(key_of(low)));
    }
}

/// The next writer removes what killed ones left.
fn assert_no_leftovers(dir: &Path) {
    let path = dir.join("bot.session");
    BinaryFileBackend::new(&path).set_home_dc(1).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["bot.session"]);
}

fn processes_write_at_once(processes: i64, writes: i64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    let children: Vec<_> = (1..=processes)
        .map(|n| writer(&path, &format!("{n}:{writes}")))
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let session = BinaryFileBackend::new(&path).load().unwrap().unwrap();
    let all = usize::try_from(processes * writes).unwrap();
    assert_eq!(session.peers.len(), all, "peers are lost");
    assert_eq!(
        session.updates_state.channels.len(),
        all,
        "channels are lost"
    );
    let dcs = processes * ((writes + 49) / 50);
    assert_eq!(
        session.dcs.len(),
        usize::try_from(dcs).unwrap(),
        "DC entries are lost"
    );
}

#[test]
fn two_processes_do_not_lose_each_others_changes() {
    processes_write_at_once(2, 2_000);
}

#[test]
fn four_processes_do_not_lose_each_others_changes() {
    processes_write_at_once(4, 1_000);
}
