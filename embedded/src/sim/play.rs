//! Scripts with power cuts that any source of small numbers can write: the same for proptest, which
//! shrinks them, and for the fuzzer.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use mtsession_core::{Account, DcFlags, MinPeer, Peer, UpdateChange};

use super::{Call, Chip, ChipError, Cut, Dice, OwnedChange, OwnedDc, Plain, Tear, fresh_session};
use crate::{Error, KeyCopies, SessionLog};

/// The shape of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Unit1,
    Unit4,
    Unit8,
    Unit32,
}

/// What is played on which region.
#[derive(Clone, Debug)]
pub struct Play {
    pub shape: Shape,
    /// Pages of the region: 2 to 16.
    pub pages: u8,
    pub keys_twice: bool,
    pub steps: Vec<Step>,
}

/// A call, and what goes wrong in it.
#[derive(Clone, Debug)]
pub struct Step {
    pub act: Act,
    pub cut: Option<Trouble>,
}

/// A power cut, and perhaps another one in what the device does next.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    /// Which word program or page erase of the call, modulo their number.
    pub step: u16,
    pub tear: Tear,
    /// Which one after the mount, and how.
    pub second: Option<(u8, Tear)>,
}

/// A call in small numbers; what it says depends on the session that it meets.
#[derive(Clone, Debug)]
pub enum Act {
    Primary {
        pts: u16,
        date: u8,
        seq: u8,
    },
    Secondary(u8),
    Channel {
        id: u8,
        step: u16,
    },
    ClearChannels,
    Peer {
        id: u8,
        hash: u8,
    },
    MinPeer {
        id: u8,
        message: u8,
    },
    Dc {
        key: u8,
    },
    HomeDc(u8),
    Token {
        len: u8,
        byte: u8,
    },
    Account(u8),
    Batch(Vec<Act>),
    Save {
        dcs: u8,
        channels: u8,
        peers: u8,
    },
    Delete,
    Maintain,
    Sync,
    /// The device is switched off and on.
    Mount,
}

/// Entries of each list at most: what fits the smallest region.
const DCS: u8 = 1;
const CHANNELS: u8 = 3;
const PEERS: u8 = 4;

impl Act {
    fn change(&self, session: &Plain) -> Option<OwnedChange> {
        let counters = session.counters;
        Some(match *self {
            Self::Primary { pts, date, seq } => OwnedChange::Update(UpdateChange::Primary {
                pts: counters.pts.wrapping_add(pts.into()),
                date: counters.date.wrapping_add(date.into()),
                seq: counters.seq.wrapping_add(seq.into()),
            }),
            Self::Secondary(qts) => OwnedChange::Update(UpdateChange::Secondary {
                qts: counters.qts.wrapping_add(qts.into()),
            }),
            Self::Channel { id, step } => {
                let id = i64::from(id % CHANNELS) + 1;
                let known = session.channels.iter().find(|known| known.id == id);
                let pts = known.map_or(1, |known| known.pts).wrapping_add(step.into());
                OwnedChange::Update(UpdateChange::Channel { id, pts })
            }
            Self::ClearChannels => OwnedChange::Update(UpdateChange::ClearChannels),
            Self::Peer { id, hash } => OwnedChange::Peer(Peer {
                id: i64::from(id % PEERS) + 1,
                access_hash: spread(hash),
                ..Peer::default()
            }),
            Self::MinPeer { id, message } => OwnedChange::MinPeer(MinPeer {
                user_id: i64::from(id % 2) + 1,
                peer_id: 7,
                msg_id: message.into(),
            }),
            Self::Dc { key } => OwnedChange::Dc(OwnedDc {
                dc_id: 1,
                addr: format!("10.0.0.{key}:443"),
                auth_key: (key != 0).then_some([key; 256]),
                first_salt: spread(key),
                time_offset: 0,
                flags: DcFlags::NONE,
            }),
            Self::HomeDc(id) => OwnedChange::HomeDc(id.into()),
            Self::Token { len, byte } => {
                OwnedChange::Token((len > 0).then(|| vec![byte; usize::from(len % 40)]))
            }
            Self::Account(id) => OwnedChange::Account(Account {
                user_id: Some(i64::from(id) + 1),
                ..Account::default()
            }),
            _ => return None,
        })
    }

    /// The call; `None` for a restart, and for what a batch cannot hold.
    fn call(&self, session: &Plain) -> Option<Call> {
        Some(match self {
            Self::Batch(acts) => {
                let mut session = session.clone();
                let mut changes = Vec::new();
                for change in acts.iter().take(5) {
                    if let Some(change) = change.change(&session) {
                        OwnedChange::apply(&change, &mut session);
                        changes.push(change);
                    }
                }
                Call::Apply(changes)
            }
            Self::Save {
                dcs,
                channels,
                peers,
            } => {
                let mut dice = Dice::new(u64::from(*dcs) << 8 | u64::from(*peers));
                let [dcs, channels, peers] = [dcs % (DCS + 1), channels % CHANNELS, peers % PEERS];
                let mut new = fresh_session(&mut dice, dcs.into(), channels.into(), peers.into());
                // The same identities as in single changes.
                for (n, channel) in new.channels.iter_mut().enumerate() {
                    channel.id = n as i64 + 1;
                }
                for (n, peer) in new.peers.iter_mut().enumerate() {
                    peer.id = n as i64 + 1;
                    peer.kind = Peer::default().kind;
                }
                Call::Save(new)
            }
            Self::Delete => Call::Delete,
            Self::Maintain => Call::Maintain,
            Self::Sync => Call::Sync,
            Self::Mount => return None,
            _ => Call::Append(self.change(session)?),
        })
    }
}

/// A hash of ones every so often: as erased flash.
fn spread(byte: u8) -> i64 {
    if byte % 8 == 7 {
        -1
    } else {
        i64::from(byte).wrapping_mul(0x0123_4567_89AB_CDEF)
    }
}

impl Play {
    /// Plays the script.
    ///
    /// # Panics
    ///
    /// If the log does anything but what the model says.
    pub fn run(&self) {
        match self.shape {
            Shape::Unit1 => self.run_on::<1, 1024>(false),
            Shape::Unit4 => self.run_on::<4, 1024>(false),
            Shape::Unit8 => self.run_on::<8, 1024>(true),
            Shape::Unit32 => self.run_on::<32, 2048>(true),
        }
    }

    fn run_on<const W: usize, const E: usize>(&self, corrects: bool) {
        let pages = usize::from(self.pages.clamp(2, 16));
        let mut chip = Chip::<W, E>::new(pages * E);
        chip.corrects = corrects;
        let log = SessionLog::format(chip, 0..(pages * E) as u32).unwrap();
        let mut stage = Stage {
            log,
            model: None,
            keys_twice: self.keys_twice && pages > 2,
        };
        stage.set_copies();
        for (n, step) in self.steps.iter().enumerate() {
            stage.step(step, n as u64);
        }
        stage.laps(2);
    }
}

/// A log that is being played on, and what it must hold.
struct Stage<const W: usize, const E: usize> {
    log: SessionLog<Chip<W, E>>,
    model: Option<Plain>,
    keys_twice: bool,
}

impl<const W: usize, const E: usize> Stage<W, E> {
    fn set_copies(&mut self) {
        if self.keys_twice {
            self.log.set_key_copies(KeyCopies::Two).unwrap();
        }
    }

    fn load(&mut self) -> Option<Plain> {
        let mut session = Plain::default();
        self.log.load(&mut session).unwrap().then_some(session)
    }

    /// The device is switched off and on.
    fn mount(&mut self) {
        let chip = core::mem::replace(self.log.chip(), Chip::new(0));
        let end = chip.bytes.len() as u32;
        self.log = SessionLog::mount(chip, 0..end).unwrap();
        self.set_copies();
    }

    fn step(&mut self, step: &Step, seed: u64) {
        let session = self.model.clone().unwrap_or_default();
        let Some(call) = step.act.call(&session) else {
            self.mount();
            assert_eq!(self.load(), self.model);
            return;
        };
        let mut probe = self.log.clone();
        let before = probe.chip().counts.steps;
        match call.run(&mut probe) {
            Ok(()) => {}
            // A refusal changes nothing; that it writes nothing either is shown elsewhere.
            Err(Error::BatchTooLarge { .. } | Error::StoreFull) => {
                assert!(call.run(&mut self.log).is_err());
                assert_eq!(self.load(), self.model);
                return;
            }
            Err(error) => panic!("{call:?}: {error}"),
        }
        let steps = probe.chip().counts.steps - before;
        let Some(cut) = step.cut.filter(|_| steps > 0) else {
            call.run(&mut self.log).unwrap();
            call.carry_out(&mut self.model);
            return;
        };
        let after = u64::from(cut.step) % steps;
        self.log.chip().cut(
            Cut {
                after,
                tear: cut.tear,
            },
            seed,
        );
        let done = call.run(&mut self.log).is_ok();
        let dead = self.log.chip().power_up();
        let mut allowed = vec![self.model.clone()];
        call.carry_out(&mut self.model);
        if !dead {
            // A weak word made the call take fewer steps than in the trial.
            assert!(done, "{call:?}");
            return;
        }
        if done {
            allowed.clear();
        }
        allowed.push(self.model.clone());
        self.mount();
        if let Some((after, tear)) = cut.second {
            // In what is written first: the mark behind the gap, and a change.
            self.log.chip().cut(
                Cut {
                    after: after.into(),
                    tear,
                },
                seed ^ 1,
            );
            let change = OwnedChange::HomeDc(77);
            let done = self.log.append(&change.as_ref());
            let dead = self.log.chip().power_up();
            let mut changed = allowed.clone();
            for state in &mut changed {
                change.apply(state.get_or_insert_with(Plain::default));
            }
            match done {
                Ok(()) => allowed = changed,
                // A full region says so, and stays as it is.
                Err(Error::StoreFull) if !dead => {}
                Err(error) => {
                    assert!(dead, "{error}");
                    allowed.extend(changed);
                }
            }
            self.mount();
        }
        let found = self.load();
        assert!(
            allowed.contains(&found),
            "{call:?}\nfound {found:#?}\nallowed {allowed:#?}"
        );
        self.model = found;
    }

    /// Goes on until every page was erased so many times more: damage often shows late.
    fn laps(&mut self, laps: u32) {
        let end: Vec<_> = self
            .log
            .chip()
            .erases
            .iter()
            .map(|erases| erases + laps)
            .collect();
        let mut n = 0_u64;
        while self
            .log
            .chip()
            .erases
            .iter()
            .zip(&end)
            .any(|(now, end)| now < end)
        {
            n += 1;
            let act = match n % 16 {
                0 => Act::Dc { key: n as u8 },
                1..5 => Act::Peer {
                    id: n as u8,
                    hash: (n >> 2) as u8,
                },
                5..8 => Act::Channel {
                    id: n as u8,
                    step: 300,
                },
                _ => Act::Primary {
                    pts: 9,
                    date: 200,
                    seq: 1,
                },
            };
            self.step(&Step { act, cut: None }, n);
            assert!(n < 1 << 20, "the log does not go on");
        }
        assert_eq!(self.log.chip().violations, 0);
        assert_eq!(self.load(), self.model);
        self.mount();
        assert_eq!(self.load(), self.model);
    }
}

impl OwnedChange {
    fn apply(&self, session: &mut Plain) {
        mtsession_core::SessionMut::apply(session, &self.as_ref()).unwrap();
    }
}

impl Call {
    /// Makes the call.
    pub fn run<const W: usize, const E: usize>(
        &self,
        log: &mut SessionLog<Chip<W, E>>,
    ) -> Result<(), Error<ChipError>> {
        match self {
            Self::Append(change) => log.append(&change.as_ref()),
            Self::Apply(changes) => {
                let changes: Vec<_> = changes.iter().map(OwnedChange::as_ref).collect();
                log.apply(&changes)
            }
            Self::Save(session) => log.save(session),
            Self::Delete => log.delete(),
            Self::Maintain => log.maintain(),
            Self::Sync => log.sync(),
        }
    }
}
