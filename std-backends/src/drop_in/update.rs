//! The drop-in update state.

use mtsession_core::{Change, Counters, UpdateChange};

/// Where the client stands in Telegram's streams of updates.
///
/// The fields are those of `ferogram-session` 0.6.6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct UpdatesStateSnap {
    /// Number of events in the message box.
    pub pts: i32,
    /// Number of events in the secondary box.
    pub qts: i32,
    /// Server time of the last update, in Unix seconds.
    pub date: i32,
    /// Number of sent update containers.
    pub seq: i32,
    /// `(bare channel id, pts)` of every known channel.
    pub channels: Vec<(i64, i32)>,
}

impl UpdatesStateSnap {
    /// Whether a real state was ever stored (`pts > 0`).
    #[must_use]
    pub fn is_initialised(&self) -> bool {
        self.counters().is_initialised()
    }

    /// Sets a channel's pts.
    pub fn set_channel_pts(&mut self, channel_id: i64, pts: i32) {
        match self.channels.iter_mut().find(|(id, _)| *id == channel_id) {
            Some((_, known)) => *known = pts,
            None => self.channels.push((channel_id, pts)),
        }
    }

    /// A channel's pts; 0 when it is not known.
    #[must_use]
    pub fn channel_pts(&self, channel_id: i64) -> i32 {
        let known = self.channels.iter().find(|(id, _)| *id == channel_id);
        known.map_or(0, |(_, pts)| *pts)
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            pts: self.pts,
            qts: self.qts,
            date: self.date,
            seq: self.seq,
        }
    }

    pub(crate) fn set_counters(&mut self, counters: Counters) {
        self.pts = counters.pts;
        self.qts = counters.qts;
        self.date = counters.date;
        self.seq = counters.seq;
    }
}

/// A change of the update state, for
/// [`apply_update_state`](crate::SessionBackend::apply_update_state).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateStateChange {
    /// Replaces the whole state, channels included.
    All(UpdatesStateSnap),
    /// The message box moved.
    Primary {
        /// See [`UpdatesStateSnap::pts`].
        pts: i32,
        /// See [`UpdatesStateSnap::date`].
        date: i32,
        /// See [`UpdatesStateSnap::seq`].
        seq: i32,
    },
    /// The secondary box moved.
    Secondary {
        /// See [`UpdatesStateSnap::qts`].
        qts: i32,
    },
    /// A channel's box moved.
    Channel {
        /// Bare channel id.
        id: i64,
        /// The channel's pts.
        pts: i32,
    },
}

impl UpdateStateChange {
    /// Carries the change out on `snap`.
    ///
    /// ```
    /// use mtsession::{UpdateStateChange, UpdatesStateSnap};
    ///
    /// let mut snap = UpdatesStateSnap { qts: 4, ..Default::default() };
    /// UpdateStateChange::Primary { pts: 9, date: 8, seq: 7 }.apply_to(&mut snap);
    /// assert_eq!((snap.pts, snap.qts), (9, 4));
    /// ```
    pub fn apply_to(&self, snap: &mut UpdatesStateSnap) {
        match self {
            Self::All(new) => snap.clone_from(new),
            Self::Channel { id, pts } => snap.set_channel_pts(*id, *pts),
            Self::Primary { .. } | Self::Secondary { .. } => self.with_changes(|changes| {
                for change in changes {
                    if let Change::Update(update) = change {
                        snap.set_counters(update.counters_after(snap.counters()));
                    }
                }
            }),
        }
    }

    /// Calls `f` with the same change as an atomic batch of the codec's changes; only `All` is more
    /// than one, and only then anything is allocated.
    pub(crate) fn with_changes<R>(&self, f: impl FnOnce(&[Change<'_>]) -> R) -> R {
        let one = |update| [Change::Update(update)];
        match self {
            Self::Primary { pts, date, seq } => {
                let [pts, date, seq] = [*pts, *date, *seq];
                f(&one(UpdateChange::Primary { pts, date, seq }))
            }
            Self::Secondary { qts } => f(&one(UpdateChange::Secondary { qts: *qts })),
            Self::Channel { id, pts } => f(&one(UpdateChange::Channel { id: *id, pts: *pts })),
            Self::All(snap) => {
                let channel = |&(id, pts): &(i64, i32)| UpdateChange::PushChannel { id, pts };
                let batch: Vec<_> = [
                    UpdateChange::Counters(snap.counters()),
                    UpdateChange::ClearChannels,
                ]
                .into_iter()
                .chain(snap.channels.iter().map(channel))
                .map(Change::Update)
                .collect();
                f(&batch)
            }
        }
    }
}
