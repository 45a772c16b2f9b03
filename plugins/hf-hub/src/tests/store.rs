//! The shared store.

use dscc_sdk::{Recovery, State};

use super::*;

/// One repository, one revision, one file that is in the shared store.
fn sharing(root: TempRoot, folder: &str) -> TempRoot {
    let root = root
        .linked(folder, &digits('a'), "config.json", &digits('1'))
        .file(&format!("{folder}/refs/main"), digits('a'));
    let link = format!("{folder}/snapshots/{}/model.bin", digits('a'));
    root.link(&link, format!("../../blobs/{}", digits('5'))).shared(folder, &digits('5'), &hash('e'))
}

#[test]
fn repositories_and_revisions_share_payloads_manifests_last_and_need_the_store() {
    let root = sharing(TempRoot::new().marked(), REPO);
    let payload = store_path(&hash('e'));
    let shares = [payload.clone(), format!("{payload}.refs")];
    let marker = ["blobs/.huggingface-shared-blobs".to_owned()];
    let repository = find(&top(&root), ID);
    assert_eq!((repository.shares.as_slice(), repository.state), (shares.as_slice(), State::Complete));
    assert_eq!(repository.needs, marker);
    assert_eq!(locks(&repository), [".locks/models--acme--tiny", &format!("{payload}.lock")]);
    let revision = find(&children(&root, ID), &format!("{ID}@{}", digits('a')));
    assert_eq!(
        revision.shares[..2],
        [format!("{REPO}/blobs/{}", digits('1')), format!("{REPO}/blobs/{}", digits('5'))]
    );
    assert_eq!((&revision.shares[2..], locks(&revision)), (shares.as_slice(), locks(&repository)));
    assert_eq!(revision.needs, marker);
    let store = find(&top(&root), "store");
    assert_eq!(
        (store.owns.as_slice(), store.has_children, store.shares.len()),
        (["blobs".to_owned()].as_slice(), true, 0)
    );
    assert!(children(&root, "store").entries.is_empty());
}

#[test]
fn a_payload_without_a_readable_manifest_is_never_collected() {
    let manifest = format!("{}.refs", store_path(&hash('e')));
    type Damage = fn(&std::path::Path);
    let damages: [(&str, Damage); 3] = [
        ("no manifest", |path| std::fs::remove_file(path).unwrap()),
        ("no text", |path| std::fs::write(path, b"\xff").unwrap()),
        ("no regular file", |path| {
            std::fs::remove_file(path).unwrap();
            std::fs::create_dir(path).unwrap();
        }),
    ];
    for (why, damage) in damages {
        let root = sharing(TempRoot::new().marked(), REPO);
        damage(&root.path().join(&manifest));
        let repository = find(&top(&root), ID);
        assert_eq!((repository.shares.len(), repository.needs.len()), (0, 1), "{why}");
        let record = find(&children(&root, "store"), &format!("store/{}", hash('e')));
        assert_eq!(
            (record.owns.len(), record.shares.len(), record.state, &record.reclaim),
            (0, 0, State::Broken, &None)
        );
        assert!(attribute(&record, "warning")[0].contains(why), "{why}");
    }
}

#[test]
fn a_payload_whose_lines_are_all_stale_can_be_reclaimed() {
    let path = store_path(&hash('e'));
    let root = TempRoot::new().simple(REPO).marked().file(&path, "payload");
    let other =
        [&format!("/{REPO}/blobs/x"), &format!("../{REPO}/blobs/x"), "buckets--a/blobs/x", &format!("{REPO}/blobs")];
    let stale = ["models--gone/blobs/x", &format!("{REPO}/blobs/{}", digits('1')), "", &format!("{REPO}/refs/main")];
    let lines = [stale, other].concat().join("\n");
    let root = root.file(&format!("{path}.refs"), lines);
    let entry = find(&children(&root, "store"), &format!("store/{}", hash('e')));
    assert_eq!((entry.kind.as_str(), entry.owns), ("payload", vec![path.clone(), format!("{path}.refs")]));
    assert_eq!(
        (entry.state, entry.recovery, entry.reclaim.as_deref()),
        (State::Detached, Recovery::Download, Some("no repository links to it"))
    );
    assert_eq!(entry.locks[0].path, format!("{path}.lock"));
}

#[test]
fn a_line_counts_however_its_link_reaches_the_payload() {
    let path = store_path(&hash('e'));
    let root =
        TempRoot::new().marked().file(&path, "payload").file(&format!("{path}.refs"), format!("./{REPO}//blobs/x\n"));
    let target = root.path().join(&path);
    let root = root.link(&format!("{REPO}/blobs/x"), target);
    assert!(children(&root, "store").entries.is_empty());
}

#[test]
fn a_link_that_its_manifest_forgot_keeps_the_payload() {
    let root = sharing(TempRoot::new().marked(), REPO).file(&format!("{}.refs", store_path(&hash('e'))), "");
    let record = find(&children(&root, "store"), &format!("store/{}", hash('e')));
    assert_eq!((record.owns.len(), record.reclaim), (0, None));
}

#[test]
fn a_line_of_a_repository_that_is_a_link_cannot_be_told_and_keeps_the_payload() {
    let path = store_path(&hash('e'));
    let root = TempRoot::new().marked().file(&path, "payload").file(&format!("{path}.refs"), "models--moved/blobs/x\n");
    let record = find(&children(&root.link("models--moved", "/elsewhere"), "store"), &format!("store/{}", hash('e')));
    assert_eq!((record.owns.len(), record.reclaim), (0, None));
}

#[test]
fn a_store_of_another_layout_is_broken_and_every_repository_needs_it() {
    let root = sharing(TempRoot::new(), REPO).simple("models--b").file("blobs/.huggingface-shared-blobs", "2\n");
    let level = top(&root);
    let store = find(&level, "store");
    assert_eq!(
        (store.state, store.recovery, store.owns.as_slice()),
        (State::Broken, Recovery::Uncertain, ["blobs".to_owned()].as_slice())
    );
    for id in [ID, "model/b"] {
        let entry = find(&level, id);
        assert_eq!((entry.needs, entry.shares.len(), entry.state), (vec!["blobs".to_owned()], 0, State::Complete));
    }
}

#[test]
fn an_unmarked_folder_is_no_store_and_only_the_link_is_shared() {
    let root = sharing(TempRoot::new(), REPO);
    assert_eq!(ids(&top(&root)), [ID]);
    let revision = find(&children(&root, ID), &format!("{ID}@{}", digits('a')));
    assert_eq!((revision.shares.len(), revision.state, revision.recovery), (2, State::Complete, Recovery::Download));
    std::fs::remove_dir_all(root.path().join("blobs")).unwrap();
    assert_eq!(find(&top(&root), ID).state, State::Broken);
}

#[test]
fn a_missing_payload_breaks_what_links_to_it() {
    let root = sharing(TempRoot::new().marked(), REPO);
    std::fs::remove_file(root.path().join(store_path(&hash('e')))).unwrap();
    assert_eq!((find(&top(&root), ID).state, find(&top(&root), ID).shares.len()), (State::Broken, 0));
    assert_eq!(find(&children(&root, ID), &format!("{ID}@{}", digits('a'))).state, State::Broken);
}

#[test]
fn an_orphan_that_is_a_link_into_the_store_holds_the_payload() {
    let root = TempRoot::new().marked().simple(REPO).shared(REPO, &digits('5'), &hash('e'));
    let orphan = find(&children(&root, ID), &format!("{ID}/blobs/{}", digits('5')));
    let payload = store_path(&hash('e'));
    assert_eq!(orphan.shares, [payload.clone(), format!("{payload}.refs")]);
    assert_eq!(orphan.locks.len(), 2);
}
