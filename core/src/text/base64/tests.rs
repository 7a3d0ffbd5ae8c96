//! `base64ct` is what both ways must agree with, for every length, character and last bit.

extern crate std;

use std::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const ALPHABETS: [Alphabet; 3] = [
    Alphabet::UrlSafe,
    Alphabet::UrlSafePadded,
    Alphabet::StandardPadded,
];

fn expected(alphabet: Alphabet, bytes: &[u8]) -> std::string::String {
    match alphabet {
        Alphabet::UrlSafe => Base64UrlUnpadded::encode_string(bytes),
        Alphabet::UrlSafePadded => Base64Url::encode_string(bytes),
        Alphabet::StandardPadded => Base64::encode_string(bytes),
    }
}

/// Decodes what must be base64 of one way alone.
fn decoded_by(decode: fn(&[u8], &mut [u8]) -> Done, text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = std::vec![0; text.len() + 8];
    let done = decode(text, &mut bytes);
    bytes.truncate(done.bytes);
    assert_eq!(done.chars / 4 * 3, done.bytes);
    done.is_base64.then_some(bytes)
}

proptest! {
    #[test]
    fn what_is_encoded_is_what_the_oracle_encodes(bytes in vec(any::<u8>(), 0..400)) {
        for alphabet in ALPHABETS {
            let expected = expected(alphabet, &bytes);
            let mut text = std::vec![0; expected.len()];
            let len = alphabet.encode(&bytes, &mut text);
            prop_assert_eq!(&text[..len], expected.as_bytes());
        }
    }

    #[test]
    fn what_was_encoded_is_decoded(bytes in vec(any::<u8>(), 0..400), room in 0..80_usize) {
        for alphabet in ALPHABETS {
            let text = expected(alphabet, &bytes);
            let text = text.trim_end_matches('=').as_bytes();
            // With more room or less, the blocks end elsewhere.
            let mut decoded = std::vec![0; bytes.len() + room];
            prop_assert_eq!(decode(text, &mut decoded), Some(bytes.len()));
            prop_assert_eq!(&decoded[..bytes.len()], &bytes[..]);
            if !bytes.is_empty() {
                decoded.truncate(bytes.len() - 1);
                prop_assert_eq!(decode(text, &mut decoded), None);
            }
        }
    }

    #[test]
    fn what_the_oracle_refuses_is_refused(mut text in "[-_A-Za-z0-9]{0,300}", at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = std::vec![0; 300];
        let mut also = bytes.clone();
        let check = |text: &[u8], bytes: &mut [u8], also: &mut [u8]| {
            let expected = Base64UrlUnpadded::decode(text, also).ok().map(<[u8]>::to_vec);
            let found = decode(text, bytes).map(|len| bytes[..len].to_vec());
            assert_eq!(found, expected);
        };
        check(text.as_bytes(), &mut bytes, &mut also);
        if !text.is_empty() && !b"+/".contains(&byte) {
            let mut text = core::mem::take(&mut text).into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            check(&text, &mut bytes, &mut also);
        }
    }
}

#[test]
fn every_byte_is_a_character_of_either_alphabet_or_refused_in_every_place() {
    for decode in [vector::decode, word::decode] {
        for byte in 0..=u8::MAX {
            for at in 0..64 {
                let mut text = [b'A'; 64];
                text[at] = byte;
                let url_safe = text.map(to_url_safe);
                let expected =
                    Base64UrlUnpadded::decode_vec(core::str::from_utf8(&url_safe).unwrap_or("!"));
                assert_eq!(
                    decoded_by(decode, &text),
                    expected.ok(),
                    "{byte:#x} at {at}"
                );
            }
        }
    }
}

#[test]
fn blocks_and_words_encode_every_value_in_every_place() {
    for encode in [vector::encode, word::encode] {
        for alphabet in [Alphabet::UrlSafe, Alphabet::StandardPadded] {
            for value in 0..64_u8 {
                for shift in 0..4_u32 {
                    let group = u32::from(value) << (6 * shift);
                    let bytes = [
                        group.to_be_bytes()[1],
                        group.to_be_bytes()[2],
                        group.to_be_bytes()[3],
                    ]
                    .repeat(16);
                    let mut text = [0; 64];
                    let done = encode(&bytes, &mut text, alphabet.symbols());
                    assert_eq!((done.chars, done.bytes), (64, 48));
                    assert_eq!(
                        core::str::from_utf8(&text).unwrap(),
                        expected(alphabet, &bytes)
                    );
                }
            }
        }
    }
}
