//! Datasets side by side: what they are called, whether they are whole, what it costs to have them back.

use dscc_sdk::{LockKind, Recovery, State};

use super::*;

#[test]
fn datasets_are_called_as_their_users_call_them() {
    let root = root().simple("text/com/example/letters").simple("__custom__/mymodule/net/loner");
    let listing = list(&root);
    assert_eq!(ids(&listing), ["com.example.letters", "net.loner"]);
    let custom = entry(&listing, "net.loner");
    assert_eq!(values(custom, "repository"), ["__custom__/mymodule"]);
    assert_eq!(custom.owns, ["__custom__/mymodule/net/loner/.state.json", "__custom__/mymodule/net/loner"]);
    assert_eq!(
        (custom.locks[0].kind, &*custom.locks[0].path),
        (LockKind::Flock, "__custom__/mymodule/net/loner/.state.lock")
    );
}

#[test]
fn an_id_that_two_folders_would_have_is_the_folder_instead() {
    let root = root().simple("text/org/same").simple("images/org/same").simple("text/org/other").simple("text/a.b/c");
    assert_eq!(ids(&list(&root)), ["images/org/same", "org.other", "text/a.b/c", "text/org/same"]);
    let root = root.directory("text/org/same/.downloads");
    assert_eq!(children(&root, "text/org/same")[0].id, "text/org/same@unfinished");
}

#[test]
fn what_datamaestro_or_others_make_in_hidden_folders_is_no_dataset() {
    let root = root().simple("text/a").file("text/a/.downloads/b/.state.json", "{}").file("text/a/@c/.state.lock", "");
    let root = root.file(".git/a/.state.json", "{}").file("text/.state.json", "{}").file(".state.lock", "");
    assert_eq!(ids(&list(&root)), ["a"]);
}

#[test]
fn a_dataset_is_whole_if_its_record_says_so_of_what_was_not_dropped_on_purpose() {
    type Case<'a> = (&'a [(&'a str, &'a str)], bool, State);
    let cases: [Case; 8] = [
        (&[("A", "complete")], false, State::Complete),
        (&[("A", "none"), ("B", "complete")], false, State::Complete),
        (&[("A", "complete"), ("B", "partial")], false, State::Partial),
        (&[("A", "complete")], true, State::Partial),
        (&[("A", "none")], false, State::Partial),
        (&[("A", "none")], true, State::Partial),
        (&[], false, State::Partial),
        (&[], true, State::Partial),
    ];
    for (states, unfinished, state) in cases {
        let mut root = root().dataset("text/a", states).file("text/a/x", "1");
        if unfinished {
            root = root.directory("text/a/.downloads");
        }
        assert_eq!(entry(&list(&root), "a").state, state, "{states:?} {unfinished}");
    }
}

#[test]
fn what_was_recorded_as_complete_counts_as_downloaded_unless_the_folder_speaks_against_it() {
    let one = [("A", "complete")];
    let two = [("A", "complete"), ("B", "complete")];
    let recovery = |root: MemoryRoot| entry(&list(&root), "a").recovery;
    assert_eq!(
        recovery(root().dataset("text/a", &one).file("text/a/x", "").file("text/a/y/z", "")),
        Recovery::Download
    );
    assert_eq!(
        recovery(root().dataset("text/a", &two).file("text/a/x", "").file("text/a/y/z", "")),
        Recovery::Download
    );
    let more = root().dataset("text/a", &two).file("text/a/x", "").file("text/a/y", "").file("text/a/z", "");
    assert_eq!(recovery(more), Recovery::Uncertain);
    let crawl = root().dataset("text/a", &one).file("text/a/pages", "").file("text/a/pages.done", "");
    assert_eq!(recovery(crawl), Recovery::Uncertain);
    assert_eq!(recovery(root().dataset("text/a", &one).file("text/a/@bucket/x", "")), Recovery::Uncertain);
    // A definition may write into the folder by itself; then there is a record only once it is done.
    assert_eq!(recovery(root().file("text/a/.state.lock", "").file("text/a/x", "")), Recovery::Uncertain);
    assert_eq!(recovery(root().file("text/a/.state.lock", "")), Recovery::Download);
    // Users put what they have into the folder, to be adopted.
    for states in [&[][..], &[("A", "none")], &[("A", "partial")]] {
        assert_eq!(recovery(root().dataset("text/a", states).file("text/a/x", "")), Recovery::Uncertain, "{states:?}");
        assert_eq!(recovery(root().dataset("text/a", states)), Recovery::Download, "{states:?}");
    }
}

#[test]
fn a_download_that_got_nowhere_would_not_be_missed_and_what_can_be_resumed_would_be() {
    let reclaim = |root: MemoryRoot| entry(&list(&root), "a").reclaim.is_some();
    assert!(reclaim(root().file("text/a/.state.lock", "")));
    assert!(reclaim(root().dataset("text/a", &[("A", "none")])));
    assert!(!reclaim(root().dataset("text/a", &[("A", "partial")])));
    assert!(!reclaim(root().dataset("text/a", &[("A", "complete")])));
    assert!(!reclaim(root().file("text/a/.state.lock", "").file("text/a/x", "")));
    assert!(!reclaim(root().file("text/a/.state.lock", "").file("text/a/.downloads/A/x", "")));
}

#[test]
fn what_is_unfinished_is_a_part_of_its_own() {
    let root = root().dataset("text/a", &[("A", "complete"), ("B", "partial")]).file("text/a/x", "");
    let root = root.file("text/a/.downloads/b.bin", "12").simple("text/b").directory("text/b/.downloads");
    let root = root.file("text/c/.state.lock", "").directory("text/c/.downloads").simple("text/d");
    let listing = list(&root);
    let has_children: Vec<_> = listing.entries.iter().map(|it| it.has_children).collect();
    assert_eq!(has_children, [true, true, true, false]);
    let part = &children(&root, "a")[0];
    assert_eq!((part.id.as_str(), part.state, part.keeps_parent), ("a@unfinished", State::Partial, false));
    assert_eq!((&part.owns, values(part, "holds")), (&vec!["text/a/.downloads".to_owned()], vec!["b.bin"]));
    assert_eq!(part.locks[0].path, "text/a/.state.lock");
    assert!(part.reclaim.is_none() && !values(part, "resumable").is_empty());
    let part = &children(&root, "b")[0];
    assert!(part.reclaim.is_some() && !part.keeps_parent);
    let part = &children(&root, "c")[0];
    assert!(part.reclaim.is_some() && part.keeps_parent);
    assert_warns(entry(&listing, "c"), "takes what is left here for all of it");
    assert!(children(&root, "d").is_empty() && children(&root, "none").is_empty());
}

#[test]
fn a_dataset_without_files_is_said_to_refer_to_others() {
    let listing = list(&root().dataset("text/a", &[("A", "complete")]));
    let refers = entry(&listing, "a");
    assert_eq!((refers.state, refers.recovery, &refers.reclaim), (State::Complete, Recovery::Download, &None));
    assert_warns(refers, "refers to other datasets");
}

#[test]
fn a_broken_record_costs_its_dataset_and_is_told() {
    let root = root().file("text/a/.state.json", "{").file("text/a/x", "").simple("text/b");
    let listing = list(&root);
    let broken = entry(&listing, "a");
    assert_eq!((broken.state, broken.recovery), (State::Broken, Recovery::Uncertain));
    assert_warns(broken, "no JSON");
    assert_eq!(listing.warnings[0].path, "text/a/.state.json");
    assert_eq!(entry(&listing, "b").state, State::Complete);
}

#[test]
fn without_records_the_first_folder_with_a_file_is_taken_for_a_dataset() {
    let root = root().file("text/org/old/one/x", "").file("text/org/old/one/deep/y", "").file("text/org/old/two/z", "");
    let root = root.simple("text/org/new").directory("text/org/empty/none").file("other/org/set/.DS_Store", "");
    let listing = list(&root);
    assert_eq!(ids(&listing), ["org.new", "org.old.one", "org.old.two"]);
    let guess = entry(&listing, "org.old.one");
    assert_eq!((guess.kind.as_str(), guess.recovery), ("legacy", Recovery::Uncertain));
    assert_eq!(guess.owns, ["text/org/old/one"]);
    assert_warns(guess, "a guess");
}

#[test]
fn files_between_the_levels_of_ids_are_nobodys() {
    let root = root().file("README", "").file("text/notes", "").file("text/org/notes", "").simple("text/org/a");
    let root = root.file("__custom__/notes", "").file("__custom__/module/notes", "");
    assert_eq!(ids(&list(&root)), ["org.a"]);
}
