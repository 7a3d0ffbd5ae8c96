//! A libSQL server of our own, for its faults. What it does right is what a real one does; see `sqld`.

mod base64;
mod hostile;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::{Value, json};

use self::base64::{from_base64, to_base64};
pub use self::hostile::Hostile;

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
    /// The step whose SQL begins so fails with this code, before it is carried out. `SQLITE_FULL` ends
    /// the transaction, as it does in SQLite.
    Step(&'static str, &'static str),
    /// The answer is one of a server that is broken, blocked or malicious.
    Hostile(Hostile),
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
    /// A copy that lags, and answers what only reads.
    behind: Mutex<Option<Connection>>,
    /// Every request that may have changed something.
    changes: Mutex<Vec<Value>>,
    faults: Mutex<VecDeque<Option<Fault>>>,
    always: Mutex<Option<Fault>>,
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
            behind: Mutex::default(),
            changes: Mutex::default(),
            faults: Mutex::default(),
            always: Mutex::default(),
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

    /// Lets every request fail.
    pub fn fail_always(&self, fault: Fault) {
        *self.shared.always.lock().unwrap() = Some(fault);
    }

    /// Forgets faults that did not come, or did not end.
    pub fn heal(&self) {
        self.shared.faults.lock().unwrap().clear();
        *self.shared.always.lock().unwrap() = None;
    }

    /// From now on what only reads is answered by a copy of the database as it is now, but for the last
    /// `changes` to it.
    pub fn fall_behind(&self, changes: usize) {
        let copy = Connection::open_in_memory().unwrap();
        let all = self.shared.changes.lock().unwrap();
        for body in &all[..all.len() - changes] {
            carry_out(&copy, steps_of(body), None);
        }
        *self.shared.behind.lock().unwrap() = Some(copy);
    }

    /// What reads is answered where writes are.
    pub fn catch_up(&self) {
        *self.shared.behind.lock().unwrap() = None;
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
            let fault = fault.or(*self.always.lock().unwrap());
            match fault {
                Some(Fault::CloseBefore) => return,
                Some(Fault::Status(status)) => {
                    respond(&mut stream, status, "not now");
                    continue;
                }
                Some(Fault::Hold) => {
                    self.held.lock().unwrap().recv().unwrap();
                    self.execute(&body, None);
                    self.carried_out.lock().unwrap().send(()).unwrap();
                    return;
                }
                Some(Fault::Hostile(hostile)) => {
                    let outcomes = self.execute(&body, hostile.refused_step());
                    hostile.answer(&mut stream, &body, outcomes, &authorization);
                    if hostile.ends_connection() {
                        return;
                    }
                    continue;
                }
                _ => {}
            }
            let refused = match fault {
                Some(Fault::Step(sql, code)) => Some((sql, code)),
                _ => None,
            };
            let answer = whole_answer(&self.execute(&body, refused)).to_string();
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

    /// Carries out a batch; a transaction that it leaves open is rolled back. The first step whose SQL
    /// begins with that of `refused` fails, with that code.
    fn execute(&self, body: &Value, refused: Option<(&str, &str)>) -> Vec<Outcome> {
        let steps = steps_of(body);
        self.requests.lock().unwrap().push(steps.len());
        if steps[0]["stmt"]["sql"] == "BEGIN" {
            if let Some(copy) = &*self.behind.lock().unwrap() {
                return carry_out(copy, steps, refused);
            }
        } else if refused.is_none() {
            self.changes.lock().unwrap().push(body.clone());
        }
        carry_out(&self.database.lock().unwrap(), steps, refused)
    }
}

fn carry_out(
    database: &Connection,
    steps: &[Value],
    mut refused: Option<(&str, &str)>,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for step in steps {
        let sql = step["stmt"]["sql"].as_str().unwrap();
        let outcome = if !holds(&step["condition"], &outcomes, database) {
            (Value::Null, Value::Null)
        } else if let Some((_, code)) = refused.take_if(|(begin, _)| sql.starts_with(*begin)) {
            if code == "SQLITE_FULL" && !database.is_autocommit() {
                database.execute_batch("ROLLBACK").unwrap();
            }
            (Value::Null, error(&format!("refused: {code}"), code))
        } else {
            match run(database, &step["stmt"]) {
                Ok(result) => (result, Value::Null),
                Err(cause) => (Value::Null, error(&cause.to_string(), "SQLITE_ERROR")),
            }
        };
        outcomes.push(outcome);
    }
    if !database.is_autocommit() {
        database.execute_batch("ROLLBACK").unwrap();
    }
    outcomes
}

/// The result and the error of a step.
type Outcome = (Value, Value);

fn error(message: &str, code: &str) -> Value {
    json!({ "message": message, "code": code })
}

fn steps_of(body: &Value) -> &[Value] {
    body["requests"][0]["batch"]["steps"].as_array().unwrap()
}

/// The answer to a batch and the request that closes its stream.
fn whole_answer(outcomes: &[Outcome]) -> Value {
    let results: Vec<_> = outcomes.iter().map(|(result, _)| result).collect();
    let errors: Vec<_> = outcomes.iter().map(|(_, error)| error).collect();
    let result = json!({ "step_results": results, "step_errors": errors });
    let batch = json!({ "type": "ok", "response": { "type": "batch", "result": result } });
    let close = json!({ "type": "ok", "response": { "type": "close" } });
    json!({ "baton": null, "base_url": null, "results": [batch, close] })
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

fn holds(condition: &Value, outcomes: &[Outcome], database: &Connection) -> bool {
    let step = || usize::try_from(condition["step"].as_u64().unwrap()).unwrap();
    let mut inner = condition["conds"].as_array().into_iter().flatten();
    let holds_inner = |inner: &Value| holds(inner, outcomes, database);
    match condition["type"].as_str() {
        None => true,
        Some("ok") => !outcomes[step()].0.is_null(),
        Some("error") => !outcomes[step()].1.is_null(),
        Some("not") => !holds_inner(&condition["cond"]),
        Some("and") => inner.all(holds_inner),
        Some("or") => inner.any(holds_inner),
        Some("is_autocommit") => database.is_autocommit(),
        Some(other) => panic!("condition {other}"),
    }
}

fn run(database: &Connection, statement: &Value) -> rusqlite::Result<Value> {
    let mut prepared = database.prepare(statement["sql"].as_str().unwrap())?;
    for (index, arg) in statement["args"].as_array().unwrap().iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, sql_value(arg))?;
    }
    let names = prepared.column_names();
    let cols: Vec<_> = names
        .into_iter()
        .map(|name| json!({ "name": name }))
        .collect();
    let mut rows = prepared.raw_query();
    let mut answer: Vec<Value> = Vec::new();
    while let Some(row) = rows.next()? {
        let values: Vec<_> = (0..cols.len())
            .map(|column| json_value(row.get_ref(column).unwrap()))
            .collect();
        answer.push(values.into());
    }
    drop(rows);
    let result = json!({
        "cols": cols,
        "rows": answer,
        "affected_row_count": database.changes(),
        "last_insert_rowid": database.last_insert_rowid().to_string(),
    });
    Ok(result)
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
