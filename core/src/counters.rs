//! Update counters: where the client stands in Telegram's streams of updates.

use serde::{Deserialize, Serialize};

/// The account-wide counters of `updates.state`.
///
/// All zero means that no state was fetched yet. Values may go down: Telegram resets them.
// The order of fields is a disk format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counters {
    /// Number of events in the message box.
    pub pts: i32,
    /// Number of events in the secondary (secret chats, bots) box.
    pub qts: i32,
    /// Server time of the last update, in Unix seconds.
    pub date: i32,
    /// Number of sent update containers.
    pub seq: i32,
}

impl Counters {
    /// Whether a real state was ever stored (`pts > 0`).
    #[must_use]
    pub const fn is_initialised(&self) -> bool {
        self.pts > 0
    }
}

/// The pts of one channel's own box.
// The order of fields is a disk format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ChannelPts {
    /// Bare channel id (positive, without the `-100` mark).
    pub id: i64,
    /// Number of events in the channel's box.
    pub pts: i32,
}
