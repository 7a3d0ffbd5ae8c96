//! The neutral value that every reader fills.

use mtsession_core::clients::{Contents, Server};
use mtsession_core::{
    Account, ChannelPts, Counters, DcFlags, MinPeer, Peer, SessionMut, SessionSource, WithAccount,
};
use zeroize::Zeroizing;

use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, Found, Home, Key};
use crate::clients::left_out::{self, LeftOut};
use crate::drop_in::dc::DcEntry;
use crate::drop_in::session::PersistedSession;
use crate::record::SessionRecord;
use crate::record::login_state::OwnedLoginState;
use crate::record::peer_names::PeerNames;

/// A session of another library. Its keys are wiped on drop.
///
/// ```no_run
/// use mtsession::clients;
/// use mtsession::{BinaryFileBackend, SessionBackendExt};
///
/// let import = clients::read("telethon.session".as_ref())?;
/// println!("{}, DC {}", import.format, import.session.home_dc_id);
/// BinaryFileBackend::new("my.session").replace(&import.record()?)?;
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
    /// The account that it is logged in to: store it with the session.
    pub account: Account,
    /// Whether the login still holds, as far as it says so: only our own strings do.
    pub login_state: OwnedLoginState,
    /// Names of peers, in the order of the peers.
    pub names: Vec<PeerNames>,
    /// How many logins there are, of which this is one: see [`read_account`](crate::clients::read_account).
    pub accounts: usize,
    /// What could not be read. The login is whole all the same.
    pub left_out: Vec<LeftOut>,
    /// What else is worth knowing, such as a schema newer than those that are known.
    pub notes: Vec<String>,
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
            login_state: OwnedLoginState::default(),
            names: Vec::new(),
            accounts: 1,
            left_out: Vec::new(),
            notes: Vec::new(),
            also: Vec::new(),
        }
    }

    /// Session, account and names as one value, which
    /// [`replace`](crate::SessionBackendExt::replace) stores as one.
    ///
    /// # Errors
    /// `InvalidInput` for names that are longer than any store can hold.
    pub fn record(&self) -> std::io::Result<SessionRecord> {
        let mut record = SessionRecord::from(PersistedSession::clone(&self.session));
        record.set_account(self.account);
        let Ok(()) = record.set_login_state(self.login_state.as_state());
        record.set_peer_names(&self.names)?;
        Ok(record)
    }

    /// The session with its account, to be copied or encoded.
    #[must_use]
    pub fn source(&self) -> WithAccount<'_, PersistedSession> {
        self.session.with_account(self.account)
    }

    /// What was found: the loss of a conversion is this
    /// [without](Contents::without) what the target carries.
    #[must_use]
    pub fn carries(&self) -> Contents {
        let mut found = Contents::of(&self.source());
        for (present, member) in [
            (
                !self.login_state.as_state().is_active(),
                Contents::LOGIN_STATE,
            ),
            (
                self.names.iter().any(|names| !names.usernames.is_empty()),
                Contents::USERNAMES,
            ),
            (
                self.names.iter().any(|names| names.phone.is_some()),
                Contents::PHONES,
            ),
            (
                self.names.iter().any(|names| names.title.is_some()),
                Contents::TITLES,
            ),
        ] {
            if present {
                found |= member;
            }
        }
        found
    }

    /// The library's own number for its schema. One that is newer than those that are known is read
    /// all the same, where the columns that are needed are there.
    pub(super) fn set_version(&mut self, version: i64) {
        self.version = Some(version);
        if let Some(newest) = self
            .format
            .newest_version()
            .filter(|newest| version > *newest)
        {
            self.notes.push(format!(
                "version {version} is newer than those that are known (up to {newest}): it was read as \
                 far as it is alike"
            ));
        }
    }

    /// Names something that was left out.
    pub(super) fn leave_out(&mut self, place: &str, row: Option<usize>, reason: impl Into<String>) {
        left_out::add(&mut self.left_out, place, row, reason);
    }

    /// Forgets the other logins of a table whose every row is one, and names them.
    pub(super) fn keep_one_login(&mut self, dcs: &mut [Dc], home: &Home, place: &str) {
        let others = dcs
            .iter_mut()
            .enumerate()
            .filter(|(index, _)| *index != home.index);
        for (_, dc) in others {
            if let Some(key) = dc.key.key() {
                let reason = format!("another login, with key {}", key.fingerprint());
                left_out::add(&mut self.left_out, place, Some(dc.row), reason);
                dc.key = Found::Nothing;
            }
        }
    }

    /// Takes over the DCs of a source, the home first. `stated` is the home that the source names, and
    /// `place` where the DCs stand.
    pub(super) fn set_dcs(
        &mut self,
        dcs: &[Dc],
        home: &Home,
        stated: Option<i32>,
        place: &str,
    ) -> Result<(), ForeignError> {
        let login = dcs.get(home.index);
        let home_id = login.and_then(Dc::resolved_id).ok_or_else(|| {
            ForeignError::damaged(format!("{place} does not say of which DC its key is"))
        })?;
        if let Some(stated) = stated.filter(|stated| *stated != home_id) {
            self.notes.push(format!(
                "DC {stated} is named as the home but has no key: DC {home_id} was taken, which has one"
            ));
        }
        if let Some(login) = login
            && login.servers.is_empty()
            && self.format.carries().contains(Contents::ADDRESS)
        {
            let reason = "the home DC has no address here: Telegram's own is used";
            self.leave_out(place, Some(login.row), reason);
        }
        self.accounts = home.of;
        self.session.home_dc_id = home_id;
        let test_mode = self.account.test_mode.unwrap_or_else(|| {
            let servers = || dcs.iter().flat_map(|dc| &dc.servers);
            servers().any(|server| server.test_mode() == Some(true))
                && !servers().any(|server| server.test_mode() == Some(false))
        });
        let others = dcs
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != home.index);
        for dc in login.into_iter().chain(others.map(|(_, dc)| dc)) {
            if let Some(oddity) = dc.key.oddity() {
                self.leave_out(place, Some(dc.row), oddity);
            }
            match dc.resolved_id() {
                Some(dc_id) => self.push_dc(dc_id, dc, test_mode),
                None if dc.key.key().is_some() => {
                    self.leave_out(place, Some(dc.row), "a key without the id of its DC");
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Adds a DC: with its own addresses, or with the one that everybody knows.
    fn push_dc(&mut self, dc_id: i32, dc: &Dc, test_mode: bool) {
        let key = dc.key.key();
        for server in &dc.servers {
            self.push_server(dc_id, server, test_mode, key);
        }
        if !dc.servers.is_empty() || key.is_none() {
            return;
        }
        if let Some(server) = Server::well_known(dc_id, test_mode) {
            return self.push_server(dc_id, &server, test_mode, key);
        }
        // The key is kept for when the servers tell where the DC is.
        self.push_entry(dc_id, String::new(), DcFlags::NONE, key);
        let note = format!("DC {dc_id} has a key but no address, and none is known");
        self.notes.push(note);
    }

    fn push_server(&mut self, dc_id: i32, server: &Server, test_mode: bool, key: Option<&Key>) {
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
            auth_key: key.map(|key| **key.0),
            first_salt: 0,
            time_offset: 0,
            flags,
        });
    }

    pub(super) fn set_counters(&mut self, counters: Counters) {
        self.session.set_counters(counters);
    }

    /// Row 0 is the account's, every other one that of a channel.
    pub(super) fn push_states(&mut self, states: Vec<(i64, Counters)>) {
        for (id, counters) in states {
            if id == 0 {
                self.set_counters(counters);
            } else {
                self.push_channel(id, counters.pts);
            }
        }
    }

    // Growable lists are never full.

    pub(super) fn push_channel(&mut self, id: i64, pts: i32) {
        let Ok(()) = self.session.push_channel(ChannelPts { id, pts });
    }

    pub(super) fn push_peer(&mut self, peer: Peer, names: PeerNames) {
        let Ok(()) = self.session.push_peer(peer);
        if !names.is_empty() {
            self.names.push(PeerNames {
                id: peer.id,
                kind: peer.kind,
                ..names
            });
        }
    }

    pub(super) fn put_min_peer(&mut self, min_peer: MinPeer) {
        let Ok(()) = self.session.put_min_peer(min_peer);
    }
}
