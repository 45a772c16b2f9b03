//! What the machine and the user's session say about folders. The one place that reads the process environment for roots.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What locations are evaluated against.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// The user's home directory, as `~` stands for it.
    pub home: Option<PathBuf>,
    /// The platform's cache folder, for `{cache}`.
    pub cache: PathBuf,
    /// The platform's folder for temporary files, for `{temp}`.
    pub temp: PathBuf,
    /// dscc's own folders (configuration, plugins, state, compiled code): no root contains one or lies in one.
    pub own: Vec<PathBuf>,
    /// The account table (`/etc/passwd`), where `~user` and the other home directories are looked up. Empty: no accounts.
    pub accounts: PathBuf,
}

impl Environment {
    /// The environment of this process, with the folders that dscc uses for itself.
    pub fn of_process(own: Vec<PathBuf>) -> Self {
        let variables: BTreeMap<_, _> = std::env::vars_os().collect();
        let accounts = if cfg!(unix) { PathBuf::from("/etc/passwd") } else { PathBuf::new() };
        let mut environment = Self { variables, home: std::env::home_dir(), own, accounts, ..Self::default() };
        environment.cache = environment.platform_cache().unwrap_or_default();
        environment.temp = environment.platform_temp();
        environment
    }

    /// The home directory, if it is known and absolute.
    pub(super) fn home(&self) -> Option<&Path> {
        self.home.as_deref().filter(|home| home.is_absolute())
    }

    /// A variable's value, which may be empty.
    pub(super) fn variable(&self, name: &str) -> Option<&OsStr> {
        if let Some(value) = self.variables.get(OsStr::new(name)) {
            return Some(value);
        }
        let same = |key: &&OsString| cfg!(windows) && key.eq_ignore_ascii_case(name);
        self.variables.keys().find(same).map(|key| self.variables[key].as_os_str())
    }

    /// The home directory of a named account.
    pub(super) fn home_of(&self, user: &[u8]) -> Option<PathBuf> {
        self.accounts().into_iter().find(|(name, _)| name == user).map(|(_, home)| home)
    }

    /// The home directories of all accounts of this machine.
    pub(super) fn homes(&self) -> Vec<PathBuf> {
        self.accounts().into_iter().map(|(_, home)| home).collect()
    }

    fn accounts(&self) -> Vec<(Vec<u8>, PathBuf)> {
        if self.accounts.as_os_str().is_empty() {
            return Vec::new();
        }
        // Without the table the rules that need it do not apply; every other refusal stands.
        let table = std::fs::read(&self.accounts).unwrap_or_default();
        let account = |line: &[u8]| {
            let mut fields = line.split(|byte| *byte == b':');
            let (name, home) = (fields.next()?.to_vec(), fields.nth(4)?);
            let home = PathBuf::from(from_bytes(home.to_vec())?);
            home.is_absolute().then_some((name, home))
        };
        table.split(|byte| *byte == b'\n').filter_map(account).collect()
    }

    /// As Python has it, in which the libraries are written: the first of these variables that names a folder.
    fn platform_temp(&self) -> PathBuf {
        let set = ["TMPDIR", "TEMP", "TMP"].into_iter().filter_map(|name| self.variable(name)).map(PathBuf::from);
        set.filter(|_| cfg!(unix)).find(|path| path.is_dir()).unwrap_or_else(system_temp)
    }

    fn platform_cache(&self) -> Option<PathBuf> {
        let set = |name: &str| self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        if cfg!(windows) {
            set("LOCALAPPDATA").or_else(|| Some(self.home()?.join("AppData").join("Local")))
        } else if cfg!(target_os = "macos") {
            Some(self.home()?.join("Library/Caches"))
        } else {
            set("XDG_CACHE_HOME").or_else(|| Some(self.home()?.join(".cache")))
        }
    }
}

/// The system's own folder, whatever the variables say.
fn system_temp() -> PathBuf {
    if cfg!(unix) { PathBuf::from("/tmp") } else { std::env::temp_dir() }
}

#[cfg(unix)]
pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Some(OsString::from_vec(bytes))
}

#[cfg(not(unix))]
pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_folder_for_temporary_files_is_the_one_that_python_finds() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let temp = |variables: &[(&str, &Path)]| {
            let variables = variables.iter().map(|(name, path)| (OsString::from(name), path.as_os_str().to_owned()));
            Environment { variables: variables.collect(), ..Environment::default() }.platform_temp()
        };
        let (first, second) = (first.path(), second.path());
        assert_eq!(temp(&[("TMPDIR", first), ("TEMP", second)]), first);
        assert_eq!(temp(&[("TMP", first), ("TEMP", second)]), second);
        assert_eq!(temp(&[("TMPDIR", Path::new("")), ("TMP", first)]), first);
        assert_eq!(temp(&[("TMPDIR", &first.join("nothing")), ("TEMP", second)]), second);
        assert_eq!(temp(&[]), Path::new("/tmp"));
    }
}
