//! Session strings of every library and of our own in what people paste them from.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "tests"
)]

mod support;

use std::path::Path;

use mtsession_core::DecodeErrorKind;
use mtsession_core::clients::{Damage, StringFormat, detect};
use mtsession_core::text::{decode_any, encode_native};
use support::string_vectors;

/// A string of each format, by name; several of those whose beginnings differ.
fn strings() -> Vec<(String, String)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/ferogram/string");
    let mut strings: Vec<_> = std::fs::read_dir(own)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            (path.display().to_string(), text.trim().to_owned())
        })
        .collect();
    strings.extend(
        string_vectors()
            .into_iter()
            .map(|vector| (vector.id, vector.value)),
    );
    assert!(strings.len() > 100);
    strings
}

/// Format and content, or the error.
fn read(text: &str) -> Result<(StringFormat, Vec<u8>), String> {
    let mut buffer = vec![0; text.len()];
    let found = detect(text, &mut buffer).map_err(|error| error.to_string())?;
    let mut content = Vec::new();
    encode_native(&found, &mut support::Text(&mut content)).unwrap();
    Ok((found.format(), content))
}

fn wrapped(value: &str, width: usize, end: &str) -> String {
    let lines: Vec<_> = value.as_bytes().chunks(width).collect();
    let lines: Vec<_> = lines
        .iter()
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    lines.join(end)
}

fn percent(value: &str) -> String {
    value
        .replace('+', "%2B")
        .replace('/', "%2f")
        .replace('=', "%3D")
}

#[rustfmt::skip]
fn shapes(t: &str) -> Vec<String> {
    let dotenv = format!(
        "# the bot\nAPI_ID=12345\nAPI_HASH=0123456789abcdef0123456789abcdef\nSESSION={t}\n\
         BOT_TOKEN=123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw\nDEBUG=1\n"
    );
    vec![
        // Assignments.
        format!("SESSION={t}"), format!("SESSION= {t}\r\n"), format!("SESSION = {t}"), format!("SESSION=\"{t}\""),
        format!("export STRING_SESSION='{t}'\n"), format!("export A=1 X='{t}'"), format!("set SESSION={t}\r\n"),
        format!("$env:SESSION = \"{t}\""), format!("setx SESSION \"{t}\""), format!("ENV SESSION {t}"),
        format!("docker run -d -e SESSION={t} -e API_ID=1 image:latest"), format!("docker run -e SESSION='{t}' image"),
        format!("bot --session {t} --verbose"), format!("bot --session={t} --verbose"), format!("    - SESSION={t}\n"),
        format!("session_string: \"{t}\"\n"), format!("session: {t}\n"), format!("session: >-\n  {}\n", wrapped(t, 70, "\n  ")),
        format!("session: |\n  {}\nother: 1\n", wrapped(t, 64, "\n  ")), format!("- {t}"), format!("[main]\nsession={t}\nid=5\n"),
        format!("{{\"session\": \"{t}\"}}"), format!("{{\"a\":1,\"session\":\"{t}\",\"b\":[2]}}"),
        format!("{{\"session\": \"{}\"}}", t.replace('/', "\\/").replace('=', "\\u003d").replace('+', "\\u002B")),
        dotenv.clone(), dotenv.replace('\n', "\r\n"), format!("PATH=/bin:/usr/bin\0SESSION={t}\0HOME=/root\0"),
        format!("client = TelegramClient(StringSession(\"{t}\"), api_id, api_hash)"),
        format!("const s = new StringSession('{t}'); // fill this"), format!("let s = r#\"{t}\"#;"),
        format!("s = ('{}')", wrapped(t, 79, "'\n     '")), format!("s = \"{}\"", wrapped(t, 50, "\" +\n  \"")),
        format!("$s = '{}';", wrapped(t, 50, "' .\n '")), format!("<session>{t}</session>"), format!("<p><b>{t}</b></p>"),
        format!("<add key=\"session\" value=\"{t}\" />"), format!("https://example.org/import?session={}&dc=2", percent(t)),
        // Quotes and marks.
        format!("'{t}',"), format!("`{t}`"), format!("```\n{t}\n```"), format!("```text\n{t}\n```\n"), format!("**{t}**"),
        format!("*{t}*"), format!("__{t}__"), format!("_{t}_"), format!("||{t}||"), format!("~~{t}~~"), format!("> {t}"),
        format!("> {}", wrapped(t, 60, "\n> ")), format!("# {}", wrapped(t, 60, "\n# ")), format!("\u{201C}{t}\u{201D}"),
        format!("\u{AB}{t}\u{BB}"), format!("\u{2018}{t}\u{2019}"), format!("\u{201E}{t}\u{201C}"), format!("({t})"), format!("[{t}]"),
        format!("<{t}>"), format!("{t}."), format!("{t};"), format!("Here is my session: {t}"), format!("Here is my session {t} please keep it"),
        format!("1. {t}"), format!("\u{2022} {t}"), format!("Сессия: {t} 👋"), format!("session string\n\n{t}\n\nKeep it secret!"),
        // Invisible characters.
        format!("\u{FEFF}{t}\r\n"), format!("\u{202B}{t}\u{202C}"), format!("\u{2067}{t}\u{2069}"), format!("\u{200F}{t}\u{200E}"),
        format!("\u{61C}{t}"), wrapped(t, 80, "\u{200B}"), wrapped(t, 80, "\u{2060}"), wrapped(t, 80, "\u{AD}"), format!("{t}\0"),
        format!("{t}{}", "\0".repeat(2_000)), format!("\u{1B}{t}"),
        t.chars().flat_map(|char| [char, '\0']).collect(), format!("SESSION={t}\r\n").chars().flat_map(|char| ['\0', char]).collect(),
        // Escapes and wraps.
        format!("{t}\\n"), format!("{t}\\r\\n"), format!("\\n{t}"), format!("\\\"{t}\\\""), wrapped(t, 70, "\\n"), wrapped(t, 70, "\\\n"),
        wrapped(t, 70, "\\\r\n  "), wrapped(t, 64, "\n"), wrapped(t, 76, "\r\n "), wrapped(t, 76, " "), wrapped(t, 40, "\u{2028}"),
        wrapped(t, 76, "<br>\n"), wrapped(t, 75, "=\n"), wrapped(t, 75, "=\r\n"), percent(t), percent(&percent(t)), percent(t).replace('%', "%25"),
        t.replace('=', "=3D"), t.replace('=', "&#61;").replace('+', "&#x2b;"), t.replace('=', "&equals;"), format!("&quot;{t}&quot;"),
        format!("SESSION={}", wrapped(t, 70, "\\\n")), t.replace('_', "\\_").replace('-', "\\-"), t.replace('=', "\\="),
        t.replace('-', "+").replace('_', "/"), t.trim_end_matches('=').to_owned(), format!("{}==", t.trim_end_matches('=')),
        // The same one twice.
        format!("{t}\n{t}\n"), format!("OLD={t}\nNEW=\"{}\"\n", t.trim_end_matches('=')), format!("{t} and again {t}"),
    ]
}

#[test]
fn a_string_is_found_in_whatever_it_was_pasted_with() {
    let mut failed = Vec::new();
    for (name, value) in strings() {
        let expected = read(&value).unwrap();
        for text in shapes(&value) {
            let found = read(&text);
            if found.as_ref() != Ok(&expected) {
                let found = found.map(|(format, _)| format);
                let text = text.replace(&value, "…");
                failed.push(format!("{name}: {found:?} in {text:.100}"));
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{}\n{} failed",
        failed.join("\n"),
        failed.len()
    );
}

#[test]
fn of_two_different_strings_none_is_chosen() {
    let strings = strings();
    for ((name, value), (other_name, other)) in strings.iter().zip(strings.iter().skip(1)) {
        if read(value) == read(other) {
            continue;
        }
        let piece = &other[..other.len() * 3 / 4];
        for text in [
            format!("{value}\n{other}"),
            format!("A={value}\nB={other}\n"),
            format!("A={value}\nB={value}\nC={other}\n"),
            format!("{{\"a\":\"{value}\",\"b\":\"{other}\"}}"),
            format!(
                "{}\n\n{}",
                wrapped(value, 64, "\n"),
                wrapped(other, 64, "\n")
            ),
            format!("{value} {other}"),
            // Who knows which of them is the one in use.
            format!("A={value}\nB={piece}\n"),
            format!("A={piece}\nB={value}\n"),
        ] {
            let mut buffer = vec![0; text.len()];
            let kind = detect(&text, &mut buffer).map(|found| found.format());
            let kind = kind.map_err(|error| error.kind);
            match kind {
                Err(DecodeErrorKind::SeveralStrings) => {}
                other => panic!("{name} and {other_name}: {other:?} for {text}"),
            }
        }
    }
}

#[test]
fn a_cut_string_says_what_is_missing_wherever_it_stands() {
    for vector in string_vectors() {
        let whole = vector.value.trim_end_matches('=');
        let cut = &whole[..200];
        for text in [
            cut.to_owned(),
            format!("SESSION={cut}\n"),
            format!("API_ID=1\nSESSION='{cut}'\nDEBUG=1\n"),
            format!("{{\"session\": \"{cut}\"}}"),
            format!("session: {cut}..."),
            format!("my session is\n{}\n", wrapped(cut, 64, "\n")),
        ] {
            let mut buffer = vec![0; text.len()];
            let error = detect(&text, &mut buffer).unwrap_err();
            let said = error.to_string();
            match error.kind {
                DecodeErrorKind::DamagedString(_, Damage::EndMissing(missing)) => {
                    assert!(said.contains("missing (200 of "), "{}: {said}", vector.id);
                    assert!(missing > 100, "{}: {said}", vector.id);
                }
                // Its length depends on its key.
                DecodeErrorKind::DamagedString(StringFormat::Mtkruto, _) => {}
                _ => panic!("{}: {said} for {text}", vector.id),
            }
        }
    }
}

/// Nothing of this is a session, and none of it may be put together to one.
#[test]
fn text_without_a_session_is_refused_however_it_was_made_up() {
    let word = "1AQBCD".repeat(60);
    for text in [
        "SESSION=".to_owned(),
        "SESSION=\"\"\nAPI_ID=1\n".to_owned(),
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".to_owned(),
        "1 ".repeat(200_000),
        "1\n".repeat(200_000),
        "AgAAAAAA\n".repeat(60_000),
        format!("{word} ").repeat(3_000),
        "\\\\\\%%%&&&<<<".repeat(40_000),
        "-_".repeat(200_000),
        "&#".repeat(200_000),
        "%25".repeat(200_000),
    ] {
        let mut buffer = vec![0; text.len()];
        let found = detect(&text, &mut buffer);
        assert!(found.is_err(), "{found:?} in {text:.20}");
        assert!(decode_any(&text, &mut buffer).is_err());
    }
}

#[test]
fn a_value_that_is_assigned_to_is_no_session() {
    for vector in string_vectors() {
        let bare = vector.value.trim_end_matches('=');
        assert!(read(&format!("{bare}=A")).is_err(), "{}", vector.id);
        assert!(read(&format!("{bare}!")).is_err(), "{}", vector.id);
        // Padding ends a string: the characters after it belong to something else.
        assert!(read(&format!("{}={}", &bare[..100], &bare[100..])).is_err());
    }
}
