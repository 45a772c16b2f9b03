//! The folders that no rule, variable or option makes a root. Each is compared as it is written and with its links
//! resolved, so that neither a link to it nor a link in its place gets past.

use std::path::{Component, Path, PathBuf};

use super::{Environment, Refusal, never};

/// Beneath the home directory: keys, credentials, settings. Neither they, nor what is in them, nor what holds them.
const PRIVATE: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".config",
    ".password-store",
    ".local/share/keyrings",
    "Library/Keychains",
    "Library/Preferences",
];

/// Neither they nor what holds them; what is in them may be a shared cache.
const SYSTEM: &[&str] = &[
    "/usr",
    "/usr/local",
    "/usr/share",
    "/var",
    "/var/lib",
    "/var/cache",
    "/var/log",
    "/run",
    "/opt",
    "/srv",
    "/mnt",
    "/media",
    "/root",
    "/home",
    "/Users",
    "/Library",
    "/Volumes",
    "/private",
    "/private/var",
    "/nix",
    "/snap",
];

/// Nothing in them either.
const SYSTEM_TREES: &[&str] = &[
    "/etc",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/boot",
    "/dev",
    "/proc",
    "/sys",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/include",
    "/System",
    "/private/etc",
];

/// The variables in which Windows keeps the names of its folders.
const WINDOWS_SYSTEM: &[&str] = &[
    "SystemRoot",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "ProgramData",
    "ALLUSERSPROFILE",
    "PUBLIC",
    "APPDATA",
    "LOCALAPPDATA",
];

/// What a folder has that people work in, and a cache has not.
const HOME_SIGNS: &[&str] = &[".ssh", ".bashrc", ".profile", ".bash_history", ".zshrc"];

/// The protected folders of this machine and user.
pub(super) struct Protected {
    homes: Vec<PathBuf>,
    own: Vec<PathBuf>,
    private: Vec<PathBuf>,
    /// Folders of credentials, wherever they are. Neither they nor what is in them; what holds one may be a cache.
    never: Vec<PathBuf>,
    system: Vec<PathBuf>,
}

impl Protected {
    /// As they are written: enough to refuse a name, and next to free.
    pub(super) fn as_written(environment: &Environment) -> Self {
        Self::new(environment, Vec::new(), lexical)
    }

    /// With links resolved, and with everyone's home directories: for a directory that exists.
    pub(super) fn on_disk(environment: &Environment) -> Self {
        let never = never(environment).into_iter().filter(|place| place.is_dir()).map(|place| resolved(&place));
        Self { never: never.collect(), ..Self::new(environment, environment.homes(), resolved) }
    }

    fn new(environment: &Environment, other_homes: Vec<PathBuf>, form: fn(&Path) -> PathBuf) -> Self {
        let home: Vec<PathBuf> = environment.home().map(form).into_iter().collect();
        let private = home.iter().flat_map(|home| PRIVATE.iter().map(|name| form(&home.join(name)))).collect();
        let own = environment.own.iter().filter(|own| own.is_absolute()).map(|own| form(own)).collect();
        let windows = WINDOWS_SYSTEM.iter().filter(|_| cfg!(windows)).filter_map(|name| environment.variable(name));
        let system = windows.map(PathBuf::from).collect();
        Self { homes: [home, other_homes].concat(), own, private, never: Vec::new(), system }
    }

    /// Why this absolute path must not be a root, by its name alone.
    pub(super) fn refuse(&self, path: &Path) -> Option<Refusal> {
        let path = &lexical(path);
        if path.parent().is_none() {
            return Some(Refusal::Top);
        }
        let system = SYSTEM.iter().map(Path::new).chain(self.system.iter().map(PathBuf::as_path));
        let trees = SYSTEM_TREES.iter().map(Path::new);
        let touching = |folder: &&Path| folder.starts_with(path) || path.starts_with(folder);
        None.or_else(|| self.homes.iter().find(|home| *home == path).cloned().map(Refusal::Home))
            .or_else(|| self.homes.iter().find(|home| home.starts_with(path)).cloned().map(Refusal::AboveHome))
            .or_else(|| first(&self.own, touching).map(Refusal::Own))
            .or_else(|| first(&self.private, touching).map(Refusal::Private))
            .or_else(|| first(&self.never, |place| path.starts_with(place)).map(Refusal::Private))
            .or_else(|| system.clone().find(|folder| folder.starts_with(path)).map(|at| Refusal::System(at.to_owned())))
            .or_else(|| trees.clone().find(touching).map(|at| Refusal::System(at.to_owned())))
    }
}

/// Whether an existing folder has what home directories have. The account table does not know everyone's.
pub(super) fn looks_like_home(resolved: &Path) -> Option<Refusal> {
    let shows = |sign: &&&str| resolved.join(sign).symlink_metadata().is_ok();
    HOME_SIGNS.iter().find(shows).map(|sign| Refusal::LooksLikeHome(sign))
}

fn first(folders: &[PathBuf], touching: impl Fn(&&Path) -> bool) -> Option<PathBuf> {
    folders.iter().map(PathBuf::as_path).find(touching).map(Path::to_owned)
}

/// The path with links resolved as far as it exists: dscc's own folders may have to be made yet.
fn resolved(path: &Path) -> PathBuf {
    let above = path.ancestors().find_map(|above| Some((above, canonical(above).ok()?)));
    above.and_then(|(above, real)| Some(real.join(path.strip_prefix(above).ok()?))).unwrap_or_else(|| path.to_owned())
}

/// An existing path with its links resolved, without the `\\?\` that Windows puts before it.
pub(super) fn canonical(path: &Path) -> std::io::Result<PathBuf> {
    let real = path.canonicalize()?;
    let plain = real.to_str().and_then(|text| text.strip_prefix(r"\\?\")).filter(|_| cfg!(windows));
    Ok(plain.filter(|text| text.as_bytes().get(1) == Some(&b':')).map_or(real.clone(), PathBuf::from))
}

/// The path without `.`, `..` and doubled separators, by its text alone.
pub(super) fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
