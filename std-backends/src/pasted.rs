//! Bytes that somebody saved a session string in, as text.

use zeroize::Zeroizing;

/// Reads the bytes of a file, a pipe or a variable that holds a session string as text: UTF-8, UTF-16
/// with or without a byte order mark (`>` in Windows PowerShell writes that), or any other encoding
/// that has ASCII in it. `None` where it is no text.
///
/// ```
/// let bytes: Vec<u8> = "\u{FEFF}1AbC".encode_utf16().flat_map(u16::to_le_bytes).collect();
/// assert_eq!(mtsession::pasted_text(&bytes).as_deref().map(|text| text.trim_start_matches('\u{FEFF}')), Some("1AbC"));
/// assert_eq!(mtsession::pasted_text(&[0xFE, 0, 0, 1, 7]), None);
/// ```
#[must_use]
pub fn pasted_text(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let utf16 = match bytes {
        [0xFF, 0xFE, rest @ ..] => Some((rest, Order::Little)),
        [0xFE, 0xFF, rest @ ..] => Some((rest, Order::Big)),
        _ => None,
    };
    if let Some((bytes, order)) = utf16 {
        return from_utf16(bytes, order);
    }
    // ASCII in UTF-16 is UTF-8, too: the decoder of session strings leaves its zeros out.
    if let Ok(text) = core::str::from_utf8(bytes) {
        return Some(Zeroizing::new(text.to_owned()));
    }
    match order_by_zeros(bytes) {
        Some(order) => from_utf16(bytes, order),
        None => in_another_encoding(bytes),
    }
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

/// Text in UTF-16; what is no character in it stands for something that is not of the string.
fn from_utf16(bytes: &[u8], order: Order) -> Option<Zeroizing<String>> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| match order {
        Order::Little => u16::from_le_bytes(*pair),
        Order::Big => u16::from_be_bytes(*pair),
    });
    let chars = char::decode_utf16(units);
    let text = collect(
        bytes,
        chars.map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)),
    );
    (odd.is_empty() || odd == b"\n").then_some(text)
}

/// Which of the two bytes of most characters are zero, where that is so.
fn order_by_zeros(bytes: &[u8]) -> Option<Order> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let zeros = |at: usize| pairs.iter().filter(|pair| pair.get(at) == Some(&0)).count();
    let (first, second) = (zeros(0), zeros(1));
    let most = pairs.len() / 2;
    match (first > most, second > most) {
        (false, true) => Some(Order::Little),
        (true, false) => Some(Order::Big),
        _ => None,
    }
}

/// A code page whose letters outside ASCII are not known here; a session string has none.
fn in_another_encoding(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let is_text = |byte: &u8| *byte >= 0x20 || byte.is_ascii_whitespace();
    let char = |byte: &u8| match byte {
        0..0x80 => char::from(*byte),
        _ => char::REPLACEMENT_CHARACTER,
    };
    let ascii = bytes.iter().filter(|byte| byte.is_ascii()).count();
    let is_mostly_ascii = ascii > bytes.len() / 2;
    (is_mostly_ascii && bytes.iter().all(is_text)).then(|| collect(bytes, bytes.iter().map(char)))
}

/// Collects text without leaving pieces of it anywhere: it never grows.
fn collect(bytes: &[u8], chars: impl Iterator<Item = char>) -> Zeroizing<String> {
    const LONGEST: usize = 3;

    let mut text = Zeroizing::new(String::with_capacity(bytes.len().saturating_mul(LONGEST)));
    text.extend(chars);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_every_encoding_that_shells_and_editors_write() {
        let text = "# Schlüssel 👋\r\nSESSION=1AbC\r\n";
        let units = || text.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            little.clone(),
            big.clone(),
            [&[0xFF, 0xFE], &little[..]].concat(),
            [&[0xFE, 0xFF], &big[..]].concat(),
            // A newline of one byte after it.
            [&[0xFF, 0xFE], &little[..], b"\n"].concat(),
        ] {
            assert_eq!(
                pasted_text(&bytes).as_deref().map(String::as_str),
                Some(text)
            );
        }
        let latin = pasted_text(b"Schl\xFCssel=1AbC").unwrap();
        assert_eq!(latin.as_str(), "Schl\u{FFFD}ssel=1AbC");
        assert_eq!(pasted_text(&[0xFF; 64]), None);
        assert_eq!(pasted_text(b"\x08\x02\0\0\0\xFF\xA0"), None);
    }
}
