//! libSQL servers: how long a call may take, how much it reads, which ways to a server are allowed, and
//! what is told of the server's own words.

#![expect(
    deprecated,
    reason = "a handle that has not asked its server yet meets every fault with its first call"
)]

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mtsession::{LibSqlBackend, RemoteOptions, SessionBackend, SessionBackendExt, StoreOptions};
use mtsession_tests::mock_hrana::{Fault, Hostile, Mock};
use mtsession_tests::random::sized;
use mtsession_tests::sqld::{self, Sqld};
use mtsession_tests::stores;

const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.very-secret";

fn open(url: &str, options: RemoteOptions) -> LibSqlBackend {
    LibSqlBackend::remote_account(url, TOKEN, "default", options).unwrap()
}

/// A server that counts its requests and answers each with `answer`; with none it says nothing.
fn serve(answer: Option<String>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_any_request(&mut BufReader::new(&stream));
            counted.fetch_add(1, Ordering::SeqCst);
            match &answer {
                Some(answer) => stream.write_all(answer.as_bytes()).unwrap(),
                None => silent.push(stream),
            }
        }
    });
    (url, count)
}

/// Also one that is for a proxy.
fn read_any_request(reader: &mut impl BufRead) {
    let mut length = 0;
    for line in reader.by_ref().lines().map_while(Result::ok) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// A thousand attempts would be allowed, but not the time for them.
#[test]
fn the_deadline_is_that_of_the_whole_call() {
    let options = RemoteOptions::default()
        .retries(1_000)
        .request_timeout(Duration::from_millis(50))
        .deadline(Duration::from_millis(400));
    let (url, count) = serve(None);
    let backend = open(&url, options);
    let calls: [fn(&LibSqlBackend) -> std::io::Result<()>; 4] = [
        |backend| backend.load().map(drop),
        |backend| backend.save(&sized(2, 1, 0, 0)),
        SessionBackend::delete,
        |backend| backend.head().map(drop),
    ];
    for call in calls {
        let before = count.load(Ordering::SeqCst);
        let error = call(&backend).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{error}");
        let requests = count.load(Ordering::SeqCst) - before;
        assert!((1..=10).contains(&requests), "{requests} requests");
    }
    // Every call has a deadline of its own, and each of them ends although nothing was changed.
    let error = backend.save(&sized(2, 1, 0, 0)).unwrap_err().to_string();
    assert!(error.contains("nothing was changed"), "{error}");
}

/// A wait that goes beyond the deadline is not begun.
#[test]
fn a_server_that_wants_to_be_asked_later_is_not_waited_for_in_vain() {
    for headers in [
        "retry-after: 999999999999\r\n",
        "retry-after: Fri, 31 Dec 2100 00:00:00 GMT\r\n",
    ] {
        for (status, is_unknown) in [("429 Too Many Requests", false), ("503 Unavailable", true)] {
            let (url, count) = serve(Some(answer(status, headers, "")));
            let options = RemoteOptions::default().deadline(Duration::from_secs(4));
            let error = open(&url, options).load().unwrap_err();
            assert_eq!(count.load(Ordering::SeqCst), 1, "{error}");
            // Nothing but a read was sent.
            let error = open(&url, options).set_home_dc(1).unwrap_err().to_string();
            assert!(error.contains("nothing was changed"), "{error}");

            // A write was sent: what answers 503 may have passed it on.
            let mock = Mock::start(None);
            let backend = open(mock.url(), options);
            backend.save(&sized(2, 1, 0, 0)).unwrap();
            mock.fail_always(Fault::Status(if is_unknown { 503 } else { 429 }));
            let backend_error = backend.set_home_dc(5).unwrap_err().to_string();
            assert_eq!(
                backend_error.contains("is unknown"),
                is_unknown,
                "{backend_error}"
            );
            assert_eq!(backend_error.contains("nothing was changed"), !is_unknown);
        }
    }
}

#[test]
fn a_refusal_is_told_in_the_servers_own_words() {
    let long = "x".repeat(5_000);
    for (body, words) in [
        (
            r#"{"error":"Operation was blocked: upgrade your plan"}"#,
            "blocked: upgrade your plan",
        ),
        (
            r#"{"message":"reads are blocked"}"#,
            "says: reads are blocked",
        ),
        (
            r#"{"error":{"message":"token expired"}}"#,
            "says: token expired",
        ),
        ("plain words\u{1b}[31m\u{7}", "plain words\\u{1b}[31m\\u{7}"),
        (
            &*format!("it was {TOKEN}, and {TOKEN}"),
            "it was [token], and [token]",
        ),
        (&*long, "xxxx…"),
        ("", "refuses the token (status 403)"),
    ] {
        let (url, _) = serve(Some(answer("403 Forbidden", "", body)));
        let error = open(&url, RemoteOptions::default()).load().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
        let text = error.to_string();
        assert!(text.contains(words), "{text}");
        assert!(
            !text.contains("very-secret") && text.len() < 1_200,
            "{text}"
        );
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

#[test]
fn a_redirect_gets_neither_the_token_nor_the_keys() {
    let (elsewhere, stolen) = serve(Some(answer("200 OK", "", "{}")));
    for status in ["301 M", "302 F", "303 S", "307 T", "308 P"] {
        let (url, _) = serve(Some(answer(
            status,
            &format!("location: {elsewhere}/x\r\n"),
            "",
        )));
        let error = open(&url, RemoteOptions::default())
            .load()
            .unwrap_err()
            .to_string();
        assert!(error.contains("redirects elsewhere"), "{error}");
    }
    assert_eq!(stolen.load(Ordering::SeqCst), 0);
}

#[test]
fn lists_end_at_the_cap() {
    let mock = Mock::start(None);
    open(mock.url(), RemoteOptions::default())
        .save(&sized(2, 10, 0, 0))
        .unwrap();
    let load = |rows| open(mock.url(), RemoteOptions::default().max_rows(rows)).load();
    assert!(load(100).unwrap().is_some());
    let error = load(9).unwrap_err().to_string();
    assert!(error.contains("RemoteOptions::max_rows"), "{error}");
    mock.fail_always(Fault::Hostile(Hostile::ListsGrow));
    let error = load(200_000).unwrap_err().to_string();
    assert!(error.contains("RemoteOptions::max_rows"), "{error}");
    mock.fail_always(Fault::Hostile(Hostile::ListsNeverEnd));
    let error = load(10_000_000).unwrap_err().to_string();
    assert!(error.contains("out of order"), "{error}");
}

/// The name of this machine itself, and its address if it has one that others can reach.
#[test]
fn clear_text_goes_to_this_machine_only() {
    let mock = Mock::start(None);
    let port = mock.url().rsplit(':').next().unwrap();
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
        let backend = open(&format!("http://{host}:{port}"), RemoteOptions::default());
        assert_eq!(backend.load().unwrap(), None, "{host}");
    }
    for url in [
        "http://192.0.2.1",
        "ws://[2001:db8::1]:1",
        "libsql://10.1.2.3?tls=0",
    ] {
        let error = LibSqlBackend::remote(url, TOKEN).unwrap_err().to_string();
        assert!(
            error.contains("clear text") && error.contains("insecure"),
            "{error}"
        );
        assert!(!error.contains("very-secret"), "{error}");
    }
    // 0.0.0.0 is every address of this machine: not one of loopback, although it leads there.
    let any = format!("http://0.0.0.0:{port}");
    assert!(LibSqlBackend::remote(&any, TOKEN).is_err());
    assert_eq!(
        open(&any, RemoteOptions::default().insecure(true))
            .load()
            .unwrap(),
        None
    );
    assert_eq!(
        open(&format!("{any}?insecure"), RemoteOptions::default())
            .load()
            .unwrap(),
        None
    );
}

/// The variables are those of this process, so another one is started with them.
#[test]
fn proxies_of_the_environment_are_used_only_if_asked_for() {
    if std::env::var_os("ASK_THROUGH").is_some() {
        let ask = |name: &str| std::env::var(name).unwrap();
        let loaded = open(&ask("ASK_THROUGH"), RemoteOptions::default()).load();
        println!("loaded: {loaded:?}");
        return;
    }
    let mock = Mock::start(None);
    for (options, seen, loads) in [
        ("", 0, true),
        ("?insecure", 0, true),
        ("?proxy&insecure", 1, false),
    ] {
        let (proxy, count) = serve(Some(answer("403 Forbidden", "", "this is the proxy")));
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "--nocapture",
            "proxies_of_the_environment_are_used_only_if_asked_for",
        ]);
        child.env("ASK_THROUGH", format!("{}{options}", mock.url()));
        for name in [
            "http_proxy",
            "HTTP_PROXY",
            "https_proxy",
            "HTTPS_PROXY",
            "all_proxy",
            "ALL_PROXY",
        ] {
            child.env(name, &proxy);
        }
        child.env_remove("no_proxy").env_remove("NO_PROXY");
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            text.contains("loaded: Ok(None)"),
            loads,
            "{options}: {text}"
        );
        assert_eq!(
            count.load(Ordering::SeqCst).min(1),
            seen,
            "{options}: {text}"
        );
    }
}

/// What a hosted database over its quota does.
#[test]
fn a_real_server_that_blocks_reads_loses_nothing() {
    if !sqld::is_available() {
        return;
    }
    let server = Sqld::with_admin();
    let session = sized(3, 10, 2, 2);
    let options = RemoteOptions::default().retries(1);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("replica.db");
    let url = server.url();
    let warm = open(&url, options);
    warm.save(&session).unwrap();
    let open_replica = || {
        let options = StoreOptions::new().requests(options).replica(&path);
        options.connect(stores::server(&url))
    };
    let replica = open_replica().unwrap();
    let all = StoreOptions::new().requests(options);
    let all = all.open(stores::server(&url)).unwrap();
    for blocked in [(true, false), (true, true)] {
        server.block(blocked.0, blocked.1);
        for backend in [&warm, &open(&url, options)] {
            let errors = [
                backend.load().map(drop).unwrap_err(),
                all.names().map(drop).unwrap_err(),
                backend.account().map(drop).unwrap_err(),
                backend.peer_names().map(drop).unwrap_err(),
                backend.save(&sized(1, 1, 0, 0)).unwrap_err(),
                backend.set_home_dc(1).unwrap_err(),
                backend.delete().unwrap_err(),
            ];
            for error in errors {
                let text = error.to_string();
                assert!(text.contains("blocked"), "{text}");
                assert!(!text.contains("is unknown"), "{text}");
            }
        }
        assert_eq!(replica.load().unwrap(), Some(session.clone()));
        assert!(open_replica().is_err_and(|error| error.to_string().contains("blocked")));
        let copy = LibSqlBackend::open_local(&path).unwrap().load().unwrap();
        assert_eq!(copy, Some(session.clone()));
        server.block(false, false);
        assert_eq!(warm.load().unwrap(), Some(session.clone()));
    }
    // Writes alone: reading goes on.
    server.block(false, true);
    assert_eq!(open(&url, options).load().unwrap(), Some(session.clone()));
    let error = warm.save(&sized(1, 1, 0, 0)).unwrap_err().to_string();
    assert!(
        error.contains("blocked") && error.contains("nothing was changed"),
        "{error}"
    );
    assert!(warm.delete().is_err());
    server.block(false, false);
    assert_eq!(warm.load().unwrap(), Some(session));
}
