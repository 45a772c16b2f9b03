//! The top level.

use dscc_sdk::{Expansion, Recovery, State};

use super::*;

fn repository(root: &TempRoot) -> Entry {
    find(&top(root), ID)
}

/// A repository in which the library finds nothing wrong.
fn healthy() -> TempRoot {
    TempRoot::new().simple(REPO)
}

#[test]
fn the_root_rule_has_the_librarys_precedence_and_expansion() {
    let manifest = HfHub::describe();
    let rule = &manifest.roots[0];
    let paths: Vec<&str> = rule.locations.iter().map(|location| location.path.as_str()).collect();
    assert_eq!(
        (rule.id.as_str(), paths.first(), paths.last()),
        ("hub", Some(&"${HF_HUB_CACHE}"), Some(&"~/.cache/huggingface/hub"))
    );
    assert!(rule.locations.iter().all(|location| location.expand == Expansion::all()));
    assert_eq!(rule.indexes, ["blobs/*/*.refs"]);
    assert_eq!(HfHub::discover(&healthy(), "hub").unwrap()[0].id, "hub");
    assert!(HfHub::discover(&healthy(), "other").unwrap().is_empty());
}

#[test]
fn another_librarys_folder_is_a_hub_only_if_it_shows_a_repository() {
    let rules = ["hub-transformers", "hub-sentence-transformers", "hub-kernels"];
    let flat = TempRoot::new().file("3c61d016.json", "{}").file("version.txt", "1").file(".locks/x", "");
    let empty = TempRoot::new();
    let store = TempRoot::new().marked();
    let manifest = HfHub::describe();
    for rule in rules {
        let found = |root: &TempRoot| HfHub::discover(root, rule).unwrap().len();
        assert_eq!([found(&healthy()), found(&store), found(&flat), found(&empty)], [1, 1, 0, 0], "{rule}");
        let rule = manifest.roots.iter().find(|it| it.id == rule).unwrap();
        assert!(rule.marks.iter().all(|mark| mark != "CACHEDIR.TAG") && rule.indexes.len() == 1);
    }
    assert_eq!(HfHub::discover(&empty, "hub").unwrap().len(), 1);
}

#[test]
fn kernels_had_another_name_for_its_variable() {
    let rule = HfHub::describe().roots.into_iter().find(|it| it.id == "hub-kernels").unwrap();
    let paths: Vec<String> = rule.locations.into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["${KERNELS_CACHE}", "${HF_KERNELS_CACHE}"]);
}

#[test]
fn a_repository_owns_its_folder_and_its_locks_which_must_be_free() {
    let entry = repository(&healthy().file(".locks/models--acme--tiny/x.lock", ""));
    assert_eq!(entry.owns, ["models--acme--tiny", ".locks/models--acme--tiny"]);
    assert_eq!(locks(&entry), [".locks/models--acme--tiny"]);
    assert_eq!((entry.kind.as_str(), entry.label.as_str(), entry.state), ("model", "acme/tiny", State::Complete));
    assert_eq!((entry.recovery, entry.has_children, entry.reclaim.as_deref()), (Recovery::Download, true, None));
    assert_eq!((attribute(&entry, "refs"), attribute(&entry, "revisions")), (vec!["main"], vec!["1"]));
    assert!(attribute(&entry, "warning").is_empty());
}

#[test]
fn every_type_is_listed_and_other_things_in_the_root_are_not() {
    let root =
        TempRoot::new().simple("models--gpt2").simple("datasets--a--b").simple("spaces--a--b").simple("kernels--a--b");
    let root = root
        .file("CACHEDIR.TAG", "x")
        .file("version.txt", "1")
        .file(".DS_Store", "")
        .file("token", "hf_x")
        .directory("random");
    assert_eq!(ids(&top(&root)), ["dataset/a/b", "kernel/a/b", "model/gpt2", "space/a/b"]);
}

#[test]
fn the_outline_has_the_same_entries_without_looking_below() {
    let root = healthy().marked().simple("models----").directory(".locks/models--gone").directory("tmpk3j5l2m1");
    let outline = HfHub::list_entries(&root, "hub", None, Detail::Outline).unwrap();
    let full = top(&root);
    assert_eq!(ids(&outline), ids(&full));
    for (short, long) in outline.entries.iter().zip(&full.entries) {
        assert_eq!(
            (&short.kind, &short.label, &short.owns, short.has_children),
            (&long.kind, &long.label, &long.owns, long.has_children)
        );
    }
}

/// What the library calls corrupted, in the order of its warnings.
#[test]
fn warning_1_a_file_or_a_link_in_place_of_a_repository_is_broken_and_owned_as_such() {
    let root = TempRoot::new().file(REPO, "x").link("models--acme--moved", "/elsewhere");
    let file = repository(&root);
    assert_eq!((file.state, file.recovery, file.has_children), (State::Broken, Recovery::Uncertain, false));
    let link = find(&top(&root), "model/acme/moved");
    assert_eq!((link.state, link.recovery, link.has_children), (State::Broken, Recovery::Uncertain, false));
    assert_eq!(
        (link.owns.as_slice(), attribute(&link, "link")),
        (["models--acme--moved".to_owned()].as_slice(), vec!["/elsewhere"])
    );
}

#[test]
fn warning_2_a_name_that_is_no_repositorys_has_the_folder_as_its_id() {
    let root = TempRoot::new().directory("models----");
    let entry = find(&top(&root), "models----");
    assert_eq!((entry.state, entry.has_children, entry.owns.len()), (State::Broken, false, 1));
}

#[test]
fn warning_3_an_unknown_type_is_broken_and_uncertain() {
    let root = TempRoot::new().file("buckets--acme--data/x", "");
    let entry = find(&top(&root), "buckets--acme--data");
    assert_eq!((entry.kind.as_str(), entry.state, entry.recovery), ("unknown", State::Broken, Recovery::Uncertain));
}

#[test]
fn warning_4_no_snapshots_folder_is_partial_when_merely_probed_and_broken_with_content() {
    let commit = digits('a');
    let probed =
        TempRoot::new().file("models--acme--tiny/refs/main", &commit).directory(&format!("{REPO}/.no_exist/{commit}"));
    let entry = repository(&probed);
    assert_eq!((entry.state, attribute(&entry, "warning")), (State::Partial, vec!["it has no `snapshots` folder"]));
    let entry = repository(&probed.file(&format!("{REPO}/blobs/{commit}"), "x"));
    assert_eq!(entry.state, State::Broken);
}

#[test]
fn warning_5_refs_that_are_a_file_are_broken_and_no_revision_is_called_detached() {
    let root = TempRoot::new().linked(REPO, &digits('a'), "x", &digits('1')).file(&format!("{REPO}/refs"), "x");
    assert_eq!(repository(&root).state, State::Broken);
    let revision = find(&children(&root, ID), &format!("{ID}@{}", digits('a')));
    assert_eq!((revision.state, revision.reclaim), (State::Complete, None));
}

#[test]
fn warning_6_a_file_directly_in_snapshots_is_broken_and_the_users() {
    let entry = repository(&healthy().file(&format!("{REPO}/snapshots/notes.txt"), "x"));
    assert_eq!((entry.state, entry.recovery), (State::Broken, Recovery::Irreplaceable));
    let entry = repository(&healthy().file(&format!("{REPO}/snapshots/.DS_Store"), "x"));
    assert_eq!((entry.state, entry.recovery), (State::Complete, Recovery::Download));
}

#[test]
fn warning_7_a_missing_blob_is_broken() {
    let root = healthy().link(&format!("{REPO}/snapshots/{}/y", digits('a')), "../../blobs/gone");
    let entry = repository(&root);
    assert_eq!((entry.state, attribute(&entry, "warning")), (State::Broken, vec!["the blob `gone` is missing"]));
}

#[test]
fn warning_8_a_ref_to_nothing_is_broken_and_one_to_a_probed_commit_is_not() {
    let to = |commit: &str| healthy().file(&format!("{REPO}/refs/old"), commit);
    assert_eq!(repository(&to(&digits('0'))).state, State::Broken);
    assert_eq!(repository(&to(&format!("{}\n", digits('a')))).state, State::Broken, "the library does not strip");
    let probed = repository(&to(&digits('b')).directory(&format!("{REPO}/.no_exist/{}", digits('b'))));
    assert_eq!((probed.state, attribute(&probed, "warning").len()), (State::Complete, 1));
}

#[test]
fn a_partial_download_makes_it_partial_and_missing_refs_detached() {
    let root = healthy().file(&format!("{REPO}/blobs/{}.0a1b2c3d.incomplete", digits('2')), "x");
    assert_eq!(repository(&root).state, State::Partial);
    let root = TempRoot::new().linked(REPO, &digits('a'), "x", &digits('1'));
    assert_eq!((repository(&root).state, repository(&root).reclaim), (State::Detached, None));
    let root = TempRoot::new()
        .file(&format!("{REPO}/refs/main"), digits('a'))
        .directory(&format!("{REPO}/snapshots/{}", digits('a')));
    assert_eq!(repository(&root).state, State::Partial);
}

#[test]
fn a_users_file_in_a_linked_snapshot_is_irreplaceable_and_what_programs_make_is_not() {
    let file =
        |path: &str| repository(&healthy().file(&format!("{REPO}/snapshots/{}/{path}", digits('a')), "x")).recovery;
    assert_eq!(file("notes.txt"), Recovery::Irreplaceable);
    for made in ["__pycache__/x.py", "sub/x.pyc", ".DS_Store", "sub/Thumbs.db", "desktop.ini"] {
        assert_eq!(file(made), Recovery::Download, "{made}");
    }
}

#[test]
fn without_links_the_files_are_the_librarys_own() {
    let root = TempRoot::new()
        .file(&format!("{REPO}/snapshots/{}/x", digits('a')), "x")
        .file(&format!("{REPO}/refs/main"), digits('a'));
    let entry = repository(&root.directory(&format!("{REPO}/blobs")));
    assert_eq!((entry.state, entry.recovery), (State::Complete, Recovery::Download));
}

#[test]
fn links_out_of_the_cache_or_the_repository_are_broken_and_uncertain() {
    for target in ["/etc/passwd", "../../../../../outside"] {
        let root = healthy().link(&format!("{REPO}/snapshots/{}/y", digits('a')), target);
        assert_eq!(
            (repository(&root).state, repository(&root).recovery),
            (State::Broken, Recovery::Uncertain),
            "{target}"
        );
    }
    let root = healthy()
        .simple("models--b")
        .link(&format!("{REPO}/snapshots/{}/y", digits('a')), "../../../models--b/refs/main");
    let entry = repository(&root);
    assert_eq!(
        (entry.recovery, entry.needs.as_slice()),
        (Recovery::Uncertain, ["models--b/refs/main".to_owned()].as_slice())
    );
}

#[test]
fn locks_of_a_repository_that_is_gone_can_go() {
    let root = healthy().file(".locks/models--acme--gone/x.lock", "").file(".locks/models--acme--odd/notes", "x");
    let root = root.file(".locks/models--acme--tiny/x.lock", "").directory(".locks/other");
    let level = top(&root);
    let gone = find(&level, "locks/models--acme--gone");
    assert_eq!((gone.kind.as_str(), gone.recovery, gone.reclaim.is_some()), ("locks", Recovery::Rebuild, true));
    assert_eq!(
        (gone.owns.as_slice(), locks(&gone)),
        ([".locks/models--acme--gone".to_owned()].as_slice(), vec![".locks/models--acme--gone"])
    );
    assert_eq!(find(&level, "locks/models--acme--odd").reclaim, None, "it holds more than locks");
    assert_eq!(level.entries.len(), 3);
}

#[test]
fn only_a_probe_folder_with_nothing_of_value_is_a_leftover() {
    let root = TempRoot::new().directory("tmpk3j5l2m1").file("tmp00000001/dummy_file_src", "");
    let root = root.link("tmp00000001/dummy_file_dst", "dummy_file_src").file("tmp00000002/thesis.tex", "x");
    assert_eq!(ids(&top(&root)), ["tmp00000001", "tmpk3j5l2m1"]);
    assert!(top(&root).entries.iter().all(|entry| entry.kind == "leftover" && entry.reclaim.is_some()));
}

#[test]
fn what_no_client_puts_into_a_repository_s_folder_may_be_somebody_s() {
    let at = |name: &str| format!("{REPO}/{name}");
    let usual = [".DS_Store", "tmp00000002/dummy_file_1", ".no_exist/x", "trees/x", "refs/refs/pr/1"];
    let root = usual.iter().fold(healthy(), |root, name| root.file(&at(name), "")).directory(&at("empty"));
    assert_eq!(repository(&root).recovery, Recovery::Download);
    for name in ["model.bin", "notes/a.txt", "tmp00000001/thesis.tex"] {
        let entry = repository(&healthy().file(&at(name), "mine"));
        assert_eq!((entry.recovery, entry.state), (Recovery::Uncertain, State::Complete), "{name}");
        let first = name.split('/').next().unwrap();
        assert!(entry.attributes.contains(&("warning".into(), format!("no client puts `{first}` here"))), "{name}");
    }
    let folder = repository(&TempRoot::new().file(&at("model.bin"), "mine"));
    assert_eq!((folder.recovery, folder.state), (Recovery::Uncertain, State::Partial));
    let link = repository(&healthy().link(&at("weights"), "/data/weights"));
    assert_eq!(link.recovery, Recovery::Uncertain);
}
