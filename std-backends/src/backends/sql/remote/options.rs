//! What may be chosen about a server.

use core::time::Duration;

/// How long calls to a server may take, how often requests are repeated, and which ways to it are
/// allowed.
///
/// ```
/// use core::time::Duration;
/// use mtsession::RemoteOptions;
///
/// let patient = RemoteOptions::default().deadline(Duration::from_secs(120));
/// # let _ = patient;
/// ```
///
/// An address can say some of it, too: `libsql://host?deadline=120`, `http://host?insecure`,
/// `libsql://host?proxy`.
#[derive(Clone, Copy, Debug)]
pub struct RemoteOptions {
    pub(in crate::backends::sql) deadline: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    pub(super) retries: u32,
    pub(super) max_rows: usize,
    pub(in crate::backends::sql) insecure: bool,
    pub(in crate::backends::sql) proxy: bool,
}

impl Default for RemoteOptions {
    /// 30 seconds for a call; of these at most 10 for a request with its answer, connecting included;
    /// 3 repetitions; 2,000,000 rows; no clear text to other machines; no proxy.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            retries: 3,
            max_rows: 2_000_000,
            insecure: false,
            proxy: false,
        }
    }
}

impl RemoteOptions {
    /// How long one call (`load`, `save`, …) may take, with everything that is repeated in it.
    ///
    /// When it is over, the error says whether nothing was changed or whether that is unknown.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long to wait for a connection.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long to wait for one answer, connecting included.
    #[must_use]
    pub const fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How often a request is repeated that was not answered, or whose answer was "try again" (status
    /// 429 and 500 to 599) or made no sense.
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// How many rows (peers, channels, names, …) one call takes from the server.
    ///
    /// A server whose lists never end is given up there. Each row takes some 100 bytes of memory until
    /// the call is over.
    #[must_use]
    pub const fn max_rows(mut self, rows: usize) -> Self {
        self.max_rows = rows;
        self
    }

    /// Whether `http://` and `ws://` may lead to other machines. Token and keys go there in clear text.
    ///
    /// Without it they only lead to this machine: every address that the host's name stands for must be
    /// a loopback address.
    #[must_use]
    pub const fn insecure(mut self, insecure: bool) -> Self {
        self.insecure = insecure;
        self
    }

    /// Whether the proxy that the environment names (`HTTPS_PROXY`, `ALL_PROXY`, …) is used.
    ///
    /// Otherwise those variables are ignored. A proxy sees all of `http://`, which therefore needs
    /// [`insecure`](Self::insecure) with one, and nothing of `https://` but the host's name.
    #[must_use]
    pub const fn proxy(mut self, proxy: bool) -> Self {
        self.proxy = proxy;
        self
    }
}
