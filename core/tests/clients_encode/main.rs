//! What can be written, what is refused, and what a conversion loses.

#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

mod addresses;
mod refused;
#[path = "../support/mod.rs"]
mod support;

use core::convert::Infallible;

use mtsession_core::clients::{
    Contents, Login, MediaDc, Server, StringFormat, TelethonIpv6, detect,
};
use mtsession_core::{Account, AuthKey, Decoded, EncodeError, SessionSource};
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
