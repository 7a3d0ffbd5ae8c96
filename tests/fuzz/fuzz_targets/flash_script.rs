//! Any bytes as a script of calls on the flash log, with power cuts and a second cut while it
//! recovers: what is on flash is always the session before or after the interrupted call.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mtsession_embedded::sim::{Act, Play, Shape, Step, Tear, Trouble};

/// Takes small numbers off the front; zeros after the end.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn tear(&mut self) -> Tear {
        let byte = self.byte();
        Tear::new(byte & 15, byte >> 4)
    }

    fn act(&mut self, kind: u8) -> Act {
        match kind % 32 {
            0..10 => Act::Primary { pts: self.byte().into(), date: self.byte(), seq: self.byte() & 7 },
            10..14 => Act::Channel { id: self.byte(), step: self.word() },
            14..16 => Act::Peer { id: self.byte(), hash: self.byte() },
            16 => Act::Secondary(self.byte()),
            17 => Act::ClearChannels,
            18 => Act::MinPeer { id: self.byte(), message: self.byte() },
            19 => Act::Dc { key: self.byte() },
            20 => Act::HomeDc(self.byte()),
            21 => Act::Token { len: self.byte(), byte: self.byte() },
            22 => Act::Account(self.byte()),
            23 | 24 => {
                let acts = self.byte() % 5;
                Act::Batch((0..acts).map(|_| self.byte() % 23).collect::<Vec<_>>().into_iter().map(|kind| self.act(kind)).collect())
            }
            25 | 26 => Act::Save { dcs: self.byte(), channels: self.byte(), peers: self.byte() },
            27 => Act::Delete,
            28 => Act::Maintain,
            29 => Act::Sync,
            _ => Act::Mount,
        }
    }

    fn step(&mut self) -> Step {
        let kind = self.byte();
        let act = self.act(kind);
        let cut = (kind & 64 != 0).then(|| Trouble {
            step: self.word(),
            tear: self.tear(),
            second: (kind & 128 != 0).then(|| (self.byte() % 20, self.tear())),
        });
        Step { act, cut }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut numbers = Numbers(bytes);
    let shape = [Shape::Unit4, Shape::Unit1, Shape::Unit8, Shape::Unit32, Shape::Unit16];
    let (first, lazy) = (numbers.byte(), numbers.byte());
    // The first two shapes with programs of many bytes, too.
    let shape = match shape[usize::from(lazy) % shape.len()] {
        Shape::Unit4 if first & 2 != 0 => Shape::Pages4,
        Shape::Unit1 if first & 2 != 0 => Shape::Pages1,
        shape => shape,
    };
    let mut play = Play {
        shape,
        pages: 2 + (first >> 2) % 6,
        keys_twice: first & 128 != 0,
        // Half of them as they come.
        lazy: if first & 1 == 0 { 1 } else { lazy % 40 },
        steps: Vec::new(),
    };
    while !numbers.0.is_empty() && play.steps.len() < 200 {
        play.steps.push(numbers.step());
    }
    play.run();
});
