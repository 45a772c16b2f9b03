//! Which folders are caches, and old snapshots and models in them.

use dscc_sdk::{Recovery, State};

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn a_folder_is_a_cache_by_what_is_in_it() {
    let url = format!("{BERT}/config.json");
    let flat = MemoryRoot::new().download(&url, "\"1\"", 1);
    let hub = MemoryRoot::new().file("models--acme--t/refs/main", COMMIT).file("version.txt", "1").file(".locks/x", "");
    let both = hub.clone().download(&url, "\"1\"", 1);
    let other = MemoryRoot::new().file("notes.json", "{}").file("x.lock", "").file("tmpabcdefgh", "");
    let models = MemoryRoot::new().file("org_m/.gitattributes", "").file("org_m/modules.json", "[]");
    for (root, in_own, in_hub, in_sentences) in [
        (&flat, vec!["transformers"], vec!["transformers"], vec!["transformers"]),
        (&hub, vec![], vec![], vec![]),
        (&both, vec!["transformers"], vec!["transformers"], vec!["transformers"]),
        (&other, vec![], vec![], vec![]),
        (&models, vec![], vec![], vec!["sentence-transformers"]),
        (&MemoryRoot::new(), vec!["transformers"], vec![], vec![]),
    ] {
        assert_eq!(caches(root, "transformers"), in_own);
        assert_eq!(caches(root, "transformers-hub"), in_hub);
        assert_eq!(caches(root, "sentence-transformers"), in_sentences);
    }
}

#[test]
fn in_a_hub_only_flat_files_and_old_snapshots_are_claimed() {
    let root = MemoryRoot::new().download(&format!("{BERT}/config.json"), "\"1\"", 1);
    let root =
        root.file("models--acme--t/blobs/a", "x").file(".locks/models--acme--t/a.lock", "").file("CACHEDIR.TAG", "");
    let root = root.file(&format!("acme__tiny.{COMMIT}/config.json"), "{}").directory("tmpabcdefgh");
    let root = root.file(&format!("acme__cloned.{COMMIT}/.git/HEAD"), "ref").file(&format!("a--b.{COMMIT}/x"), "");
    let listing = top(&root);
    assert_eq!(listing.entries.len(), 2, "{:?}", ids(&listing.entries));
    let snapshot = find(&listing, &format!("acme/tiny@{COMMIT}"));
    assert_eq!((snapshot.kind.as_str(), snapshot.label.as_str()), ("snapshot", "acme/tiny"));
    assert_eq!((snapshot.owns, snapshot.state), (vec![format!("acme__tiny.{COMMIT}")], State::Complete));
    assert_eq!(snapshot.recovery, Recovery::Download);
}

#[test]
fn a_snapshot_that_was_killed_is_partial_and_guarded_by_its_locks() {
    let folder = format!("gpt2.{COMMIT}");
    let whole =
        MemoryRoot::new().file(&format!("{folder}/config.json"), "{}").file(&format!("{folder}/poetry.lock"), "x");
    let id = format!("gpt2@{COMMIT}");
    assert_eq!(find(&top(&whole), &id).state, State::Complete);
    for (left, locks) in [("onnx/m.onnx.lock", 1), ("m.bin.incomplete", 0), ("tmp6xhnv40t", 0)] {
        let entry = find(&top(&whole.clone().file(&format!("{folder}/{left}"), "")), &id);
        assert_eq!((entry.state, entry.locks.len()), (State::Partial, locks), "{left}");
    }
}

#[test]
fn a_model_is_known_as_downloaded_if_nothing_in_it_is_newer_than_the_file_that_comes_last() {
    let model = |newest: i64| {
        let root = MemoryRoot::new().file("org_all-Mini_L6/.gitattributes", "").modified(1);
        let root = root.file("org_all-Mini_L6/1_Pooling/config.json", "{}").modified(newest);
        root.file("org_all-Mini_L6/modules.json", "[]").modified(5)
    };
    for (newest, recovery) in [(2, Recovery::Download), (5, Recovery::Download), (6, Recovery::Uncertain)] {
        let entry = find(&list(&model(newest), "sentence-transformers"), "org_all-Mini_L6");
        assert_eq!((entry.label.as_str(), entry.recovery), ("org/all-Mini_L6", recovery), "{newest}");
    }
    let linked = model(2).link("org_all-Mini_L6/pytorch_model.bin", "/data/mine.bin");
    let entry = find(&list(&linked, "sentence-transformers"), "org_all-Mini_L6");
    assert_eq!(entry.recovery, Recovery::Uncertain);
}

#[test]
fn models_that_somebody_saved_cloned_or_downloaded_or_the_hub_keeps_are_not_claimed() {
    let root = MemoryRoot::new().file("mine/modules.json", "[]").file("mine/config.json", "{}");
    let root =
        root.file("a_cloned/.git/HEAD", "").file("a_cloned/.gitattributes", "").file("a_cloned/modules.json", "[]");
    let root = root.file("a_local/.cache/huggingface/x", "").file("a_local/.gitattributes", "");
    let root = root.file("a_local/modules.json", "[]");
    let root = root.file("models--a--b/snapshots/c/modules.json", "[]").file("models--a--b/.gitattributes", "");
    let root = root.file("README.md", "x").file(".gitattributes", "").file("modules.json", "");
    assert_eq!(ids(&list(&root, "sentence-transformers").entries), Vec::<&str>::new());
}

#[test]
fn in_the_folder_that_all_programs_write_such_files_to_they_are_nobodys() {
    let url = format!("{BERT}/config.json");
    for place in ["/tmp", "/var/tmp", "/scratch/job/TMP", "/mnt/Temp/"] {
        let root = MemoryRoot::new().named(place).file("tmpabcdefgh", "x");
        assert!(caches(&root, "transformers").is_empty(), "{place}");
        let root = root.download(&url, "\"1\"", 1);
        assert_eq!(top(&root).entries.len(), 1, "{place}");
    }
}
