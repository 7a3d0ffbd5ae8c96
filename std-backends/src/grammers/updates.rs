//! Between the update states of both.

use grammers_session::types::{ChannelState, UpdateState, UpdatesState};

use crate::drop_in::update::{UpdateStateChange, UpdatesStateSnap};

pub(super) fn updates_of(state: &UpdatesStateSnap) -> UpdatesState {
    let channel = |(id, pts): &(i64, i32)| ChannelState { id: *id, pts: *pts };
    UpdatesState {
        pts: state.pts,
        qts: state.qts,
        date: state.date,
        seq: state.seq,
        channels: state.channels.iter().map(channel).collect(),
    }
}

/// Makes the same change in memory as [`change_of`] makes in the store.
pub(super) fn update(state: &mut UpdatesState, update: UpdateState) {
    match update {
        UpdateState::All(all) => *state = all,
        UpdateState::Primary { pts, date, seq } => {
            (state.pts, state.date, state.seq) = (pts, date, seq);
        }
        UpdateState::Secondary { qts } => state.qts = qts,
        UpdateState::Channel { id, pts } => {
            match state.channels.iter_mut().find(|known| known.id == id) {
                Some(known) => known.pts = pts,
                None => state.channels.push(ChannelState { id, pts }),
            }
        }
    }
}

pub(super) fn change_of(update: &UpdateState) -> UpdateStateChange {
    match update {
        UpdateState::All(state) => UpdateStateChange::All(UpdatesStateSnap {
            pts: state.pts,
            qts: state.qts,
            date: state.date,
            seq: state.seq,
            channels: state
                .channels
                .iter()
                .map(|channel| (channel.id, channel.pts))
                .collect(),
        }),
        &UpdateState::Primary { pts, date, seq } => UpdateStateChange::Primary { pts, date, seq },
        &UpdateState::Secondary { qts } => UpdateStateChange::Secondary { qts },
        &UpdateState::Channel { id, pts } => UpdateStateChange::Channel { id, pts },
    }
}
