//! The rest of the Hugging Face home in the whole program: what a cleaning takes by default, what it leaves and says so,
//! and what is in use.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::hub::commit;
use crate::sandbox::{Run, Sandbox, array, ids};
use crate::tree;

const SERVER: &str = "https___cas_serv-tGqkUaZf_CBPHQ6h";

/// A Hugging Face home at its usual place.
struct Home(Sandbox);

impl Home {
    fn new() -> Self {
        Self(Sandbox::new())
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.home().join(".cache/huggingface").join(below)
    }

    /// Writes a file of so many bytes.
    fn write(&self, path: &str, size: usize) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, vec![b'x'; size]).unwrap();
        path
    }

    /// A copy of code of one repository, in packages as Transformers makes them.
    fn code(&self, name: &str, size: usize) -> PathBuf {
        let at = format!("modules/transformers_modules/acme/{name}/{}", commit('1'));
        for depth in 1..=at.split('/').count() {
            let folder: Vec<&str> = at.split('/').take(depth).collect();
            self.write(&format!("{}/__init__.py", folder.join("/")), 0);
        }
        self.write(&format!("{at}/code.py"), size)
    }

    /// Cleans; where all of it stays, that is no success.
    #[track_caller]
    fn clean(&self, args: &[&str]) -> Value {
        let run = self.dscc(&[&["clean", "-y", "--json"], args].concat());
        let document = run.json();
        let status = if array(&document, "remove").is_empty() { 3 } else { 0 };
        run.expect(status);
        document
    }

    fn dscc(&self, args: &[&str]) -> Run {
        self.0.dscc(args)
    }

    fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }
}

/// The reason why an entry stays.
#[track_caller]
fn reason(document: &Value, id: &str) -> String {
    let keep = array(document, "keep");
    let row = keep.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id} does not stay: {keep:?}"));
    row["reason"].as_str().unwrap().to_owned()
}

#[test]
fn assets_go_when_they_are_named_and_not_before() {
    let home = Home::new();
    home.write("assets/datasets/acme--SQuAD/downloaded/dev.json", 800);
    home.write("assets/datasets/acme--SQuAD/extracted/dev/a.txt", 900);
    let before = tree::read(&home.path(""));
    assert!(reason(&home.clean(&["-c", "assets"]), "datasets").contains("name it"));
    assert!(reason(&home.clean(&["--all"]), "datasets").contains("name it"));
    assert_eq!(tree::read(&home.path("")), before);
    assert_eq!(home.clean(&["assets:datasets/acme--SQuAD/extracted"])["freed"], 900);
    assert_eq!(home.clean(&["assets:datasets"])["freed"], 800);
    assert!(home.has("assets") && !home.has("assets/datasets"));
}

#[test]
fn a_staged_upload_stays_while_dead_weight_goes() {
    let home = Home::new();
    home.write(&format!("xet/{SERVER}/chunk-cache/ab/key/item"), 5000);
    home.write(&format!("xet/{SERVER}/shard-cache/x.mdb"), 70);
    home.write(&format!("xet/{SERVER}/staging/shard-session/xorb_metadata/x.mdb"), 60);
    let listed = home.0.json(["list", "--reclaimable"]);
    assert_eq!((&listed["caches"][0]["size"], &listed["caches"][0]["reclaimable"]), (&5130.into(), &5000.into()));
    let done = home.clean(&["-c", "xet"]);
    assert_eq!(done["freed"], 5070);
    let staging = format!("{SERVER}/staging");
    assert!(reason(&done, &staging).contains("name it") && home.has(&format!("xet/{staging}")));
    assert_eq!(home.clean(&[&staging])["freed"], 60);
    assert!(!home.has(&format!("xet/{SERVER}")));
}

#[test]
fn code_that_may_have_been_edited_stays_and_so_do_the_packages_above_it() {
    let home = Home::new();
    home.code("plain_hyphen_code", 300);
    let edited = home.code("edited", 40);
    let later = SystemTime::now() + Duration::from_secs(3600);
    File::options().write(true).open(&edited).unwrap().set_modified(later).unwrap();
    let done = home.clean(&["-c", "modules"]);
    assert_eq!(done["freed"], 300, "{done:#}");
    assert_eq!(ids(&array(&done, "remove")).last(), Some(&"transformers/acme/plain-code"));
    let copy = format!("transformers/acme/edited@{}", commit('1'));
    assert!(reason(&done, "transformers/acme/edited").contains("name it"));
    assert!(home.has("modules/__init__.py") && home.has("modules/transformers_modules/acme/__init__.py"));
    assert!(!home.has("modules/transformers_modules/acme/plain_hyphen_code"));
    assert!(home.dscc(&["show", &copy, "--json"]).stdout.contains("may have been edited"));
    assert_eq!(home.clean(&["transformers/acme/edited@1111111"])["freed"], 40);
    assert_eq!(fs::read_dir(home.path("modules")).unwrap().count(), 0);
}

#[test]
fn a_metric_that_is_being_computed_stays() {
    let home = Home::new();
    let lock = home.write("metrics/accuracy/default/default_experiment-1-0.arrow.lock", 0);
    home.write("metrics/accuracy/default/default_experiment-1-0.arrow", 400);
    home.write("metrics/bleu/default/default_experiment-1-0.arrow", 70);
    home.write("metrics/bleu/default/default_experiment-1-0.arrow.lock", 0);
    let held = File::open(&lock).unwrap();
    held.lock().unwrap();
    let done = home.clean(&["-c", "metrics"]);
    assert_eq!(done["freed"], 70);
    assert!(reason(&done, "accuracy/default/default_experiment-1-0.arrow").contains("in use"));
    home.dscc(&["clean", "-y", "accuracy/default/default_experiment-1-0.arrow"]).expect(3);
    drop(held);
    assert_eq!(home.clean(&["-c", "metrics"])["freed"], 400);
    assert_eq!(fs::read_dir(home.path("metrics")).unwrap().count(), 0);
}

#[test]
fn assets_in_the_hugging_face_home_are_not_guessed_at() {
    let home = Home::new();
    home.code("code", 10);
    home.write("lerobot/me/records/1.parquet", 5000);
    home.write("trackio/me/records/1.db", 5000);
    let before = tree::read(&home.path(""));
    let mut command = home.0.command(["clean", "--all", "-y", "--json", "--force", "irreplaceable"]);
    command.env("HF_ASSETS_CACHE", home.path("")).env("HF_MODULES_CACHE", home.path("modules"));
    let run = Run::of(command.output().unwrap()).expect(0);
    assert_eq!(run.json()["freed"], 10, "{}", run.text());
    tree::assert_gone(&before, &tree::read(&home.path("")), &["modules/__init__.py", "modules/transformers_modules"]);
    // Nor where another cache in it is all that tells.
    home.write("datasets/csv/default/0.0.0/x", 10);
    let mut command = home.0.command(["list", "--json"]);
    let run = Run::of(command.env("HF_ASSETS_CACHE", home.path("")).output().unwrap());
    assert!(run.stdout.contains("none is listed"), "{}", run.text());
}
