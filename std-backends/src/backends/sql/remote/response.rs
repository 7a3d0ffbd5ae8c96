//! What comes back: the answer's bytes, or what a status other than 200 means.

use core::time::Duration;
use std::io::{self, Read as _};
use std::time::SystemTime;

use serde::Deserialize;
use ureq::Body;
use ureq::http::Response;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::retry_after;
use crate::secret_bytes::SecretBytes;

/// The most that is read of an answer. Servers end theirs at 10 MB.
const MAX_ANSWER: u64 = 16 << 20;

/// The most that is read of a refusal.
const MAX_REFUSAL: u64 = 64 << 10;

/// Reads a whole answer.
pub(super) fn read_answer(response: &mut Response<Body>) -> Result<SecretBytes, Failure> {
    let declared = response.body().content_length().unwrap_or(0);
    if declared > MAX_ANSWER {
        return Err(too_long());
    }
    let expected = usize::try_from(declared).unwrap_or_default();
    let mut reader = response.body_mut().as_reader().take(MAX_ANSWER);
    let Ok(answer) = SecretBytes::read_to_end(&mut reader, expected) else {
        let message = "the server's answer broke off";
        return Err(Failure::unanswered(io::ErrorKind::UnexpectedEof, message));
    };
    if reader.limit() == 0 {
        return Err(too_long());
    }
    Ok(answer)
}

/// What a status other than 200 says of this copy of the request.
pub(super) fn refusal(status: u16, response: &mut Response<Body>) -> Failure {
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok());
    let wait = retry_after.and_then(|text| retry_after::parse(text, SystemTime::now()));
    let mut body = Zeroizing::new(Vec::new());
    let reader = response.body_mut().as_reader();
    // What does not come is not quoted.
    let _ = reader.take(MAX_REFUSAL).read_to_end(&mut body);
    meaning(status, &words_of(&body), wait)
}

/// What a status says together with the server's words, and how long to wait before the next request.
fn meaning(status: u16, words: &str, wait: Option<Duration>) -> Failure {
    use io::ErrorKind::{InvalidInput, NotFound, Other, PermissionDenied, WouldBlock};

    let says = |words: &str| match words {
        "" => String::new(),
        words => format!(", the server says: {words}"),
    };
    match status {
        401 | 403 if words.is_empty() => Failure::refused(
            PermissionDenied,
            format!(
                "the server refuses the token (status {status}): it is wrong, expired or of \
                 another database"
            ),
        ),
        // It may be the token, and it may be a plan or a right that has ended.
        401 | 403 => Failure::refused(
            PermissionDenied,
            format!("the server refuses (status {status}) and says: {words}"),
        ),
        404 => Failure::refused(
            NotFound,
            format!(
                "the server knows no such database (status 404), or is too old for Hrana 3: \
                 check the url{}",
                says(words)
            ),
        ),
        300..=399 => Failure::refused(
            InvalidInput,
            format!(
                "the server redirects elsewhere (status {status}), where the token does not \
                 go: use the final url"
            ),
        ),
        429 => Failure {
            wait,
            ..Failure::not_carried_out(
                WouldBlock,
                format!(
                    "the server takes no more requests for now (status 429){}",
                    says(words)
                ),
            )
        },
        // A proxy may have sent it on, and lost the answer.
        502..=504 => Failure {
            wait,
            ..Failure::unanswered(
                WouldBlock,
                format!(
                    "the server is overloaded or restarting (status {status}){}",
                    says(words)
                ),
            )
        },
        400..=499 => Failure::refused(
            Other,
            format!("the server answered with status {status}: {words}"),
        ),
        _ => Failure {
            wait,
            ..Failure::unanswered(
                Other,
                format!("the server answered with status {status}: {words}"),
            )
        },
    }
}

fn too_long() -> Failure {
    let message = format!("the server's answer is longer than {MAX_ANSWER} bytes: check the url");
    Failure {
        can_be_repeated: false,
        ..Failure::unanswered(io::ErrorKind::InvalidData, message)
    }
}

/// What a refusal says: the message of its JSON, or else its text.
fn words_of(body: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Refusal {
        Message { message: String },
        Error { error: String },
        Nested { error: Message },
    }
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }

    let words = match serde_json::from_slice(body) {
        Ok(Refusal::Message { message } | Refusal::Error { error: message }) => message,
        Ok(Refusal::Nested { error }) => error.message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    words.trim().to_owned()
}
