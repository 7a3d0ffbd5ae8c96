//! One iterator type for a session that is one of two kinds.

/// Iterates over whichever side there is.
pub(crate) enum Either<A, B> {
    Left(A),
    Right(B),
}

impl<T, A: Iterator<Item = T>, B: Iterator<Item = T>> Iterator for Either<A, B> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Self::Left(a) => a.next(),
            Self::Right(b) => b.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Left(a) => a.size_hint(),
            Self::Right(b) => b.size_hint(),
        }
    }
}

impl<T, A, B> ExactSizeIterator for Either<A, B>
where
    A: ExactSizeIterator<Item = T>,
    B: ExactSizeIterator<Item = T>,
{
}

/// Implements [`SessionSource`](crate::SessionSource) for an enum by asking the session in each of its two
/// variants.
macro_rules! forward_to_either {
    ($self:ident; $arms:tt) => {
        $crate::either::forward_to_either!(@values $self; $arms;
            home_dc_id: i32, counters: $crate::Counters, account: $crate::Account,
            login_state: $crate::LoginState<'_>, names: $crate::Names<'_>,
            future_auth_token: Option<&[u8]>);
        $crate::either::forward_to_either!(@lists $self; $arms;
            dcs: $crate::DcRef<'_>, channels: $crate::ChannelPts, peers: $crate::Peer,
            packed_peers: $crate::wire::PackedPeer, min_peers: $crate::MinPeer);
    };
    (@values $self:ident; $arms:tt; $($method:ident: $value:ty),+) => {
        $($crate::either::forward_to_either!(@value $self; $arms; $method: $value);)+
    };
    (@value $self:ident; ($left:pat => $a:ident, $right:pat => $b:ident); $method:ident: $value:ty) => {
        fn $method(&$self) -> $value {
            match $self {
                $left => $crate::SessionSource::$method($a),
                $right => $crate::SessionSource::$method($b),
            }
        }
    };
    (@lists $self:ident; $arms:tt; $($method:ident: $item:ty),+) => {
        $($crate::either::forward_to_either!(@list $self; $arms; $method: $item);)+
    };
    (@list $self:ident; ($left:pat => $a:ident, $right:pat => $b:ident); $method:ident: $item:ty) => {
        fn $method(&$self) -> impl ExactSizeIterator<Item = $item> {
            match $self {
                $left => $crate::either::Either::Left($crate::SessionSource::$method($a)),
                $right => $crate::either::Either::Right($crate::SessionSource::$method($b)),
            }
        }
    };
}

pub(crate) use forward_to_either;
