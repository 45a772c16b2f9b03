//! Links to users' corpora, to other datasets, to nothing, and in the place of datasets.

use dscc_sdk::{Recovery, State};

use super::*;

const DATA_FOLDER: &str = "/home/me/datamaestro/data";

#[test]
fn a_dataset_that_links_to_the_users_own_files_is_in_no_default_plan() {
    let root = root().dataset("text/a", &[("A", "complete")]).link("text/a/disks", "/corpora/TREC45");
    let listing = list(&root.file("text/a/x", ""));
    let linked = entry(&listing, "a");
    assert_eq!((linked.state, linked.recovery), (State::Complete, Recovery::Irreplaceable));
    assert_eq!(linked.needs, ["/corpora/TREC45"]);
    assert_eq!(values(linked, "target"), ["disks -> /corpora/TREC45"]);
}

#[test]
fn a_dataset_that_is_linked_to_is_needed() {
    let root = root().simple("text/b").dataset("text/a", &[("A", "complete")]);
    let root = root.link("text/a/one", &format!("{DATA_FOLDER}/text/b")).link("text/a/two", "../b/data.tsv");
    let listing = list(&root);
    let linking = entry(&listing, "a");
    assert_eq!((linking.state, linking.recovery, &linking.reclaim), (State::Complete, Recovery::Download, &None));
    assert_eq!(linking.needs, ["text/b/.state.json"]);
}

#[test]
fn what_lies_in_the_folder_of_a_dataset_that_is_linked_to_is_not_needed() {
    let root = root().simple("text/b").simple("text/b/train").dataset("text/a", &[("A", "complete")]);
    let root = root.link("text/a/one", &format!("{DATA_FOLDER}/text/b"));
    assert_eq!(entry(&list(&root), "a").needs, ["text/b/.state.json"]);
    let root = root.link("text/a/all", &format!("{DATA_FOLDER}/text"));
    assert_eq!(entry(&list(&root), "a").needs, ["text", "text/b/.state.json"]);
}

#[test]
fn a_link_within_a_dataset_says_nothing() {
    let root = root().simple("text/a").link("text/a/deep/l", "../data.tsv").link("text/a/lost", "none");
    let listing = list(&root);
    let linking = entry(&listing, "a");
    assert_eq!((linking.state, linking.recovery, linking.needs.len()), (State::Complete, Recovery::Download, 0));
}

#[test]
fn a_link_to_a_dataset_that_is_gone_is_told_and_reclaimed_where_nothing_else_is_lost() {
    let gone = format!("{DATA_FOLDER}/text/gone");
    let root = root().dataset("text/a", &[("A", "complete")]).link("text/a/l", &gone);
    let listing = list(&root);
    let stale = entry(&listing, "a");
    assert_eq!((stale.state, stale.recovery, stale.needs.len()), (State::Stale, Recovery::Download, 0));
    assert!(stale.reclaim.as_deref().unwrap().contains("/text/gone"));
    assert_warns(stale, "leads to nothing");
    assert_eq!(listing.warnings[0].path, "text/a/l");
    let with_data = root.file("text/a/x", "");
    let listing = list(&with_data);
    assert_eq!((entry(&listing, "a").state, &entry(&listing, "a").reclaim), (State::Stale, &None));
}

#[test]
fn what_is_behind_another_link_may_be_there() {
    let root = root().link("text/moved", "/disk/moved").dataset("text/a", &[("A", "complete")]);
    let root = root.link("text/a/l", &format!("{DATA_FOLDER}/text/moved/b"));
    let listing = list(&root);
    assert_eq!(entry(&listing, "a").state, State::Complete);
    assert_eq!(entry(&listing, "a").needs, ["text/moved/b"]);
}

#[test]
fn a_link_in_the_place_of_datasets_is_owned_as_a_link() {
    let root = root().link("text/org/moved", "/disk/moved").link("images", "/disk/images").simple("text/org/a");
    let root = root.link("text/org/alias", "a").link("text/old/l", "/disk/l").link("text/com", "/disk/com");
    let listing = list(&root);
    assert_eq!(ids(&listing), ["old.l", "org.a", "org.alias", "org.moved"]);
    let mut told: Vec<_> = listing.warnings.iter().map(|it| it.path.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["images", "text/com"], "links for whole folders of datasets are nobody's");
    for id in ["org.moved", "org.alias", "old.l"] {
        let link = entry(&listing, id);
        assert_eq!((link.kind.as_str(), link.recovery, link.owns.len()), ("link", Recovery::Irreplaceable, 1));
    }
    assert_eq!(entry(&listing, "org.alias").needs, ["text/org/a/.state.json"]);
    assert_eq!(entry(&listing, "org.moved").owns, ["text/org/moved"]);
}

#[test]
fn a_folder_of_an_old_version_with_links_to_the_users_own_files_is_irreplaceable() {
    let root = root().file("text/old/x", "").link("text/old/corpus", "/corpora/c");
    assert_eq!(entry(&list(&root), "old").recovery, Recovery::Irreplaceable);
}

#[test]
fn very_many_links_do_not_bury_the_rest() {
    let root = (0..100).fold(root().simple("text/a"), |root, at| {
        let root = root.link(&format!("text/a/gone{at}"), &format!("../gone/{at}"));
        root.link(&format!("text/a/mine{at}"), &format!("/corpora/{at}"))
    });
    let listing = list(&root);
    let linked = entry(&listing, "a");
    assert_eq!((values(linked, "target").len(), linked.needs.len(), listing.warnings.len()), (21, 100, 20));
    assert!(linked.attributes.len() < 50);
}
