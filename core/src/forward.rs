//! Forwarding of a whole session, or of what a wrapper has nothing of its own for.

/// Implements the methods of [`SessionSource`](crate::SessionSource) by asking another session.
///
/// Without a list of methods it forwards all of them that say what is in a session. A type with a part of
/// its own names those that it forwards, and the compiler names the others.
///
/// ```
/// use mtsession_core::{Account, SessionSource, SessionView, forward_session_source};
///
/// struct Shown<'b>(SessionView<'b>);
///
/// impl SessionSource for Shown<'_> {
///     forward_session_source!(self => self.0);
/// }
///
/// struct Nameless<S>(S);
///
/// impl<S: SessionSource> SessionSource for Nameless<S> {
///     forward_session_source!(self => self.0;
///         home_dc_id counters account login_state future_auth_token dcs channels peers packed_peers
///         min_peers);
///
///     fn names(&self) -> mtsession_core::Names<'_> {
///         mtsession_core::Names::NONE
///     }
/// }
///
/// let view = SessionView::parse(&[2, 0, 0, 0, 0])?;
/// assert_eq!(Shown(view).home_dc_id(), 2);
/// assert_eq!(Nameless(view).account(), Account::default());
/// # Ok::<(), mtsession_core::DecodeError>(())
/// ```
#[macro_export]
macro_rules! forward_session_source {
    ($self:ident => $to:expr) => {
        $crate::forward_session_source!($self => $to;
            home_dc_id counters account login_state names future_auth_token dcs channels peers
            packed_peers min_peers count get position);
    };
    ($self:ident => $to:expr; $($method:ident)+) => {
        $($crate::forward_session_source!(@$method $self => $to);)+
    };
    (@home_dc_id $self:ident => $to:expr) => {
        fn home_dc_id(&$self) -> i32 {
            $crate::SessionSource::home_dc_id(&$to)
        }
    };
    (@counters $self:ident => $to:expr) => {
        fn counters(&$self) -> $crate::Counters {
            $crate::SessionSource::counters(&$to)
        }
    };
    (@account $self:ident => $to:expr) => {
        fn account(&$self) -> $crate::Account {
            $crate::SessionSource::account(&$to)
        }
    };
    (@login_state $self:ident => $to:expr) => {
        fn login_state(&$self) -> $crate::LoginState<'_> {
            $crate::SessionSource::login_state(&$to)
        }
    };
    (@names $self:ident => $to:expr) => {
        fn names(&$self) -> $crate::Names<'_> {
            $crate::SessionSource::names(&$to)
        }
    };
    (@future_auth_token $self:ident => $to:expr) => {
        fn future_auth_token(&$self) -> Option<&[u8]> {
            $crate::SessionSource::future_auth_token(&$to)
        }
    };
    (@dcs $self:ident => $to:expr) => {
        fn dcs(&$self) -> impl ExactSizeIterator<Item = $crate::DcRef<'_>> {
            $crate::SessionSource::dcs(&$to)
        }
    };
    (@channels $self:ident => $to:expr) => {
        fn channels(&$self) -> impl ExactSizeIterator<Item = $crate::ChannelPts> {
            $crate::SessionSource::channels(&$to)
        }
    };
    (@peers $self:ident => $to:expr) => {
        fn peers(&$self) -> impl ExactSizeIterator<Item = $crate::Peer> {
            $crate::SessionSource::peers(&$to)
        }
    };
    (@packed_peers $self:ident => $to:expr) => {
        fn packed_peers(&$self) -> impl ExactSizeIterator<Item = $crate::wire::PackedPeer> {
            $crate::SessionSource::packed_peers(&$to)
        }
    };
    (@min_peers $self:ident => $to:expr) => {
        fn min_peers(&$self) -> impl ExactSizeIterator<Item = $crate::MinPeer> {
            $crate::SessionSource::min_peers(&$to)
        }
    };
    (@count $self:ident => $to:expr) => {
        fn count(&$self, list: $crate::List) -> usize {
            $crate::SessionSource::count(&$to, list)
        }
    };
    (@get $self:ident => $to:expr) => {
        fn get(&$self, list: $crate::List, position: usize) -> Option<$crate::Change<'_>> {
            $crate::SessionSource::get(&$to, list, position)
        }
    };
    (@position $self:ident => $to:expr) => {
        fn position(&$self, key: $crate::EntryKey) -> Option<usize> {
            $crate::SessionSource::position(&$to, key)
        }
    };
}
