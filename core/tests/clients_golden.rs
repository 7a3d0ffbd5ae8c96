//! Every session string that the real libraries wrote, read, written again and damaged.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod support;

use mtsession_core::clients::{Damage, Host, Login, Server, StringFormat, TelethonIpv6, detect};
use mtsession_core::text::{self, decode_any};
use mtsession_core::{DcFlags, DecodeErrorKind, Decoded, FixedSession, SessionMut, SessionSource};
use support::{StringVector, string_vectors};

fn login_of(vector: &StringVector) -> (StringFormat, Login) {
    let mut buffer = [0; 1024];
    match detect(&vector.value, &mut buffer) {
        Ok(Decoded::Client(format, login)) => (format, login),
        Ok(_) => panic!("{}: taken for one of ours", vector.id),
        Err(error) => panic!("{}: {error}", vector.id),
    }
}

#[test]
fn every_string_of_every_library_is_read_as_it_was_meant() {
    let vectors = string_vectors();
    assert_eq!(vectors.len(), 105 + 12);
    for vector in &vectors {
        let (format, login) = login_of(vector);
        let id = &vector.id;
        let expect = &vector.expect;
        assert_eq!(format, vector.format, "{id}");
        assert_eq!(i64::from(login.home_dc_id()), expect["dc_id"], "{id}");
        assert_eq!(
            support::hex(login.auth_key().as_bytes()),
            expect["auth_key"],
            "{id}"
        );
        let account = login.account();
        assert_eq!(account.user_id, expect["user_id"].as_i64(), "{id}");
        assert_eq!(account.is_bot, expect["is_bot"].as_bool(), "{id}");
        assert_eq!(
            account.api_id.map(i64::from),
            expect["api_id"].as_i64(),
            "{id}"
        );
        assert_eq!(account.test_mode, expect["test_mode"].as_bool(), "{id}");
        if let Some(ip) = expect["ip"].as_str() {
            assert_eq!(login.server().host, Host::parse(ip).unwrap(), "{id}");
            assert_eq!(u64::from(login.server().port), expect["port"], "{id}");
        } else {
            let test_mode = account.test_mode.unwrap();
            let known = Server::well_known(login.home_dc_id(), test_mode);
            assert_eq!(Some(login.server()), known.as_ref(), "{id}");
        }
        let media = expect.get("media_dc").filter(|media| media.is_object());
        assert_eq!(login.media().is_some(), media.is_some(), "{id}");
        if let (Some(found), Some(media)) = (login.media(), media) {
            let host = Host::parse(media["ipAddress"].as_str().unwrap()).unwrap();
            assert_eq!(i64::from(found.dc_id), media["id"], "{id}");
            assert_eq!(found.server.host, host, "{id}");
            assert_eq!(u64::from(found.server.port), media["port"], "{id}");
        }
    }
}

/// The samples of one account carry the same address in some formats and none in others.
#[test]
fn a_string_without_an_address_gets_that_of_its_dc() {
    let vectors = string_vectors();
    let mut checked = 0;
    for vector in &vectors {
        if vector.expect["ip"].is_string() {
            continue;
        }
        let case = vector.id.rsplit('/').next().unwrap();
        let telethon = format!("telethon-string-1/telethon-1.45.0/{case}");
        let with_address = vectors.iter().find(|other| other.id == telethon).unwrap();
        let (_, expected) = login_of(with_address);
        // One case is about another port, some are about IPv6.
        if expected.server().is_ipv6() || case == "s12" {
            continue;
        }
        let (_, login) = login_of(vector);
        assert_eq!(login.server(), expected.server(), "{}", vector.id);
        checked += 1;
    }
    assert_eq!(checked, 56);
}

#[test]
fn a_user_id_that_cannot_be_is_something_else_read_as_one() {
    for vector in string_vectors() {
        // The last nine bytes are the user id, big-endian, and the bot flag.
        if !matches!(
            vector.format,
            StringFormat::Pyrogram | StringFormat::PyrogramOld64
        ) {
            continue;
        }
        let mut buffer = vec![0; vector.value.len()];
        let mut bytes = text::decoded(&vector.value, &mut buffer).unwrap().to_vec();
        let user_id = bytes.len() - 9;
        bytes[user_id] = 1;
        let changed = support::encoded("", &bytes);
        assert!(detect(&changed, &mut buffer).is_err(), "{}", vector.id);
    }
}

fn encoded(login: &Login, format: StringFormat) -> String {
    let mut text = Vec::new();
    let mut sink = support::Text(&mut text);
    login.encode(format, TelethonIpv6::Keep, &mut sink).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn what_was_read_is_written_back_to_the_byte() {
    for vector in string_vectors() {
        let (format, login) = login_of(&vector);
        assert_eq!(encoded(&login, format), vector.value, "{}", vector.id);
    }
}

#[test]
fn a_login_copies_into_a_store() {
    for vector in string_vectors() {
        let (_, login) = login_of(&vector);
        let mut session = FixedSession::<2, 0, 0, 0, 0>::new();
        session.copy_from(&login).unwrap();
        assert_eq!(session.account(), login.account());
        let home = session.dc_for(login.home_dc_id(), false).unwrap();
        assert_eq!(home.auth_key, Some(login.auth_key()));
        // Clients parse the address of an entry: a gateway's name became its DC's address.
        let addr: core::net::SocketAddr = home.addr.parse().unwrap();
        assert_eq!(home.flags.contains(DcFlags::IPV6), addr.is_ipv6());
        let media: Vec<_> = session.dcs().skip(1).collect();
        assert_eq!(media.len(), usize::from(login.media().is_some()));
        assert!(
            media
                .iter()
                .all(|dc| dc.flags.contains(DcFlags::MEDIA_ONLY))
        );

        // And back, through our own store, without losing what the format carries.
        let again = Login::from_source(&session).unwrap();
        let text = encoded(&again, vector.format);
        if !vector.id.contains("pluto") && !matches!(login.server().host, Host::Name(_)) {
            assert_eq!(text, vector.value, "{}", vector.id);
        }
    }
}

#[test]
fn what_happens_to_strings_on_their_way_does_no_harm() {
    for vector in string_vectors() {
        let (format, login) = login_of(&vector);
        for (what, text) in cosmetic(&vector.value) {
            let mut buffer = vec![0; text.len()];
            match detect(&text, &mut buffer) {
                Ok(Decoded::Client(found, same)) => {
                    assert_eq!(found, format, "{} {what}", vector.id);
                    assert_eq!(same, login, "{} {what}", vector.id);
                }
                other => panic!("{} {what}: {other:?}", vector.id),
            }
        }
    }
}

fn cosmetic(value: &str) -> Vec<(&'static str, String)> {
    let bare = value.trim_end_matches('=');
    let chars: Vec<char> = value.chars().collect();
    let wrapped = |width: usize, end: &str| -> String {
        let lines: Vec<String> = chars
            .chunks(width)
            .map(|line| line.iter().collect())
            .collect();
        lines.join(end)
    };
    vec![
        ("newline", format!("{value}\n")),
        ("crlf", format!("{value}\r\n")),
        ("indented", format!("  \t{value}  ")),
        ("double quotes", format!("\"{value}\"")),
        ("single quotes", format!("'{value}',")),
        ("round quotes", format!("\u{201C}{value}\u{201D}")),
        ("backticks", format!("`{value}`")),
        ("byte order mark", format!("\u{FEFF}{value}")),
        (
            "zero width",
            format!("{}\u{200B}{}", &value[..40], &value[40..]),
        ),
        ("no padding", bare.to_owned()),
        ("more padding", format!("{bare}==")),
        (
            "standard alphabet",
            value.replace('-', "+").replace('_', "/"),
        ),
        (
            "url-safe alphabet",
            value.replace('+', "-").replace('/', "_"),
        ),
        ("wrapped", wrapped(64, "\n")),
        ("wrapped by mail", wrapped(76, "\r\n ")),
    ]
}

#[test]
fn every_damaged_string_is_refused_and_explained() {
    let (mut damaged, mut explained) = (0, 0);
    for vector in string_vectors() {
        for (what, text) in broken(&vector.value) {
            let mut buffer = vec![0; text.len()];
            let error = match detect(&text, &mut buffer) {
                Err(error) => error,
                Ok(found) => panic!("{} {what}: read as {found:?}", vector.id),
            };
            assert!(
                decode_any(&text, &mut buffer).is_err(),
                "{} {what}",
                vector.id
            );
            damaged += 1;
            let named = match error.kind {
                DecodeErrorKind::DamagedString(format, _) => same_family(format, vector.format),
                DecodeErrorKind::Character => true,
                _ => false,
            };
            if !named {
                eprintln!("{} {what}: {error}", vector.id);
            }
            explained += usize::from(named);
        }
    }
    assert_eq!(damaged, 117 * 10);
    assert_eq!(explained, damaged);
}

/// Old layouts differ from new ones only after the damage.
fn same_family(a: StringFormat, b: StringFormat) -> bool {
    use StringFormat as F;
    let family = |format| match format {
        F::PyrogramOld32 | F::PyrogramOld64 | F::Pyrogram => F::Pyrogram,
        F::MtkrutoOld | F::Mtkruto => F::Mtkruto,
        other => other,
    };
    family(a) == family(b)
}

fn broken(value: &str) -> Vec<(&'static str, String)> {
    let bare = value.trim_end_matches('=');
    let cut = |count: usize| bare[..bare.len() - count].to_owned();
    let without = |at: usize| format!("{}{}", &bare[..at], &bare[at + 1..]);
    vec![
        ("cut by 1", cut(1)),
        ("cut by 2", cut(2)),
        ("cut by 3", cut(3)),
        ("cut by 4", cut(4)),
        ("cut in half", cut(bare.len() / 2)),
        ("first lost", bare[1..].to_owned()),
        ("middle lost", without(bare.len() / 2)),
        ("quarter lost", without(bare.len() / 4)),
        ("one more", format!("{bare}A")),
        ("one more after the padding", format!("{bare}=A")),
    ]
}

#[test]
fn the_cause_is_named() {
    let vectors = string_vectors();
    let say = |id: &str, change: &dyn Fn(&str) -> String| {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let text = change(vector.value.trim_end_matches('='));
        let mut buffer = vec![0; text.len()];
        detect(&text, &mut buffer).unwrap_err().to_string()
    };
    let telethon = "telethon-string-1/telethon-1.45.0/s01";
    let pyrogram = "pyrogram-string-new/pyrogram-2.0.106/s01";
    assert_eq!(
        say(telethon, &|text| text[..text.len() - 2].to_owned()),
        "session string is damaged: it looks like a Telethon string with its last 2 characters \
         missing (350 of 352 are there)"
    );
    assert_eq!(
        say(telethon, &|text| text[1..].to_owned()),
        "session string is damaged: it looks like a Telethon string with its first character \
         missing"
    );
    assert_eq!(
        say(pyrogram, &|text| format!("{text}A")),
        "session string is damaged: it looks like a Pyrogram string with one character too many"
    );
    assert_eq!(
        say(pyrogram, &|text| text[..text.len() - 1].to_owned()),
        "session string is damaged: it looks like a Pyrogram string with its last character \
         missing (361 of 362 are there)"
    );
}

#[test]
fn ours_are_not_mistaken_for_others_and_others_are_refused_by_name() {
    let mut buffer = [0; 1024];
    for vector in string_vectors() {
        let error = decode_any(&vector.value, &mut buffer).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::ForeignString(vector.format));
    }
    let error = detect("bm90IGEgc2Vzc2lvbg", &mut buffer).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::NotASessionString);
    assert_eq!(
        detect("", &mut buffer).unwrap_err().kind,
        DecodeErrorKind::Empty
    );
}

#[test]
fn a_key_of_zeros_is_nobody_logged_in() {
    let mut checked = 0;
    for vector in string_vectors() {
        let (_, login) = login_of(&vector);
        let Some(zeroed) = support::with_zero_key(&vector, login.auth_key()) else {
            continue;
        };
        let mut buffer = vec![0; zeroed.len()];
        let error = detect(&zeroed, &mut buffer).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::NotLoggedIn, "{}", vector.id);
        checked += 1;
    }
    assert_eq!(checked, 101);
}

#[test]
fn nothing_printed_shows_a_key() {
    for vector in string_vectors() {
        let (_, login) = login_of(&vector);
        let shown = format!("{login:?}");
        assert!(shown.contains("AuthKey([redacted])"));
        let key = login.auth_key().as_bytes();
        assert!(!shown.contains(&format!("{}, {}, {}", key[8], key[9], key[10])));
    }
}

#[test]
fn damage_reads_as_a_sentence() {
    for (damage, said) in [
        (Damage::FirstMissing, "with its first character missing"),
        (Damage::EndMissing(1), "with its last character missing"),
        (Damage::EndMissing(4), "with its last 4 characters missing"),
        (Damage::TooLong(1), "with one character too many"),
        (Damage::TooLong(3), "with 3 characters too many"),
        (
            Damage::Content,
            "with characters missing or changed inside it",
        ),
    ] {
        assert_eq!(damage.to_string(), said);
    }
}
