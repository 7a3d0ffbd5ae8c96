//! A real libSQL server for tests, from the script `sqld.sh`.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct Sqld {
    child: Child,
    dir: TempDir,
    port: u16,
    /// Where the admin interface listens, if it does.
    admin: Option<u16>,
    args: Vec<String>,
}

/// Where the binary is, or why there is none.
fn binary() -> &'static Result<PathBuf, String> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BINARY.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/sqld.sh");
        let output = Command::new(script).output();
        let output = output.map_err(|error| format!("sqld.sh: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(path.into())
    })
}

/// Whether servers can be started. `SQLD=required` turns a skip into a failure, for CI.
#[must_use]
pub fn is_available() -> bool {
    match binary() {
        Ok(_) => true,
        Err(reason) => {
            assert!(
                std::env::var_os("SQLD").is_none_or(|value| value != "required"),
                "{reason}"
            );
            eprintln!("skipped: no sqld here: {reason}");
            false
        }
    }
}

impl Sqld {
    /// Starts a server with a database of its own.
    #[must_use]
    pub fn start() -> Self {
        Self::with_args(&[])
    }

    /// Starts a server with more arguments.
    #[must_use]
    pub fn with_args(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let args = args.iter().map(ToString::to_string).collect();
        let child = spawn(dir.path(), port, &args);
        let server = Self {
            child,
            dir,
            port,
            admin: None,
            args,
        };
        server.wait_until_healthy();
        server
    }

    /// Starts a server with its admin interface.
    #[must_use]
    pub fn with_admin() -> Self {
        let admin = free_port();
        let address = format!("127.0.0.1:{admin}");
        let mut server = Self::with_args(&["--admin-listen-addr", &address]);
        server.admin = Some(admin);
        server
    }

    /// Has the server refuse reads or writes, as hosted ones do when a plan has ended.
    pub fn block(&self, reads: bool, writes: bool) {
        let config = json!({ "block_reads": reads, "block_writes": writes }).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin.unwrap())).unwrap();
        write!(
            stream,
            "POST /v1/namespaces/default/config HTTP/1.0\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{config}",
            config.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The process below which the server runs.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where the server keeps its files.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The database itself: an SQLite file.
    #[must_use]
    pub fn data_file(&self) -> PathBuf {
        self.dir().join("db/dbs/default/data")
    }

    /// Has the server carry out a script of statements, as any other client would.
    pub fn execute(&self, sql: &str) {
        let request = json!({ "requests": [{ "type": "sequence", "sql": sql }] }).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "POST /v2/pipeline HTTP/1.0\r\ncontent-length: {}\r\n\r\n{request}",
            request.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("\"type\":\"ok\""), "{answer}");
    }

    /// Kills the server without warning.
    pub fn kill(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }

    /// Starts it again, with the same database and address.
    pub fn restart(&mut self) {
        self.child = spawn(self.dir.path(), self.port, &self.args);
        self.wait_until_healthy();
    }

    /// Moves what is in the log to the database, as servers do when they start, too.
    pub fn fold_log(&mut self) {
        self.kill();
        self.restart();
    }

    fn wait_until_healthy(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_healthy(self.port) {
            assert!(Instant::now() < deadline, "sqld does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Sqld {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the server below a shell that kills it when our end of its input is closed: that is also when
/// this process is gone.
fn spawn(dir: &Path, port: u16, args: &Vec<String>) -> Child {
    const UNTIL_INPUT_ENDS: &str = "\"$@\" & server=$!; read -r _; kill -9 $server; wait $server";
    Command::new("sh")
        .args(["-c", UNTIL_INPUT_ENDS, "sh"])
        .arg(binary().as_ref().unwrap())
        .arg("--http-listen-addr")
        .arg(format!("127.0.0.1:{port}"))
        .arg("--db-path")
        .arg(dir.join("db"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A port that nobody listens on.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn is_healthy(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok::<_, std::io::Error>(answer.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}
