//! What may go over a network without TLS: nothing but what stays on this machine, unless that is said.

use core::time::Duration;
use std::io;
use std::net::ToSocketAddrs as _;
use std::sync::mpsc;

use super::invalid;
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;

/// Refuses a host that is not this machine. Names are looked up; the system's look-up cannot be given a time.
pub(super) fn only_to_this_machine(
    host: &str,
    port: u16,
    timeout: Duration,
    instead: &str,
) -> io::Result<()> {
    let (found, result) = mpsc::sync_channel(1);
    let name = host.to_owned();
    std::thread::spawn(move || {
        let addresses = (name.as_str(), port).to_socket_addrs();
        let _ = found.send(addresses.map(Iterator::collect::<Vec<_>>));
    });
    match result.recv_timeout(timeout) {
        Ok(Ok(addresses)) => {
            let is_here = addresses
                .iter()
                .all(|address| address.ip().to_canonical().is_loopback());
            if is_here && !addresses.is_empty() {
                return Ok(());
            }
            Err(invalid(format!(
                "{host} is not this machine, and the password and the keys would go there in clear text: use \
                 {instead}, or allow it with the option `insecure`"
            )))
        }
        _ => Err(unknown_host(host)),
    }
}

/// The host's name leads nowhere.
pub(super) fn unknown_host(host: &str) -> io::Error {
    let message = format!("the host {host} is not known: check the address and the network");
    told(StoreErrorKind::Unreachable, message)
}
