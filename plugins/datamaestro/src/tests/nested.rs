//! Datasets in the folders of others.

use super::*;

const OUTER: &str = "text/org/set";
const INNER: &str = "text/org/set/train";

#[test]
fn an_outer_dataset_that_may_be_one_archive_goes_only_together_with_those_in_it() {
    let root = root().simple(OUTER).file("text/org/set/a/b", "").simple(INNER).simple("text/org/set/train/x/small");
    let listing = list(&root);
    let outer = entry(&listing, "org.set");
    assert_eq!(outer.owns, ["text/org/set/.state.json", "text/org/set"]);
    assert_eq!(values(outer, "contains"), ["org.set.train", "org.set.train.x.small"]);
    assert!(values(outer, "together")[0].contains("for its data"));
    assert_eq!(entry(&listing, "org.set.train").needs, ["text/org/set/.state.json"]);
    assert_eq!(entry(&listing, "org.set.train.x.small").needs, ["text/org/set/train/.state.json"]);
}

#[test]
fn an_outer_dataset_of_several_resources_owns_all_but_what_is_in_it() {
    let root = root().dataset(OUTER, &[("A", "complete"), ("B", "complete")]).file("text/org/set/a", "");
    let root =
        root.file("text/org/set/.state.tmp", "").file("text/org/set/b/c", "").file("text/org/set/.downloads/x", "");
    let root = root.simple("text/org/set/x/train").file("text/org/set/x/own", "").link("text/org/set/x/l", "own");
    let listing = list(&root);
    let expected = [".state.json", ".state.tmp", ".downloads", "x/l", "a", "b", "x/own", ".state.lock"];
    assert_eq!(entry(&listing, "org.set").owns, expected.map(|name| format!("{OUTER}/{name}")));
    let listing = list(&root.without("text/org/set/x/own").without("text/org/set/x/l"));
    assert!(entry(&listing, "org.set.x.train").needs.is_empty(), "each can go alone");
}

#[test]
fn each_outer_dataset_is_needed_for_itself() {
    let root =
        root().simple(OUTER).dataset(INNER, &[("A", "complete"), ("B", "none")]).file("text/org/set/train/x", "");
    let root = root.simple("text/org/set/train/small");
    let listing = list(&root);
    assert_eq!(entry(&listing, "org.set.train.small").needs, ["text/org/set/.state.json"]);
    assert_eq!(entry(&listing, "org.set.train").owns.len(), 3);
}

#[test]
fn an_outer_dataset_without_data_of_its_own_is_needed_by_none() {
    for states in [&[("A", "complete")][..], &[("A", "none")], &[]] {
        let listing = list(&root().dataset(OUTER, states).simple(INNER));
        assert!(entry(&listing, "org.set.train").needs.is_empty());
        assert_eq!(entry(&listing, "org.set").owns, ["text/org/set/.state.json", "text/org/set/.state.lock"]);
    }
    let listing = list(&root().dataset(OUTER, &[("A", "complete")]).simple(INNER));
    assert_warns(entry(&listing, "org.set"), "took the datasets in its folder");
}

#[test]
fn an_outer_dataset_of_which_the_resources_are_not_known_counts_as_an_archive() {
    for record in ["", "{", r#"{"version": 7}"#] {
        let root = root().file("text/org/set/.state.json", record).file("text/org/set/x", "").simple(INNER);
        assert_eq!(entry(&list(&root), "org.set.train").needs, ["text/org/set/.state.json"], "{record}");
    }
    let root = root().file("text/org/set/.state.lock", "").file("text/org/set/x", "").simple(INNER);
    assert_eq!(entry(&list(&root), "org.set.train").needs, ["text/org/set/.state.lock"]);
}

#[test]
fn an_inner_dataset_of_an_old_version_is_data_of_the_outer_one() {
    let root = root().simple(OUTER).file("text/org/set/train/x", "");
    assert_eq!(ids(&list(&root)), ["org.set"]);
}

#[test]
fn a_folder_beside_one_whose_name_continues_its_own_is_not_in_it() {
    let root = root().simple(OUTER).simple("text/org/set-b").simple("text/org/set.c/d").simple(INNER);
    let listing = list(&root);
    assert_eq!(values(entry(&listing, "org.set"), "contains"), ["org.set.train"]);
}

#[test]
fn a_long_chain_of_datasets_is_no_flood() {
    let folder = |depth: usize| format!("text{}", "/a".repeat(depth));
    let listing = list(&(1..=60).fold(root(), |root, depth| root.simple(&folder(depth))));
    assert!(listing.entries.iter().all(|entry| entry.needs.len() <= 1 && values(entry, "contains").len() <= 21));
    assert_eq!(values(entry(&listing, "a"), "contains").last(), Some(&"and 39 more"));
}

#[test]
fn a_resource_with_a_dataset_in_its_folder_goes_only_together_with_it() {
    let root = root().dataset(OUTER, &[("A", "complete"), ("B", "complete")]).file("text/org/set/a", "");
    let root = root.file("text/org/set/b/deep/own", "").simple("text/org/set/b/deep/train").simple(INNER);
    let listing = list(&root);
    assert_eq!(entry(&listing, "org.set.b.deep.train").needs, ["text/org/set/.state.json"]);
    assert!(entry(&listing, "org.set.train").needs.is_empty());
    assert!(values(entry(&listing, "org.set"), "together")[0].contains("for its data"));
}
