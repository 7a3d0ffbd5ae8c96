use super::{FIXED_ADDR_LEN, FixedSession, WhenFull};
use crate::account::Account;
use crate::counters::ChannelPts;
use crate::dc::{DcFlags, DcRef};
use crate::error::{Field, Full};
use crate::peer::Peer;
use crate::session_mut::SessionMut as _;
use crate::source::SessionSource as _;

fn dc(addr: &str) -> DcRef<'_> {
    DcRef {
        dc_id: 2,
        addr,
        auth_key: None,
        first_salt: 1,
        time_offset: 0,
        flags: DcFlags::NONE,
    }
}

#[test]
fn the_account_itself_is_never_evicted() {
    let mut session = FixedSession::<0, 0, 2, 1, 0>::new().when_full(WhenFull::EvictOldest);
    session.set_account(Account {
        user_id: Some(1),
        ..Account::default()
    });
    for id in 1..=5 {
        session
            .put_peer(Peer {
                id,
                ..Peer::default()
            })
            .unwrap();
    }
    let ids: [i64; 2] = core::array::from_fn(|i| session.peers[i].id);
    assert_eq!(ids, [1, 5]);

    let mut only_self = FixedSession::<0, 0, 1, 0, 0>::new().when_full(WhenFull::EvictOldest);
    only_self.copy_from(&session).unwrap();
    only_self
        .put_peer(Peer {
            id: 9,
            ..Peer::default()
        })
        .unwrap();
    assert_eq!(only_self.peers[0].id, 1);
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let mut small = FixedSession::<1, 1, 1, 1, 1>::new();
    small.put_dc(&dc("149.154.167.51:443")).unwrap();
    let long = [b'a'; FIXED_ADDR_LEN + 1];
    let long = core::str::from_utf8(&long).unwrap();
    assert_eq!(small.put_dc(&dc(long)), Err(Full(Field::DcAddr)));
    assert_eq!(
        small.set_future_auth_token(Some(&[0; 2])),
        Err(Full(Field::Token))
    );

    let mut big = FixedSession::<1, 2, 0, 0, 0>::new();
    big.put_channel(ChannelPts { id: 1, pts: 1 }).unwrap();
    big.put_channel(ChannelPts { id: 2, pts: 1 }).unwrap();
    assert_eq!(small.copy_from(&big), Err(Full(Field::Channels)));
    assert_eq!(small.dcs().next().map(|dc| dc.addr.len()), Some(18));
    assert_eq!(small.future_auth_token(), None);
}

#[test]
fn a_device_sized_session_fits_in_five_kibibytes() {
    assert!(size_of::<FixedSession<6, 32, 64, 0, 64>>() <= 5 * 1024);
}
