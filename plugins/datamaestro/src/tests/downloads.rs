//! The folder of downloads in progress.

use dscc_sdk::{Recovery, State};

use super::*;
use crate::address::digest;

const URL: &str = "http://example.org/sets/a.zip?x=1";

/// What is there of an address.
fn fetched(root: MemoryRoot, url: &str, ends: &[&str]) -> MemoryRoot {
    let root = root.file(&format!("{}.url", digest(url)), url);
    ends.iter().fold(root, |root, end| root.file(&format!("{}.{end}", digest(url)), "12"))
}

#[test]
fn downloads_are_called_by_their_address() {
    let root = fetched(fetched(MemoryRoot::new(), URL, &["tmp"]), "http://example.org/b.tsv", &["dl"]);
    let root = fetched(root, "http://example.org/c", &[]);
    let listing = downloads(&root);
    let short = |url: &str| digest(url)[..12].to_owned();
    let (a, b, c) = (short(URL), short("http://example.org/b.tsv"), short("http://example.org/c"));
    assert_eq!(ids(&listing), [format!("a.zip@{a}"), format!("b.tsv@{b}"), format!("c@{c}")]);
    let said: Vec<_> = listing.entries.iter().map(|it| (it.kind.as_str(), it.state, it.recovery)).collect();
    let expected = [
        ("partial", State::Partial, Recovery::Download),
        ("download", State::Complete, Recovery::Download),
        ("address", State::Stale, Recovery::Rebuild),
    ];
    assert_eq!(said, expected);
    let reclaim: Vec<_> = listing.entries.iter().map(|it| it.reclaim.is_some()).collect();
    assert_eq!(reclaim, [false, false, true]);
    assert_eq!((listing.entries[0].label.as_str(), values(&listing.entries[0], "url")), (URL, vec![URL]));
    assert_eq!(listing.entries[0].owns, [format!("{}.tmp", digest(URL)), format!("{}.url", digest(URL))]);
}

#[test]
fn an_address_that_is_not_what_its_name_stands_for_keeps_datamaestro_from_downloading() {
    for text in ["http://example.org/other", "", "\u{fffd}"] {
        let root = MemoryRoot::new().file(&format!("{}.url", digest(URL)), text);
        let wrong = &downloads(&root).entries[0];
        assert_eq!((wrong.state, wrong.recovery), (State::Broken, Recovery::Rebuild));
        assert!(wrong.reclaim.as_deref().unwrap().contains("refuses"));
        let root = root.file(&format!("{}.dl", digest(URL)), "12");
        assert_eq!(downloads(&root).entries[0].recovery, Recovery::Uncertain);
    }
    let root = MemoryRoot::new().file(&format!("{}.url", digest(URL)), b"\xff").file("0.url", "x");
    assert_eq!(ids(&downloads(&root)), [&digest(URL)[..12]]);
}

#[test]
fn what_has_lost_its_address_is_called_by_its_digest_and_uncertain() {
    let root = MemoryRoot::new().file(&format!("{}.tmp", digest(URL)), "12");
    let listing = downloads(&root);
    assert_eq!(ids(&listing), [&digest(URL)[..12]]);
    assert_eq!(listing.entries[0].recovery, Recovery::Uncertain);
    assert_warns(&listing.entries[0], "address is gone");
}

#[test]
fn names_of_plugins_are_uncertain_and_all_other_names_nobodys() {
    let root = MemoryRoot::new().file(&format!("{}.zip", digest("a")), "12").file("notes.txt", "").file("a.dl", "");
    let root =
        root.file(&digest("b").to_uppercase(), "").directory(&digest("c")).link(&format!("{}.dl", digest("d")), "/x");
    let listing = downloads(&root);
    assert_eq!(ids(&listing), [format!("{}.zip", &digest("a")[..12])]);
    let store = &listing.entries[0];
    assert_eq!((store.kind.as_str(), store.recovery, &store.reclaim), ("store", Recovery::Uncertain, &None));
}

#[test]
fn a_folder_without_any_download_is_none_unless_it_is_empty() {
    let found = |root: &MemoryRoot| Datamaestro::discover(root, CACHE).unwrap().len();
    assert_eq!(found(&MemoryRoot::new()), 1);
    assert_eq!(found(&MemoryRoot::new().file("notes.txt", "").file("a.url", "")), 0);
    assert_eq!(found(&MemoryRoot::new().file("notes.txt", "").file(&format!("{}.zip", digest("a")), "")), 1);
}

#[test]
fn digests_that_begin_alike_are_shown_whole() {
    let (one, other) = (format!("{:0<64}", "ab"), format!("{:0<63}1", "ab"));
    let root = MemoryRoot::new().file(&format!("{one}.tmp"), "").file(&format!("{other}.tmp"), "");
    assert_eq!(ids(&downloads(&root)), [one, other]);
}

#[test]
fn a_file_without_an_ending_has_an_id_of_its_own() {
    let root = MemoryRoot::new().file(&digest(URL), "1").file(&format!("{}.tmp", digest(URL)), "2");
    let short = &digest(URL)[..12];
    assert_eq!(ids(&downloads(&root)), [short.to_owned(), format!("{short}@plain")]);
}
