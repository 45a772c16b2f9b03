//! The level below a repository.

use dscc_sdk::{Recovery, State};

use super::*;

fn revision(root: &TempRoot, digit: char) -> Entry {
    find(&children(root, ID), &format!("{ID}@{}", digits(digit)))
}

#[test]
fn a_revision_owns_all_that_speaks_of_it_references_first() {
    let a = digits('a');
    let root = TempRoot::new().linked(REPO, &a, "x", &digits('1')).file(&format!("{REPO}/refs/main"), &a);
    let root = root.file(&format!("{REPO}/refs/refs/pr/1"), &a).file(&format!("{REPO}/refs/main.0a1b2c3d.tmp"), &a);
    let root = root.directory(&format!("{REPO}/.no_exist/{a}")).file(&format!("{REPO}/trees/{a}.json"), "{}");
    let entry = revision(&root, 'a');
    let own = |path: &str| format!("{REPO}/{path}");
    assert_eq!(
        entry.owns,
        [
            own("refs/main"),
            own("refs/main.0a1b2c3d.tmp"),
            own("refs/refs/pr/1"),
            own(&format!("snapshots/{a}")),
            own(&format!(".no_exist/{a}")),
            own(&format!("trees/{a}.json"))
        ]
    );
    assert_eq!(entry.shares, [own(&format!("blobs/{}", digits('1')))]);
    assert_eq!((attribute(&entry, "refs"), attribute(&entry, "files")), (vec!["main", "refs/pr/1"], vec!["1"]));
    assert_eq!((entry.state, entry.keeps_parent, entry.reclaim), (State::Complete, true, None));
}

#[test]
fn a_revision_without_a_ref_can_be_reclaimed_and_shares_blobs_with_the_others() {
    let root = TempRoot::new().simple(REPO).linked(REPO, &digits('b'), "deep/er/x", &digits('1'));
    let root = root.linked(REPO, &digits('b'), "y", &digits('2')).linked(REPO, &digits('b'), "z", &digits('2'));
    let entry = revision(&root, 'b');
    assert_eq!((entry.state, entry.reclaim.as_deref()), (State::Detached, Some("no ref points here")));
    assert_eq!((entry.shares.len(), attribute(&entry, "files")), (2, vec!["3"]));
    assert_eq!(revision(&root, 'a').shares, [format!("{REPO}/blobs/{}", digits('1'))]);
}

#[test]
fn a_commit_that_was_only_looked_up_is_partial_and_does_not_keep_the_repository() {
    let root = TempRoot::new().simple(REPO).directory(&format!("{REPO}/.no_exist/{}", digits('b')));
    let root =
        root.file(&format!("{REPO}/trees/{}.json", digits('c')), "{}").file(&format!("{REPO}/refs/v1"), digits('d'));
    for (digit, path) in [('b', ".no_exist/"), ('c', "trees/"), ('d', "refs/v1")] {
        let entry = revision(&root, digit);
        assert_eq!((entry.state, entry.keeps_parent, entry.reclaim), (State::Partial, false, None), "{digit}");
        assert!(entry.owns.len() == 1 && entry.owns[0].contains(path), "{:?}", entry.owns);
    }
}

#[test]
fn what_the_librarys_own_list_names_and_is_not_there_is_counted() {
    let tree = r#"{"format_version": 1, "files": {"config.json": {"size": 1}, "a\u00e9\\b": {}, "big.bin": {}}}"#;
    let root = TempRoot::new().simple(REPO).file(&format!("{REPO}/trees/{}.json", digits('a')), tree);
    let entry = revision(&root, 'a');
    assert_eq!((entry.state, attribute(&entry, "missing")), (State::Partial, vec!["2"]));
    let entry = revision(
        &root.linked(REPO, &digits('a'), "a\u{e9}\\\\b", &digits('3')).linked(
            REPO,
            &digits('a'),
            "big.bin",
            &digits('4'),
        ),
        'a',
    );
    assert_eq!((entry.state, attribute(&entry, "missing")), (State::Complete, vec![]));
}

#[test]
fn an_empty_revision_is_partial_and_one_without_its_blob_broken() {
    let root = TempRoot::new().simple(REPO).directory(&format!("{REPO}/snapshots/{}", digits('b')));
    let root = root.link(&format!("{REPO}/snapshots/{}/x", digits('c')), "../../blobs/gone");
    assert_eq!(revision(&root, 'b').state, State::Partial);
    let broken = revision(&root, 'c');
    assert_eq!((broken.state, broken.shares.len(), broken.recovery), (State::Broken, 0, Recovery::Download));
    assert_eq!(revision(&root, 'a').state, State::Complete);
}

#[test]
fn only_the_revision_that_holds_a_users_file_is_irreplaceable() {
    let root = TempRoot::new().simple(REPO).linked(REPO, &digits('b'), "x", &digits('1'));
    let root = root.file(&format!("{REPO}/snapshots/{}/mine.txt", digits('b')), "x");
    assert_eq!(revision(&root, 'b').recovery, Recovery::Irreplaceable);
    assert_eq!(revision(&root, 'a').recovery, Recovery::Download);
}

#[test]
fn only_blobs_of_this_repository_are_shared_through_links() {
    let root = TempRoot::new().simple(REPO).simple("models--b");
    let other = format!("../../../models--b/blobs/{}", digits('1'));
    let root = root.link(&format!("{REPO}/snapshots/{}/y", digits('a')), other);
    let root = root.link(&format!("{REPO}/snapshots/{}/up", digits('a')), "../../refs/main");
    let entry = revision(&root, 'a');
    assert_eq!(entry.shares, [format!("{REPO}/blobs/{}", digits('1'))]);
    assert_eq!(entry.needs, [format!("{REPO}/refs/main"), format!("models--b/blobs/{}", digits('1'))]);
    assert_eq!((entry.state, entry.recovery), (State::Broken, Recovery::Uncertain));
}

#[test]
fn absolute_links_into_the_root_are_as_good_as_relative_ones() {
    let root = TempRoot::new().simple(REPO).file(&format!("{REPO}/blobs/{}", digits('2')), "x");
    let target = root.path().join(format!("{REPO}/blobs/{}", digits('2')));
    let root = root.link(&format!("{REPO}/snapshots/{}/y", digits('a')), target);
    let entry = revision(&root, 'a');
    assert_eq!((entry.state, entry.shares.len()), (State::Complete, 2));
}

#[test]
fn without_links_a_revision_is_its_folder() {
    let root = TempRoot::new()
        .file(&format!("{REPO}/snapshots/{}/x", digits('a')), "x")
        .file(&format!("{REPO}/refs/main"), digits('a'));
    let entry = revision(&root, 'a');
    assert_eq!(
        (entry.state, entry.shares.len(), entry.recovery, attribute(&entry, "files")),
        (State::Complete, 0, Recovery::Download, vec!["1"])
    );
}

#[test]
fn a_revision_folder_may_have_any_name() {
    let root = TempRoot::new()
        .linked(REPO, "my branch\n", "x", &digits('1'))
        .file(&format!("{REPO}/refs/main"), "my branch\n");
    let entry = find(&children(&root, ID), &format!("{ID}@my branch\n"));
    assert_eq!(entry.state, State::Detached, "a ref cannot name a folder whose name ends with white space");
    let root = TempRoot::new().linked(REPO, "\\xff", "x", &digits('1')).file(&format!("{REPO}/refs/main"), b"\xff");
    let entry = find(&children(&root, ID), &format!("{ID}@\\xff"));
    assert_eq!((entry.state, attribute(&entry, "refs")), (State::Complete, vec!["main"]));
}

#[test]
fn partial_downloads_wait_for_the_lock_of_their_blob() {
    let (old, new) = (digits('2'), digits('3'));
    let root = TempRoot::new().simple(REPO).file(&format!("{REPO}/blobs/{old}.incomplete"), "x");
    let root = root.file(&format!("{REPO}/blobs/{new}.0a1b2c3d.incomplete"), "x");
    let level = children(&root, ID);
    for (name, etag, reason) in [
        (format!("{old}.incomplete"), &old, "a killed download that only old clients could resume"),
        (format!("{new}.0a1b2c3d.incomplete"), &new, "a killed download that no client can resume"),
    ] {
        let entry = find(&level, &format!("{ID}/blobs/{name}"));
        assert_eq!(
            (entry.kind.as_str(), entry.state, entry.reclaim.as_deref()),
            ("partial", State::Partial, Some(reason))
        );
        assert_eq!((entry.owns, entry.keeps_parent), (vec![format!("{REPO}/blobs/{name}")], false));
        assert_eq!(entry.locks[0].path, format!(".locks/{REPO}/{etag}.lock"));
    }
}

#[test]
fn a_blob_that_no_snapshot_names_can_go_and_is_uncertain_if_the_hub_did_not_name_it() {
    let root = TempRoot::new()
        .simple(REPO)
        .file(&format!("{REPO}/blobs/{}", digits('2')), "x")
        .file(&format!("{REPO}/blobs/thesis"), "x");
    let root = root.file(&format!("{REPO}/blobs/.DS_Store"), "");
    let level = children(&root, ID);
    let orphan = find(&level, &format!("{ID}/blobs/{}", digits('2')));
    assert_eq!((orphan.kind.as_str(), orphan.state, orphan.recovery), ("blob", State::Detached, Recovery::Download));
    assert_eq!(orphan.reclaim.as_deref(), Some("no snapshot links to it"));
    assert_eq!(locks(&orphan), [format!(".locks/{REPO}/{}.lock", digits('2'))]);
    assert_eq!(find(&level, &format!("{ID}/blobs/thesis")).recovery, Recovery::Uncertain);
    assert_eq!(level.entries.len(), 3);
}

#[test]
fn temporaries_of_killed_clients_are_leftovers() {
    let names = [
        "blobs/tmp_6e7a1c9e-13a4-4f57-9d2c-3b9a0e3a4b5c",
        "blobs/.e.0a1b2c3d.new",
        "blobs/.e.0a1b2c3d.old",
        "blobs/.e.0a1b2c3d.shared",
        "blobs/e.lock",
        "trees/tmpabc123.tmp",
        "refs/main.0a1b2c3d.tmp",
    ];
    let root = names.iter().fold(TempRoot::new().simple(REPO), |root, name| root.file(&format!("{REPO}/{name}"), ""));
    let root = root.directory(&format!("{REPO}/tmpk3j5l2m1")).file(&format!("{REPO}/tmp00000002/thesis.tex"), "x");
    let level = children(&root, ID);
    for name in names.into_iter().chain(["tmpk3j5l2m1"]) {
        let entry = find(&level, &format!("{ID}/{name}"));
        assert_eq!((entry.kind.as_str(), entry.owns.as_slice()), ("leftover", [format!("{REPO}/{name}")].as_slice()));
        assert!(entry.reclaim.is_some());
    }
    assert_eq!(locks(&find(&level, &format!("{ID}/blobs/.e.0a1b2c3d.new"))), [format!(".locks/{REPO}/e.lock")]);
    assert_eq!(locks(&find(&level, &format!("{ID}/blobs/e.lock"))), [format!("{REPO}/blobs/e.lock")]);
    assert_eq!(level.entries.len(), names.len() + 2, "the revision, the leftovers, and not the user's folder");
}

#[test]
fn a_parent_that_is_no_repository_is_an_error_that_says_so() {
    let root = TempRoot::new().simple(REPO);
    for id in ["model/acme/none", "nonsense", "models--acme--tiny", "model/acme/tiny@x"] {
        let error = HfHub::list_entries(&root, "hub", Some(id), Detail::Full).unwrap_err();
        assert!(error.to_string().contains(id), "{error}");
    }
}
