//! The neutral value that every reader fills.

use mtsession_core::foreign::{Carries, Server};
use mtsession_core::{
    AUTH_KEY_LEN, Account, ChannelPts, Counters, DcFlags, Full, MinPeer, Peer, SessionMut,
    SessionSource, WithAccount,
};
use zeroize::{Zeroize, Zeroizing};

use super::error::ForeignError;
use super::format::FileFormat;
use crate::dc::DcEntry;
use crate::names::PeerNames;
use crate::session::PersistedSession;

/// A session of another library. Its keys are wiped on drop.
///
/// ```no_run
/// use mtsession::foreign;
/// use mtsession::{BinaryFileBackend, SessionBackend};
///
/// let import = foreign::read("telethon.session".as_ref())?;
/// println!("{}, DC {}", import.format, import.session.home_dc_id);
/// let backend = BinaryFileBackend::new("my.session");
/// backend.save(&import.session)?;
/// backend.set_account(import.account)?;
/// backend.set_peer_names(&import.names)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Import {
    /// What it was read from.
    pub format: FileFormat,
    /// The library's own schema or file version, where it has one.
    pub version: Option<i64>,
    /// The session: save it into any backend.
    pub session: Zeroizing<PersistedSession>,
    /// The account behind it: store it beside the session.
    pub account: Account,
    /// Names of peers, in the order of the peers.
    pub names: Vec<PeerNames>,
    /// How many accounts there are, of which this is one: see [`read_account`](super::read_account).
    pub accounts: usize,
    /// Other libraries that left tables in the same database. They mix up who wrote what last: better
    /// give every client a file of its own.
    pub also: Vec<FileFormat>,
}

impl Import {
    pub(super) fn new(format: FileFormat) -> Self {
        Self {
            format,
            version: None,
            session: Zeroizing::default(),
            account: Account::default(),
            names: Vec::new(),
            accounts: 1,
            also: Vec::new(),
        }
    }

    /// The session with its account, to be copied or encoded.
    #[must_use]
    pub fn source(&self) -> WithAccount<'_, PersistedSession> {
        self.session.with_account(self.account)
    }

    /// What was found: the loss of a conversion is this
    /// [without](Carries::without) what the target carries.
    #[must_use]
    pub fn carries(&self) -> Carries {
        let mut found = Carries::of(&self.source());
        for (present, member) in [
            (
                self.names.iter().any(|names| !names.usernames.is_empty()),
                Carries::USERNAMES,
            ),
            (
                self.names.iter().any(|names| names.phone.is_some()),
                Carries::PHONES,
            ),
            (
                self.names.iter().any(|names| names.title.is_some()),
                Carries::TITLES,
            ),
        ] {
            if present {
                found |= member;
            }
        }
        found
    }

    /// The DC that the account lives on.
    pub(super) fn set_home(&mut self, dc_id: i32) {
        self.session.home_dc_id = dc_id;
    }

    /// Adds a DC with its key.
    pub(super) fn push_dc(&mut self, dc_id: i32, server: &Server, key: Option<&Key>) {
        let test_mode = self.account.test_mode.unwrap_or_default();
        let server = server.resolved(dc_id, test_mode);
        let flags = if server.is_ipv6() {
            DcFlags::IPV6
        } else {
            DcFlags::NONE
        };
        self.push_entry(dc_id, server.to_string(), flags, key);
    }

    /// Adds an entry of any kind.
    pub(super) fn push_entry(
        &mut self,
        dc_id: i32,
        addr: String,
        flags: DcFlags,
        key: Option<&Key>,
    ) {
        self.session.dcs.push(DcEntry {
            dc_id,
            addr,
            auth_key: key.map(|key| *key.0),
            first_salt: 0,
            time_offset: 0,
            flags,
        });
    }

    pub(super) fn set_counters(&mut self, counters: Counters) {
        self.session.set_counters(counters);
    }

    // Growable lists are never full.

    pub(super) fn push_channel(&mut self, id: i64, pts: i32) {
        let (Ok(()) | Err(Full(_))) = self.session.push_channel(ChannelPts { id, pts });
    }

    pub(super) fn push_peer(&mut self, peer: Peer, names: PeerNames) {
        let (Ok(()) | Err(Full(_))) = self.session.push_peer(peer);
        if !names.is_empty() {
            self.names.push(PeerNames {
                id: peer.id,
                kind: peer.kind,
                ..names
            });
        }
    }

    pub(super) fn put_min_peer(&mut self, min_peer: MinPeer) {
        let (Ok(()) | Err(Full(_))) = self.session.put_min_peer(min_peer);
    }
}

/// An auth key on its way; wiped on drop.
pub(super) struct Key(pub(super) Zeroizing<[u8; AUTH_KEY_LEN]>);

impl Key {
    /// A key must have 256 bytes; none at all, or zeros, is "not logged in". Wipes `bytes`.
    pub(super) fn take(mut bytes: Vec<u8>) -> Result<Self, ForeignError> {
        let key = Self::of(&bytes);
        bytes.zeroize();
        key
    }

    pub(super) fn of(bytes: &[u8]) -> Result<Self, ForeignError> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(ForeignError::NotLoggedIn);
        }
        match bytes.try_into() {
            Ok(key) => Ok(Self(Zeroizing::new(key))),
            Err(_) => Err(ForeignError::KeyLength(bytes.len())),
        }
    }
}
