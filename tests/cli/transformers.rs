//! The flat cache of Transformers, a hub, or both in one folder: each byte is some plugin's, once, and what one removes the
//! other keeps. Its files are named by digests, as the library makes them.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::hub::{Hub, etag};
use crate::sandbox::{Run, Sandbox, array, ids};
use crate::tree;

const BERT: &str = "https://huggingface.co/bert-base-uncased/resolve/main";
const S3: &str = "https://s3.amazonaws.com/models.huggingface.co/bert/bert-base-cased-config.json";

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name of a download.
fn name(url: &str) -> String {
    format!("{}.{}", digest(url), digest("\"1\""))
}

/// The end of its id.
fn digits(url: &str) -> String {
    format!("{}.{}", &digest(url)[..8], &digest("\"1\"")[..8])
}

/// A download of that size with its record and lock, in a folder.
fn download(folder: &Path, url: &str, size: usize) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let file = folder.join(name(url));
    fs::write(&file, vec![b'x'; size]).unwrap();
    fs::write(with(&file, ".json"), json!({ "url": url, "etag": "\"1\"" }).to_string()).unwrap();
    fs::write(with(&file, ".lock"), "").unwrap();
    file
}

fn with(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// The default place.
fn flat(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join(".cache/huggingface/transformers")
}

/// `list` with a variable set.
fn list(sandbox: &Sandbox, variable: &str, value: &Path) -> Value {
    Run::of(sandbox.command(["list", "--json"]).env(variable, value).output().unwrap()).expect(0).json()
}

/// Names, folders and unclaimed bytes of the caches.
fn caches(list: &Value) -> Vec<(String, PathBuf, u64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let row = |row: &Value| (text(&row["cache"]), text(&row["root"]).into(), row["unclaimed"].as_u64().unwrap());
    array(list, "caches").iter().map(row).collect()
}

#[test]
fn the_variable_on_the_hub_is_an_old_habit_and_no_second_row() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000);
    fs::write(hub.root.join("version.txt"), "1").unwrap();
    for variable in ["TRANSFORMERS_CACHE", "PYTORCH_TRANSFORMERS_CACHE", "SENTENCE_TRANSFORMERS_HOME", "KERNELS_CACHE"]
    {
        let list = list(&sandbox, variable, &hub.root);
        assert_eq!(caches(&list), [("hub".into(), hub.root.clone(), 1)], "{variable}");
        assert_eq!((array(&list, "errors"), &list["size"]), (vec![], &tree::size(&hub.root).into()), "{variable}");
    }
}

#[test]
fn each_layout_in_the_folder_of_a_variable_is_its_own_plugins() {
    let sandbox = Sandbox::new();
    let place = sandbox.home().join("work/models");
    download(&place, &format!("{BERT}/config.json"), 300);
    let only_flat = list(&sandbox, "TRANSFORMERS_CACHE", &place);
    assert_eq!(caches(&only_flat), [("transformers".into(), place.clone(), 0)]);
    assert_eq!(array(&only_flat, "errors"), Vec::<Value>::new(), "that it is no hub is no fault");
    fs::write(place.join("version.txt"), "1").unwrap();
    Hub::at(place.clone()).model("a", 1000);
    let both = list(&sandbox, "TRANSFORMERS_CACHE", &place);
    assert_eq!(caches(&both).iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["hub", "transformers"]);
    assert_eq!((array(&both, "errors"), &both["size"]), (vec![], &tree::size(&place).into()));
    let before = tree::read(&place);
    let mut clean = sandbox.command(["clean", "-c", "transformers", "-y"]);
    Run::of(clean.env("TRANSFORMERS_CACHE", &place).output().unwrap()).expect(0);
    let file = name(&format!("{BERT}/config.json"));
    tree::assert_gone(&before, &tree::read(&place), &[&file, &format!("{file}.json"), &format!("{file}.lock")]);
    let only_hub = list(&sandbox, "TRANSFORMERS_CACHE", &place);
    assert_eq!(caches(&only_hub), [("hub".into(), place, 1)]);
    assert_eq!(array(&only_hub, "errors"), Vec::<Value>::new(), "that nothing flat is there is no fault");
}

#[test]
fn what_is_refused_is_told_once_and_nothing_is_tried_in_its_place() {
    let sandbox = Sandbox::new();
    download(&flat(&sandbox), &format!("{BERT}/config.json"), 300);
    for value in ["", "~/models", "models"] {
        let list = list(&sandbox, "TRANSFORMERS_CACHE", Path::new(value));
        assert_eq!(caches(&list), [], "{value:?}");
        let errors = array(&list, "errors");
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0]["message"].as_str().unwrap().contains("TRANSFORMERS_CACHE"), "{errors:?}");
    }
    assert_eq!(caches(&sandbox.json(["list"])).len(), 1);
}

#[test]
fn a_folder_that_holds_other_things_is_no_cache_and_loses_nothing() {
    let sandbox = Sandbox::new();
    let place = sandbox.home().join("work");
    fs::create_dir_all(&place).unwrap();
    for file in ["notes.json", "paper.lock", "tmpabcdefgh", "version.txt"] {
        fs::write(place.join(file), "1").unwrap();
    }
    let before = tree::read(&place);
    let list = list(&sandbox, "TRANSFORMERS_CACHE", &place);
    assert_eq!(caches(&list), []);
    let mut clean = sandbox.command(["clean", "--all", "-y", "--force", "irreplaceable"]);
    Run::of(clean.env("TRANSFORMERS_CACHE", &place).output().unwrap()).expect(0);
    download(&place, &format!("{BERT}/config.json"), 300);
    let mut clean = sandbox.command(["clean", "-c", "transformers", "-y"]);
    Run::of(clean.env("TRANSFORMERS_CACHE", &place).output().unwrap()).expect(0);
    // The note goes with the last download. Other programs name their files `tmp...`, too.
    let left = tree::read(&place);
    assert_eq!(left.len(), 3);
    assert!(
        before.iter().filter(|(path, _)| *path != Path::new("version.txt")).all(|(path, node)| left[path] == *node)
    );
}

#[test]
fn a_download_that_is_going_on_stays() {
    let sandbox = Sandbox::new();
    let folder = flat(&sandbox);
    let file = download(&folder, &format!("{BERT}/config.json"), 300);
    fs::write(folder.join("tmpabcdefgh"), vec![b'x'; 50]).unwrap();
    let begun = folder.join(format!("{}.lock", name(&format!("{BERT}/vocab.txt"))));
    fs::write(&begun, "").unwrap();
    for (lock, stays) in
        [(with(&file, ".lock"), vec!["bert-base-uncased/config.json"]), (begun, vec!["tmpabcdefgh", "locks"])]
    {
        let held = File::options().write(true).open(lock).unwrap();
        held.lock().unwrap();
        let keep = array(&sandbox.json(["clean", "-c", "transformers", "-n"]), "keep");
        let kept: Vec<&str> = ids(&keep).iter().map(|id| id.split('@').next().unwrap()).collect();
        assert_eq!(kept, stays);
        assert!(keep.iter().all(|row| row["reason"].as_str().unwrap().starts_with("in use")), "{keep:?}");
    }
    assert_eq!(array(&sandbox.json(["clean", "-c", "transformers", "-y"]), "keep").len(), 0);
    assert_eq!(tree::read(&folder).len(), 0);
}

#[test]
fn what_may_be_gone_from_its_server_goes_when_it_is_named() {
    let sandbox = Sandbox::new();
    let folder = flat(&sandbox);
    download(&folder, &format!("{BERT}/config.json"), 300);
    let old = download(&folder, S3, 433);
    let id = format!("{}@{}", &S3["https://".len()..], digits(S3));
    let document = sandbox.json(["clean", "-c", "transformers", "-y"]);
    assert_eq!(ids(&array(&document, "keep")), [id.as_str()]);
    assert!(old.exists() && tree::read(&folder).len() == 3);
    let entry = sandbox.entry(&id);
    assert_eq!((&entry["recovery"], &entry["attributes"]["url"]), (&json!("uncertain"), &json!([S3])));
    sandbox.dscc(["clean", "-y", &id]).expect(0);
    assert!(!old.exists());
}

#[test]
fn a_link_frees_nothing_keeps_what_it_leads_to_and_goes_only_by_force() {
    let sandbox = Sandbox::new();
    let folder = flat(&sandbox);
    let (url, near) = (format!("{BERT}/pytorch_model.bin"), format!("{BERT}/config.json"));
    let link = download(&folder, &url, 1);
    let target = download(&folder, &near, 300);
    let blob = sandbox.hub().model("a", 50).path("blobs").join(etag('a'));
    for place in [sandbox.outside().join("precious"), target.clone(), blob] {
        fs::remove_file(&link).unwrap();
        symlink(&place, &link).unwrap();
        let outside = tree::read(&sandbox.outside());
        let id = format!("bert-base-uncased/pytorch_model.bin@{}", digits(&url));
        let entry = sandbox.entry(&id);
        assert_eq!((&entry["kind"], &entry["recovery"]), (&json!("link"), &json!("irreplaceable")));
        assert_eq!(entry["attributes"]["target"], json!([place]));
        assert_eq!(entry["size"], fs::metadata(with(&link, ".json")).unwrap().len());
        let keep = array(&sandbox.dscc(["clean", "--all", "-n", "--json"]).json(), "keep");
        assert!(ids(&keep).contains(&id.as_str()));
        let kept = keep.len() > 1;
        assert_eq!(kept, place.starts_with(sandbox.home()), "what it leads to in a cache stays with it: {keep:?}");
        sandbox.dscc(["clean", "-y", &id]).expect(3);
        assert!(link.symlink_metadata().is_ok());
        assert_eq!(tree::read(&sandbox.outside()), outside);
    }
    let id = format!("bert-base-uncased/pytorch_model.bin@{}", digits(&url));
    sandbox.dscc(["clean", "-y", &id, "--force", "irreplaceable"]).expect(0);
    assert!(link.symlink_metadata().is_err() && target.exists());
}
