//! A connection on a thread of its own.

use core::time::Duration;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;

use postgres::Client;

use super::errors::Failure;

type Job = Box<dyn FnOnce(&mut Client) + Send>;

/// The thread ends, and the connection with it, when this is dropped.
pub(super) struct Worker {
    jobs: Sender<Job>,
}

impl Worker {
    /// Connects.
    pub(super) fn start(
        connect: impl FnOnce() -> Result<Client, postgres::Error> + Send + 'static,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let (connected, result) = mpsc::sync_channel(1);
        let work = move || {
            let mut client = match connect() {
                Ok(client) => {
                    let _ = connected.send(Ok(()));
                    client
                }
                Err(error) => {
                    let _ = connected.send(Err(error));
                    return;
                }
            };
            while let Ok(job) = queue.recv() {
                job(&mut client);
            }
        };
        let thread = thread::Builder::new().name("mtsession-postgres".to_owned());
        thread.spawn(work).map_err(Failure::NoThread)?;
        answer(&result, timeout)?;
        Ok(Self { jobs })
    }

    /// Runs a call there, and waits so long for it. What is not done by then may still be carried out.
    pub(super) fn call<R: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Client) -> Result<R, postgres::Error> + Send + 'static,
        timeout: Duration,
    ) -> Result<R, Failure> {
        let (done, result) = mpsc::sync_channel(1);
        let job = move |client: &mut Client| {
            let _ = done.send(call(client));
        };
        self.jobs
            .send(Box::new(job))
            .map_err(|_| Failure::Vanished)?;
        answer(&result, timeout)
    }
}

fn answer<R>(
    result: &Receiver<Result<R, postgres::Error>>,
    timeout: Duration,
) -> Result<R, Failure> {
    match result.recv_timeout(timeout) {
        Ok(result) => result.map_err(Failure::Client),
        Err(RecvTimeoutError::Timeout) => Err(Failure::Late),
        Err(RecvTimeoutError::Disconnected) => Err(Failure::Vanished),
    }
}
