//! What the codec is asked to do: one list for the clock, for the allocation counter and for the
//! instruction counter.

use core::fmt;
use core::hint::black_box;

use ferogram_session as old;
use mtsession::PersistedSession;
use mtsession_core::text::{CompactSession, decode_any, encode_native};
use mtsession_core::wire::{encode_body_to_slice, encode_to_slice};
use mtsession_core::{Account, FixedSession, SessionMut, SessionSource, SessionView, encoded_len};

use crate::{OURS, Sample, THEIRS};

/// The area of these figures.
pub const AREA: &str = "codec";
/// The same bytes moved: what the machine could do at best.
pub const MEMCPY: &str = "memcpy";
/// With the checksum that `ferogram-session` does not have.
pub const TRAILER: &str = "mtsession, trailer";
/// Into memory of its own, as the old crate does it.
pub const OWNED: &str = "mtsession, owned";

/// One thing that is measured.
pub struct Operation<'s> {
    /// What is done.
    pub name: &'static str,
    /// Who does it.
    pub contender: &'static str,
    /// Bytes that go in or out.
    pub bytes: usize,
    /// Does it once.
    pub run: Box<dyn FnMut() + 's>,
}

impl<'s> Operation<'s> {
    fn new<T>(
        name: &'static str,
        contender: &'static str,
        bytes: usize,
        mut run: impl FnMut() -> T + 's,
    ) -> Self {
        Self {
            name,
            contender,
            bytes,
            // Hidden from the optimiser.
            run: Box::new(move || drop(black_box(run()))),
        }
    }
}

impl fmt::Debug for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.contender)
    }
}

/// The operations, in the order of the tables, with what they mean.
pub const NAMES: [(&str, &str); 9] = [
    ("encode", "session to bytes in a fixed buffer"),
    (
        "encoded_len",
        "how long it will be; the old crate must encode to know",
    ),
    (
        "parse",
        "bytes to `SessionView`, from which every field can be read; the old crate decodes",
    ),
    ("FixedSession", "bytes to a session in fixed memory"),
    (
        "PersistedSession",
        "bytes to the session type of both crates",
    ),
    ("string out", "native string"),
    (
        "string in",
        "native string; the view is in the caller's buffer",
    ),
    ("compact out", "compact string"),
    ("compact in", "compact string"),
];

/// Everything that is measured of one session.
#[must_use]
pub fn operations(sample: &Sample) -> Vec<Operation<'_>> {
    let mut list = bytes(sample);
    list.extend(fixed(sample));
    list.extend(strings(sample));
    // A compact string holds one DC: it has the same size for every session.
    if sample.size == "S" {
        list.extend(compact(&sample.session));
    }
    list
}

fn bytes(sample: &Sample) -> Vec<Operation<'_>> {
    let Sample {
        session,
        old,
        body,
        bytes,
        ..
    } = sample;
    let bytes_moved = body.len();
    let buffer = || vec![0; bytes.len()];
    let (mut copied, mut plain, mut checked) = (buffer(), buffer(), buffer());
    vec![
        Operation::new("encode", MEMCPY, bytes_moved, move || {
            copied[..body.len()].copy_from_slice(black_box(body));
            black_box(&mut copied);
        }),
        Operation::new("encode", OURS, bytes_moved, move || {
            encode_body_to_slice(black_box(session), &mut plain).map(|bytes| bytes.len())
        }),
        Operation::new("encode", TRAILER, bytes_moved, move || {
            encode_to_slice(black_box(session), &mut checked).map(|bytes| bytes.len())
        }),
        Operation::new("encode", OWNED, bytes_moved, move || {
            black_box(session).to_bytes()
        }),
        Operation::new("encode", THEIRS, bytes_moved, move || {
            black_box(old).to_bytes()
        }),
        Operation::new("encoded_len", OURS, bytes_moved, move || {
            encoded_len(black_box(session))
        }),
        Operation::new("encoded_len", THEIRS, bytes_moved, move || {
            black_box(old).to_bytes().len()
        }),
        Operation::new("parse", OURS, bytes_moved, move || {
            SessionView::parse(black_box(body))
        }),
        Operation::new("parse", TRAILER, bytes_moved, move || {
            SessionView::parse(black_box(bytes))
        }),
        Operation::new("parse", THEIRS, bytes_moved, move || {
            old::PersistedSession::from_bytes(black_box(body))
        }),
        Operation::new("PersistedSession", OURS, bytes_moved, move || {
            PersistedSession::from_bytes(black_box(body))
        }),
        Operation::new("PersistedSession", TRAILER, bytes_moved, move || {
            PersistedSession::from_bytes(black_box(bytes))
        }),
        Operation::new("PersistedSession", THEIRS, bytes_moved, move || {
            old::PersistedSession::from_bytes(black_box(body))
        }),
    ]
}

fn fixed(sample: &Sample) -> Vec<Operation<'_>> {
    fn copy<'s, const C: usize, const P: usize, const M: usize>(
        sample: &'s Sample,
    ) -> Vec<Operation<'s>> {
        let operation = |contender, bytes: &'s [u8]| {
            let mut device = Box::new(FixedSession::<10, C, P, M, 64>::new());
            Operation::new("FixedSession", contender, bytes.len(), move || {
                let view = SessionView::parse(black_box(bytes)).expect("a session");
                device.copy_from(&view).expect("room");
                black_box(&mut device);
            })
        };
        vec![
            operation(OURS, &sample.body),
            operation(TRAILER, &sample.bytes),
        ]
    }
    match sample.size {
        "S" => copy::<32, 64, 16>(sample),
        "M" => copy::<100, 1_000, 100>(sample),
        _ => copy::<1_000, 60_000, 5_000>(sample),
    }
}

fn strings(sample: &Sample) -> Vec<Operation<'_>> {
    let Sample {
        session,
        old,
        text,
        old_text,
        ..
    } = sample;
    let bytes_moved = text.len();
    let (mut written, mut read) = (vec![0; text.len()], vec![0; text.len()]);
    vec![
        Operation::new("string out", OURS, bytes_moved, move || {
            let mut free = &mut written[..];
            encode_native(black_box(session), &mut free)
        }),
        Operation::new("string out", OWNED, bytes_moved, move || {
            black_box(session).to_string()
        }),
        Operation::new("string out", THEIRS, bytes_moved, move || {
            black_box(old).to_string()
        }),
        Operation::new("string in", OURS, bytes_moved, move || {
            decode_any(black_box(text), &mut read).map(|any| any.home_dc_id())
        }),
        Operation::new("string in", OWNED, bytes_moved, move || {
            PersistedSession::from_string(black_box(text))
        }),
        Operation::new("string in", THEIRS, bytes_moved, move || {
            old::PersistedSession::from_string(black_box(old_text))
        }),
    ]
}

fn compact(session: &PersistedSession) -> Vec<Operation<'_>> {
    let account = Account {
        user_id: Some(777_000),
        ..Account::default()
    };
    let ours = CompactSession::from_source(&session.with_account(account)).expect("a login");
    let mut text = Vec::new();
    ours.encode(&mut text).expect("room");
    let text = String::from_utf8(text).expect("ASCII");
    let theirs = old::string_session::StringSession::decode(&text).expect("its own format");
    let (mut written, mut read, same) = ([0; 512], [0; 512], text.clone());
    let bytes_moved = text.len();
    vec![
        Operation::new("compact out", OURS, bytes_moved, move || {
            let mut free = &mut written[..];
            black_box(&ours).encode(&mut free)
        }),
        Operation::new("compact out", THEIRS, bytes_moved, move || {
            black_box(&theirs).encode()
        }),
        Operation::new("compact in", OURS, bytes_moved, move || {
            decode_any(black_box(&text), &mut read).map(|any| any.home_dc_id())
        }),
        Operation::new("compact in", THEIRS, bytes_moved, move || {
            old::string_session::StringSession::decode(black_box(&same))
        }),
    ]
}
