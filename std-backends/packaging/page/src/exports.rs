//! The page's calls, and what the browser has to give: random numbers and the time.
//!
//! The page asks for room with [`reserve`], writes a line of JSON and the session's bytes there, and calls [`run`],
//! whose answer begins with the lengths of its two parts: JSON, and the session that was made.

use std::sync::Mutex;

use serde_json::{Value, json};
use zeroize::Zeroizing;

static REQUEST: Mutex<Zeroizing<Vec<u8>>> = Mutex::new(Zeroizing::new(Vec::new()));
static ANSWER: Mutex<Zeroizing<Vec<u8>>> = Mutex::new(Zeroizing::new(Vec::new()));

/// Room for a request of so many bytes; what was asked and answered before is wiped.
#[unsafe(no_mangle)]
pub extern "C" fn reserve(len: usize) -> *mut u8 {
    let Ok(mut request) = REQUEST.lock() else {
        return core::ptr::null_mut();
    };
    *request = Zeroizing::new(vec![0; len]);
    if let Ok(mut answer) = ANSWER.lock() {
        *answer = Zeroizing::default();
    }
    request.as_mut_ptr()
}

/// Does what the request says.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> *const u8 {
    let (Ok(request), Ok(mut answer)) = (REQUEST.lock(), ANSWER.lock()) else {
        return core::ptr::null();
    };
    let (said, made) = answer_to(&request);
    let said = said.to_string();
    let mut whole = Zeroizing::new(Vec::with_capacity(8 + said.len() + made.len()));
    for len in [said.len(), made.len()] {
        whole.extend(u32::try_from(len).unwrap_or(0).to_le_bytes());
    }
    whole.extend_from_slice(said.as_bytes());
    whole.extend_from_slice(&made);
    *answer = whole;
    answer.as_ptr()
}

fn answer_to(request: &[u8]) -> (Value, Zeroizing<Vec<u8>>) {
    let end = request
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(request.len());
    let (line, rest) = request.split_at(end);
    let bytes = rest.get(1..).unwrap_or_default();
    let line: Value = serde_json::from_slice(line).unwrap_or_default();
    match line["do"].as_str() {
        Some("targets") => (crate::targets(), Zeroizing::default()),
        Some("inspect") => (crate::inspect(bytes, &line), Zeroizing::default()),
        Some("convert") => crate::convert(bytes, &line),
        _ => (
            json!({ "error": "the page asks for something unknown" }),
            Zeroizing::default(),
        ),
    }
}

#[link(wasm_import_module = "browser")]
unsafe extern "C" {
    /// Fills `len` bytes with random numbers.
    safe fn random(bytes: *mut u8, len: usize);
    /// Milliseconds since 1970.
    safe fn now() -> f64;
}

/// getrandom's, for keys.
#[unsafe(no_mangle)]
extern "Rust" fn __getrandom_v03_custom(
    bytes: *mut u8,
    len: usize,
) -> Result<(), getrandom::Error> {
    random(bytes, len);
    Ok(())
}

// SQLite's, by the names that sqlite-wasm-rs links to.

#[unsafe(no_mangle)]
extern "C" fn rust_sqlite_wasm_host_sleep(_seconds: u64, _nanoseconds: u32) {}

#[unsafe(no_mangle)]
extern "C" fn rust_sqlite_wasm_host_random(bytes: *mut u8, len: usize) -> usize {
    random(bytes, len);
    len
}

#[unsafe(no_mangle)]
extern "C" fn rust_sqlite_wasm_host_fill_entropy(bytes: *mut u8, len: usize) -> i32 {
    random(bytes, len);
    0
}

/// # Safety
/// SQLite gives a place for a number.
#[unsafe(no_mangle)]
unsafe extern "C" fn rust_sqlite_wasm_host_epoch_timestamp_in_ms(out: *mut i64) -> i32 {
    // SAFETY: see above. The milliseconds of any date are whole numbers of 53 bits.
    #[expect(clippy::cast_possible_truncation, reason = "whole, and small enough")]
    unsafe {
        out.write(now() as i64);
    }
    0
}

/// No database of a session has local times.
#[unsafe(no_mangle)]
extern "C" fn rust_sqlite_wasm_host_localtime(_seconds: i64, _out: *mut u8) -> i32 {
    1
}
