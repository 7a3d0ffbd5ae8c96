//! Answers that are wrong before they are JSON.

use std::io::{self, Write};
use std::net::TcpStream;

use super::Hostile;
use crate::mock_hrana::{Outcome, whole_answer};

impl Hostile {
    /// Answers that are wrong before they are JSON. `None` where they are not.
    pub(super) fn answer_in_http(
        self,
        stream: &mut TcpStream,
        outcomes: &[Outcome],
        authorization: &str,
    ) -> Option<io::Result<()>> {
        let right = || whole_answer(outcomes).to_string();
        let mut send = |head: &str, body: &[u8]| send(stream, head, body);
        let refusal = format!("{{\"error\":\"storm {authorization} \\u001b[31m\"}}");
        Some(match self {
            Self::Html => send("HTTP/1.1 200 OK\ncontent-length: 6\n\n", b"<html>"),
            Self::NotUtf8 => send("HTTP/1.1 200 OK\ncontent-length: 4\n\n", b"\"\xff\xfe\""),
            Self::Nested => {
                let body = [
                    &b"{\"results\":"[..],
                    "[".repeat(200_000).as_bytes(),
                    "]".repeat(200_000).as_bytes(),
                    b"}",
                ]
                .concat();
                let head = format!("HTTP/1.1 200 OK\ncontent-length: {}\n\n", body.len());
                send(&head, &body)
            }
            Self::NegativeLength => send("HTTP/1.1 200 OK\ncontent-length: -1\n\n", b"{}"),
            Self::TwoLengths => send(
                "HTTP/1.1 200 OK\ncontent-length: 2\ncontent-length: 400\n\n",
                b"{}",
            ),
            Self::Gzip => {
                let head = "HTTP/1.1 200 OK\ncontent-encoding: gzip\ncontent-length: 10\n\n";
                send(head, b"\x1f\x8b\x08\0\0\0\0\0\x02\x03")
            }
            Self::Redirect => {
                let elsewhere = "http://127.0.0.1:9/stolen";
                let head = "HTTP/1.1 307 Temporary Redirect\ncontent-length: 0\nlocation: ";
                send(&format!("{head}{elsewhere}\n\n"), b"")
            }
            Self::Status(status) => {
                let length = refusal.len();
                let head =
                    format!("HTTP/1.1 {status} X\nretry-after: 1\ncontent-length: {length}\n\n");
                send(&head, refusal.as_bytes())
            }
            Self::RetryForever => send(
                "HTTP/1.1 503 X\nretry-after: 999999999999\ncontent-length: 0\n\n",
                b"",
            ),
            Self::Http10 => send("HTTP/1.0 200 OK\n\n", right().as_bytes()),
            Self::Cookie => {
                let answer = right();
                let length = answer.len();
                let head = "HTTP/1.1 200 OK\nset-cookie: track=me; path=/\ncontent-length: ";
                send(&format!("{head}{length}\n\n"), answer.as_bytes())
            }
            _ => return self.answer_without_end(stream),
        })
    }

    /// Answers that do not end. `None` for those that do.
    fn answer_without_end(self, stream: &mut TcpStream) -> Option<io::Result<()>> {
        Some(match self {
            Self::Endless => forever(
                stream,
                "HTTP/1.1 200 OK\r\n\r\n",
                " ".repeat(65_536).as_bytes(),
            ),
            Self::EndlessChunks => {
                let chunk = [&b"10000\r\n"[..], " ".repeat(65_536).as_bytes(), b"\r\n"].concat();
                forever(
                    stream,
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                    &chunk,
                )
            }
            Self::EndlessHeader => {
                let header = [&b"x-a: "[..], "b".repeat(8_000).as_bytes(), b"\r\n"].concat();
                forever(stream, "HTTP/1.1 200 OK\r\n", &header)
            }
            Self::HugeLength => {
                let sent = send(
                    stream,
                    "HTTP/1.1 200 OK\ncontent-length: 99999999999999\n\n",
                    b"{",
                );
                wait_for_the_end(stream);
                sent
            }
            // One byte, and then none for as long as anybody waits.
            Self::Drip => {
                let sent = send(stream, "HTTP/1.1 200 OK\ncontent-length: 100000\n\n", b" ");
                wait_for_the_end(stream);
                sent
            }
            Self::Silent => {
                wait_for_the_end(stream);
                Ok(())
            }
            _ => return None,
        })
    }
}

/// Sends an answer whose head is written with plain line ends.
fn send(stream: &mut TcpStream, head: &str, body: &[u8]) -> io::Result<()> {
    stream.write_all(head.replace('\n', "\r\n").as_bytes())?;
    stream.write_all(body)
}

/// Sends the same until nobody listens any more.
fn forever(stream: &mut TcpStream, head: &str, part: &[u8]) -> io::Result<()> {
    stream.write_all(head.as_bytes())?;
    loop {
        stream.write_all(part)?;
    }
}

/// Until the other side gives up.
fn wait_for_the_end(stream: &mut TcpStream) {
    let _ = io::copy(stream, &mut io::sink());
}
