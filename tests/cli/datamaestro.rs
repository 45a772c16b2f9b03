//! datamaestro's folders through the whole program: what goes alone, only together, by force, or never.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::sandbox::{Run, Sandbox, array, ids};
use crate::tree;

const COMPLETE: &str = r#"{"version": 1, "resources": {"DATA": {"state": "complete"}}}"#;
const DATA: &str = "home/datamaestro/data";

/// A sandbox in which datasets can be put.
struct Home(Sandbox);

impl Home {
    fn new() -> Self {
        Self(Sandbox::new())
    }

    /// A file, with the folders above it.
    fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.0.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// A complete dataset of one resource, in a repository's folder.
    fn dataset(&self, folder: &str, file: &str, size: usize) -> &Self {
        self.file(&format!("{DATA}/{folder}/.state.json"), COMPLETE).file(&format!("{DATA}/{folder}/.state.lock"), "");
        self.file(&format!("{DATA}/{folder}/{file}"), vec![b'x'; size])
    }

    fn link(&self, at: &str, target: impl AsRef<Path>) -> &Self {
        symlink(target, self.0.path(at)).unwrap();
        self
    }

    fn exists(&self, folder: &str) -> bool {
        self.0.path(DATA).join(folder).symlink_metadata().is_ok()
    }

    /// Cleans, and tells what stays with the reason.
    fn clean(&self, args: &[&str]) -> (Run, Vec<(String, String)>) {
        let run = self.0.dscc([&["clean", "-y", "--json"], args].concat());
        let kept = array(&run.json(), "keep");
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        let kept = kept.iter().map(|row| (text(row, "id"), text(row, "reason"))).collect();
        (run, kept)
    }
}

#[test]
fn datasets_are_found_where_the_variable_says_that_the_library_reads_and_in_no_main_folder() {
    let home = Home::new();
    home.file("home/dm/data/text/com/example/x/f", "12345").file("home/other/data/text/com/example/y/f", "12");
    home.file("home/dm/notes.txt", "mine").file("home/dm/settings.json", "{}");
    let mut command = home.0.command(["list", "-c", "datamaestro-data", "--json"]);
    command.env("DATAMAESTRO_DIR", "~/dm").env("DATAMAESTRO_HOME", home.0.path("home/other"));
    let document = Run::of(command.output().unwrap()).expect(0).json();
    let caches = array(&document, "caches");
    assert_eq!(caches.len(), 1);
    assert_eq!(caches[0]["root"], home.0.path("home/dm/data").to_str().unwrap());
    assert_eq!((&caches[0]["size"], &caches[0]["entries"]), (&5.into(), &1.into()));
}

#[test]
fn an_empty_variable_is_refused_by_name_and_nothing_is_tried_in_its_place() {
    let home = Home::new();
    home.dataset("text/com/example", "f", 5);
    let mut command = home.0.command(["list", "--json"]);
    let document = Run::of(command.env("DATAMAESTRO_DIR", "").output().unwrap()).json();
    let errors = array(&document, "errors");
    assert!(errors.iter().any(|it| it["message"].as_str().unwrap().contains("DATAMAESTRO_DIR")), "{document:#}");
    let caches = array(&document, "caches");
    assert!(!caches.iter().any(|it| it["cache"].as_str().unwrap().starts_with("datamaestro")));
}

#[test]
fn a_dataset_in_anothers_folder_is_counted_once_and_both_go_together() {
    let home = Home::new();
    home.dataset("repo/com/example", "f", 100).dataset("repo/com/example/sub", "g", 100);
    let record = COMPLETE.len();
    let sizes: Vec<_> = home.0.entries().iter().map(|it| (it["id"].clone(), it["size"].clone())).collect();
    assert_eq!(sizes.len(), 2);
    assert!(sizes.iter().all(|(_, size)| *size == 100 + record), "{sizes:?}");
    let (run, kept) = home.clean(&["--all"]);
    assert_eq!((run.status, kept), (0, vec![]));
    assert_eq!(run.json()["freed"], 2 * (100 + record));
    assert!(!home.exists("repo"));
    assert!(home.exists(""), "the data folder itself stays");
}

#[test]
fn an_outer_dataset_stays_while_the_library_would_take_the_inner_one_for_its_data() {
    for named in [["com.example"].as_slice(), &["com.example", "com.example.b"]] {
        let home = Home::new();
        home.dataset("repo/com/example", "f", 100).dataset("repo/com/example/a", "g", 10);
        home.dataset("repo/com/example/b", "h", 10);
        let (_, kept) = home.clean(named);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].0, "com.example");
        assert!(kept[0].1.starts_with("`com.example.a` stays and needs it"), "{kept:?}");
        assert!(home.exists("repo/com/example/f") && home.exists("repo/com/example/.state.json"));
        assert_eq!(home.exists("repo/com/example/b"), named.len() == 1);
        let shown = home.0.dscc(["show", "com.example"]).expect(0).stdout;
        assert!(shown.contains("would take the datasets in its folder for its data"), "{shown}");
    }
}

#[test]
fn an_outer_dataset_of_several_resources_goes_around_the_inner_one() {
    let home = Home::new();
    home.dataset("repo/com/example", "f", 100).dataset("repo/com/example/sub/a", "g", 10);
    let two = r#"{"version": 1, "resources": {"A": {"state": "complete"}, "B": {"state": "complete"}}}"#;
    home.file(&format!("{DATA}/repo/com/example/.state.json"), two)
        .file(&format!("{DATA}/repo/com/example/sub/x"), "12");
    // A folder of its own with a dataset in it would be taken for whole, so then it goes only together with that.
    let (run, kept) = home.clean(&["com.example"]);
    assert!(run.status == 3 && kept[0].1.contains("for its data"), "{kept:?}");
    fs::rename(
        home.0.path(format!("{DATA}/repo/com/example/sub/x")),
        home.0.path(format!("{DATA}/repo/com/example/x")),
    )
    .unwrap();
    let before = tree::read(&home.0.path(DATA));
    let (run, kept) = home.clean(&["com.example"]);
    assert_eq!((run.status, kept), (0, vec![]));
    let gone = [".state.json", ".state.lock", "f", "x"].map(|name| format!("repo/com/example/{name}"));
    tree::assert_gone(&before, &tree::read(&home.0.path(DATA)), &gone.each_ref().map(String::as_str));
}

#[test]
fn one_dataset_is_one_entry_whatever_folders_are_in_it() {
    let home = Home::new();
    home.dataset("repo/com/example", "README", 10).file(&format!("{DATA}/repo/com/example/a/one"), "1");
    home.file(&format!("{DATA}/repo/com/example/b/two"), "2");
    home.file(&format!("{DATA}/repo/com/example/.downloads/half"), "12345");
    let entries = home.0.entries();
    assert_eq!(ids(&entries), ["com.example", "com.example@unfinished"]);
    assert_eq!(entries[1]["size"], 5);
    let (run, _) = home.clean(&["com.example@unfinished"]);
    assert_eq!((run.status, run.json()["freed"].clone()), (0, 5.into()));
    assert!(home.exists("repo/com/example/a/one") && !home.exists("repo/com/example/.downloads"));
}

#[test]
fn a_dataset_that_another_links_to_goes_only_with_it() {
    let home = Home::new();
    home.dataset("repo/com/target", "f", 10).dataset("repo/com/linking", "README", 1);
    home.link(&format!("{DATA}/repo/com/linking/train"), home.0.path(DATA).join("repo/com/target"));
    let (run, kept) = home.clean(&["com.target"]);
    assert_eq!(run.status, 3);
    assert!(kept[0].1.starts_with("`com.linking` stays and needs it"), "{kept:?}");
    let (run, kept) = home.clean(&["com.target", "com.linking"]);
    assert_eq!((run.status, kept), (0, vec![]));
    assert!(!home.exists("repo"));
}

#[test]
fn what_a_dataset_links_to_in_another_librarys_cache_stays_as_long_as_it_does() {
    let home = Home::new();
    let hub = home.0.hub();
    hub.model("a", 10);
    home.dataset("repo/com/linking", "README", 1);
    home.link(&format!("{DATA}/repo/com/linking/model"), hub.root.join("models--acme--a"));
    let (run, kept) = home.clean(&["model/acme/a"]);
    assert_eq!(run.status, 3);
    assert!(kept[0].1.starts_with("`datamaestro-data:com.linking` stays and needs it"), "{kept:?}");
    let (run, kept) = home.clean(&["model/acme/a", "com.linking", "--force", "irreplaceable"]);
    assert_eq!((run.status, kept), (0, vec![]));
    assert!(!home.exists("repo") && !hub.exists("models--acme--a"));
}

#[test]
fn a_link_to_the_users_own_files_frees_nothing_goes_by_force_only_and_leaves_the_files() {
    let home = Home::new();
    home.dataset("repo/com/licensed", "README", 1);
    home.link(&format!("{DATA}/repo/com/licensed/disks"), home.0.outside());
    let outside = tree::read(&home.0.outside());
    for args in [["--all"].as_slice(), &["-c", "datamaestro-data"], &["com.licensed"]] {
        let (_, kept) = home.clean(args);
        assert!(kept[0].1.contains("--force irreplaceable"), "{kept:?}");
        assert!(home.exists("repo/com/licensed/disks"));
    }
    let (run, _) = home.clean(&["com.licensed", "--force", "irreplaceable"]);
    assert_eq!(run.json()["freed"], 1 + COMPLETE.len());
    assert!(!home.exists("repo"));
    assert_eq!(tree::read(&home.0.outside()), outside);
}

#[test]
fn what_has_no_state_file_goes_only_when_it_is_named_and_stray_files_and_settings_never() {
    let home = Home::new();
    home.file(&format!("{DATA}/repo/org/old/f"), "12345").file(&format!("{DATA}/README.txt"), "mine");
    home.file("home/datamaestro/settings.json", r#"{"keys": {"k": "secret"}}"#);
    home.file("home/.config/datamaestro/user.json", "{}").file("home/datamaestro/notes/n", "mine");
    let (_, kept) = home.clean(&["--all"]);
    assert_eq!(kept.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["org.old"]);
    let before = tree::read(&home.0.home());
    let (run, kept) = home.clean(&["org.old"]);
    assert_eq!((run.status, kept), (0, vec![]));
    tree::assert_gone(&before, &tree::read(&home.0.home()), &["datamaestro/data/repo"]);
}

#[test]
fn a_dataset_that_is_being_downloaded_is_in_use() {
    let home = Home::new();
    home.dataset("repo/com/example", "f", 10);
    let lock = File::options().write(true).open(home.0.path(DATA).join("repo/com/example/.state.lock")).unwrap();
    lock.lock().unwrap();
    let (run, kept) = home.clean(&["com.example"]);
    assert_eq!(run.status, 3);
    assert!(kept[0].1.contains("in use"), "{kept:?}");
    drop(lock);
    assert_eq!(home.clean(&["com.example"]).0.status, 0);
}

#[test]
fn downloads_go_by_name_and_what_others_keep_beside_them_stays() {
    let home = Home::new();
    let cache = "home/datamaestro/cache";
    let digest = "13c3208c0289d7f177ca1bdc17660db260111d692f3e54c739bec6b3e1e134b3";
    let plugins = "0".repeat(64);
    home.file(&format!("{cache}/{digest}.url"), "http://dm.corpus.test/killed.bin");
    home.file(&format!("{cache}/{digest}.tmp"), "12345").file(&format!("{cache}/{plugins}.zip"), "days of work");
    home.file(&format!("{cache}/notes.txt"), "mine");
    let before = tree::read(&home.0.path(cache));
    let (run, kept) = home.clean(&["-c", "datamaestro-cache"]);
    assert_eq!((run.status, kept.len()), (0, 1));
    assert_eq!(kept[0].0, "000000000000.zip");
    let gone = [format!("{digest}.tmp"), format!("{digest}.url")];
    tree::assert_gone(&before, &tree::read(&home.0.path(cache)), &gone.each_ref().map(String::as_str));
    assert_eq!(home.clean(&["000000000000.zip"]).0.status, 0);
    assert!(home.0.path(cache).join("notes.txt").exists());
}
