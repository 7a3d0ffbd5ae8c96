//! What stands next to a key and is odd.

use std::fs;

use mtsession::clients::read;

use crate::{GRAMMERS, KURIGRAM, MTCUTE, PYROGRAM, TELETHON, changed, home_key, vector};

/// What stands next to the key of each library, and a word of what is said about it.
const ODD: &[(&str, &str, &str)] = &[
    (TELETHON, "DELETE FROM version", "version"),
    (
        TELETHON,
        "INSERT INTO version VALUES (3)",
        "2 version numbers",
    ),
    (TELETHON, "DROP TABLE version", "version"),
    (
        TELETHON,
        "DROP TABLE version; CREATE TABLE version (version); INSERT INTO version VALUES ('8x')",
        "version is text",
    ),
    (
        TELETHON,
        "DROP TABLE entities; DROP TABLE sent_files",
        "entities",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash) VALUES (0, 1)",
        "no peer has",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash) VALUES (-9223372036854775807 - 1, 1)",
        "no peer has",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash) VALUES (7, 'abc')",
        "hash is text",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash) VALUES (7, x'01')",
        "hash is bytes",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash, phone) VALUES (7, 1, '+888 0')",
        "phone is text",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash, name) VALUES (7, 1, CAST(x'c328' AS TEXT))",
        "not UTF-8",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash, username) VALUES (7, 1, x'00')",
        "username is bytes",
    ),
    (
        TELETHON,
        "UPDATE update_state SET date = 'yesterday' WHERE id = 0",
        "date is text",
    ),
    (
        TELETHON,
        "UPDATE update_state SET pts = 1 << 40 WHERE id = 0",
        "pts is a number",
    ),
    (
        TELETHON,
        "INSERT INTO update_state VALUES (-5, 1, 1, 1, 1)",
        "no channel has",
    ),
    (
        TELETHON,
        "UPDATE sessions SET server_address = NULL, port = NULL",
        "no address",
    ),
    (
        TELETHON,
        "UPDATE sessions SET server_address = ''",
        "no address",
    ),
    (
        TELETHON,
        "UPDATE sessions SET server_address = 'two words'",
        "cannot be read",
    ),
    (
        TELETHON,
        "UPDATE sessions SET port = 'https'",
        "port is text",
    ),
    (TELETHON, "UPDATE sessions SET port = 70000", "out of range"),
    (TELETHON, "UPDATE sessions SET dc_id = 0", "no DC has"),
    (TELETHON, "UPDATE sessions SET dc_id = 1 << 40", "no DC has"),
    (
        TELETHON,
        "INSERT INTO sessions (dc_id, server_address, port, auth_key) VALUES (4, '', 443, x'')",
        "empty",
    ),
    (
        TELETHON,
        "INSERT INTO sessions (dc_id, server_address, port, auth_key) VALUES (4, 'a b', 0, x'0102')",
        "2 bytes",
    ),
    (PYROGRAM, "DELETE FROM version", "version"),
    (
        PYROGRAM,
        "INSERT INTO version VALUES (2)",
        "2 version numbers",
    ),
    (PYROGRAM, "DROP TABLE peers", "peers"),
    (
        PYROGRAM,
        "UPDATE peers SET access_hash = 'x' WHERE id = -77001",
        "access_hash is text",
    ),
    (PYROGRAM, "UPDATE peers SET type = 7", "type"),
    (
        PYROGRAM,
        "UPDATE sessions SET user_id = 'me'",
        "user_id is text",
    ),
    (
        PYROGRAM,
        "UPDATE sessions SET api_id = 1 << 40",
        "api_id is a number",
    ),
    (
        PYROGRAM,
        "INSERT INTO sessions (dc_id, date, auth_key) VALUES (4, 0, zeroblob(256))",
        "empty",
    ),
    (
        KURIGRAM,
        "INSERT INTO update_state VALUES (5000000001, 9, NULL, 1, NULL)",
        "no channel",
    ),
    (
        KURIGRAM,
        "INSERT INTO usernames VALUES ('x', 7)",
        "usernames",
    ),
    (
        KURIGRAM,
        "DROP TABLE usernames; CREATE TABLE usernames (other)",
        "usernames",
    ),
    (
        KURIGRAM,
        "UPDATE sessions SET server_address = NULL",
        "no address",
    ),
    (
        MTCUTE,
        "UPDATE key_value SET value = x'01' WHERE key = 'current_user'",
        "current_user",
    ),
    (
        MTCUTE,
        "UPDATE key_value SET value = x'01' WHERE key = 'updates_pts'",
        "update state",
    ),
    (
        MTCUTE,
        "INSERT INTO key_value VALUES ('updates_channel:x', x'01000000')",
        "channel",
    ),
    (
        MTCUTE,
        "INSERT INTO key_value VALUES ('salts:2', x'00')",
        "salts:2",
    ),
    (
        MTCUTE,
        "UPDATE key_value SET value = x'ff' WHERE key = 'dc_media'",
        "dc_media",
    ),
    (
        MTCUTE,
        "UPDATE auth_keys SET key = x'' WHERE dc = 4",
        "empty",
    ),
    (
        MTCUTE,
        "UPDATE auth_keys SET key = x'010203' WHERE dc = 4",
        "3 bytes",
    ),
    (MTCUTE, "DROP TABLE peers", "peers"),
    (MTCUTE, "DROP TABLE mtcute_migrations", "mtcute_migrations"),
    (
        MTCUTE,
        "UPDATE peers SET hash = 'zz' WHERE id = 111000111",
        "hash is not two",
    ),
    (
        MTCUTE,
        "UPDATE peers SET usernames = '[' WHERE id = 111000111",
        "list of names",
    ),
    (
        MTCUTE,
        "UPDATE message_refs SET msg_id = 'x'",
        "msg_id is text",
    ),
    (GRAMMERS, "DELETE FROM dc_home", "0 rows"),
    (GRAMMERS, "INSERT INTO dc_home VALUES (4)", "2 rows"),
    (
        GRAMMERS,
        "INSERT INTO dc_option VALUES (3, '', '', x'')",
        "empty",
    ),
    (
        GRAMMERS,
        "INSERT INTO dc_option VALUES (3, 'somewhere', '', NULL)",
        "ipv4 is no address",
    ),
    (
        GRAMMERS,
        "INSERT INTO dc_option VALUES (3, '', '', x'0102')",
        "2 bytes",
    ),
    (
        GRAMMERS,
        "UPDATE dc_option SET ipv4 = '', ipv6 = ''",
        "no address",
    ),
    (GRAMMERS, "DROP TABLE peer_info", "peer_info"),
    (
        GRAMMERS,
        "INSERT INTO peer_info VALUES (0, 1, 1)",
        "no peer has",
    ),
    (
        GRAMMERS,
        "INSERT INTO update_state VALUES (1, 2, 3, 4)",
        "2 rows",
    ),
    (GRAMMERS, "UPDATE update_state SET pts = 'x'", "pts is text"),
];

#[test]
fn what_is_odd_beside_a_key_is_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    for (name, sql, said) in ODD {
        let whole = read(&vector(name)).unwrap();
        let path = changed(&dir, name, sql);
        let import = read(&path).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(import.format, whole.format, "{sql}");
        assert_eq!(home_key(&import), home_key(&whole), "{sql}");
        assert_eq!(import.session.home_dc_id, whole.session.home_dc_id, "{sql}");
        let home = import.session.dc_for(import.session.home_dc_id, false);
        home.unwrap().socket_addr().unwrap();
        let named: Vec<_> = import.left_out.iter().map(ToString::to_string).collect();
        assert!(
            named.iter().any(|line| line.contains(said)),
            "{sql}: {named:?}"
        );
    }
}

/// A cache that is in order leaves nothing to be said.
#[test]
fn nothing_is_left_out_of_what_the_libraries_wrote() {
    for entry in fs::read_dir(vector("")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            continue;
        }
        let import = read(&path).unwrap();
        assert_eq!(import.left_out, [], "{}", path.display());
        // There is no DC 4 among the test servers.
        let known = |note: &String| note == "DC 4 has a key but no address, and none is known";
        assert!(import.notes.iter().all(known), "{:?}", import.notes);
    }
}
