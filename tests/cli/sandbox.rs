//! A home directory with the program in it: every folder it could write to is inside, every variable is cleared but the
//! ones named here. Compiled code is shared, in the target folder, so that the components are compiled once.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::hub::Hub;
use crate::tree::{self, Tree};

/// A temporary folder with `home/` and, beside it, `outside/`, which nothing may ever touch.
pub struct Sandbox {
    dir: TempDir,
}

/// How a run of the program ended.
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The program. Where whoever started the tests ignores Ctrl-C, as shells do for what runs in the background, the program
/// would, too.
fn program() -> Command {
    let own = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = own.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let program = env!("CARGO_BIN_EXE_dscc");
    if ignored.unwrap_or_default() & 0b10 == 0 {
        return Command::new(program);
    }
    // By its path: some tests leave the program nothing in PATH.
    let mut command = Command::new("/usr/bin/env");
    command.args(["--default-signal=INT", program]);
    command
}

impl Sandbox {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("dscc-cli-").tempdir().unwrap();
        let sandbox = Self { dir };
        for folder in ["home", "outside/folder"] {
            fs::create_dir_all(sandbox.path(folder)).unwrap();
        }
        fs::write(sandbox.path("outside/precious"), "precious").unwrap();
        fs::write(sandbox.path("outside/folder/file"), "also precious").unwrap();
        symlink("precious", sandbox.path("outside/link")).unwrap();
        sandbox
    }

    /// A path within.
    pub fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(below)
    }

    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    pub fn outside(&self) -> PathBuf {
        self.path("outside")
    }

    /// The place where the hub's cache is by default.
    pub fn hub(&self) -> Hub {
        Hub::at(self.home().join(".cache/huggingface/hub"))
    }

    /// Everything but the hub, as it is now.
    pub fn all_but(&self, root: &Path) -> Tree {
        tree::read_all_but(self.dir.path(), root)
    }

    /// The program with this sandbox's environment.
    pub fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let home = self.home();
        let mut command = program();
        command.args(args).env_clear().current_dir(&home).stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        // What tests make is younger than any grace age.
        command.env("DSCC_GRACE", "0s").env("LANG", "C.UTF-8").env("HOME", &home).env("TMPDIR", self.dir.path());
        for (variable, folder) in [
            ("XDG_CACHE_HOME", ".cache"),
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_STATE_HOME", ".local/state"),
            ("DSCC_CONFIG", ".config/dscc/config.toml"),
            ("DSCC_PLUGINS_DIR", ".local/share/dscc/plugins"),
            ("DSCC_STATE_DIR", ".local/state/dscc"),
        ] {
            command.env(variable, home.join(folder));
        }
        command.env("DSCC_CACHE_DIR", code_dir());
        command
    }

    /// Runs the program.
    pub fn dscc<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    /// Runs the program so that permissions count for it, also where the tests run as root.
    pub fn dscc_bound<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        self.bound(self.command(args))
    }

    /// The same for a command that is made already.
    pub fn bound(&self, command: Command) -> Run {
        Run::of(bound_by_permissions(command))
    }

    /// Runs the program, which must succeed, and reads its JSON.
    pub fn json<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Value {
        let run = self.dscc(args.into_iter().map(|arg| arg.as_ref().to_owned()).chain(["--json".into()]));
        run.expect(0).json()
    }

    /// All entries and what is in them.
    pub fn entries(&self) -> Vec<Value> {
        array(&self.json(["show", "--children"]), "entries")
    }

    /// The entry of that id.
    pub fn entry(&self, id: &str) -> Value {
        let entries = self.entries();
        let found = entries.iter().find(|entry| entry["id"] == id);
        found.unwrap_or_else(|| panic!("no {id} among {:?}", ids(&entries))).clone()
    }

    /// The record of the only run that has one.
    #[track_caller]
    pub fn record(&self) -> PathBuf {
        let records = fs::read_dir(self.home().join(".local/state/dscc/runs")).unwrap();
        let records: Vec<PathBuf> = records.map(|it| it.unwrap().path()).collect();
        let [record] = records.as_slice() else { panic!("{records:?}") };
        record.clone()
    }

    /// What dscc left of its own: folders in which things wait, what it was writing, and records.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let all = walkdir::WalkDir::new(self.dir.path()).into_iter().flatten().map(walkdir::DirEntry::into_path);
        all.filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(".dscc-") || name.ends_with(".jsonl") && name != "journal.jsonl"
        })
        .collect()
    }

    /// Whether a folder for what was removed is anywhere.
    pub fn is_anything_held(&self) -> bool {
        let is_holding = |path: &PathBuf| path.to_string_lossy().contains("/.dscc-quarantine");
        self.leftovers().iter().any(is_holding)
    }
}

impl Drop for Sandbox {
    /// Folders without rights could not be deleted.
    fn drop(&mut self) {
        tree::unlock(self.dir.path());
    }
}

impl Run {
    pub fn of(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).expect("messages are UTF-8");
        let stdout = String::from_utf8(output.stdout).expect("results are UTF-8");
        assert!(!stderr.contains("panicked at"), "{stderr}");
        let status = output.status.code().unwrap_or_else(|| panic!("{}: {stderr}", output.status));
        Self { status, stdout, stderr }
    }

    /// The exit status must be this one.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Both streams.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n--- stderr\n{}", self.stdout, self.stderr))
    }
}

/// The rows under a key, which must be an array.
#[track_caller]
pub fn array(value: &Value, key: &str) -> Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("`{key}` is no array in {value:#}")).clone()
}

/// The ids of rows.
pub fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["id"].as_str()).collect()
}

/// The reason why an entry stays, or was left out.
#[track_caller]
pub fn reason(document: &Value, id: &str) -> String {
    let keep = array(document, "keep");
    let row = keep.iter().find(|row| row["id"] == id);
    row.unwrap_or_else(|| panic!("{id} does not stay: {document:#}"))["reason"].as_str().unwrap().to_owned()
}

/// Every `paths` of rows, sorted.
pub fn paths(rows: &[Value]) -> Vec<String> {
    let of_row = |row: &Value| array(row, "paths").iter().filter_map(|path| path.as_str().map(str::to_owned)).collect();
    let mut all: Vec<String> = rows.iter().flat_map(|row: &Value| -> Vec<String> { of_row(row) }).collect();
    all.sort();
    all
}

/// Where compiled code is kept for all tests; each user's is their own, because the program asks for that.
pub fn code_dir() -> PathBuf {
    static COMPILED: OnceLock<PathBuf> = OnceLock::new();
    let dir = COMPILED.get_or_init(|| {
        let user = rustix::process::geteuid().as_raw();
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dscc-code-{user}"));
        // Compiled before any test needs it, instead of by all of them at the same time.
        let mut first = Command::new(env!("CARGO_BIN_EXE_dscc"));
        first.args(["list", "--quiet"]).env_clear().env("HOME", "/nonexistent").env("DSCC_CACHE_DIR", &dir);
        first.output().unwrap();
        dir
    });
    dir.clone()
}

/// Whether permissions mean nothing to this process.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Gives a folder or file to another user, if this process may. Then nobody else's rights are left.
pub fn give_away(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(if is_root() { 0o700 } else { 0 })).unwrap();
    if is_root() {
        std::os::unix::fs::chown(path, Some(65_534), Some(65_534)).unwrap();
    }
}

/// Runs a command without the rights of root to pass by permissions. An ordinary user has none to begin with.
#[cfg(target_os = "linux")]
fn bound_by_permissions(mut command: Command) -> Output {
    use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
    let run = move || {
        if is_root() {
            // The bounding set is the thread's own, and what the program gets is cut down to it.
            for right in [CapabilitySet::DAC_OVERRIDE, CapabilitySet::DAC_READ_SEARCH, CapabilitySet::FOWNER] {
                remove_capability_from_bounding_set(right).expect("root may give up its rights");
            }
        }
        command.output().unwrap()
    };
    std::thread::spawn(run).join().unwrap()
}

#[cfg(not(target_os = "linux"))]
fn bound_by_permissions(mut command: Command) -> Output {
    assert!(!is_root(), "run these tests as an ordinary user on this system");
    command.output().unwrap()
}
