//! Addresses, and the account that decides between them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mtsession_core::clients::{Host, Login, MediaDc, Server, StringFormat, TelethonIpv6};
use mtsession_core::{Account, EncodeError, Field, SessionSource};

use crate::{dc2, encode, key, read, whole_account};

#[test]
fn an_address_outside_telegrams_network_says_nothing_of_test_servers() {
    let local = Server::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 443);
    let mut login = Login::new(2, local, key());
    login.set_account(Account {
        test_mode: None,
        ..whole_account()
    });
    for format in [
        StringFormat::Pyrogram,
        StringFormat::Mtcute,
        StringFormat::MtkrutoOld,
    ] {
        let refused = encode(&login, format, TelethonIpv6::Replace);
        assert_eq!(
            refused,
            Err(EncodeError::Missing(Field::TestMode)),
            "{format}"
        );
    }

    let test = Login::new(2, Server::well_known(2, true).unwrap(), key());
    assert_eq!(test.test_mode(), Some(true));
    let text = encode(&test, StringFormat::MtkrutoOld, TelethonIpv6::Replace).unwrap();
    assert_eq!(read(&text).1.account().test_mode, Some(true));
}

#[test]
fn telethon_gets_ipv4_unless_asked() {
    let ipv6: Ipv6Addr = "2001:67c:4e8:f002::a".parse().unwrap();
    let login = Login::new(2, Server::new(ipv6.into(), 443), key());
    let text = encode(&login, StringFormat::Telethon, TelethonIpv6::Replace).unwrap();
    assert_eq!(text.len(), 353);
    assert_eq!(
        read(&text).1.server(),
        &Server::well_known(2, false).unwrap()
    );
    let text = encode(&login, StringFormat::Telethon, TelethonIpv6::Keep).unwrap();
    assert_eq!(text.len(), 369);
    assert_eq!(read(&text).1.server(), login.server());

    let unknown = Login::new(99, Server::new(ipv6.into(), 443), key());
    let refused = encode(&unknown, StringFormat::Telethon, TelethonIpv6::Replace);
    assert_eq!(refused, Err(EncodeError::Missing(Field::StringIpv4)));
}

#[test]
fn a_host_name_becomes_an_address_for_everything_but_gramjs() {
    let server = Server {
        host: Host::parse("venus.web.telegram.org").unwrap(),
        port: 443,
    };
    let login = Login::new(2, server.clone(), key());
    let text = encode(&login, StringFormat::GramJs, TelethonIpv6::Replace).unwrap();
    assert_eq!(read(&text).1.server(), &server);
    let text = encode(&login, StringFormat::Telethon, TelethonIpv6::Replace).unwrap();
    assert_eq!(
        read(&text).1.server(),
        &Server::well_known(2, false).unwrap()
    );

    let elsewhere = Server::parse("proxy.example:443").unwrap();
    let login = Login::new(2, elsewhere, key());
    let refused = encode(&login, StringFormat::Telethon, TelethonIpv6::Replace);
    assert_eq!(refused, Err(EncodeError::Missing(Field::StringIpv4)));
}

#[test]
fn the_account_decides_both_addresses_whenever_it_is_set() {
    let mut login = dc2();
    let gateway = Server::parse("venus-1.web.telegram.org:443").unwrap();
    login.set_media(Some(MediaDc {
        dc_id: 2,
        server: gateway,
    }));
    login.set_account(Account {
        test_mode: Some(true),
        ..Account::default()
    });
    let addrs: Vec<_> = login.dcs().map(|dc| dc.addr.to_owned()).collect();
    assert_eq!(addrs[1], "149.154.167.40:80");
}
