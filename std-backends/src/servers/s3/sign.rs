//! Signatures of requests: AWS's version 4, in headers.

use core::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use mtsession_core::Certain as _;
use sha2_wiped::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The keys of an account of S3.
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: Zeroizing<String>,
    /// Of keys that hold for some hours.
    pub(super) token: Option<Zeroizing<String>>,
}

/// A request before it is signed. Path and query are encoded; queries and headers are in the order of their
/// names.
pub(super) struct Unsigned<'r> {
    pub(super) method: &'r str,
    pub(super) host: &'r str,
    pub(super) path: &'r str,
    pub(super) query: &'r str,
    pub(super) headers: &'r [(&'r str, &'r str)],
    pub(super) body: &'r [u8],
}

impl Keys {
    /// The headers that a request needs besides its own: time, checksum, token and signature. `time` is
    /// `20130524T000000Z`.
    pub(super) fn sign(
        &self,
        request: &Unsigned<'_>,
        region: &str,
        time: &str,
    ) -> Vec<(&'static str, Zeroizing<String>)> {
        let date = time.get(..8).unwrap_or_default();
        let checksum = hex(&Sha256::digest(request.body));
        let mut headers = vec![
            ("host", request.host),
            ("x-amz-content-sha256", &*checksum),
            ("x-amz-date", time),
        ];
        headers.extend(request.headers);
        headers.extend(
            self.token
                .as_ref()
                .map(|token| ("x-amz-security-token", token.as_str())),
        );
        headers.sort_unstable();
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let mut canonical = format!("{}\n{}\n{}\n", request.method, request.path, request.query);
        for (name, value) in &headers {
            // Writing to a string cannot fail.
            let _ = writeln!(canonical, "{name}:{}", value.trim());
        }
        let _ = write!(canonical, "\n{names}\n{checksum}");
        let scope = format!("{date}/{region}/s3/aws4_request");
        let canonical = hex(&Sha256::digest(Zeroizing::new(canonical).as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical}");
        let start = Zeroizing::new(["AWS4", &self.secret].concat());
        let key = [region, "s3", "aws4_request"]
            .iter()
            .fold(hmac(start.as_bytes(), date.as_bytes()), |key, part| {
                hmac(&*key, part.as_bytes())
            });
        let signature = hex(&*hmac(&*key, to_sign.as_bytes()));
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}",
            self.id
        );
        let mut added = vec![
            ("authorization", Zeroizing::new(signed)),
            ("x-amz-content-sha256", Zeroizing::new(checksum)),
            ("x-amz-date", Zeroizing::new(time.to_owned())),
        ];
        added.extend(
            self.token
                .as_ref()
                .map(|token| ("x-amz-security-token", token.clone())),
        );
        added
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let hmac = Hmac::<Sha256>::new_from_slice(key).map(|hmac| hmac.chain_update(message));
    let code = hmac.map(|hmac| Zeroizing::new(hmac.finalize().into_bytes().into()));
    code.certain("HMAC takes keys of any length")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Text as a part of a URL; a slash stays one in a path.
pub(super) fn encoded(text: &str, is_path: bool) -> String {
    text.bytes().fold(String::new(), |mut text, byte| {
        let is_plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'.' | b'~')
            || (byte == b'/' && is_path);
        if is_plain {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of AWS's own documentation.
    #[test]
    fn signatures_are_those_of_the_documentation() {
        let keys = Keys {
            id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: Zeroizing::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            token: None,
        };
        for (method, path, query, headers, body, signature) in [
            (
                "GET",
                "/test.txt",
                "",
                &[("range", "bytes=0-9")][..],
                "",
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "PUT",
                "/test%24file.text",
                "",
                &[
                    ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                    ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ],
                "Welcome to Amazon S3.",
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                "GET",
                "/",
                "max-keys=2&prefix=J",
                &[],
                "",
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let request = Unsigned {
                method,
                host: "examplebucket.s3.amazonaws.com",
                path,
                query,
                headers,
                body: body.as_bytes(),
            };
            let signed = keys.sign(&request, "us-east-1", "20130524T000000Z");
            assert!(signed[0].1.ends_with(signature), "{}", *signed[0].1);
        }
        assert_eq!(encoded("/test$file.text", true), "/test%24file.text");
    }
}
