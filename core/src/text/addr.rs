//! Addresses as DC entries have them: `"ip:port"` and `"[ipv6]:port"`.
//!
//! The same text as `SocketAddr`'s own `Display`, whose padding code can panic: firmware that links
//! without a panic path cannot have it.

use core::net::{IpAddr, Ipv6Addr};

use heapless::String;

/// `"[xxxx:xxxx:xxxx:xxxx:xxxx:xxxx:xxxx:xxxx]:65535"`.
const LEN: usize = 47;

/// An address and port as text.
pub(crate) type AddrText = String<LEN, u8>;

/// Formats an address; IPv6 as RFC 5952 has it.
pub(crate) fn format(ip: IpAddr, port: u16) -> AddrText {
    let mut text = Text(String::new());
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            text.decimal(a.into());
            for octet in [b, c, d] {
                text.char('.');
                text.decimal(octet.into());
            }
        }
        IpAddr::V6(ip) => {
            text.char('[');
            text.ipv6(ip);
            text.char(']');
        }
    }
    text.char(':');
    text.decimal(port);
    text.0
}

struct Text(AddrText);

impl Text {
    /// The longest address fits by construction.
    fn char(&mut self, char: char) {
        let _ = self.0.push(char);
    }

    fn decimal(&mut self, number: u16) {
        self.digits(number, 10);
    }

    fn digits(&mut self, number: u16, radix: u16) {
        let (rest, last) = match radix {
            16 => (number >> 4, number & 0xF),
            _ => (number / 10, number % 10),
        };
        if rest > 0 {
            self.digits(rest, radix);
        }
        self.char(char::from_digit(last.into(), 16).unwrap_or('0'));
    }

    fn ipv6(&mut self, ip: Ipv6Addr) {
        if let Some(v4) = ip.to_ipv4_mapped() {
            self.0.push_str("::ffff:").ok();
            let [a, b, c, d] = v4.octets();
            self.decimal(a.into());
            for octet in [b, c, d] {
                self.char('.');
                self.decimal(octet.into());
            }
            return;
        }
        let (zeros_at, zeros) = longest_zeros(ip.segments());
        for (at, segment) in ip.segments().into_iter().enumerate() {
            if zeros > 1 && at == zeros_at {
                self.0.push_str("::").ok();
            }
            if zeros > 1 && at >= zeros_at && at < zeros_at.saturating_add(zeros) {
                continue;
            }
            if at > 0 && (zeros <= 1 || at != zeros_at.saturating_add(zeros)) {
                self.char(':');
            }
            self.digits(segment, 16);
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
        }
    }
}
