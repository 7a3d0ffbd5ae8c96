//! The HTTP client that servers share.

pub(crate) mod date;

use std::sync::OnceLock;

use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error as HttpError};

/// All requests of a process share their connections.
pub(crate) fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A token is for the server that it was given for.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Otherwise it would be taken from the environment.
            .proxy(None)
            .build();
        Agent::with_parts(config, DefaultConnector::default(), Names::default())
    })
}

/// Looks names of hosts up. Whatever goes wrong there, nothing was sent; the system's error has no kind of
/// its own that would say so.
#[derive(Debug, Default)]
struct Names(DefaultResolver);

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, HttpError> {
        match self.0.resolve(uri, config, timeout) {
            Err(HttpError::Io(_)) => Err(HttpError::HostNotFound),
            found => found,
        }
    }
}
