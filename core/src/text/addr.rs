//! Addresses as DC entries have them: `"ip:port"` and `"[ipv6]:port"`.
//!
//! The same text as that of `core`'s own `Display` and `FromStr`, whose padding and parser can panic as
//! far as a compiler sees: firmware that links without a panic path cannot have them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use heapless::String;

/// `"[xxxx:xxxx:xxxx:xxxx:xxxx:xxxx:xxxx:xxxx]:65535"`.
const LEN: usize = 47;

/// An address and port as text.
pub(crate) type AddrText = String<LEN, u8>;

/// Formats an address; IPv6 as RFC 5952 has it.
pub(crate) fn format(ip: IpAddr, port: u16) -> AddrText {
    let mut text = Text::<LEN>::new();
    text.ip_and_port(ip, port);
    text.finish()
}

/// Text of at most `N` bytes. What does not fit is left out: callers choose `N` so that all fits.
pub(crate) struct Text<const N: usize>(String<N, u8>);

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Self(String::new())
    }

    pub(crate) fn finish(self) -> String<N, u8> {
        self.0
    }

    pub(crate) fn ip_and_port(&mut self, ip: IpAddr, port: u16) {
        if ip.is_ipv6() {
            self.char('[');
            self.ip(ip);
            self.char(']');
        } else {
            self.ip(ip);
        }
        self.char(':');
        self.decimal(port.into());
    }

    /// Without brackets.
    pub(crate) fn ip(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => self.ipv4(ip),
            IpAddr::V6(ip) => self.ipv6(ip),
        }
    }

    pub(crate) fn char(&mut self, char: char) {
        let _ = self.0.push(char);
    }

    pub(crate) fn str(&mut self, text: &str) {
        let _ = self.0.push_str(text);
    }

    pub(crate) fn decimal(&mut self, number: u32) {
        self.digits(number, 10);
    }

    fn digits(&mut self, number: u32, radix: u32) {
        let (rest, last) = match radix {
            16 => (number >> 4, number & 0xF),
            _ => (number / 10, number % 10),
        };
        if rest > 0 {
            self.digits(rest, radix);
        }
        self.char(char::from_digit(last, 16).unwrap_or('0'));
    }

    fn ipv4(&mut self, ip: Ipv4Addr) {
        let [a, b, c, d] = ip.octets();
        self.decimal(a.into());
        for octet in [b, c, d] {
            self.char('.');
            self.decimal(octet.into());
        }
    }

    fn ipv6(&mut self, ip: Ipv6Addr) {
        if let Some(v4) = ip.to_ipv4_mapped() {
            self.str("::ffff:");
            self.ipv4(v4);
            return;
        }
        let (zeros_at, zeros) = longest_zeros(ip.segments());
        for (at, segment) in ip.segments().into_iter().enumerate() {
            if zeros > 1 && at == zeros_at {
                self.str("::");
            }
            if zeros > 1 && at >= zeros_at && at < zeros_at.saturating_add(zeros) {
                continue;
            }
            if at > 0 && (zeros <= 1 || at != zeros_at.saturating_add(zeros)) {
                self.char(':');
            }
            self.digits(segment.into(), 16);
        }
    }
}

/// The first of the longest runs of zero segments.
fn longest_zeros(segments: [u16; 8]) -> (usize, usize) {
    let (mut best_at, mut best) = (0, 0);
    let mut run = 0_usize;
    for (at, segment) in segments.into_iter().enumerate() {
        run = if segment == 0 {
            run.saturating_add(1)
        } else {
            0
        };
        if run > best {
            best = run;
            best_at = at.saturating_add(1).saturating_sub(run);
        }
    }
    (best_at, best)
}

/// Reads an IP address, IPv6 without brackets.
pub(crate) fn parse_ip(text: &str) -> Option<IpAddr> {
    let text = text.as_bytes();
    if text.contains(&b':') {
        parse_ipv6(text).map(IpAddr::V6)
    } else {
        parse_ipv4(text).map(IpAddr::V4)
    }
}

/// Reads a decimal number without leading zeros.
pub(crate) fn parse_decimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 1 && digits.first() == Some(&b'0') {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

fn parse_ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split(|byte| *byte == b'.');
    for octet in &mut octets {
        *octet = u8::try_from(parse_decimal(parts.next()?)?).ok()?;
    }
    parts.next().is_none().then(|| octets.into())
}

fn parse_ipv6(text: &[u8]) -> Option<Ipv6Addr> {
    let gap = text.windows(2).position(|pair| pair == b"::");
    let (head, tail) = match gap {
        Some(at) => (text.get(..at)?, text.get(at.saturating_add(2)..)?),
        None => (text, &[][..]),
    };
    let (mut segments, mut last) = ([0; 8], [0; 8]);
    let before = parse_segments(head, &mut segments, gap.is_none())?;
    let after = parse_segments(tail, &mut last, true)?;
    let known = before.saturating_add(after);
    // A gap stands for one segment at least.
    if known > 8 || (known == 8) == gap.is_some() {
        return None;
    }
    for (slot, segment) in segments.iter_mut().rev().zip(last.iter().take(after).rev()) {
        *slot = *segment;
    }
    Some(segments.into())
}

/// Reads segments between colons, the last two of which may be written as IPv4; says how many.
fn parse_segments(text: &[u8], segments: &mut [u16; 8], may_end_in_ipv4: bool) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let mut slots = segments.iter_mut();
    let mut parts = text.split(|byte| *byte == b':').peekable();
    while let Some(part) = parts.next() {
        if may_end_in_ipv4 && parts.peek().is_none() && part.contains(&b'.') {
            let [a, b, c, d] = parse_ipv4(part)?.octets();
            *slots.next()? = u16::from_be_bytes([a, b]);
            *slots.next()? = u16::from_be_bytes([c, d]);
            break;
        }
        *slots.next()? = parse_segment(part)?;
    }
    Some(8_usize.saturating_sub(slots.len()))
}

/// One to four hexadecimal digits.
fn parse_segment(digits: &[u8]) -> Option<u16> {
    if !(1..=4).contains(&digits.len()) {
        return None;
    }
    digits.iter().try_fold(0_u16, |number, digit| {
        let digit = u16::try_from(char::from(*digit).to_digit(16)?).ok()?;
        Some(number << 4 | digit)
    })
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::net::SocketAddr;
    use std::string::ToString;

    use super::*;

    #[test]
    fn the_text_is_that_of_socket_addr() {
        let mut ips = std::vec::Vec::new();
        for pattern in 0..256_u16 {
            // Every arrangement of zero and other segments.
            let segment = |at: u16, value| if pattern >> at & 1 == 0 { 0 } else { value };
            let ip: [u16; 8] = core::array::from_fn(|at| {
                let at = u16::try_from(at).unwrap();
                segment(at, 0xFFFF_u16 >> (2 * at))
            });
            ips.push(IpAddr::from(ip));
        }
        ips.extend(
            ["0.0.0.0", "149.154.167.51", "255.255.255.255"]
                .map(|ip| ip.parse::<IpAddr>().unwrap()),
        );
        ips.extend(
            [
                "::1",
                "::",
                "2001:67c:4e8:f002::a",
                "::ffff:1.2.3.4",
                "::1.2.3.4",
            ]
            .map(|ip| ip.parse::<IpAddr>().unwrap()),
        );
        for ip in ips {
            for port in [0, 9, 443, 65_535] {
                let expected = SocketAddr::new(ip, port).to_string();
                assert_eq!(format(ip, port).as_str(), expected);
            }
            assert_eq!(parse_ip(&ip.to_string()), Some(ip));
        }
    }

    #[test]
    fn what_is_read_is_what_core_reads() {
        for text in [
            "",
            ":",
            "::",
            ":::",
            "1::2::3",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7",
            "::1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7::",
            "1:2:3:4::5:6:7:8",
            "::1.2.3.4",
            "1::1.2.3.4",
            "1.2.3.4::",
            "1.2.3.4:5::",
            "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            "::12345",
            "::G",
            "::ffff:1.2.3",
            "1:",
            ":1",
            "FE80::A",
            "1.2.3.4",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "0.0.0.0",
            "256.1.1.1",
            "1.2.3.",
            "1..2.3",
            "a.b.c.d",
            "1.2.3.4:5",
            "::1.2.3.4:5",
            "::01.2.3.4",
            "99999999999.1.1.1",
        ] {
            assert_eq!(parse_ip(text), text.parse().ok(), "{text}");
        }
    }
}
