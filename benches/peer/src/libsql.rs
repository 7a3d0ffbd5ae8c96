//! `ferogram-session`'s libSQL backend, to compare with: `peer-libsql bench DATABASE SESSION`, where the
//! database is a file or the URL of a server.

use ferogram_session as api;

mod serve;
#[path = "../../src/workload.rs"]
mod workload;

use api::LibSqlBackend;

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let ["bench", database, session] = args.iter().map(String::as_str).collect::<Vec<_>>()[..]
    else {
        panic!("bench DATABASE SESSION")
    };
    // It panics when there is no runtime around it.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let _inside = runtime.enter();
    let database = database.to_owned();
    serve::serve(session, move || {
        Ok(Box::new(if database.starts_with("http") {
            LibSqlBackend::open_remote(database.as_str(), "")?
        } else {
            LibSqlBackend::open_local(database.as_str())?
        }))
    });
}
