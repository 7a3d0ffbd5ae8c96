//! grammers opens what we wrote, finds the peers, writes one more, and finds it after a restart.

use grammers_session::Session;
use grammers_session::storages::SqliteSession;
use grammers_session::types::{ChannelKind, PeerAuth, PeerId, PeerInfo};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let path = std::env::args().nth(1).expect("usage: grammers-check SESSION");
    let session = SqliteSession::open(&path).await.unwrap();
    assert_eq!(session.home_dc_id().unwrap(), 2);
    let dc = session.dc_option(2).unwrap().unwrap();
    assert_eq!(dc.ipv4.to_string(), "149.154.167.51:443");
    assert_eq!(dc.ipv6.to_string(), "[2001:67c:4e8:f002::a]:443");
    assert_eq!(dc.auth_key.unwrap()[..4], [0x03, 0x0A, 0x11, 0x18]);

    let find = async |session: &SqliteSession, id| session.peer(id).await.unwrap().unwrap();
    let own = find(&session, PeerId::self_user()).await;
    assert_eq!(own.id(), PeerId::user(123_456_789).unwrap());
    let alice = find(&session, PeerId::user(111_000_111).unwrap()).await;
    assert_eq!(alice.auth().unwrap().hash(), 1_234_567_890_123_456_789);
    let group = find(&session, PeerId::channel(1_600_000_002).unwrap()).await;
    assert_eq!(group.auth().unwrap().hash(), -6_666_666_666_666_666);
    assert!(matches!(group, PeerInfo::Channel { kind: Some(ChannelKind::Megagroup), .. }));
    find(&session, PeerId::chat(77_001).unwrap()).await;
    let state = session.updates_state().await.unwrap();
    assert_eq!((state.pts, state.qts, state.seq), (100_123, 45, 678));
    assert_eq!(state.channels.len(), 2);

    let new = PeerInfo::User {
        id: 999_000_999,
        auth: Some(PeerAuth::from_hash(-77)),
        bot: None,
        is_self: None,
    };
    session.cache_peer(new).await.unwrap();
    drop(session);
    let session = SqliteSession::open(&path).await.unwrap();
    let new = find(&session, PeerId::user(999_000_999).unwrap()).await;
    assert_eq!(new.auth().unwrap().hash(), -77);
}
