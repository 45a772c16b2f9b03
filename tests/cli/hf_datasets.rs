//! The cache of the Datasets library, as a user cleans it: what is in use, needed or perhaps the only copy stays, and
//! what was never the library's is never touched.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::{Run, Sandbox, array, ids};
use crate::tree;

const OLD: &str = "90e2edded64226036b0212158e20d6060acd3227";
const NEW: &str = "ba62a8498f8d7f716274a2e3efeb83d4fe246f07";
const CODE: &str = "7067e4b2422ab4b7d61ccf25eb67c03d0df17a5264a8fa53f4593051b5adb555";

/// A cache of the library in a sandbox.
struct Datasets {
    sandbox: Sandbox,
    root: PathBuf,
}

impl Datasets {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let root = sandbox.home().join(".cache/huggingface/datasets");
        Self { sandbox, root }
    }

    fn file(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> &Self {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// A finished build with its locks; `more` goes into its record.
    fn build(&self, at: &str, more: &str) -> &Self {
        let record = format!(r#"{{"dataset_name": "x", "splits": {{"train": {{"num_examples": 3}}}}, {more}}}"#);
        let lock = self.root.join(at).to_str().unwrap().replace('/', "_");
        self.file(format!("{at}/dataset_info.json"), record).file(format!("{at}/x-train.arrow"), [0; 1000]);
        self.file(format!("{at}_builder.lock"), "").file(format!("{at}.incomplete_info.lock"), "");
        self.file(format!("{lock}.lock"), "")
    }

    /// Two builds of a dataset of the Hub, the second one later.
    fn reviews(&self) -> &Self {
        for (hash, days) in [(OLD, 9), (NEW, 2)] {
            self.build(&format!("acme___reviews/default/0.0.0/{hash}"), r#""builder_name": "csv""#);
            self.made(&format!("acme___reviews/default/0.0.0/{hash}/dataset_info.json"), days);
        }
        self
    }

    /// A build of files that somebody named.
    fn local(&self) -> String {
        let at = format!("csv/default-0123456789abcdef/0.0.0/{CODE}");
        self.build(&at, r#""builder_name": "csv""#);
        at
    }

    fn made(&self, path: &str, days: u64) {
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
        File::options().write(true).open(self.root.join(path)).unwrap().set_modified(time).unwrap();
    }

    fn hold(&self, path: impl AsRef<Path>) -> File {
        let file = File::options().read(true).write(true).open(self.root.join(path)).unwrap();
        file.lock().unwrap();
        file
    }

    fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }

    fn clean(&self, args: &[&str]) -> Run {
        self.sandbox.dscc(["clean", "-y", "--json"].iter().chain(args))
    }
}

/// Why an entry stays.
fn reason(document: &Value, id: &str) -> String {
    let keep = array(document, "keep");
    let row = keep.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id} is not kept: {keep:?}"));
    row["reason"].as_str().unwrap().to_owned()
}

#[test]
fn a_build_goes_by_a_short_name_and_the_last_one_takes_the_folder_and_all_locks_along() {
    let cache = Datasets::new();
    cache.reviews().file(format!("acme___reviews/default/0.0.0/{}_builder.lock", "0".repeat(40)), "");
    let removed = cache.clean(&["acme/reviews@90e2edde"]).expect(0).json();
    assert_eq!(ids(&array(&removed, "remove")), [format!("acme/reviews@default/0.0.0/{OLD}")]);
    assert!(!cache.exists(format!("acme___reviews/default/0.0.0/{OLD}")));
    assert!(cache.exists(format!("acme___reviews/default/0.0.0/{NEW}/x-train.arrow")));
    cache.clean(&["acme/reviews@default"]).expect(0);
    assert_eq!(fs::read_dir(&cache.root).map(Iterator::count).unwrap_or(0), 0);
}

#[test]
fn a_build_that_is_being_made_stays() {
    let cache = Datasets::new();
    let at = "generator/default-450765c5d9b46883/0.0.0";
    cache
        .file(format!("{at}.incomplete/x-train-00000-00000-of-NNNNN.arrow"), [0; 50])
        .file(format!("{at}_builder.lock"), "");
    let held = cache.hold(format!("{at}_builder.lock"));
    let document = cache.clean(&["-c", "datasets"]).expect(3).json();
    assert!(reason(&document, "generator").contains("in use"));
    drop(held);
    cache.clean(&["-c", "datasets"]).expect(0);
    assert!(!cache.exists("generator"));
}

#[test]
fn a_download_that_is_running_stays() {
    let cache = Datasets::new();
    cache.file(format!("downloads/{CODE}.incomplete"), [0; 50]).file(format!("downloads/{CODE}.lock"), "");
    let held = cache.hold(format!("downloads/{CODE}.lock"));
    let id = format!("downloads/{}.incomplete", &CODE[..12]);
    assert!(reason(&cache.clean(&[&id]).expect(3).json(), &id).contains("in use"));
    drop(held);
    cache.clean(&[&id]).expect(0);
    assert!(!cache.exists("downloads"));
}

#[test]
fn what_may_be_the_only_copy_goes_only_when_it_is_named() {
    let cache = Datasets::new();
    let at = cache.reviews().local();
    let document = cache.clean(&["--all"]).expect(0).json();
    assert!(reason(&document, "csv").contains("can perhaps not be had back"));
    assert!(cache.exists(&at) && !cache.exists("acme___reviews"));
    cache.clean(&["csv"]).expect(0);
    assert!(!cache.exists("csv"));
}

#[test]
fn what_a_user_saved_and_foreign_files_are_never_touched() {
    let cache = Datasets::new();
    let at = cache.reviews().local();
    for path in
        ["mine/state.json", "mine/dataset_info.json", "mine/data-00000-of-00001.arrow", "dict/dataset_dict.json"]
    {
        cache.file(path, "{}");
    }
    cache.file("dict/train/state.json", "{}").file("dict/train/dataset_info.json", "{}").file("notes.txt", "mine");
    cache.file("csv/mine.csv", "1").file("downloads/mine.zip", "1").file("notes.lock", "");
    symlink(cache.sandbox.outside().join("folder"), cache.root.join("big")).unwrap();
    let outside = cache.sandbox.all_but(&cache.sandbox.home());
    let theirs = ["mine", "dict", "notes.txt", "notes.lock", "csv/mine.csv", "downloads/mine.zip", "big"];
    let mine = |cache: &Datasets| {
        let all = tree::read(&cache.root).into_iter();
        all.filter(|(path, _)| theirs.iter().any(|it| path.starts_with(it))).collect::<Vec<_>>()
    };
    let before = mine(&cache);
    let document = cache.clean(&["--all", "--force", "irreplaceable", "--force", "needed"]).expect(0).json();
    assert!(reason(&document, "big").contains("cannot be had back"));
    cache.clean(&["csv"]).expect(0);
    assert_eq!(mine(&cache), before);
    assert!(!cache.exists(at) && cache.exists("csv/mine.csv") && cache.exists("big") && cache.exists("notes.lock"));
    assert_eq!(cache.sandbox.all_but(&cache.sandbox.home()), outside);
}

/// A dataset of pictures with paths in its table.
fn pictures(cache: &Datasets, paths: &[String]) -> String {
    let at = format!("acme___pictures/default/0.0.0/{OLD}");
    cache.build(&at, r#""builder_name": "imagefolder", "features": {"image": {"_type": "Image"}}"#);
    cache.file(format!("{at}/x-train.arrow"), format!("ARROW1\0\0{}\0", paths.concat()));
    at
}

#[test]
fn what_a_table_of_paths_points_to_goes_only_together_with_it() {
    let cache = Datasets::new();
    let folder = cache.root.join(format!("downloads/extracted/{CODE}"));
    pictures(&cache, &[format!("{}/1.png", folder.display()), format!("{}/2.png", folder.display())]);
    cache.file(folder.join("1.png"), [0; 100]);
    let id = format!("extracted/{}", &CODE[..12]);
    let document = cache.clean(&[&id]).expect(3).json();
    assert!(reason(&document, &id).contains("`datasets:acme/pictures` stays and needs it"), "{document:#}");
    assert!(folder.join("1.png").exists());
    cache.clean(&[&id, "acme/pictures"]).expect(0);
    assert!(!folder.exists() && !cache.exists("acme___pictures"));
}

#[test]
fn a_snapshot_of_the_hub_stays_while_a_dataset_points_into_it() {
    let cache = Datasets::new();
    let hub = cache.sandbox.hub();
    let snapshot = format!("datasets--acme--Pictures/snapshots/{NEW}");
    pictures(&cache, &[format!("{}/{snapshot}/1.png", hub.root.display())]);
    let file = hub.root.join(&snapshot).join("1.png");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, [0; 10]).unwrap();
    for args in [&["dataset/acme/Pictures"][..], &["-c", "hub"]] {
        let document = cache.clean(args).expect(3).json();
        assert!(array(&document, "keep").iter().any(|row| row["reason"].as_str().unwrap().contains("acme/pictures")));
        assert!(file.exists());
    }
    cache.clean(&["dataset/acme/Pictures", "acme/pictures"]).expect(0);
    assert!(!file.exists());
}

#[test]
fn downloads_with_a_variable_of_their_own_are_counted_once_and_are_needed_all_the_same() {
    let cache = Datasets::new();
    let folder = cache.root.join(format!("downloads/extracted/{CODE}"));
    pictures(&cache, &[format!("{}/1.png", folder.display())]);
    cache.file(folder.join("1.png"), [0; 100]).file(format!("downloads/{CODE}"), [0; 100]);
    let plain = cache.sandbox.json(["list"]);
    let run = |args: &[&str]| {
        let mut command = cache.sandbox.command(args);
        Run::of(command.env("HF_DATASETS_DOWNLOADED_DATASETS_PATH", cache.root.join("downloads")).output().unwrap())
    };
    let moved = run(&["list", "--json"]).expect(0).json();
    assert_eq!(moved["size"], plain["size"]);
    assert_eq!(array(&moved, "caches").len(), array(&plain, "caches").len() + 1);
    let id = format!("extracted/{}", &CODE[..12]);
    let document = run(&["clean", "-y", "--json", &id]).expect(3).json();
    assert!(reason(&document, &id).contains("stays and needs it"));
    assert!(folder.exists());
}

#[test]
fn results_of_a_process_without_caching_go_and_folders_that_only_have_such_a_name_are_left_alone() {
    let cache = Datasets::new();
    let folder = cache.sandbox.path("hf_datasets-abcdefgh");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("cache-279db1a631edd0f9.arrow"), [0; 70]).unwrap();
    fs::create_dir(cache.sandbox.path("hf_datasets-of-mine")).unwrap();
    fs::write(cache.sandbox.path("hf_datasets-of-mine/notes"), "mine").unwrap();
    assert_eq!(cache.clean(&["-c", "datasets-tmp"]).expect(0).json()["freed"], 70);
    assert!(cache.sandbox.path("hf_datasets-of-mine/notes").exists());
}
