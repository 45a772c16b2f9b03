//! What some tests need and not every system gives: the rights of root, mounts, marks on files. A test that cannot have it
//! says so by name, past the capture of the test runner; where `DSCC_TESTS_MUST_RUN` is set, as in CI, it fails instead.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use crate::sandbox::{Sandbox, code_dir, is_root};

/// Something that a test needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To give files to other users, and to run programs as others.
    Root,
    /// To mount file systems of memory, and folders elsewhere.
    Mounts,
    /// To mount a file as an ext4 file system.
    Ext4,
    /// To mark files as immutable and append-only, on the file system of temporary folders.
    Marks,
    /// A program that is on most systems.
    Tool(&'static str),
}

/// Whether a test of this name may do what only root may, mounts among it.
pub fn privileged(name: &str) -> bool {
    can(name, &[Need::Root, Need::Mounts])
}

/// Whether a test of this name has what it needs.
pub fn can(name: &str, needs: &[Need]) -> bool {
    match needs.iter().find_map(|need| need.lacks()) {
        None => true,
        Some(why) => skipped(name, &why),
    }
}

/// Says that a test does not run, or fails where all have to; false.
pub fn skipped(name: &str, why: &str) -> bool {
    assert!(std::env::var_os("DSCC_TESTS_MUST_RUN").is_none(), "{name} must run here, but {why}");
    // Not by `eprintln!`, which the test runner captures.
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {why}");
    false
}

impl Need {
    fn lacks(self) -> Option<String> {
        let lacks = match self {
            Self::Root => (!is_root()).then_some("only root may do that"),
            Self::Mounts => {
                static MOUNTS: OnceLock<bool> = OnceLock::new();
                let mounts = MOUNTS.get_or_init(|| tries_mount(&["-t", "tmpfs", "tmpfs"]));
                (!mounts).then_some("nothing can be mounted here")
            }
            Self::Ext4 => {
                static EXT4: OnceLock<bool> = OnceLock::new();
                let ext4 = EXT4.get_or_init(|| {
                    let dir = tempfile::tempdir().unwrap();
                    let image = dir.path().join("image");
                    make_ext4(&image, 4) && tries_mount(&["-o", "loop", image.to_str().unwrap()])
                });
                (!ext4).then_some("no file can be mounted as ext4 here")
            }
            Self::Marks => {
                static MARKS: OnceLock<bool> = OnceLock::new();
                let marks = MARKS.get_or_init(|| {
                    let file = tempfile::NamedTempFile::new().unwrap();
                    let set = |mark| does(Command::new("chattr").arg(mark).arg(file.path()));
                    set("+i") && set("-i")
                });
                (!marks).then_some("nothing can be marked immutable here")
            }
            Self::Tool(tool) => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let found = std::env::split_paths(&path).any(|folder| folder.join(tool).is_file());
                return (!found).then(|| format!("{tool}(1) is not there"));
            }
        };
        lacks.map(str::to_owned)
    }
}

fn tries_mount(arguments: &[&str]) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let mounted = does(Command::new("mount").args(arguments).arg(dir.path()));
    mounted && does(Command::new("umount").arg(dir.path()))
}

/// Makes an image of an ext4 file system of so many megabytes.
pub fn make_ext4(image: &Path, megabytes: u64) -> bool {
    fs::File::create(image).unwrap().set_len(megabytes << 20).unwrap();
    does(Command::new("mkfs.ext4").arg("-q").arg("-F").arg(image))
}

/// Whether a program runs and succeeds; what it says is left out.
fn does(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
}

/// A mount that is taken down again.
pub struct Mount {
    at: PathBuf,
}

impl Mount {
    /// Mounts on a folder, which must succeed: ask [`can`] first.
    #[track_caller]
    pub fn new(arguments: &[&str], at: &Path) -> Self {
        let output = Command::new("mount").args(arguments).arg(at).output().unwrap();
        assert!(output.status.success(), "mount {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Self { at: at.to_owned() }
    }

    /// Mounts it with other options.
    #[track_caller]
    pub fn remount(&self, options: &str) {
        let output = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.at).output().unwrap();
        assert!(output.status.success(), "{options}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Mount {
    /// At once, whoever still has something open in it: the folder below is to be deleted.
    fn drop(&mut self) {
        does(Command::new("umount").arg("-l").arg(&self.at));
    }
}

/// A file or folder that is marked until this is gone.
pub struct Mark {
    path: PathBuf,
    mark: char,
}

impl Mark {
    /// `i` for immutable, `a` for append-only.
    #[track_caller]
    pub fn new(mark: char, path: &Path) -> Self {
        let this = Self { path: path.to_owned(), mark };
        assert!(this.set('+'), "chattr +{mark} {}", path.display());
        this
    }

    fn set(&self, sign: char) -> bool {
        does(Command::new("chattr").arg(format!("{sign}{}", self.mark)).arg(&self.path))
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.set('-');
    }
}

/// Somebody else: a user with a copy of the program, and with compiled code of their own.
pub struct User {
    pub uid: u32,
    own: tempfile::TempDir,
}

impl User {
    /// Only root can be somebody else.
    pub fn new(uid: u32) -> Self {
        let own = tempfile::Builder::new().prefix("dscc-cli-user-").tempdir().unwrap();
        fs::set_permissions(own.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // What was built may be where only root can look.
        let (built, program) = (env!("CARGO_BIN_EXE_dscc"), own.path().join("dscc"));
        fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(drop)).unwrap();
        let user = Self { uid, own };
        user.borrow_code();
        user
    }

    /// What is compiled for us already need not be compiled once more.
    fn borrow_code(&self) {
        let code = self.own.path().join("code");
        let built = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/built"));
        let digest = |plugin: fs::DirEntry| -> String {
            let digest = Sha256::digest(fs::read(plugin.path()).unwrap());
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let digests: Vec<String> = built.into_iter().flatten().flatten().map(digest).collect();
        fs::create_dir(&code).unwrap();
        for folder in fs::read_dir(code_dir()).into_iter().flatten().flatten().filter(|it| it.path().is_dir()) {
            let copy = code.join(folder.file_name());
            fs::create_dir(&copy).unwrap();
            for name in digests.iter().flat_map(|digest| [digest.clone(), format!("{digest}.seal")]) {
                // What is not there is compiled when it is needed.
                let _ = fs::copy(folder.path().join(&name), copy.join(&name));
            }
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o700)).unwrap();
        }
        fs::set_permissions(&code, fs::Permissions::from_mode(0o700)).unwrap();
        self.give(&code);
    }

    /// Makes them the owner of a file, or of a folder with all in it.
    pub fn give(&self, path: &Path) {
        for entry in walkdir::WalkDir::new(path).into_iter().map(Result::unwrap) {
            std::os::unix::fs::lchown(entry.path(), Some(self.uid), Some(self.uid)).unwrap();
        }
    }

    /// The program, run by them in a sandbox, which they can enter.
    pub fn command(&self, sandbox: &Sandbox, args: &[&str]) -> Command {
        fs::set_permissions(sandbox.path(""), fs::Permissions::from_mode(0o711)).unwrap();
        let model = sandbox.command(args);
        let mut command = Command::new(self.own.path().join("dscc"));
        command.args(args).env_clear().current_dir(sandbox.home()).stdin(Stdio::null()).uid(self.uid).gid(self.uid);
        command.envs(model.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("DSCC_CACHE_DIR", self.own.path().join("code"));
        command
    }
}
