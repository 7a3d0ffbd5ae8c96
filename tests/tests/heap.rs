//! What a store leaves on the heap once everything is dropped or wiped: no piece of a key.
//!
//! The process reads its own memory. SQLite's and the HTTP client's buffers are their own and are not
//! looked at here.

#![cfg(target_os = "linux")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

use mtsession::{
    BinaryFileBackend, DcEntry, DcFlags, InMemoryBackend, PersistedSession, SessionBackend,
    StringSessionBackend,
};
use zeroize::Zeroize as _;

/// Bytes in a row that count as a piece.
const PIECE: usize = 16;
/// What the pieces that are looked for are masked with, so that they are not found themselves.
const MASK: u8 = 0xA5;

/// A key that is nowhere in the program's file.
fn key(seed: u8) -> [u8; 256] {
    let mut state = u64::from(black_box(seed)).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    core::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
}

/// Pieces to look for.
#[derive(Default)]
struct Needles(Vec<[u8; PIECE]>);

impl Needles {
    fn add(&mut self, secret: &[u8]) {
        for piece in secret.chunks_exact(PIECE).step_by(3) {
            self.0.push(core::array::from_fn(|at| piece[at] ^ MASK));
        }
    }

    /// How many of them are on the heap of this process.
    fn on_the_heap(&self) -> usize {
        const BLOCK: usize = 8 * 1024;

        let mut block = [0_u8; BLOCK + PIECE];
        let stack = core::ptr::from_ref(&block).addr();
        let maps = BufReader::new(File::open("/proc/self/maps").unwrap());
        let ranges: Vec<(usize, usize)> = maps
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| {
                let mut parts = line.split_ascii_whitespace();
                let (from, to) = parts.next()?.split_once('-')?;
                let is_writable = parts.next()?.starts_with("rw");
                let name = parts.nth(3).unwrap_or_default();
                let range = (
                    usize::from_str_radix(from, 16).ok()?,
                    usize::from_str_radix(to, 16).ok()?,
                );
                let is_stack = (range.0..range.1).contains(&stack) || name == "[stack]";
                let is_heap = name.is_empty() || name == "[heap]";
                (is_writable && is_heap && !is_stack).then_some(range)
            })
            .collect();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let mut found = 0;
        for (from, to) in ranges {
            let mut at = from;
            while at < to {
                let len = (to - at).min(BLOCK + PIECE);
                memory
                    .seek(SeekFrom::Start(at.try_into().unwrap()))
                    .unwrap();
                if memory.read_exact(&mut block[..len]).is_err() {
                    break;
                }
                found += self.in_block(&block[..len]);
                at += BLOCK;
            }
        }
        block.zeroize();
        found
    }

    fn in_block(&self, block: &[u8]) -> usize {
        let mut found = 0;
        for needle in &self.0 {
            let first = needle[0] ^ MASK;
            let candidates = block.windows(PIECE).filter(|window| window[0] == first);
            found += candidates
                .filter(|window| window.iter().zip(needle).all(|(a, b)| a ^ MASK == *b))
                .count();
        }
        found
    }
}

fn entry(dc_id: i32, seed: u8) -> DcEntry {
    DcEntry {
        auth_key: Some(key(seed)),
        ..DcEntry::from_parts(dc_id, "149.154.167.51", 443, DcFlags::NONE)
    }
}

/// Everything that a client does with a store.
fn use_store(backend: &dyn SessionBackend) {
    let mut session = PersistedSession {
        home_dc_id: 2,
        dcs: vec![entry(2, 1)],
        ..PersistedSession::default()
    };
    backend.save(&session).unwrap();
    session.zeroize();
    for dc_id in 3..20 {
        let mut entry = entry(dc_id, 1);
        backend.update_dc(&entry).unwrap();
        entry.zeroize();
    }
    backend.set_home_dc(4).unwrap();
    // Another key in the place of the first.
    let mut other = entry(2, 2);
    backend.update_dc(&other).unwrap();
    other.zeroize();
    let mut loaded = backend.load().unwrap().unwrap();
    assert_eq!(loaded.dcs.len(), 18);
    backend.save(&loaded).unwrap();
    loaded.zeroize();
}

#[test]
fn no_piece_of_a_key_is_left_when_a_store_is_dropped() {
    let mut needles = Needles::default();
    for seed in [1, 2] {
        let mut key = key(seed);
        needles.add(&key);
        key.zeroize();
    }
    // The search finds what is there.
    let mut held = Box::new(key(1));
    assert!(needles.on_the_heap() > 0);
    held.zeroize();
    drop(held);
    assert_eq!(needles.on_the_heap(), 0, "before anything was stored");

    let memory = InMemoryBackend::new();
    use_store(&memory);
    drop(memory);
    assert_eq!(needles.on_the_heap(), 0, "memory");

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let file = BinaryFileBackend::new(&path);
    use_store(&file);
    drop(file);
    assert_eq!(needles.on_the_heap(), 0, "file");
    let again = BinaryFileBackend::new(&path);
    again.load().unwrap().unwrap().zeroize();
    assert_eq!(needles.on_the_heap(), 0, "file, loaded again");
    again.delete().unwrap();
    drop(again);
    assert_eq!(needles.on_the_heap(), 0, "file, deleted");

    let string = StringSessionBackend::new("");
    use_store(&string);
    let mut text = string.current();
    needles.add(&text.as_bytes()[100..]);
    let again = StringSessionBackend::new(core::mem::take(&mut text));
    again.load().unwrap().unwrap().zeroize();
    again.set_home_dc(5).unwrap();
    drop((string, again));
    assert_eq!(needles.on_the_heap(), 0, "string");
}
