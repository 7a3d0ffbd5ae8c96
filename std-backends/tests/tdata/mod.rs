//! Writes a `tdata` with several accounts: nobody has one to give away.
#![allow(dead_code, reason = "no test takes all of it")]

use std::fs;
use std::path::Path;

use aes::Aes256;
use aes::cipher::{BlockEncrypt, KeyInit};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha512;

/// What Telegram Desktop names the files of its accounts, by their numbers.
const FILES: [&str; 3] = ["D877F783D5D3EF8C", "A7FDF864FBC10B77", "F8806DD0C461824F"];

const SALT: [u8; 32] = [5; 32];
const LOCAL_KEY: [u8; 256] = [6; 256];

/// The auth key of a user.
pub(crate) fn key(user_id: i64) -> [u8; 256] {
    core::array::from_fn(|at| u8::try_from((at + usize::try_from(user_id).unwrap()) % 251).unwrap())
}

/// Accounts: their number, user id and home DC.
pub(crate) fn write(dir: &Path, accounts: &[(i32, i64, i32)]) {
    write_locked(dir, accounts, "");
}

/// The same with a passcode, as releases before 7.3 have it.
pub(crate) fn write_locked(dir: &Path, accounts: &[(i32, i64, i32)], passcode: &str) {
    let mut hash = Sha512::new();
    for part in [&SALT, passcode.as_bytes(), &SALT] {
        hash.update(part);
    }
    let rounds = if passcode.is_empty() { 1 } else { 100_000 };
    let mut passcode_key = [0; 256];
    pbkdf2::pbkdf2_hmac::<Sha512>(&hash.finalize(), &SALT, rounds, &mut passcode_key);

    let mut info = i32::try_from(accounts.len())
        .unwrap()
        .to_be_bytes()
        .to_vec();
    for (number, ..) in accounts {
        info.extend(number.to_be_bytes());
    }
    // The active one is the last.
    info.extend(accounts.last().unwrap().0.to_be_bytes());
    let keys = [
        array(&SALT),
        array(&encrypt(&LOCAL_KEY, &passcode_key)),
        array(&encrypt(&info, &LOCAL_KEY)),
    ];
    file(&dir.join("key_datas"), &keys.concat());

    for (number, user_id, dc) in accounts {
        let block = [
            &[0xFF; 8][..],
            &user_id.to_be_bytes(),
            &dc.to_be_bytes(),
            &1_i32.to_be_bytes(),
            &dc.to_be_bytes(),
            &key(*user_id),
            &0_i32.to_be_bytes(),
        ];
        let block = array(&block.concat());
        let data = [&75_u32.to_be_bytes()[..], &block].concat();
        let name = format!("{}s", FILES[usize::try_from(*number).unwrap()]);
        file(&dir.join(name), &array(&encrypt(&data, &LOCAL_KEY)));
    }
}

fn array(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap();
    [&len.to_be_bytes(), bytes].concat()
}

fn file(path: &Path, data: &[u8]) {
    let mut whole = [b"TDF$", &5_012_003_u32.to_le_bytes()[..], data, &[0; 16]].concat();
    reseal(&mut whole);
    fs::write(path, whole).unwrap();
}

/// Gives a file that was changed the digest that it must end with.
pub(crate) fn reseal(file: &mut [u8]) {
    let (head, rest) = file.split_at_mut(8);
    let (data, place) = rest.split_at_mut(rest.len() - 16);
    let mut digest = Md5::new();
    digest.update(&*data);
    digest.update(u32::try_from(data.len()).unwrap().to_le_bytes());
    digest.update(&head[4..]);
    digest.update(&head[..4]);
    place.copy_from_slice(&digest.finalize());
}

/// AES-256-IGE under MTProto 1.0's derivation, the SHA-1 of the plain text being its message key.
fn encrypt(content: &[u8], key: &[u8; 256]) -> Vec<u8> {
    let len = u32::try_from(content.len() + 4).unwrap();
    let mut plain = [&len.to_le_bytes(), content].concat();
    plain.resize(plain.len().next_multiple_of(16), 0);
    let message_key = &Sha1::digest(&plain)[..16];
    let part = |from: usize, len: usize| &key[8 + from..8 + from + len];
    let a = Sha1::digest([message_key, part(0, 32)].concat());
    let b = Sha1::digest([part(32, 16), message_key, part(48, 16)].concat());
    let c = Sha1::digest([part(64, 32), message_key].concat());
    let d = Sha1::digest([message_key, part(96, 32)].concat());
    let aes_key = [&a[..8], &b[8..20], &c[4..16]].concat();
    let iv = [&a[8..20], &b[..8], &c[16..20], &d[..8]].concat();

    let cipher = Aes256::new_from_slice(&aes_key).unwrap();
    let (mut last_encrypted, mut last_plain) = (iv[..16].to_vec(), iv[16..].to_vec());
    let mut encrypted = message_key.to_vec();
    for block in plain.chunks(16) {
        let mut state = aes::Block::clone_from_slice(&xor(block, &last_encrypted));
        cipher.encrypt_block(&mut state);
        last_encrypted = xor(&state, &last_plain);
        last_plain = block.to_vec();
        encrypted.extend_from_slice(&last_encrypted);
    }
    encrypted
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}
