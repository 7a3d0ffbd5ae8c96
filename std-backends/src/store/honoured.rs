//! Which options each kind of store honours.

/// A kind of store, as far as options are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Honours {
    File,
    Database,
    Server,
    Memory,
    Blobs,
    /// Redis and `PostgreSQL`.
    Login,
    S3,
}

impl Honours {
    const ALL: [Self; 7] = [
        Self::File,
        Self::Database,
        Self::Server,
        Self::Memory,
        Self::Blobs,
        Self::Login,
        Self::S3,
    ];

    /// Whether any kind of store honours an option.
    pub(crate) fn is_anywhere(option: &str) -> bool {
        Self::ALL.into_iter().any(|store| store.contains(option))
    }

    pub(crate) fn contains(self, option: &str) -> bool {
        let special: &[&str] = match self {
            Self::File => &["deadline", "flush", "own"],
            Self::Database => &["deadline", "flush", "memory_budget", "own"],
            Self::Server => &[
                "auth_token",
                "deadline",
                "insecure",
                "own",
                "proxy",
                "replica",
                "requests",
                "tls",
            ],
            Self::Memory => &["own"],
            Self::Blobs => &["deadline"],
            Self::Login => &["auth_token", "deadline", "insecure"],
            Self::S3 => &[
                "auth_token",
                "deadline",
                "endpoint",
                "insecure",
                "proxy",
                "region",
            ],
        };
        let sealing: &[&str] = match self {
            Self::File if cfg!(feature = "seal") => {
                &["key", "key_file", "label", "anchor", "accept_rollback"]
            }
            _ => &[],
        };
        matches!(option, "read_only" | "create" | "limits")
            || special.contains(&option)
            || sealing.contains(&option)
    }

    /// Databases flush a key whatever is chosen.
    pub(crate) const fn can_flush_never(self) -> bool {
        matches!(self, Self::File)
    }

    pub(crate) const fn store(self) -> &'static str {
        match self {
            Self::File => "a session file",
            Self::Database => "a database file",
            Self::Server => "a server",
            Self::Memory => "memory",
            Self::Blobs => "a store of blobs",
            Self::Login => "Redis or PostgreSQL",
            Self::S3 => "S3",
        }
    }
}
