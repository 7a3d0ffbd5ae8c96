//! What is refused, by its name.

use mtsession_core::clients::{Contents, Login, Server, StringFormat, TelethonIpv6};
use mtsession_core::{Account, AuthKey, EncodeError, Field};

use crate::{dc2, encode, key, whole_account};

#[test]
fn what_would_destroy_the_login_is_refused_by_name() {
    let whole = whole_account();
    let with_user_id = |user_id| Account { user_id, ..whole };
    let without_is_bot = Account {
        is_bot: None,
        ..whole
    };
    let without_api_id = Account {
        api_id: None,
        ..whole
    };
    let cases = [
        (StringFormat::Pyrogram, with_user_id(None), Field::UserId),
        (StringFormat::Pyrogram, with_user_id(Some(0)), Field::UserId),
        (StringFormat::Pyrogram, without_is_bot, Field::IsBot),
        (StringFormat::Pyrogram, without_api_id, Field::ApiId),
        (
            StringFormat::PyrogramOld32,
            Account::default(),
            Field::UserId,
        ),
        (StringFormat::PyrogramOld64, without_is_bot, Field::IsBot),
        (StringFormat::Mtkruto, without_api_id, Field::ApiId),
        (StringFormat::Mtcute, without_is_bot, Field::IsBot),
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
