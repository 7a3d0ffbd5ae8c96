//! What can be written, what is refused, and what a conversion loses.

#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

mod support;

use core::convert::Infallible;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mtsession_core::clients::{
    Contents, Host, Login, MediaDc, Server, StringFormat, TelethonIpv6, detect,
};
use mtsession_core::{Account, AuthKey, Decoded, EncodeError, Field, SessionSource};
use proptest::prelude::*;
use support::Text;

fn key() -> AuthKey {
    AuthKey::new(core::array::from_fn(|index| {
        u8::try_from(index).unwrap() ^ 0x5A
    }))
}

fn whole_account() -> Account {
    Account {
        user_id: Some(777_000),
        is_bot: Some(false),
        api_id: Some(2040),
        test_mode: Some(false),
    }
}

fn dc2() -> Login {
    Login::new(2, Server::well_known(2, false).unwrap(), key())
}

fn encode(
    login: &Login,
    format: StringFormat,
    ipv6: TelethonIpv6,
) -> Result<String, EncodeError<Infallible>> {
    let mut text = Vec::new();
    login.encode(format, ipv6, &mut Text(&mut text))?;
    Ok(String::from_utf8(text).unwrap())
}

fn read(text: &str) -> (StringFormat, Login) {
    let mut buffer = vec![0; text.len()];
    let detected = detect(text, &mut buffer).unwrap();
    let format = detected.format();
    match detected {
        Decoded::Client(_, login) => (format, login),
        session => (format, Login::from_source(&session).unwrap()),
    }
}

#[test]
fn what_would_destroy_the_login_is_refused_by_name() {
    let cases = [
        (
            StringFormat::Pyrogram,
            Account {
                user_id: None,
                ..whole_account()
            },
            Field::UserId,
        ),
        (
            StringFormat::Pyrogram,
            Account {
                user_id: Some(0),
                ..whole_account()
            },
            Field::UserId,
        ),
        (
            StringFormat::Pyrogram,
            Account {
                is_bot: None,
                ..whole_account()
            },
            Field::IsBot,
        ),
        (
            StringFormat::Pyrogram,
            Account {
                api_id: None,
                ..whole_account()
            },
            Field::ApiId,
        ),
        (
            StringFormat::PyrogramOld32,
            Account::default(),
            Field::UserId,
        ),
        (
            StringFormat::PyrogramOld64,
            Account {
                is_bot: None,
                ..whole_account()
            },
            Field::IsBot,
        ),
        (
            StringFormat::Mtkruto,
            Account {
                api_id: None,
                ..whole_account()
            },
            Field::ApiId,
        ),
        (
            StringFormat::Mtcute,
            Account {
                is_bot: None,
                ..whole_account()
            },
            Field::IsBot,
        ),
        (StringFormat::Compact, Account::default(), Field::UserId),
    ];
    for (format, account, field) in cases {
        let mut login = dc2();
        login.set_account(account);
        let refused = encode(&login, format, TelethonIpv6::Replace);
        assert_eq!(refused, Err(EncodeError::Missing(field)), "{format}");
    }
}

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
fn a_key_of_zeros_is_never_written() {
    let zeroed = Login::new(
        2,
        Server::well_known(2, false).unwrap(),
        AuthKey::new([0; 256]),
    );
    for format in StringFormat::ALL {
        let refused = encode(&zeroed, format, TelethonIpv6::Replace);
        assert_eq!(refused, Err(EncodeError::Missing(Field::DcAuthKey)));
    }
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
fn numbers_that_do_not_fit_are_refused() {
    let mut login = dc2();
    login.set_account(Account {
        user_id: Some(1 << 32),
        ..whole_account()
    });
    match encode(&login, StringFormat::PyrogramOld32, TelethonIpv6::Replace) {
        Err(EncodeError::TooLong {
            field: Field::UserId,
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
    let high_port = Login::new(2, Server::parse("149.154.167.51:40000").unwrap(), key());
    match encode(&high_port, StringFormat::GramJs, TelethonIpv6::Replace) {
        Err(EncodeError::TooLong {
            field: Field::StringPort,
            len: 40_000,
            max: 32_767,
        }) => {}
        other => panic!("{other:?}"),
    }
    let far = Login::new(300, Server::well_known(2, false).unwrap(), key());
    let refused = encode(&far, StringFormat::Telethon, TelethonIpv6::Replace);
    assert_eq!(refused, Err(EncodeError::Missing(Field::HomeDcId)));
}

/// Every subset of the account against every format: the report and the encoder agree.
#[test]
fn what_is_missing_is_what_the_encoder_asks_for() {
    let whole = whole_account();
    for known in 0_u8..16 {
        let has = |bit: u8| known & (1 << bit) != 0;
        let mut login = dc2();
        login.set_account(Account {
            user_id: whole.user_id.filter(|_| has(0)),
            is_bot: whole.is_bot.filter(|_| has(1)),
            api_id: whole.api_id.filter(|_| has(2)),
            test_mode: whole.test_mode.filter(|_| has(3)),
        });
        for format in StringFormat::ALL {
            let missing = login.missing_for(format);
            let refused = match encode(&login, format, TelethonIpv6::Replace) {
                Ok(_) => Contents::NONE,
                Err(EncodeError::Missing(Field::UserId)) => Contents::USER_ID,
                Err(EncodeError::Missing(Field::IsBot)) => Contents::IS_BOT,
                Err(EncodeError::Missing(Field::ApiId)) => Contents::API_ID,
                Err(other) => panic!("{format}: {other}"),
            };
            assert_eq!(missing.is_empty(), refused.is_empty(), "{format} {missing}");
            assert!(missing.contains(refused), "{format} {missing}");
        }
    }
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

#[test]
fn a_round_trip_through_every_pair_keeps_what_both_sides_carry() {
    let mut login = dc2();
    login.set_account(whole_account());
    login.set_media(Some(MediaDc {
        dc_id: 2,
        server: Server::parse("149.154.167.222:443").unwrap(),
    }));
    for first in StringFormat::ALL {
        let text = encode(&login, first, TelethonIpv6::Replace).unwrap();
        let (format, through_first) = read(&text);
        assert_eq!(format, first);
        for second in StringFormat::ALL {
            // What the first has dropped is given again, as a user would.
            let mut given = read(&text).1;
            let known = given.account();
            let whole = whole_account();
            given.set_account(Account {
                user_id: known.user_id.or(whole.user_id),
                is_bot: known.is_bot.or(whole.is_bot),
                api_id: known.api_id.or(whole.api_id),
                test_mode: known.test_mode.or(whole.test_mode),
            });
            let text = encode(&given, second, TelethonIpv6::Replace).unwrap();
            let (format, found) = read(&text);
            assert_eq!(format, second);
            let kept = Contents::of(&found);
            let both = first
                .carries()
                .without(first.carries().without(second.carries()));
            let had = Contents::of(&through_first);
            assert!(
                kept.contains(had.without(had.without(both))),
                "{first} {second}"
            );
            assert_eq!(found.auth_key(), login.auth_key());
            assert_eq!(found.server(), login.server());
            if both.contains(Contents::MEDIA_DC) {
                assert_eq!(found.media(), login.media());
            }
        }
    }
}

#[test]
fn the_loss_is_the_difference() {
    let mut login = dc2();
    login.set_account(whole_account());
    let lost = |format: StringFormat| Contents::of(&login).without(format.carries()).to_string();
    assert_eq!(
        lost(StringFormat::Telethon),
        "user id, bot flag, api_id, test flag"
    );
    assert_eq!(lost(StringFormat::Pyrogram), "DC address");
    assert_eq!(lost(StringFormat::Mtcute), "api_id");
    assert_eq!(lost(StringFormat::Native), "");
    assert!(
        dc2()
            .missing_for(StringFormat::Pyrogram)
            .contains(Contents::USER_ID)
    );
    assert_eq!(
        dc2().missing_for(StringFormat::Pyrogram).to_string(),
        "user id, bot flag, api_id"
    );
}

fn servers() -> impl Strategy<Value = (i32, Server, Option<bool>)> {
    let known = prop_oneof![
        (1..=5_i32).prop_map(|dc_id| (dc_id, false)),
        Just((203, false)),
        (1..=3_i32).prop_map(|dc_id| (dc_id, true)),
    ];
    known.prop_map(|(dc_id, test)| (dc_id, Server::well_known(dc_id, test).unwrap(), Some(test)))
}

fn formats() -> impl Strategy<Value = StringFormat> {
    proptest::sample::select(StringFormat::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_detected_and_decoded(
        (dc_id, server, test_mode) in servers(),
        key in proptest::collection::vec(any::<u8>(), 256),
        user_id in 1..=i64::from(u32::MAX),
        is_bot: bool,
        api_id in 1..=i32::MAX,
        format in formats(),
    ) {
        prop_assume!(key.iter().any(|byte| *byte != 0));
        let mut login = Login::new(dc_id, server, AuthKey::new(key.try_into().unwrap()));
        let account = Account {
            user_id: Some(user_id),
            is_bot: Some(is_bot),
            api_id: Some(api_id),
            test_mode,
        };
        login.set_account(account);
        let text = encode(&login, format, TelethonIpv6::Replace).unwrap();
        let (found, again) = read(&text);
        prop_assert_eq!(found, format);
        prop_assert_eq!(again.home_dc_id(), dc_id);
        prop_assert_eq!(again.server(), login.server());
        prop_assert_eq!(again.auth_key(), login.auth_key());
        let carries = format.carries();
        let kept = again.account();
        prop_assert_eq!(kept.user_id, account.user_id.filter(|_| carries.contains(Contents::USER_ID)));
        prop_assert_eq!(kept.is_bot, account.is_bot.filter(|_| carries.contains(Contents::IS_BOT)));
        prop_assert_eq!(kept.api_id, account.api_id.filter(|_| carries.contains(Contents::API_ID)));
        prop_assert_eq!(
            kept.test_mode,
            account.test_mode.filter(|_| carries.contains(Contents::TEST_MODE))
        );
        prop_assert_eq!(encode(&again, format, TelethonIpv6::Replace).ok(), Some(text));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let mut buffer = vec![0; text.len()];
        let _ = detect(&text, &mut buffer);
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        head in proptest::collection::vec(any::<u8>(), 0..32),
        len in 0..420_usize,
        one: bool,
    ) {
        let mut bytes = head;
        bytes.resize(len, 0xA7);
        let mut text = if one { vec![b'1'] } else { Vec::new() };
        let mut target = Text(&mut text);
        let mut sink = mtsession_core::text::Base64Sink::new(&mut target);
        mtsession_core::wire::Sink::write(&mut sink, &bytes).unwrap();
        sink.finish().unwrap();
        let text = String::from_utf8(text).unwrap();
        let mut buffer = vec![0; text.len()];
        let _ = detect(&text, &mut buffer);
    }
}
