//! The reasons for which a folder is never a root.

use std::path::PathBuf;

use super::LocationError;
use super::shown;

/// Why a folder must not be a root. The text is the end of a sentence about the folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The library would use the working folder itself.
    #[error("it is empty, which means whatever folder a program happens to run in")]
    Empty,
    /// The library would use another folder in each working folder.
    #[error("it is a relative path, which means another folder in each working folder")]
    Relative,
    /// `~` has no meaning.
    #[error("the home directory is unknown")]
    NoHome,
    /// `/`, or a drive.
    #[error("it is the top of a file system")]
    Top,
    /// A home directory.
    #[error("it is the home directory `{}`", shown(.0.as_os_str()))]
    Home(PathBuf),
    /// It looks like somebody's home directory.
    #[error("it holds `{0}`, as home directories do")]
    LooksLikeHome(&'static str),
    /// Above a home directory.
    #[error("it holds the home directory `{}`", shown(.0.as_os_str()))]
    AboveHome(PathBuf),
    /// dscc's own folder, or in it, or above it.
    #[error("it is, is in, or holds dscc's own folder `{}`", shown(.0.as_os_str()))]
    Own(PathBuf),
    /// Keys, credentials, settings.
    #[error("it is, is in, or holds `{}`, which keeps keys or settings", shown(.0.as_os_str()))]
    Private(PathBuf),
    /// A folder of the operating system.
    #[error("it is, is in, or holds the system folder `{}`", shown(.0.as_os_str()))]
    System(PathBuf),
    /// A file or something else.
    #[error("it is not a directory")]
    NotDirectory,
    /// A whole file system without a sign that it is this cache.
    #[error("it is a mount point and shows none of the marks of such a cache")]
    MountPoint,
    /// The plugin's rule is malformed.
    #[error("{0}")]
    BadLocation(#[from] LocationError),
}

impl Refusal {
    /// A stable word, as JSON problems carry it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "root-empty",
            Self::Relative => "root-relative",
            Self::NoHome => "root-no-home",
            Self::Top => "root-top",
            Self::Home(_) | Self::LooksLikeHome(_) | Self::AboveHome(_) => "root-home",
            Self::Own(_) => "root-own",
            Self::Private(_) => "root-private",
            Self::System(_) => "root-system",
            Self::NotDirectory => "root-not-directory",
            Self::MountPoint => "root-mount-point",
            Self::BadLocation(_) => "root-bad-location",
        }
    }
}
