//! A random home: what is in it as a list of things, each of which a failed case can do without, and how it is made.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use proptest::prelude::*;
use tempfile::TempDir;

use crate::components::{Entry, Plugin};
use crate::hub::{Hub, commit, etag};
use crate::sandbox::Sandbox;

/// One thing in the home. Numbers stand for one of a few, so that things meet.
#[derive(Clone, Debug)]
pub enum Thing {
    /// A revision of a repository: its files, each a link to a blob.
    Revision { repo: u8, revision: u8, files: Vec<(Name, u8)>, named: bool, more: bool },
    /// A revision with a file whose content is in the store that repositories share.
    Shared { repo: u8, revision: u8, payload: u8, listed: bool },
    /// A blob that no revision needs to have; or part of one.
    Blob { repo: u8, blob: u8, partial: bool, size: u32 },
    /// A regular file; it has holes if it is sparse.
    File { at: Place, size: u32, sparse: bool },
    /// A folder, perhaps with nothing in it.
    Folder { at: Place },
    /// A link.
    Link { at: Place, to: Target },
    /// A further name of one of the files that are there by then, which may be outside.
    Hard { at: Place, of: u8 },
}

/// Where a thing is.
#[derive(Clone, Copy)]
pub struct Place {
    pub folder: &'static str,
    pub name: Name,
}

/// The name of a file.
#[derive(Clone, Copy)]
pub struct Name(pub &'static [u8]);

/// Where a link leads.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// To something in another folder, named from its own.
    Beside(Place),
    Absolute(Place),
    Outside(&'static str),
    Nowhere,
    Itself,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:?}", self.folder, self.name)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

const HUB: &str = ".cache/huggingface/hub";

/// Folders that things are put into, relative to the home.
const FOLDERS: &[&str] = &[
    "flat",
    "flat/p0",
    "flat/p0/s",
    "flat/p0/s/t",
    "flat/p1",
    "flat/p1/s",
    "flat/p2",
    "flat/p3",
    "flat/pool",
    "flat/pool/d",
    ".cache/huggingface/hub/models--acme--a",
    ".cache/huggingface/hub/models--acme--a/snapshots/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ".cache/huggingface/hub/models--acme--b/snapshots/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/s",
    ".cache/huggingface/hub/models--acme--b/blobs",
    ".cache/huggingface/hub/models--acme--b/refs",
    ".cache/huggingface/hub",
    ".cache/huggingface/datasets/acme___set/default/0.0.0/1",
    ".cache/huggingface/assets/lib/space",
    ".ir_datasets/antique",
    ".ir_datasets/beir/scifact",
    ".ir_datasets/notes",
    "../outside/folder",
    "mine",
];

const NAMES: &[&[u8]] = &[
    b"a",
    b"b",
    b"s",
    b"weights.safetensors",
    b"collection.tsv",
    b"source.zip",
    b"line\nbreak",
    b"no\xfftext",
    b"back\\slash",
    b"-rf",
    b"two words",
    "\u{202e}right".as_bytes(),
];

pub fn things() -> impl Strategy<Value = Vec<Thing>> {
    let sizes = || prop_oneof![Just(0_u32), Just(1), Just(100), Just(4096), Just(5000), Just(70_000)];
    let names = || proptest::sample::select(NAMES).prop_map(Name);
    let place = || (proptest::sample::select(FOLDERS), names()).prop_map(|(folder, name)| Place { folder, name });
    let target = prop_oneof![
        place().prop_map(Target::Beside),
        place().prop_map(Target::Absolute),
        proptest::sample::select(&["precious", "folder", "link", ""][..]).prop_map(Target::Outside),
        Just(Target::Nowhere),
        Just(Target::Itself),
    ];
    let files = proptest::collection::vec((names(), 0_u8..5), 1..4);
    let thing = prop_oneof![
        4 => (0_u8..3, 0_u8..3, files, any::<bool>(), any::<bool>()).prop_map(|(repo, revision, files, named, more)| {
            Thing::Revision { repo, revision, files, named, more }
        }),
        2 => (0_u8..3, 0_u8..3, 0_u8..2, proptest::bool::weighted(0.8)).prop_map(|(repo, revision, payload, listed)| {
            Thing::Shared { repo, revision, payload, listed }
        }),
        1 => (0_u8..3, 0_u8..5, any::<bool>(), sizes()).prop_map(|(repo, blob, partial, size)| {
            Thing::Blob { repo, blob, partial, size }
        }),
        6 => (place(), sizes(), proptest::bool::weighted(0.2)).prop_map(|(at, size, sparse)| Thing::File { at, size, sparse }),
        1 => place().prop_map(|at| Thing::Folder { at }),
        2 => (place(), target).prop_map(|(at, to)| Thing::Link { at, to }),
        3 => (place(), any::<u8>()).prop_map(|(at, of)| Thing::Hard { at, of }),
    ];
    proptest::collection::vec(thing, 1..24)
}

impl Place {
    fn path(&self, sandbox: &Sandbox) -> PathBuf {
        sandbox.home().join(self.folder).join(OsStr::from_bytes(self.name.0))
    }

    /// The same where something can be made. What is in the way of it stays, and the place is left out.
    fn free(&self, sandbox: &Sandbox) -> Option<PathBuf> {
        let path = self.path(sandbox);
        fs::create_dir_all(path.parent()?).ok()?;
        // A link of an earlier thing may be among the folders.
        let real = path.parent()?.canonicalize().ok()?
            == sandbox.path("").canonicalize().ok()?.join(
                path.parent()?.strip_prefix(sandbox.path("")).ok()?.components().fold(PathBuf::new(), |mut all, it| {
                    if it == std::path::Component::ParentDir {
                        all.pop();
                    } else {
                        all.push(it);
                    }
                    all
                }),
            );
        (real && path.symlink_metadata().is_err()).then_some(path)
    }
}

fn digit(number: u8) -> char {
    char::from(b'a' + number)
}

/// Makes a home of these things. The shared folder of plugins is not in it.
pub fn make(things: &[Thing]) -> Sandbox {
    let sandbox = Sandbox::new();
    let hub = Hub::at(sandbox.home().join(HUB));
    // Where dscc keeps its records, so that no run changes the home by making it.
    fs::create_dir_all(sandbox.home().join(".local")).unwrap();
    let mut files: Vec<PathBuf> = vec![sandbox.outside().join("precious")];
    for (number, thing) in things.iter().enumerate() {
        files.extend(thing.make(&sandbox, &hub, &files, number));
    }
    age(&sandbox.path(""));
    sandbox
}

impl Thing {
    /// Makes it, unless something is in the way; the regular file that it is comes back.
    fn make(&self, sandbox: &Sandbox, hub: &Hub, files: &[PathBuf], number: usize) -> Option<PathBuf> {
        let repo = |number: &u8| hub.repo(&format!("models--acme--{}", digit(*number)));
        match self {
            Self::Revision { repo: at, revision, files, named, more } => {
                let (repo, revision) = (repo(at), digit(*revision));
                for (name, blob) in files {
                    let snapshot = repo.path("snapshots").join(commit(revision));
                    if !repo.path("blobs").join(etag(digit(*blob))).exists() {
                        repo.blob(&etag(digit(*blob)), 1000 << blob);
                    }
                    let name = OsStr::from_bytes(name.0);
                    if snapshot.join(name).symlink_metadata().is_err() {
                        repo.link(revision, name, format!("../../blobs/{}", etag(digit(*blob))));
                    }
                }
                if *named && repo.path("refs").join("main").symlink_metadata().is_err() {
                    repo.refs("main", revision).lock('a');
                }
                if *more {
                    repo.tree(revision, 7).no_exist(revision, "absent");
                }
                None
            }
            Self::Shared { repo: at, revision, payload, listed } => {
                let (repo, payload) = (repo(at), digit(*payload));
                let line = repo.holds(payload);
                let path = format!("blobs/{0}{0}/{1}", payload, etag(payload));
                let manifest = fs::read_to_string(hub.root.join(format!("{path}.refs"))).unwrap_or_default();
                let mut lines: Vec<&str> = manifest.lines().collect();
                if *listed && !lines.contains(&line.as_str()) {
                    lines.push(&line);
                }
                hub.payload(payload, 9000, &lines);
                let name = format!("shared-{payload}");
                if repo.path("snapshots").join(commit(digit(*revision))).join(&name).symlink_metadata().is_err() {
                    repo.shared(digit(*revision), &name, payload, &path);
                }
                None
            }
            Self::Blob { repo: at, blob, partial, size } => {
                let (repo, suffix) = (repo(at), if *partial { ".incomplete" } else { "" });
                let name = format!("{}{suffix}", etag(digit(*blob)));
                if repo.path("blobs").join(&name).symlink_metadata().is_err() {
                    repo.blob(&name, *size as usize);
                }
                None
            }
            Self::File { at, size, sparse } => {
                let path = at.free(sandbox)?;
                let mut file = File::create(&path).unwrap();
                file.write_all(&vec![u8::try_from(number % 256).unwrap(); *size as usize]).unwrap();
                if *sparse {
                    file.set_len(3 << 20).unwrap();
                    file.seek(SeekFrom::Start(1 << 20)).unwrap();
                    file.write_all(b"in the middle").unwrap();
                }
                Some(path)
            }
            Self::Folder { at } => {
                let _ = fs::create_dir(at.free(sandbox)?);
                None
            }
            Self::Link { at, to } => {
                let path = at.free(sandbox)?;
                symlink(to.of(sandbox, &path), path).unwrap();
                None
            }
            Self::Hard { at, of } => {
                let path = at.free(sandbox)?;
                fs::hard_link(&files[usize::from(*of) % files.len()], path).unwrap();
                None
            }
        }
    }
}

impl Target {
    fn of(self, sandbox: &Sandbox, link: &Path) -> PathBuf {
        match self {
            Self::Beside(place) => {
                let depth = link.parent().unwrap().strip_prefix(sandbox.path("")).unwrap().components().count();
                let mut path: PathBuf = std::iter::repeat_n("..", depth).collect();
                path.push(place.path(sandbox).strip_prefix(sandbox.path("")).unwrap());
                path
            }
            Self::Absolute(place) => place.path(sandbox),
            Self::Outside(name) => sandbox.outside().join(name),
            Self::Nowhere => "nowhere".into(),
            Self::Itself => link.file_name().unwrap().into(),
        }
    }
}

/// Gives everything times of the past with nanoseconds that tell things apart; what is below a folder first.
fn age(root: &Path) {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
    let all = walkdir::WalkDir::new(root).contents_first(true).into_iter().map(Result::unwrap);
    for (number, entry) in all.enumerate() {
        let number = i64::try_from(number).unwrap();
        let at = Timespec { tv_sec: 1_600_000_000 + number, tv_nsec: 123_456_789 + number };
        let times = Timestamps { last_access: at, last_modification: at };
        utimensat(CWD, entry.path(), &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
}

/// A folder with a plugin whose entries claim the places in `flat`, made once for all cases.
pub fn plugins() -> PathBuf {
    static MADE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, folder) = MADE.get_or_init(|| {
        // Statics are never dropped: it stays, where all is left that building makes.
        let dir = tempfile::Builder::new().prefix("truth-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (file, folder) = (dir.path().join("flat.wasm"), dir.path().join("plugins"));
        fs::write(&file, flat().build()).unwrap();
        let sandbox = Sandbox::new();
        let mut command = sandbox.command([OsString::from("plugin"), "add".into(), "-y".into(), file.into()]);
        crate::sandbox::Run::of(command.env("DSCC_PLUGINS_DIR", &folder).output().unwrap()).expect(0);
        (dir, folder)
    });
    folder.clone()
}

/// Entries that share, need and contain one another's things.
fn flat() -> Plugin {
    let top = [
        Entry::new("p0").owns("p0").shares("pool/a").shares("pool/b").with_children(),
        Entry::new("p1").owns("p1").shares("pool/b").shares("pool/d").needs("p2"),
        Entry::new("p1s").owns("p1/s").shares("pool/line\nbreak"),
        Entry::new("p2").owns("p2").shares("pool/d").uncertain(),
        Entry::new("p3").owns("p3").shares("pool/no\\xfftext").irreplaceable(),
        Entry::new("odd").owns("back\\\\slash").owns("no\\xfftext").shares("pool/a"),
    ];
    let below = [
        Entry::new("p0@a").owns("p0/a").shares("pool/a"),
        Entry::new("p0@s").shares("p0/s").shares("p0/b"),
        Entry::new("p0@t").shares("p0/s").shares("pool/b").reclaim("nobody misses it"),
    ];
    Plugin::new().manifest("flat", "1.0.0", "flat", "~/flat").caches(&[("flat", "")]).levels(&top, &below)
}
