//! The parts of the format, as errors name them.

use core::fmt;

/// A part of the session format, named as in [`format`](crate::format).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each variant is the field of that name in FORMAT.md"
)]
pub enum Field {
    Version,
    HomeDcId,
    DcCount,
    DcId,
    DcHasKey,
    DcAuthKey,
    DcFirstSalt,
    DcTimeOffset,
    DcAddrLen,
    DcAddr,
    DcFlags,
    Dcs,
    Counters,
    ChannelCount,
    Channels,
    PeerCount,
    Peers,
    MinPeerCount,
    MinPeers,
    TokenPresence,
    TokenLen,
    Token,
    Trailer,
    TrailerVersion,
    TrailerSection,
    TrailerAccount,
    TrailerNames,
    LoginState,
    TrailerChecksum,
    Change,
    StringText,
    StringVersion,
    StringIpType,
    StringIp,
    StringPort,
    StringSalt,
    StringSeqNo,
    StringLayer,
    StringDcId,
    StringAuthKey,
    UserId,
    IsBot,
    ApiId,
    TestMode,
    StringIpv4,
    SealedHeader,
    SealedSlot,
    SealedBody,
}

impl Field {
    /// The field's name, as in "input ends inside `dc.auth_key`".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::HomeDcId => "home_dc_id",
            Self::DcCount => "dc_count",
            Self::DcId => "dc.dc_id",
            Self::DcHasKey => "dc.has_key",
            Self::DcAuthKey => "dc.auth_key",
            Self::DcFirstSalt => "dc.first_salt",
            Self::DcTimeOffset => "dc.time_offset",
            Self::DcAddrLen => "dc.addr_len",
            Self::DcAddr => "dc.addr",
            Self::DcFlags => "dc.flags",
            Self::Dcs => "dcs",
            Self::Counters => "update counters",
            Self::ChannelCount => "channel_count",
            Self::Channels => "channels",
            Self::PeerCount => "peer_count",
            Self::Peers => "peers",
            Self::MinPeerCount => "min_count",
            Self::MinPeers => "min_peers",
            Self::TokenPresence => "has_token",
            Self::TokenLen => "future_auth_token length",
            Self::Token => "future_auth_token",
            Self::Trailer => "trailer",
            Self::TrailerVersion => "trailer version",
            Self::TrailerSection => "trailer section",
            Self::TrailerAccount => "trailer account",
            Self::TrailerNames => "trailer names",
            Self::LoginState => "login state",
            Self::TrailerChecksum => "trailer checksum",
            Self::Change => "change",
            Self::StringText => "session string",
            Self::StringVersion => "string version",
            Self::StringIpType => "string ip_type",
            Self::StringIp => "string ip",
            Self::StringPort => "string port",
            Self::StringSalt => "string server_salt",
            Self::StringSeqNo => "string seq_no",
            Self::StringLayer => "string layer",
            Self::StringDcId => "string dc_id",
            Self::StringAuthKey => "string auth_key",
            Self::UserId => "user_id",
            Self::IsBot => "is_bot",
            Self::ApiId => "api_id",
            Self::TestMode => "test_mode",
            Self::StringIpv4 => "an IPv4 address",
            Self::SealedHeader => "sealed header",
            Self::SealedSlot => "key slot",
            Self::SealedBody => "sealed body",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
