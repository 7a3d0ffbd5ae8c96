//! A libSQL server of our own, for its faults. What it does right is what a real one does; see `sqld`.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::{Value, json};

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed before anything is done.
    CloseBefore,
    /// Everything is done, and then the connection is closed.
    CloseAfter,
    /// Everything is done, and half of the answer is sent.
    HalfBody,
    /// Everything is done, and the answer is no JSON.
    Garbage,
    /// The answer has this status, and nothing is done.
    Status(u16),
    /// Everything is done, but only once `Mock::release` is called.
    Hold,
}

/// A running server.
#[derive(Debug)]
pub struct Mock {
    url: String,
    shared: Arc<Shared>,
    release: Sender<()>,
    carried_out: Receiver<()>,
}

#[derive(Debug)]
struct Shared {
    database: Mutex<Connection>,
    faults: Mutex<VecDeque<Option<Fault>>>,
    requests: Mutex<Vec<usize>>,
    held: Mutex<Receiver<()>>,
    carried_out: Mutex<Sender<()>>,
    token: Option<String>,
}

impl Mock {
    #[must_use]
    pub fn start(token: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (release, held) = channel();
        let (done, carried_out) = channel();
        let shared = Arc::new(Shared {
            database: Mutex::new(Connection::open_in_memory().unwrap()),
            faults: Mutex::default(),
            requests: Mutex::default(),
            held: Mutex::new(held),
            carried_out: Mutex::new(done),
            token: token.map(str::to_owned),
        });
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let server = Arc::clone(&server);
                std::thread::spawn(move || server.serve(&stream.unwrap()));
            }
        });
        Self {
            url,
            shared,
            release,
            carried_out,
        }
    }

    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets the request after the next `after` ones fail.
    pub fn fail(&self, after: usize, fault: Fault) {
        let mut faults = self.shared.faults.lock().unwrap();
        faults.clear();
        faults.extend((0..after).map(|_| None));
        faults.push_back(Some(fault));
    }

    /// Lets the next `times` requests fail.
    pub fn fail_times(&self, times: usize, fault: Fault) {
        let mut faults = self.shared.faults.lock().unwrap();
        faults.clear();
        faults.extend(core::iter::repeat_n(Some(fault), times));
    }

    /// Forgets faults that did not come.
    pub fn heal(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    /// Lets a request that is held go on, and waits until it is carried out.
    pub fn release(&self) {
        self.release.send(()).unwrap();
        self.carried_out.recv().unwrap();
    }

    /// How many steps each request had since the last call.
    pub fn take_requests(&self) -> Vec<usize> {
        std::mem::take(&mut *self.shared.requests.lock().unwrap())
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream.try_clone().unwrap();
        while let Some((authorization, body)) = read_request(&mut reader) {
            if self
                .token
                .as_ref()
                .is_some_and(|token| authorization != format!("Bearer {token}"))
            {
                // As careless as a server can be.
                respond(&mut stream, 401, &format!("bad token: {authorization}"));
                continue;
            }
            let fault = self.faults.lock().unwrap().pop_front().flatten();
            match fault {
                Some(Fault::CloseBefore) => return,
                Some(Fault::Status(status)) => {
                    respond(&mut stream, status, "not now");
                    continue;
                }
                Some(Fault::Hold) => {
                    self.held.lock().unwrap().recv().unwrap();
                    self.execute(&body);
                    self.carried_out.lock().unwrap().send(()).unwrap();
                    return;
                }
                _ => {}
            }
            let answer = self.execute(&body).to_string();
            match fault {
                Some(Fault::CloseAfter) => return,
                Some(Fault::Garbage) => respond(&mut stream, 200, "<html>hello</html>"),
                Some(Fault::HalfBody) => {
                    let half = &answer.as_bytes()[..answer.len() / 2];
                    let length = answer.len();
                    let _ = write!(
                        stream,
                        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n"
                    );
                    let _ = stream.write_all(half);
                    return;
                }
                _ => respond(&mut stream, 200, &answer),
            }
        }
    }

    /// Carries out a batch; a transaction that it leaves open is rolled back.
    fn execute(&self, body: &Value) -> Value {
        let steps = body["requests"][0]["batch"]["steps"].as_array().unwrap();
        self.requests.lock().unwrap().push(steps.len());
        let database = self.database.lock().unwrap();
        let mut results: Vec<Value> = Vec::new();
        let mut errors: Vec<Value> = Vec::new();
        for step in steps {
            let (mut result, mut error) = (Value::Null, Value::Null);
            if holds(&step["condition"], &results) {
                match run(&database, &step["stmt"]) {
                    Ok(rows) => result = json!({ "cols": [], "rows": rows }),
                    Err(cause) => error = json!({ "message": cause.to_string() }),
                }
            }
            results.push(result);
            errors.push(error);
        }
        if !database.is_autocommit() {
            database.execute_batch("ROLLBACK").unwrap();
        }
        let result = json!({ "step_results": results, "step_errors": errors });
        let batch = json!({ "type": "ok", "response": { "type": "batch", "result": result } });
        json!({ "baton": null, "results": [batch, { "type": "ok", "response": { "type": "close" } }] })
    }
}

/// One request: its authorization and its body. `None` at the end of the connection.
pub fn read_request(reader: &mut impl BufRead) -> Option<(String, Value)> {
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "authorization" => value.clone_into(&mut authorization),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((authorization, serde_json::from_slice(&body).unwrap()))
}

/// Answers in one write: in several, the network would wait for acknowledgements in between.
fn respond(stream: &mut TcpStream, status: u16, body: &str) {
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes());
}

fn holds(condition: &Value, results: &[Value]) -> bool {
    match condition["type"].as_str() {
        None => true,
        Some("ok") => {
            let step = usize::try_from(condition["step"].as_u64().unwrap()).unwrap();
            !results[step].is_null()
        }
        Some("not") => !holds(&condition["cond"], results),
        Some(other) => panic!("condition {other}"),
    }
}

fn run(database: &Connection, statement: &Value) -> rusqlite::Result<Vec<Value>> {
    let mut prepared = database.prepare(statement["sql"].as_str().unwrap())?;
    for (index, arg) in statement["args"].as_array().unwrap().iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, sql_value(arg))?;
    }
    let columns = prepared.column_count();
    let mut rows = prepared.raw_query();
    let mut answer = Vec::new();
    while let Some(row) = rows.next()? {
        let values: Vec<_> = (0..columns)
            .map(|column| json_value(row.get_ref(column).unwrap()))
            .collect();
        answer.push(values.into());
    }
    Ok(answer)
}

fn sql_value(value: &Value) -> Sql {
    let text = |key: &str| value[key].as_str().unwrap().to_owned();
    match value["type"].as_str().unwrap() {
        "null" => Sql::Null,
        "integer" => Sql::Integer(text("value").parse().unwrap()),
        "text" => Sql::Text(text("value")),
        "blob" => Sql::Blob(from_base64(&text("base64"))),
        other => panic!("type {other}"),
    }
}

fn json_value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => json!({ "type": "null" }),
        ValueRef::Integer(value) => json!({ "type": "integer", "value": value.to_string() }),
        ValueRef::Real(value) => json!({ "type": "float", "value": value }),
        ValueRef::Text(text) => json!({ "type": "text", "value": String::from_utf8_lossy(text) }),
        ValueRef::Blob(bytes) => json!({ "type": "blob", "base64": to_base64(bytes) }),
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding, which sqld leaves out.
fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let index = (group >> (18 - 6 * at)) & 63;
            text.push(if at <= chunk.len() {
                ALPHABET[index as usize].into()
            } else {
                '='
            });
        }
    }
    text
}

fn from_base64(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .trim_end_matches('=')
        .bytes()
        .map(|byte| ALPHABET.iter().position(|known| *known == byte).unwrap() as u32)
        .collect();
    digits
        .chunks(4)
        .flat_map(|chunk| {
            let group =
                chunk.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - chunk.len()));
            group.to_be_bytes()[1..chunk.len()].to_vec()
        })
        .collect()
}
