//! S3 and stores that speak as it does: one object for each blob, replaced by conditional puts.
//!
//! A put has `If-None-Match: *` or `If-Match: ETAG`, signed with the request: 412, and 404 for an `ETag` that
//! is expected, are conflicts. A server that ignores such conditions would let two writers replace each other's
//! changes, so it is tried once for each bucket and process, before the first change.

mod answer;
mod probe;
mod sign;
mod time;

use std::io;
use std::sync::Mutex;
use std::time::Instant;

use zeroize::Zeroizing;

use self::answer::Answer;
use self::sign::{Keys, Unsigned, encoded};
use super::clear_text::only_to_this_machine;
use super::url::ServerUrl;
use super::{REQUEST, invalid, time_left, unanswered};
use crate::blob::{Blob, BlobError, BlobStore, Expected, Listed, Put};
use crate::http::agent;
use crate::store::StoreOptions;
use crate::sync::lock;

/// The region that servers of one's own have, and AWS's first.
const DEFAULT_REGION: &str = "us-east-1";

pub(crate) struct S3Blobs {
    /// Scheme, host, and port where it is not the scheme's own.
    origin: String,
    /// What signatures and the header `host` have.
    authority: String,
    bucket: String,
    region: String,
    keys: Option<Keys>,
    /// The path of the endpoint, and what the names of all objects begin with.
    path: String,
    prefix: String,
    /// What is shown.
    name: String,
    /// The endpoint's host and port, where nothing keeps others from reading and that was not allowed.
    clear: Option<(String, u16)>,
    uses_proxy: bool,
    /// How many seconds the server's clock is ahead of ours, once it has complained.
    skew: Mutex<i64>,
}

/// A request as it is about to be sent.
struct Request<'r> {
    method: &'r str,
    /// Encoded.
    path: String,
    query: String,
    condition: Option<(&'r str, &'r str)>,
    body: &'r [u8],
}

impl S3Blobs {
    /// `s3://bucket/prefix`. Nothing is asked of the server yet.
    pub(crate) fn new(url: &str, options: &StoreOptions) -> io::Result<Self> {
        let parts = ServerUrl::parse(url)?;
        if parts.user.is_some() || parts.port.is_some() {
            return Err(invalid(
                "an S3 address is s3://BUCKET or s3://BUCKET/PREFIX",
            ));
        }
        let region = options.region.as_deref().unwrap_or(DEFAULT_REGION);
        let aws = format!("https://s3.{region}.amazonaws.com");
        let endpoint = options.endpoint.as_deref().unwrap_or(&aws);
        let server = ServerUrl::parse(endpoint)?;
        if !matches!(server.scheme, "http" | "https") || server.user.is_some() {
            return Err(invalid(
                "the option `endpoint` is not the URL of a server: https://HOST",
            ));
        }
        let is_clear = server.scheme == "http";
        let host = if server.host.contains(':') {
            format!("[{}]", server.host)
        } else {
            server.host.to_owned()
        };
        let authority = match server.port {
            Some(port) if port != if is_clear { 80 } else { 443 } => format!("{host}:{port}"),
            _ => host,
        };
        let clear = (is_clear && !options.insecure)
            .then(|| (server.host.to_owned(), server.port.unwrap_or(80)));
        if clear.is_some() && options.proxy {
            return Err(invalid(
                "a proxy would see the keys: use https://, or allow clear text with the option `insecure`",
            ));
        }
        let prefix = parts.path.trim_end_matches('/');
        let prefix = crate::address::unescaped(prefix, "a prefix").map_err(invalid)?;
        let path = server.path.trim_matches('/');
        Ok(Self {
            origin: format!("{}://{authority}", server.scheme),
            authority,
            bucket: parts.host.to_owned(),
            region: region.to_owned(),
            keys: keys(options)?,
            path: if path.is_empty() {
                String::new()
            } else {
                format!("/{path}")
            },
            name: format!("{}/{prefix}", parts.host),
            prefix: if prefix.is_empty() {
                prefix
            } else {
                format!("{prefix}/")
            },
            clear,
            uses_proxy: options.proxy,
            skew: Mutex::new(0),
        })
    }

    /// Signs and sends a request; once more where the server says that our clock is wrong.
    fn send(&self, request: &Request<'_>, until: Instant) -> Result<Answer, BlobError> {
        let answer = self.send_once(request, until)?;
        match answer.skew() {
            Some(skew) if *lock(&self.skew) != skew => {
                *lock(&self.skew) = skew;
                // Nothing was carried out.
                self.send_once(request, until)
            }
            _ => Ok(answer),
        }
    }

    fn send_once(&self, request: &Request<'_>, until: Instant) -> Result<Answer, BlobError> {
        let timeout = time_left(until)?;
        if let Some((host, port)) = &self.clear {
            only_to_this_machine(host, *port, timeout, "https://").map_err(BlobError::unchanged)?;
        }
        let skew = *lock(&self.skew);
        let clock = || BlobError::unchanged(invalid("the clock of this machine makes no sense"));
        let time = time::now(skew).ok_or_else(clock)?;
        let unsigned = Unsigned {
            method: request.method,
            host: &self.authority,
            path: &request.path,
            query: &request.query,
            headers: request.condition.as_slice(),
            body: request.body,
        };
        let mut headers = vec![("host", Zeroizing::new(self.authority.clone()))];
        if let Some(keys) = &self.keys {
            headers.extend(keys.sign(&unsigned, &self.region, &time));
        }
        if let Some((name, value)) = request.condition {
            headers.push((name, Zeroizing::new(value.to_owned())));
        }
        let url = format!("{}{}?{}", self.origin, request.path, request.query);
        let url = url.trim_end_matches('?');
        let proxy = self.uses_proxy.then(ureq::Proxy::try_from_env).flatten();
        // Both kinds of request are configured alike, and are of two types.
        macro_rules! configured {
            ($request:expr) => {{
                let request = $request
                    .config()
                    .timeout_connect(Some(REQUEST.min(timeout)))
                    .timeout_global(Some(timeout))
                    .proxy(proxy)
                    .build();
                headers.iter().fold(request, |request, (name, value)| {
                    request.header(*name, value.as_str())
                })
            }};
        }
        let response = match request.method {
            "PUT" => configured!(agent().put(url)).send(request.body),
            "DELETE" => configured!(agent().delete(url)).call(),
            _ => configured!(agent().get(url)).call(),
        };
        Answer::read(response.map_err(|error| answer::not_answered(&error))?)
    }

    /// A request about an object.
    fn object<'r>(&self, method: &'r str, name: &str) -> Request<'r> {
        let object = [&self.prefix, name].concat();
        let path = format!("{}/{}/{object}", self.path, self.bucket);
        Request {
            method,
            path: encoded(&path, true),
            query: String::new(),
            condition: None,
            body: b"",
        }
    }

    fn refusal(&self, answer: &Answer) -> BlobError {
        let secret = self.keys.as_ref().map(|keys| keys.secret.as_str());
        answer.refusal(&self.bucket, secret.unwrap_or_default())
    }
}

/// The keys of `auth_token`: `ID:SECRET`, perhaps with a session's token. Without them nothing is signed.
fn keys(options: &StoreOptions) -> io::Result<Option<Keys>> {
    let Some(token) = &options.auth_token else {
        return Ok(None);
    };
    let mut parts = token.splitn(3, ':');
    let (Some(id), Some(secret)) = (parts.next(), parts.next()) else {
        let message =
            "the token of S3 is ACCESS_KEY_ID:SECRET_ACCESS_KEY, and perhaps :SESSION_TOKEN";
        return Err(invalid(message));
    };
    Ok(Some(Keys {
        id: id.to_owned(),
        secret: Zeroizing::new(secret.to_owned()),
        token: parts.next().map(|token| Zeroizing::new(token.to_owned())),
    }))
}

impl BlobStore for S3Blobs {
    fn name(&self) -> &str {
        &self.name
    }

    fn get(&self, name: &str, until: Instant) -> Result<Option<Blob>, BlobError> {
        let mut answer = self.send(&self.object("GET", name), until)?;
        if answer.is_no_object() {
            return Ok(None);
        }
        if answer.status != 200 {
            return Err(self.refusal(&answer));
        }
        let Some(version) = answer.version() else {
            return Err(unanswered("the server's answer has no ETag"));
        };
        let blob = Blob::new(core::mem::take(&mut answer.body), version);
        Ok(Some(match answer.age() {
            Some(age) => blob.with_age(age),
            None => blob,
        }))
    }

    fn put(
        &self,
        name: &str,
        bytes: &[u8],
        expected: Expected<'_>,
        until: Instant,
    ) -> Result<Put, BlobError> {
        let known = match expected {
            Expected::Absent => None,
            Expected::Is(version) => Some(answer::text_of(version)?),
        };
        let condition = match &known {
            None => ("if-none-match", "*"),
            Some(tag) => ("if-match", tag.as_str()),
        };
        let request = Request {
            condition: Some(condition),
            body: bytes,
            ..self.object("PUT", name)
        };
        let answer = self.send(&request, until)?;
        if answer.status == 412 || (answer.is_no_object() && known.is_some()) {
            return Ok(Put::Conflict);
        }
        if answer.status != 200 {
            return Err(self.refusal(&answer));
        }
        let version = answer.version();
        version.map(Put::Stored).ok_or_else(|| {
            unanswered("the server's answer to a put has no ETag: nobody knows what it has stored")
        })
    }

    fn remove(&self, name: &str, until: Instant) -> Result<(), BlobError> {
        let answer = self.send(&self.object("DELETE", name), until)?;
        if answer.is_no_object() || matches!(answer.status, 200 | 204) {
            return Ok(());
        }
        Err(self.refusal(&answer))
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Listed<'_>),
        until: Instant,
    ) -> Result<(), BlobError> {
        let prefix = encoded(&[&self.prefix, prefix].concat(), false);
        let mut after: Option<String> = None;
        loop {
            let from = match &after {
                Some(token) => format!("continuation-token={}&", encoded(token, false)),
                None => String::new(),
            };
            let request = Request {
                method: "GET",
                path: encoded(&format!("{}/{}", self.path, self.bucket), true),
                query: format!("{from}encoding-type=url&list-type=2&prefix={prefix}"),
                condition: None,
                body: b"",
            };
            let answer = self.send(&request, until)?;
            if answer.status != 200 {
                return Err(self.refusal(&answer));
            }
            let (page, next) = answer
                .page()
                .ok_or_else(|| unanswered("the server's list makes no sense"))?;
            for entry in &page {
                let Some(name) = entry.key.strip_prefix(&self.prefix) else {
                    continue;
                };
                let listed = Listed::new(name, entry.size);
                each(match entry.stored.and_then(|stored| answer.since(stored)) {
                    Some(age) => listed.with_age(age),
                    None => listed,
                });
            }
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }
}
