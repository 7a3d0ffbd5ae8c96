//! A proxy on loopback that makes a network bad.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Forwards every connection to a server.
pub struct Proxy {
    pub address: SocketAddr,
    /// How many more answers get through; the one after breaks its connection instead. Negative: all do.
    answers_left: Arc<AtomicI64>,
}

impl Proxy {
    /// `edit` changes what clients send.
    pub fn start(server: SocketAddr, edit: fn(&mut Vec<u8>)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers_left = Arc::new(AtomicI64::new(-1));
        let left = Arc::clone(&answers_left);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else {
                    return;
                };
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || {
                    forward(from, to, |bytes| {
                        edit(bytes);
                        true
                    });
                });
                let left = Arc::clone(&left);
                std::thread::spawn(move || {
                    forward(server, client, |_| left.fetch_sub(1, Ordering::SeqCst) != 0);
                });
            }
        });
        Self {
            address,
            answers_left,
        }
    }

    /// Lets so many answers through and loses the next one, which the server has given.
    pub fn lose_answer_after(&self, answers: i64) {
        self.answers_left.store(answers, Ordering::SeqCst);
    }

    /// Lets everything through.
    pub fn lose_nothing(&self) {
        self.answers_left.store(-1, Ordering::SeqCst);
    }
}

/// Passes on what comes until `pass` says no.
fn forward(mut from: TcpStream, mut to: TcpStream, mut pass: impl FnMut(&mut Vec<u8>) -> bool) {
    let mut buffer = [0; 1 << 14];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        let mut bytes = buffer[..read].to_vec();
        if read == 0 || !pass(&mut bytes) || to.write_all(&bytes).is_err() {
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
            return;
        }
    }
}
