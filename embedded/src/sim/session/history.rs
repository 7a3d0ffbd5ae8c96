//! What may be found on flash: the session that the log has in RAM, or, with lazy counters, one whose
//! counters are a few changes behind.

use alloc::vec;
use alloc::vec::Vec;

use mtsession_core::UpdateChange;

use super::{Call, OwnedChange, Plain};

/// The session that a log holds, and what a power cut may bring back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The `n` of `Durability::Lazy`; 1 where every change is written at once.
    lazy: u16,
    /// The last session behind at most `n - 1` that differ from it only in counters.
    sessions: Vec<Option<Plain>>,
}

impl History {
    /// Of an empty log.
    pub fn new(lazy: u16) -> Self {
        Self {
            lazy: lazy.max(1),
            sessions: vec![None],
        }
    }

    /// The session as it is in RAM.
    pub fn now(&self) -> &Option<Plain> {
        self.sessions.last().unwrap()
    }

    /// What a call leaves that the power cut.
    pub fn interrupted(&self, call: &Call) -> Vec<Self> {
        let mut after = self.clone();
        if self.is_lazy(call) {
            // Counters are written one by one: some may have reached flash, and some not.
            after.lazy += 1;
            after.note(call);
            return vec![after];
        }
        after.note(call);
        vec![self.clone(), after]
    }

    /// A call was carried out.
    pub fn note(&mut self, call: &Call) {
        if self.is_lazy(call) {
            let mut now = self.now().clone();
            call.carry_out(&mut now);
            self.sessions.push(now);
            if self.sessions.len() > self.lazy.into() {
                self.sessions.remove(0);
            }
        } else if matches!(call, Call::Sync | Call::Save(_) | Call::Delete) {
            let mut now = self.now().clone();
            call.carry_out(&mut now);
            self.sessions = vec![now];
        } else {
            // Whatever the counters are, this is on flash.
            for session in &mut self.sessions {
                call.carry_out(session);
            }
        }
    }

    /// The log was mounted: what is found is what it holds from now on.
    pub fn settle(&mut self, found: Option<Plain>) {
        self.sessions = vec![found];
    }

    /// Each of the sessions that may be found, where every change of a counter is written at once.
    pub fn apart(&self) -> Vec<Self> {
        let one = |session: &Option<Plain>| Self {
            lazy: 1,
            sessions: vec![session.clone()],
        };
        self.sessions.iter().map(one).collect()
    }

    /// Whether a power cut may leave this.
    pub fn allows(&self, found: &Option<Plain>) -> bool {
        let (Some(found), Some(now)) = (found, self.now()) else {
            return found == self.now();
        };
        let mut sessions = self.sessions.iter().flatten();
        let counters = sessions.any(|session| session.counters == found.counters);
        // The same but for what counts, and every count is one of those that were.
        let mut known = now.clone();
        known.counters = found.counters;
        for (n, (channel, found)) in known.channels.iter_mut().zip(&found.channels).enumerate() {
            let mut sessions = self.sessions.iter().flatten();
            if sessions.any(|session| session.channels.get(n) == Some(found)) {
                *channel = *found;
            }
        }
        counters && known == *found
    }

    /// Whether a call only counts, in RAM.
    fn is_lazy(&self, call: &Call) -> bool {
        let change = match call {
            Call::Append(change) => change,
            Call::Apply(changes) if changes.len() == 1 => &changes[0],
            _ => return false,
        };
        let Some(now) = self.now() else {
            // The first one makes the log a session.
            return false;
        };
        match change {
            OwnedChange::Update(UpdateChange::Channel { id, .. }) => {
                now.channels.iter().any(|known| known.id == *id)
            }
            OwnedChange::Update(update) => !matches!(
                update,
                UpdateChange::ClearChannels | UpdateChange::PushChannel { .. }
            ),
            _ => false,
        }
    }
}
