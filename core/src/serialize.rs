//! `Serialize` for sessions that are read in place, in the shape of ferogram-session's JSON: a map
//! with the field names of its `PersistedSession`.

use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::dc::DcRef;
use crate::fixed::FixedSession;
use crate::peer::{ChannelKind, Peer, PeerKind};
use crate::source::SessionSource;
use crate::wire::SessionView;

/// Serialises any session; keys and token are written in clear, as numbers.
fn serialize<S: Serializer>(source: &impl SessionSource, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(6))?;
    map.serialize_entry("home_dc_id", &source.home_dc_id())?;
    map.serialize_entry("dcs", &Seq(|| source.dcs().map(Dc)))?;
    map.serialize_entry("updates_state", &UpdatesState(source))?;
    map.serialize_entry("peers", &Seq(|| source.peers().map(CachedPeer)))?;
    map.serialize_entry("min_peers", &Seq(|| source.min_peers()))?;
    map.serialize_entry("future_auth_token", &source.future_auth_token())?;
    map.end()
}

impl Serialize for SessionView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self, serializer)
    }
}

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize> Serialize
    for FixedSession<D, C, P, M, T>
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self, serializer)
    }
}

/// A sequence that is made anew each time it is asked for.
struct Seq<F>(F);

impl<F, I> Serialize for Seq<F>
where
    F: Fn() -> I,
    I: ExactSizeIterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

struct Dc<'a>(DcRef<'a>);

impl Serialize for Dc<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Key<'a>(&'a [u8]);

        impl Serialize for Key<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
                self.0
                    .iter()
                    .try_for_each(|byte| seq.serialize_element(byte))?;
                seq.end()
            }
        }

        let mut entry = serializer.serialize_struct("DcEntry", 6)?;
        entry.serialize_field("dc_id", &self.0.dc_id)?;
        entry.serialize_field("addr", self.0.addr)?;
        entry.serialize_field("auth_key", &self.0.auth_key.map(|key| Key(key.as_bytes())))?;
        entry.serialize_field("first_salt", &self.0.first_salt)?;
        entry.serialize_field("time_offset", &self.0.time_offset)?;
        entry.serialize_field("flags", &self.0.flags)?;
        entry.end()
    }
}

struct UpdatesState<'s, S>(&'s S);

impl<T: SessionSource> Serialize for UpdatesState<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counters = self.0.counters();
        let mut state = serializer.serialize_struct("UpdatesStateSnap", 5)?;
        state.serialize_field("pts", &counters.pts)?;
        state.serialize_field("qts", &counters.qts)?;
        state.serialize_field("date", &counters.date)?;
        state.serialize_field("seq", &counters.seq)?;
        let channels = || self.0.channels().map(|channel| (channel.id, channel.pts));
        state.serialize_field("channels", &Seq(channels))?;
        state.end()
    }
}

struct CachedPeer(Peer);

impl Serialize for CachedPeer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind: Option<ChannelKind> = self.0.channel_kind;
        let mut peer = serializer.serialize_struct("CachedPeer", 6)?;
        peer.serialize_field("id", &self.0.id)?;
        peer.serialize_field("access_hash", &self.0.access_hash)?;
        peer.serialize_field("is_channel", &(self.0.kind == PeerKind::Channel))?;
        peer.serialize_field("is_chat", &(self.0.kind == PeerKind::Chat))?;
        peer.serialize_field("channel_kind", &kind)?;
        peer.serialize_field("is_community", &self.0.is_community)?;
        peer.end()
    }
}
