//! What is not the library's, what is broken, and what leads elsewhere.

use dscc_sdk::{Recovery, State};

use super::*;

#[test]
fn what_a_user_saved_is_nobodys() {
    let root = root()
        .file("mine/dataset_info.json", "{}")
        .file("mine/state.json", "{}")
        .file("mine/data-00000-of-00001.arrow", "1")
        .file("dict/dataset_dict.json", "{}")
        .file("dict/train/state.json", "{}")
        .file("dict/train/dataset_info.json", "{}")
        .file("a/b/1.0.0/state.json", "{}")
        .file("a/b/1.0.0/dataset_info.json", "{}")
        .file("a/b/1.0.0/c/state.json", "{}")
        .file("a/b/1.0.0/c/dataset_info.json", "{}")
        .file("datasets--a--b/snapshots/90e2edded64226036b0212158e20d6060acd3227/dataset_info.json", "{}")
        .file("notes.txt", "1");
    assert!(top(&root).is_empty(), "{:?}", ids(&top(&root)));
}

#[test]
fn foreign_files_beside_builds_are_left_alone() {
    let at = format!("csv/default-0123456789abcdef/0.0.0/{CODE}");
    let root = root().build(&at, "").file("csv/mine.csv", "1").file("csv/default-0123456789abcdef/notes", "1");
    let root = root.file("csv/default-0123456789abcdef/0.0.0/mine/state.json", "1");
    let [dataset] = top(&root).try_into().unwrap();
    assert!(dataset.owns.iter().all(|path| !path.contains("mine") && !path.contains("notes") && path != "csv"));
}

#[test]
fn tables_in_a_folder_that_only_looks_like_a_version_are_nobodys() {
    let root = root().file("mine/experiment/1.0.0/train.arrow", "1").file("mine/experiment/1.0.0/notes.txt", "1");
    assert!(top(&root).is_empty());
}

#[test]
fn builds_in_an_unfinished_versions_folder_have_ids_of_their_own() {
    let root = root().build(&format!("a/b/0.0.0/{OLD}"), "").build(&format!("a/b/0.0.0.incomplete/{OLD}"), "");
    let builds = below(&root, "a");
    let ids: std::collections::BTreeSet<&str> = ids(&builds).into_iter().collect();
    assert_eq!(ids.len(), builds.len(), "{ids:?}");
}

#[test]
fn a_folder_within_a_build_makes_it_one_that_goes_only_when_it_is_named() {
    let at = format!("a___b/default/0.0.0/{OLD}");
    let root = root().build(&at, "").file(&format!("{at}/mine/model.bin"), "1");
    let [build] = below(&root, "a/b").try_into().unwrap();
    assert_eq!(build.recovery, Recovery::Uncertain);
    assert_eq!(values(&build, "warning"), ["`mine` in it is not the library's"]);
}

#[test]
fn a_broken_record_costs_its_build_the_description_and_nothing_else() {
    let at = |hash: &str| format!("a___b/default/0.0.0/{hash}");
    for record in ["", "[]", "{\"splits\"", "null", "\u{0}"] {
        let root = root().build(&at(NEW), "").file(&format!("{}/dataset_info.json", at(OLD)), record);
        let [broken, fine] = below(&root, "a/b").try_into().unwrap();
        assert_eq!((broken.state, fine.state), (State::Broken, State::Complete), "{record}");
        assert_eq!(values(&broken, "config"), ["default"]);
    }
    let odd = r#"{"splits": {"train": 3, "test": null}, "features": [1, {"a": "b"}], "download_checksums": [], "version": 1}"#;
    let root = root().file(&format!("{}/dataset_info.json", at(OLD)), odd);
    assert_eq!(below(&root, "a/b").len(), 1);
}

#[test]
fn links_are_owned_as_links_and_cannot_be_had_back() {
    let root = root().link("all", "/mnt/all").link("csv/default", "/mnt/csv").link("text/default/0.0.0", "../x");
    let root = root.link(&format!("json/default/0.0.0/{CODE}"), "/mnt/json").link("downloads", "/mnt/dl");
    let entries = top(&root);
    assert_eq!(ids(&entries), ["csv", "json", "text", "all", "downloads"]);
    for id in ["csv", "json", "text"] {
        let [link] = below(&root, id).try_into().unwrap();
        assert_eq!((&*link.kind, link.recovery, link.owns.len()), ("link", Recovery::Irreplaceable, 1));
    }
    assert_eq!(values(&entries[3], "target"), ["/mnt/all"]);
    assert!(entries.iter().all(|entry| entry.recovery == Recovery::Irreplaceable));
}

#[test]
fn what_cannot_be_read_is_said_and_costs_only_itself() {
    let root = root().build(&format!("a/default/0.0.0/{OLD}"), "").unreadable("closed").unreadable("a/other");
    let root = root.unreadable(&format!("a/default/0.0.0/{NEW}")).unreadable("downloads");
    let listing = list(&root, None);
    assert_eq!(ids(&listing.entries), ["a"]);
    let warned: Vec<&str> = listing.warnings.iter().map(|warning| warning.path.as_str()).collect();
    assert!(["closed", "a/other", "downloads"].iter().all(|path| warned.contains(path)), "{warned:?}");
    let builds = below(&root, "a");
    assert_eq!(builds[1].state, State::Broken);
}

#[test]
fn ids_that_no_dataset_has_have_no_children() {
    let root = root().build(&format!("a/default/0.0.0/{OLD}"), "");
    for id in ["", "b", "../a", "a/../b", "a@", "a@default", "a@default/0.0.0/x", "@", "downloads/aaaa", "locks/unused"]
    {
        assert!(below(&root, id).is_empty(), "{id}");
    }
}

#[test]
fn texts_of_any_length_are_cut() {
    let long = "x".repeat(20_000);
    let record = format!(
        r#"{{"config_name": "{long}", "license": "{long}", "builder_name": "{long}", "version": "{long}",
        "splits": {{"{long}": {{}}}}, "download_checksums": {{"hf://datasets/{long}@{long}": null}}}}"#
    );
    let root = root().file(&format!("a/default/0.0.0/{OLD}/dataset_info.json"), record);
    let root = root
        .file(&format!("downloads/{CODE}"), "1")
        .file(&format!("downloads/{CODE}.json"), format!(r#"{{"url": "https://{long}", "etag": "{long}"}}"#));
    for entry in top(&root).into_iter().chain(below(&root, "a")) {
        assert!(entry.label.len() < 1000, "{}", entry.id);
        assert!(entry.attributes.iter().all(|(_, value)| value.len() < 1000), "{}", entry.id);
    }
}
