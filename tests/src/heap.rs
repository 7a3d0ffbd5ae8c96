//! Looks for pieces of keys on the heap of this process, which reads its own memory.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

use core::hint::black_box;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

/// Bytes in a row that count as a piece.
const PIECE: usize = 16;
/// What the pieces that are looked for are masked with, so that they are not found themselves.
const MASK: u8 = 0xA5;

/// A key that is nowhere in the program's file.
#[must_use]
pub fn key(seed: u8) -> [u8; 256] {
    let mut state = u64::from(black_box(seed)).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    core::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
}

/// Pieces to look for.
#[derive(Debug, Default)]
pub struct Needles(Vec<[u8; PIECE]>);

impl Needles {
    /// Looks for pieces of this as well.
    pub fn add(&mut self, secret: &[u8]) {
        for piece in secret.chunks_exact(PIECE).step_by(3) {
            self.0.push(core::array::from_fn(|at| piece[at] ^ MASK));
        }
    }

    /// How many of them are on the heap of this process.
    #[must_use]
    pub fn on_the_heap(&self) -> usize {
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
        black_box(&mut block).fill(0);
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
