//! What a removal can run into, axis by axis, on a hub and on a home of ir_datasets. Whatever it is: where it can be known
//! before anybody is asked it is a reason to stay, the reason says where and what to do, nothing else is lost, what was
//! promised is what is freed, and once the cause is gone the entry goes like any other.

mod full;
mod kinds;
mod marks;
mod meanwhile;
mod mounts;
mod owners;
mod sizes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::hub::{Hub, etag};
use crate::privileges::{Mount, User};
use crate::sandbox::{Run, Sandbox, array, ids};
use crate::tree::{self, Tree};

/// A cache with an entry that something is in the way of, and another one.
struct World {
    /// What is mounted or running in it, which ends before the rest.
    mounts: Vec<Mount>,
    sandbox: Sandbox,
    by: By,
    /// The cache's folder.
    root: PathBuf,
    kind: Kind,
    /// Options that every removal gets.
    more: &'static [&'static str],
}

/// Which library's cache it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Hub,
    IrDatasets,
}

/// Who runs the program.
enum By {
    /// The user who runs the tests.
    Us,
    /// The same, so that permissions count.
    Bound,
    Other(User),
}

const KINDS: [Kind; 2] = [Kind::Hub, Kind::IrDatasets];

/// Bytes of each of the two entries.
const SIZE: u64 = 1000;
const OTHER_SIZE: u64 = 30;

impl Kind {
    fn root(self, sandbox: &Sandbox) -> PathBuf {
        sandbox.home().join(match self {
            Self::Hub => ".cache/huggingface/hub",
            Self::IrDatasets => ".ir_datasets",
        })
    }

    /// The entry that something is in the way of.
    fn id(self) -> &'static str {
        match self {
            Self::Hub => "model/acme/a",
            Self::IrDatasets => "lotte",
        }
    }

    /// The one that nothing is in the way of.
    fn other(self) -> &'static str {
        match self {
            Self::Hub => "model/acme/b",
            Self::IrDatasets => "antique",
        }
    }

    /// Their folders.
    fn tops(self) -> [&'static str; 2] {
        match self {
            Self::Hub => ["models--acme--a", "models--acme--b"],
            Self::IrDatasets => ["lotte", "antique"],
        }
    }

    /// A folder in the entry, and a file in that.
    fn inside(self) -> (&'static str, String) {
        match self {
            Self::Hub => ("models--acme--a/blobs", etag('a')),
            Self::IrDatasets => ("lotte/lotte_extracted/dev", "collection.tsv".into()),
        }
    }

    fn fill(self, root: &Path) {
        match self {
            Self::Hub => {
                // A ref of 40 bytes belongs to it.
                let hub = Hub::at(root.to_owned());
                hub.model("a", SIZE as usize - 40);
                hub.repo("models--acme--b").revision('a', &[("w", 'b', OTHER_SIZE as usize)]);
            }
            Self::IrDatasets => {
                let (folder, file) = self.inside();
                for (path, size) in
                    [(Path::new(folder).join(file), SIZE), ("antique/collection.tsv".into(), OTHER_SIZE)]
                {
                    let path = root.join(path);
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, vec![b'x'; size as usize]).unwrap();
                }
            }
        }
    }
}

impl World {
    fn new(kind: Kind) -> Self {
        Self::on(kind, |_| Vec::new())
    }

    /// With something mounted before the cache is filled.
    fn on(kind: Kind, mount: impl FnOnce(&Path) -> Vec<Mount>) -> Self {
        let sandbox = Sandbox::new();
        let root = kind.root(&sandbox);
        fs::create_dir_all(&root).unwrap();
        let mounts = mount(&root);
        kind.fill(&root);
        Self { mounts, sandbox, by: By::Us, root, kind, more: &[] }
    }

    fn by(self, by: By) -> Self {
        Self { by, ..self }
    }

    /// The folder of the entry.
    fn top(&self) -> PathBuf {
        self.root.join(self.kind.tops()[0])
    }

    /// A folder in the entry.
    fn folder(&self) -> PathBuf {
        self.root.join(self.kind.inside().0)
    }

    /// A file in that.
    fn file(&self) -> PathBuf {
        self.folder().join(self.kind.inside().1)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = match &self.by {
            By::Us | By::Bound => self.sandbox.command(args),
            By::Other(user) => user.command(&self.sandbox, args),
        };
        if self.kind == Kind::IrDatasets {
            // By itself a mount point is taken for a cache only if it shows that it is one.
            command.arg(format!("--root=ir_datasets={}", self.root.display()));
        }
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        match &self.by {
            By::Bound => self.sandbox.bound(self.command(args)),
            _ => Run::of(self.command(args).output().unwrap()),
        }
    }

    #[track_caller]
    fn clean(&self, status: i32, args: &[&str]) -> Value {
        self.json(status, &[&["clean"], args, self.more].concat())
    }

    #[track_caller]
    fn json(&self, status: i32, args: &[&str]) -> Value {
        self.run(&[args, &["--json"]].concat()).expect(status).json()
    }

    /// Everything, dscc's own folders among it.
    fn all(&self) -> Tree {
        tree::read(&self.sandbox.path(""))
    }

    /// Whether a program that lists the cache shows this entry.
    fn is_listed(&self, id: &str) -> bool {
        let entries = array(&self.json(0, &["show"]), "entries");
        ids(&entries).contains(&id)
    }

    /// Asserts that the entry stays, that this is known and said before anybody is asked, with these words and this
    /// place, and that everything else goes.
    #[track_caller]
    fn assert_stays(&self, place: &Path, words: &[&str]) {
        self.assert_kept(self.kind.id(), place, words);
        let (id, tops) = (self.kind.id(), self.kind.tops());
        let (before, size) = (self.all(), tree::size(&self.root));
        let document = self.clean(0, &["-y", "--all"]);
        assert_freed(&document, size - tree::size(&self.root));
        assert_eq!(document["freed"], OTHER_SIZE);
        let gone = self.root.join(tops[1]);
        let gone = gone.strip_prefix(self.sandbox.path("")).unwrap().to_str().unwrap();
        tree::assert_gone(&before, &self.all(), &[gone]);
        assert!(self.is_listed(id));
    }

    /// Asserts that an entry stays for this reason when it is named, and that nothing at all changes.
    #[track_caller]
    fn assert_kept(&self, id: &str, place: &Path, words: &[&str]) {
        let before = self.all();
        let document = self.clean(3, &["-n", id]);
        let why = reasons(&document, id);
        let place = place.strip_prefix(&self.root).unwrap().to_str().unwrap();
        for word in [&[place], words].concat() {
            assert!(why.contains(word), "{word:?}: {why}");
        }
        let shown = self.run(&[&["clean", "-n", id], self.more].concat()).expect(3).stdout;
        let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.iter().all(|word| flat.contains(word)), "{shown}");
        let document = self.clean(3, &["-y", id]);
        assert_eq!((&document["freed"], document["failed"].as_array().map(Vec::len)), (&0.into(), Some(0)));
        assert_eq!(self.all(), before);
    }

    /// Asserts that the entry goes, comes back as it was, and goes for good, and that nothing else changes.
    #[track_caller]
    fn assert_goes(&self, more: &[&str]) {
        let id = self.kind.id();
        let clean = |last: &[&str]| self.clean(0, &[&["-y", id], more, last].concat());
        let (before, outside, size) =
            (tree::read(&self.root), self.sandbox.all_but(&self.root), tree::size(&self.root));
        let document = clean(&["--keep-undo"]);
        assert_eq!((&document["freed"], array(&document, "failed")), (&0.into(), Vec::new()), "{document:#}");
        assert!(!self.top().exists() && !self.is_listed(id));
        let undone = self.json(0, &["undo"]);
        assert_eq!((array(&undone, "left"), array(&undone, "errors")), (Vec::new(), Vec::new()), "{undone:#}");
        assert_eq!(tree::read(&self.root), before);
        let document = clean(&[]);
        assert_freed(&document, size - tree::size(&self.root));
        assert!(self.top().symlink_metadata().is_err());
        assert_eq!(self.sandbox.all_but(&self.root), outside);
        self.run(&["clean", "-y", id]).expect(5);
        self.run(&["undo"]).expect(5);
    }
}

/// Asserts that what was promised is what was freed, and that this is it.
#[track_caller]
fn assert_freed(document: &Value, recount: u64) {
    let figures = (document["expected"].as_u64(), document["freed"].as_u64());
    assert_eq!(figures, (Some(recount), Some(recount)), "{document:#}");
    assert_eq!(array(document, "failed"), Vec::<Value>::new());
}

/// The reasons why an entry, and what is in it, stays.
#[track_caller]
fn reasons(document: &Value, id: &str) -> String {
    let keep = array(document, "keep");
    assert!(keep.iter().any(|row| row["id"] == id), "{id} does not stay: {document:#}");
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let reasons: Vec<String> =
        keep.iter().filter(|row| text(row, "id").starts_with(id)).map(|row| text(row, "reason")).collect();
    reasons.join("; ")
}
