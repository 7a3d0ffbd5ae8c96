//! libSQL servers: faults of the network at every request, wrong answers, and a real server that dies.

#![expect(
    deprecated,
    reason = "a handle that has not asked its server yet meets every fault with its first call"
)]

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use mtsession::{
    Change, LibSqlBackend, PersistedSession, RemoteOptions, SessionBackend, StoreOptions,
    UpdateChange, UpdateStateChange,
};
use mtsession_tests::mock_hrana::{Fault, Mock};
use mtsession_tests::random::sized;
use mtsession_tests::sqld::{self, Sqld};
use mtsession_tests::stores;

const FAULTS: [Fault; 9] = [
    Fault::CloseBefore,
    Fault::CloseAfter,
    Fault::HalfBody,
    Fault::Garbage,
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(502),
    Fault::Status(503),
    Fault::Status(504),
];

fn backend(mock: &Mock, retries: u32) -> LibSqlBackend {
    let options = RemoteOptions::default().retries(retries);
    LibSqlBackend::remote_account(mock.url(), "", "default", options).unwrap()
}

/// Something to do, and what a session is like after it.
type Operation = (
    &'static str,
    fn(&LibSqlBackend) -> std::io::Result<()>,
    fn(&PersistedSession) -> PersistedSession,
);

const OPERATIONS: [Operation; 4] = [
    (
        "save",
        |backend| backend.save(&sized(3, 20, 7, 2)),
        |_| sized(3, 20, 7, 2),
    ),
    (
        // Twice would be seen.
        "push",
        |backend| backend.apply(&[Change::Update(UpdateChange::PushChannel { id: 5, pts: 6 })]),
        |before| {
            let mut after = before.clone();
            after.updates_state.channels.push((5, 6));
            after
        },
    ),
    (
        "counters",
        |backend| backend.apply_update_state(UpdateStateChange::Secondary { qts: 99 }),
        |before| {
            let mut after = before.clone();
            after.updates_state.qts = 99;
            after
        },
    ),
    ("load", |backend| backend.load().map(|_| ()), Clone::clone),
];

/// At every request of every operation, every fault: the change is there whole or not at all, never
/// twice, and the answer says which.
#[test]
fn every_fault_at_every_request_leaves_all_or_nothing() {
    let mut cases = 0;
    let mut unknown = 0;
    for retries in [0, 3] {
        for (name, operation, after) in OPERATIONS {
            for fault in FAULTS {
                for request in 0.. {
                    let mock = Mock::start(None);
                    let before = sized(2, 5, 3, 1);
                    backend(&mock, 0).save(&before).unwrap();
                    let after = after(&before);
                    mock.take_requests();

                    mock.fail(request, fault);
                    let subject = backend(&mock, retries);
                    let result = operation(&subject);
                    mock.heal();
                    let requests = mock.take_requests().len();
                    let context =
                        format!("{name}, {fault:?} at request {request}, {retries} retries");

                    let stored = backend(&mock, 0).load().unwrap().unwrap();
                    match &result {
                        Ok(()) => assert_eq!(stored, after, "{context}"),
                        Err(error) => {
                            let text = error.to_string();
                            if text.contains("is unknown") {
                                unknown += 1;
                                assert!(stored == before || stored == after, "{context}: {text}");
                            } else {
                                assert_eq!(stored, before, "{context}: {text}");
                            }
                        }
                    }
                    assert!(result.is_ok() || retries == 0, "{context}: {result:?}");

                    // The backend goes on with what is there.
                    assert_eq!(subject.load().unwrap(), Some(stored.clone()), "{context}");
                    subject.set_home_dc(5).unwrap();
                    assert_eq!(subject.load().unwrap().unwrap().home_dc_id, 5, "{context}");
                    cases += 1;
                    if result.is_ok() && request > requests {
                        break;
                    }
                }
            }
        }
    }
    println!("{cases} cases, in {unknown} of them the answer was that the outcome is unknown");
    assert!(cases > 150 && unknown > 0);
}

/// A write that was given up reaches the server after another one: it is refused there.
#[test]
fn a_late_write_does_not_land_on_a_newer_one() {
    let mock = Mock::start(None);
    let options = RemoteOptions::default()
        .retries(0)
        .request_timeout(Duration::from_millis(300));
    let impatient = LibSqlBackend::remote_account(mock.url(), "", "default", options).unwrap();
    impatient.save(&sized(2, 5, 3, 1)).unwrap();
    mock.fail(0, Fault::Hold);
    let mut lost = sized(2, 5, 3, 1);
    lost.home_dc_id = 4;
    let error = impatient.save(&lost).unwrap_err();
    assert!(error.to_string().contains("is unknown"), "{error}");

    let other = backend(&mock, 0);
    other.set_home_dc(5).unwrap();
    mock.release();
    assert_eq!(other.load().unwrap().unwrap().home_dc_id, 5);
    assert_eq!(impatient.load().unwrap().unwrap().home_dc_id, 5);
}

/// The first attempt is carried out after the second one, which is the same write.
#[test]
fn a_repeated_write_is_carried_out_once() {
    let mock = Mock::start(None);
    let options = RemoteOptions::default()
        .retries(1)
        .request_timeout(Duration::from_millis(300));
    let backend = LibSqlBackend::remote_account(mock.url(), "", "default", options).unwrap();
    backend.save(&sized(2, 5, 0, 1)).unwrap();
    assert!(backend.load().unwrap().is_some());
    mock.fail(0, Fault::Hold);
    backend
        .apply(&[Change::Update(UpdateChange::PushChannel { id: 1, pts: 1 })])
        .unwrap();
    mock.release();
    let channels = backend.load().unwrap().unwrap().updates_state.channels;
    assert_eq!(channels, [(1, 1)]);
}

#[test]
fn a_save_of_ten_thousand_peers_is_at_most_three_requests() {
    let mock = Mock::start(None);
    let session = sized(5, 10_000, 100, 100);
    backend(&mock, 0).save(&session).unwrap();
    let fresh = mock.take_requests().len();
    let again = backend(&mock, 0);
    assert!(again.load().unwrap() == Some(session.clone()));
    mock.take_requests();
    let mut changed = session.clone();
    changed.peers[77].access_hash = 1;
    again.save(&changed).unwrap();
    let warm = mock.take_requests();
    assert!(again.load().unwrap() == Some(changed));
    let unchanged = mock.take_requests();
    assert_eq!((fresh, warm.len(), unchanged.len()), (3, 1, 1));
    assert!(warm[0] < 12, "{warm:?} steps for one changed peer");
}

const SECRET: &str = "eyJhbGciOiJFZERTQSJ9.very-secret";

#[test]
fn a_wrong_token_is_refused_and_never_shown() {
    let session = sized(1, 1, 1, 1);
    for (status, mock) in [(401, Mock::start(Some("right"))), (403, Mock::start(None))] {
        let right = LibSqlBackend::open_remote(mock.url(), "right").unwrap();
        assert!(!format!("{right:?}{}", right.name()).contains("right"));
        right.save(&session).unwrap();
        if status == 403 {
            mock.fail_times(100, Fault::Status(403));
        }
        let wrong = LibSqlBackend::remote(mock.url(), SECRET).unwrap();
        let with_token = || StoreOptions::new().auth_token(SECRET);
        let refused = [
            LibSqlBackend::open_remote(mock.url(), SECRET).unwrap_err(),
            wrong.load().unwrap_err(),
            wrong.save(&sized(2, 2, 2, 2)).unwrap_err(),
            wrong.set_home_dc(1).unwrap_err(),
            wrong.delete().unwrap_err(),
            with_token().open(stores::server(mock.url())).unwrap_err(),
        ];
        for error in refused {
            let cause = format!("the server refuses (status {status}) and says: ");
            assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
            assert_names(&error, mock.url(), &cause);
        }
        mock.heal();
        assert_eq!(right.load().unwrap(), Some(session.clone()));
    }
}

/// An error says which store and why, and does not show the token, whatever repeats it.
fn assert_names(error: &std::io::Error, store: &str, cause: &str) {
    let text = format!("{error} {error:?}");
    assert!(error.to_string().contains(store), "{text}");
    assert!(error.to_string().contains(cause), "{text}");
    assert!(!text.contains("very-secret"), "{text}");
}

/// Whatever listens there: no libSQL server.
#[test]
fn answers_that_make_no_sense_are_named() {
    let answer = |status: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
    };
    let result = |result: &str| {
        let close = r#"{"type":"ok","response":{"type":"close"}}"#;
        answer(
            "200 OK",
            &format!(r#"{{"baton":null,"results":[{result},{close}]}}"#),
        )
    };
    let rows = r#"{"cols":[],"rows":[[{"type":"integer","value":"nine"}]]}"#;
    let cases = [
        (
            answer("200 OK", "<html>hello</html>"),
            "not what a libSQL server sends",
        ),
        (answer("200 OK", ""), "not what a libSQL server sends"),
        (
            answer("200 OK", "[1, 2, 3]"),
            "not what a libSQL server sends",
        ),
        (
            answer("200 OK", r#"{"results":[]}"#),
            "not what a libSQL server sends",
        ),
        (
            result(r#"{"type":"ok","response":{"type":"batch"}}"#),
            "not what a libSQL server sends",
        ),
        (
            result(&format!(
                r#"{{"type":"ok","response":{{"type":"batch","result":{{"step_results":[{rows},{rows},{rows},{rows},{rows},{rows},{rows}],"step_errors":[null,null,null,null,null,null,null]}}}}}}"#
            )),
            "not what a libSQL server sends",
        ),
        (
            result(&format!(
                r#"{{"type":"error","error":{{"message":"no {SECRET}"}}}}"#
            )),
            "no [token]",
        ),
        (
            answer("404 Not Found", "nothing here"),
            "no such database (status 404)",
        ),
        (answer("302 Found", ""), "redirects elsewhere (status 302)"),
        (
            answer("418 Teapot", &format!("echo: Bearer {SECRET}")),
            "418: echo: Bearer [token]",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "does not answer"),
        (String::new(), "the connection to the server broke"),
    ];
    for (answer, cause) in cases {
        let url = serve(move |mut stream| stream.write_all(answer.as_bytes()).unwrap());
        let options = RemoteOptions::default().retries(0);
        let backend = LibSqlBackend::remote_account(&url, SECRET, "default", options).unwrap();
        for error in [
            backend.load().unwrap_err(),
            backend.save(&sized(1, 1, 1, 1)).unwrap_err(),
            backend.set_home_dc(1).unwrap_err(),
        ] {
            println!("{error}");
            assert_names(&error, &url, cause);
        }
    }
}

/// A server that answers every request, once it is read, with the same.
fn serve(answer: impl Fn(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            mtsession_tests::mock_hrana::read_request(&mut BufReader::new(&stream));
            answer(stream);
        }
    });
    url
}

/// A certificate that nobody vouches for, of a real TLS server.
#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(dir.path())
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no openssl here to make a certificate with");
        return;
    }
    let port = sqld::free_port();
    let mut server = Command::new("openssl")
        .args([
            "s_server", "-key", "key.pem", "-cert", "cert.pem", "-www", "-accept",
        ])
        .arg(port.to_string())
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            server.try_wait().unwrap().is_none(),
            "openssl s_server ended"
        );
    }
    let url = format!("https://localhost:{port}");
    let error = LibSqlBackend::open_remote(&url, SECRET).unwrap_err();
    server.kill().unwrap();
    server.wait().unwrap();
    println!("{error}");
    assert_names(&error, &url, "no safe connection to the server");
}

#[test]
fn urls_and_hosts_that_cannot_be_are_named() {
    for (url, token, cause) in [
        ("my.turso.io", "", "no scheme"),
        ("ftp://my.turso.io", "", "scheme is none of"),
        ("libsql://", "", "names no host"),
        ("libsql://x.turso.io?authToken=abc", "", "holds a secret"),
        ("https://user:abc@x.turso.io", "", "holds a secret"),
        (
            "https://x.turso.io",
            "abc\n",
            "characters that no token has",
        ),
    ] {
        let error = LibSqlBackend::remote(url, token).unwrap_err().to_string();
        assert!(error.contains(cause) && !error.contains("abc"), "{error}");
    }
    let options = StoreOptions::new().auth_token(SECRET);
    let options = options.requests(RemoteOptions::default().retries(0));
    let open = |url: &str| options.clone().connect(stores::server(url)).err().unwrap();
    let error = open("https://no-such-host.invalid");
    let cause = "no-such-host.invalid: cannot open: the host of the url is not known";
    assert_names(&error, "https://no-such-host.invalid", cause);
    let url = format!("http://127.0.0.1:{}", sqld::free_port());
    assert_names(&open(&url), &url, "no server listens");
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = plain.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = plain.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        // Until the other side has read it and gives up.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let url = format!("https://127.0.0.1:{port}");
    assert_names(&open(&url), &url, "no safe connection");
}

/// What two clients write at once is all there.
#[test]
fn a_real_server_dies_and_comes_back_under_load() {
    if !sqld::is_available() {
        return;
    }
    let mut server = Sqld::start();
    let options = RemoteOptions::default().retries(30);
    let url = server.url();
    let open = || LibSqlBackend::remote_account(&url, "", "bot", options).unwrap();
    open().save(&sized(2, 10, 0, 0)).unwrap();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2_i64)
            .map(|writer| {
                let backend = open();
                scope.spawn(move || {
                    for n in 0..60 {
                        let id = writer * 1_000 + n;
                        backend
                            .apply_update_state(UpdateStateChange::Channel { id, pts: 1 })
                            .unwrap();
                    }
                })
            })
            .collect();
        for _ in 0..3 {
            // Not before the writers got further.
            let before = open().load().unwrap().unwrap().updates_state.channels.len();
            while open().load().unwrap().unwrap().updates_state.channels.len()
                < (before + 5).min(120)
            {}
            server.kill();
            server.restart();
        }
        writers
            .into_iter()
            .for_each(|writer| writer.join().unwrap());
    });
    let mut channels = open().load().unwrap().unwrap().updates_state.channels;
    channels.sort_unstable();
    let expected: Vec<_> = (0..60).chain(1_000..1_060).map(|id| (id, 1)).collect();
    assert_eq!(channels, expected);
}

/// One request for each 50,000 rows that are read, and as many for a save as of ten peers.
#[test]
fn two_hundred_thousand_peers_take_few_requests() {
    let mock = Mock::start(None);
    let mut session = sized(5, 200_000, 1_000, 1_000);
    backend(&mock, 0).save(&session).unwrap();
    let save = mock.take_requests().len();
    let again = backend(&mock, 0);
    assert!(again.load().unwrap() == Some(session.clone()));
    let load = mock.take_requests().len();
    session.peers[199_999].access_hash = 1;
    again.save(&session).unwrap();
    let second_save = mock.take_requests().len();
    assert!(again.load().unwrap() == Some(session));
    let second_load = mock.take_requests().len();
    assert_eq!((save, load, second_save, second_load), (3, 6, 1, 1));
}

#[test]
fn two_hundred_thousand_peers_are_kept_on_a_real_server() {
    if !sqld::is_available() {
        return;
    }
    let server = Sqld::start();
    let session = sized(5, 200_000, 1_000, 1_000);
    LibSqlBackend::open_remote(server.url(), "")
        .unwrap()
        .save(&session)
        .unwrap();
    assert!(
        LibSqlBackend::open_remote(server.url(), "")
            .unwrap()
            .load()
            .unwrap()
            == Some(session.clone())
    );

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("replica.db");
    let replica = LibSqlBackend::open_replica(&path, server.url(), "").unwrap();
    assert!(replica.load().unwrap() == Some(session));
}
