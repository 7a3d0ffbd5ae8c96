//! Against the crate that this one replaces: same bytes, same reading, same JSON.

use ferogram_session as old;
use mtsession as new;
use mtsession::codec::SessionView;
use mtsession::codec::wire::encode_body;
use mtsession_tests::conformance::cases;
use mtsession_tests::random;
use proptest::prelude::*;

fn to_old(session: &new::PersistedSession) -> old::PersistedSession {
    old::PersistedSession {
        home_dc_id: session.home_dc_id,
        dcs: session
            .dcs
            .iter()
            .map(|dc| old::DcEntry {
                dc_id: dc.dc_id,
                addr: dc.addr.clone(),
                auth_key: dc.auth_key,
                first_salt: dc.first_salt,
                time_offset: dc.time_offset,
                flags: old::DcFlags(dc.flags.0),
            })
            .collect(),
        updates_state: old::UpdatesStateSnap {
            pts: session.updates_state.pts,
            qts: session.updates_state.qts,
            date: session.updates_state.date,
            seq: session.updates_state.seq,
            channels: session.updates_state.channels.clone(),
        },
        peers: session
            .peers
            .iter()
            .map(|peer| old::CachedPeer {
                id: peer.id,
                access_hash: peer.access_hash,
                is_channel: peer.is_channel,
                is_chat: peer.is_chat,
                channel_kind: peer
                    .channel_kind
                    .and_then(|kind| old::ChannelKind::from_byte(kind.to_byte())),
                is_community: peer.is_community,
            })
            .collect(),
        min_peers: session
            .min_peers
            .iter()
            .map(|min| old::CachedMinPeer {
                user_id: min.user_id,
                peer_id: min.peer_id,
                msg_id: min.msg_id,
            })
            .collect(),
        future_auth_token: session.future_auth_token.clone(),
    }
}

/// The old types cannot be compared: their JSON can.
fn json(session: &old::PersistedSession) -> serde_json::Value {
    serde_json::to_value(session).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(256)))]

    #[test]
    fn our_body_is_their_file(session in random::session()) {
        let mut body = Vec::new();
        encode_body(&session, &mut body).unwrap();
        prop_assert_eq!(&body, &to_old(&session).to_bytes());
        prop_assert!(session.to_bytes().starts_with(&body));
    }

    #[test]
    fn they_read_what_we_write(session in random::session()) {
        let expected = json(&to_old(&session));
        let file = old::PersistedSession::from_bytes(&session.to_bytes()).unwrap();
        prop_assert_eq!(&json(&file), &expected);
        let string = old::PersistedSession::from_string(&session.to_string()).unwrap();
        prop_assert_eq!(&json(&string), &expected);
    }

    #[test]
    fn we_read_what_they_write(session in random::session()) {
        let theirs = to_old(&session);
        let file = new::PersistedSession::from_bytes(&theirs.to_bytes()).unwrap();
        prop_assert_eq!(&file, &session);
        let string = new::PersistedSession::from_string(&theirs.to_string()).unwrap();
        prop_assert_eq!(&string, &session);
    }

    #[test]
    fn both_read_each_others_json(session in random::session()) {
        let theirs = to_old(&session);
        let ours = serde_json::to_value(&session).unwrap();
        prop_assert_eq!(&ours, &json(&theirs));
        let back: new::PersistedSession = serde_json::from_value(ours.clone()).unwrap();
        prop_assert_eq!(&back, &session);

        // The codec's own view says the same without a heap.
        let bytes = session.to_bytes();
        let view = serde_json::to_value(SessionView::parse(&bytes).unwrap()).unwrap();
        prop_assert_eq!(&view, &ours);
    }

    #[test]
    fn compact_strings_are_the_same(
        dc_id in any::<u8>(),
        ip in any::<std::net::IpAddr>(),
        port in any::<u16>(),
        key in any::<u8>(),
        user_id in any::<i64>(),
    ) {
        let auth_key = random::key_of(key);
        let ours = new::StringSession::from(new::Session { dc_id, ip, port, auth_key, user_id });
        let theirs = old::string_session::StringSession::V2(old::string_session::Session {
            dc_id,
            ip,
            port,
            auth_key,
            user_id,
        });
        prop_assert_eq!(ours.encode(), theirs.encode());
    }
}

/// JSON of releases that lacked a field has no such field.
#[test]
fn json_of_every_older_release_is_read() {
    let session = random::sized(2, 3, 1, 1);
    let full = serde_json::to_value(&session).unwrap();
    let peer_fields = ["is_community", "channel_kind", "is_chat"];
    for peers_without in 0..=peer_fields.len() {
        let mut json = full.clone();
        for peer in json["peers"].as_array_mut().unwrap() {
            for field in &peer_fields[..peers_without] {
                peer.as_object_mut().unwrap().remove(*field);
            }
        }
        if peers_without > 0 {
            json.as_object_mut().unwrap().remove("future_auth_token");
        }
        let read: new::PersistedSession = serde_json::from_value(json).unwrap();
        assert_eq!(read.dcs, session.dcs);
        assert_eq!(read.peers.len(), 3);
    }
}

#[test]
fn json_with_a_wrong_key_length_is_refused_without_showing_it() {
    let mut json = serde_json::to_value(random::sized(1, 0, 0, 0)).unwrap();
    let key = json["dcs"][0]["auth_key"].as_array_mut().unwrap();
    key.pop();
    let error = serde_json::from_value::<new::PersistedSession>(json).unwrap_err();
    assert!(error.to_string().contains("256 bytes"), "{error}");
}

#[test]
fn the_update_rule_is_theirs() {
    let runner_cases = cases(256);
    proptest!(ProptestConfig::with_cases(runner_cases), |(
        state in random::state(),
        update in random::update(),
    )| {
        let mut ours = state.clone();
        update.apply_to(&mut ours);
        let mut theirs = to_old(&new::PersistedSession {
            updates_state: state,
            ..Default::default()
        }).updates_state;
        let change = match update {
            new::UpdateStateChange::All(snap) => old::UpdateStateChange::All(to_old(
                &new::PersistedSession { updates_state: snap, ..Default::default() },
            ).updates_state),
            new::UpdateStateChange::Primary { pts, date, seq } => {
                old::UpdateStateChange::Primary { pts, date, seq }
            }
            new::UpdateStateChange::Secondary { qts } => old::UpdateStateChange::Secondary { qts },
            new::UpdateStateChange::Channel { id, pts } => {
                old::UpdateStateChange::Channel { id, pts }
            }
        };
        change.apply_to(&mut theirs);
        prop_assert_eq!(ours.channels, theirs.channels);
        prop_assert_eq!(
            (ours.pts, ours.qts, ours.date, ours.seq),
            (theirs.pts, theirs.qts, theirs.date, theirs.seq)
        );
    });
}
