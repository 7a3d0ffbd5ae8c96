//! What is about to be written: the session, its home DC, and every peer with its names.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use mtsession_core::clients::{Contents, Login, StringFormat};
use mtsession_core::{
    AUTH_KEY_LEN, Account, ChannelPts, Counters, EncodeError, Field, MinPeer, Peer, PeerKind,
    SessionSource,
};
use rusqlite::Statement;
use zeroize::Zeroizing;

use crate::clients::error::ForeignError;
use crate::clients::marked::mark;
use crate::clients::target::{Options, Target};
use crate::record::SessionRecord;
use crate::record::peer_names::PeerNames;

/// A session that has all that its target needs.
pub(super) struct Outgoing<'n> {
    pub(super) record: SessionRecord,
    pub(super) login: Login,
    names: HashMap<(PeerKind, i64), &'n PeerNames>,
}

/// A peer as other libraries have it.
pub(super) struct MarkedPeer<'n> {
    pub(super) id: i64,
    pub(super) peer: Peer,
    pub(super) names: Option<&'n PeerNames>,
}

impl MarkedPeer<'_> {
    /// The main username; libraries store usernames in lower case.
    pub(super) fn username(&self) -> Option<String> {
        self.usernames().next()
    }

    pub(super) fn usernames(&self) -> impl Iterator<Item = String> {
        let names = self.names.iter().flat_map(|names| &names.usernames);
        names.map(|name| name.to_lowercase())
    }

    pub(super) fn phone(&self) -> Option<&str> {
        self.names?.phone.as_deref()
    }

    pub(super) fn title(&self) -> Option<&str> {
        self.names?.title.as_deref()
    }
}

impl<'n> Outgoing<'n> {
    /// Asks for everything that is missing at once.
    pub(super) fn new(
        target: Target,
        session: &impl SessionSource,
        names: &'n [PeerNames],
    ) -> Result<Self, ForeignError> {
        let login = Login::from_source(session).map_err(missing)?;
        let mut known = Contents::of(&login);
        if login.test_mode().is_some() {
            known |= Contents::TEST_MODE;
        }
        let lacks = target.needs().without(known);
        if !lacks.is_empty() {
            return Err(ForeignError::Missing(lacks));
        }
        if target.needs().contains(Contents::USER_ID)
            && let Some(id) = login.account().user_id
            && mark(PeerKind::User, id).is_none()
        {
            return Err(ForeignError::Unfit(format!("no user has the id {id}")));
        }
        let mut record = SessionRecord::copy_of(session);
        if !names.is_empty() {
            record.set_peer_names(names)?;
        }
        Ok(Self {
            record,
            login,
            names: names
                .iter()
                .map(|names| ((names.kind, names.id), names))
                .collect(),
        })
    }

    pub(super) fn account(&self) -> Account {
        self.login.account()
    }

    pub(super) fn test_mode(&self) -> bool {
        // Targets that cannot do without it have asked for it; the others take the production servers.
        self.login.test_mode().unwrap_or_default()
    }

    pub(super) fn dc_id(&self) -> i32 {
        self.login.home_dc_id()
    }

    pub(super) fn key(&self) -> &[u8; AUTH_KEY_LEN] {
        self.login.auth_key().as_bytes()
    }

    /// The peers that can be addressed, the first of each id, under their marked ids. A community is
    /// marked like a channel.
    pub(super) fn peers(&self) -> impl Iterator<Item = MarkedPeer<'n>> {
        let mut seen = std::collections::HashSet::new();
        self.record.peers().filter_map(move |peer| {
            let kind = if peer.is_community {
                PeerKind::Channel
            } else {
                peer.kind
            };
            if peer.access_hash == 0 && kind != PeerKind::Chat {
                return None;
            }
            let id = mark(kind, peer.id).filter(|id| seen.insert(*id))?;
            Some(MarkedPeer {
                id,
                peer: Peer { kind, ..peer },
                names: self.names.get(&(peer.kind, peer.id)).copied(),
            })
        })
    }

    /// The contexts of users that can be, in chats that can be.
    pub(super) fn min_peers(&self) -> impl Iterator<Item = MinPeer> + '_ {
        let is_one = |peer: &MinPeer| {
            mark(PeerKind::User, peer.user_id).is_some()
                && mark(PeerKind::Channel, peer.peer_id).is_some()
        };
        self.record.min_peers().filter(is_one)
    }

    /// The channels with a pts, the last of each id that can be one: in some databases the row 0 is the
    /// account's own.
    pub(super) fn channels(&self) -> impl Iterator<Item = ChannelPts> {
        let channels: HashMap<i64, i32> = self
            .record
            .channels()
            .filter(|channel| mark(PeerKind::Channel, channel.id).is_some())
            .map(|channel| (channel.id, channel.pts))
            .collect();
        channels.into_iter().map(|(id, pts)| ChannelPts { id, pts })
    }

    /// The session as a string.
    pub(super) fn text(
        &self,
        format: StringFormat,
        options: Options,
    ) -> Result<Secret, ForeignError> {
        let mut text = Zeroizing::new(Vec::with_capacity(1024));
        if format == StringFormat::Native {
            mtsession_core::text::encode_native(&self.record, &mut *text).map_err(missing)?;
        } else {
            self.login
                .encode(format, options.ipv6, &mut *text)
                .map_err(missing)?;
        }
        Ok(text)
    }
}

/// A field as what a user would be asked for.
pub(super) fn missing<E: core::fmt::Display>(error: EncodeError<E>) -> ForeignError {
    match error {
        EncodeError::Missing(Field::UserId) => ForeignError::Missing(Contents::USER_ID),
        EncodeError::Missing(Field::IsBot) => ForeignError::Missing(Contents::IS_BOT),
        EncodeError::Missing(Field::ApiId) => ForeignError::Missing(Contents::API_ID),
        EncodeError::Missing(Field::TestMode) => ForeignError::Missing(Contents::TEST_MODE),
        EncodeError::Missing(Field::DcAuthKey) => ForeignError::NotLoggedIn,
        EncodeError::Missing(Field::HomeDcId) => ForeignError::Missing(Contents::HOME_DC),
        EncodeError::Missing(Field::DcAddr | Field::StringIpv4) => {
            ForeignError::Missing(Contents::ADDRESS)
        }
        other => ForeignError::Unfit(other.to_string()),
    }
}

/// The row 0 of an `update_state`, which is the account's own.
pub(super) fn write_counters(
    state: &mut Statement<'_>,
    counters: Counters,
) -> Result<(), ForeignError> {
    if counters.is_initialised() {
        let Counters {
            pts,
            qts,
            date,
            seq,
        } = counters;
        state.execute([0, pts, qts, date, seq])?;
    }
    Ok(())
}

/// A buffer for bytes that hold a key.
pub(super) type Secret = Zeroizing<Vec<u8>>;

/// A new file that only its owner can read.
pub(super) fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
