//! Downloads and what was extracted.

use dscc_sdk::{Recovery, State};
use dscc_url_files::digest;

use super::*;

const URL: &str = "https://example.org/bundle.zip";

fn record(url: &str) -> String {
    format!(r#"{{"url": "{url}", "etag": null}}"#)
}

#[test]
fn a_download_is_a_row_with_its_record_and_lock_and_the_datasets_it_was_for() {
    let name = digest(URL);
    let sources = format!(r#""builder_name": "csv", "download_checksums": {{"{URL}": null}}"#);
    let root = root().build(&format!("csv/default-0123456789abcdef/0.0.0/{CODE}"), &sources);
    let root = root.file(&format!("downloads/{name}"), "zip").file(&format!("downloads/{name}.json"), record(URL));
    let root = root.file(&format!("downloads/{name}.lock"), "");
    let [_, download] = top(&root).try_into().unwrap();
    assert_eq!(download.id, format!("downloads/{}", &name[..12]));
    assert_eq!((values(&download, "url"), download.recovery), (vec![URL], Recovery::Download));
    assert_eq!(download.owns, [".json", "", ".lock"].map(|end| format!("downloads/{name}{end}")));
    assert_eq!(values(&download, "dataset"), ["csv"]);
}

#[test]
fn what_was_extracted_is_tied_to_its_archive_by_the_archives_absolute_path() {
    let archive = digest(URL);
    let extracted = digest(&format!("{HOME}/downloads/{archive}"));
    let root =
        root().file(&format!("downloads/{archive}"), "zip").file(&format!("downloads/{archive}.json"), record(URL));
    let root = root.file(&format!("downloads/extracted/{extracted}/a.csv"), "1");
    let root = root.file(&format!("downloads/extracted/{extracted}.lock"), "");
    let root = root.file(&format!("downloads/extracted/{CODE}/b.csv"), "1");
    let entries = top(&root);
    let of = |digest: &str| entries.iter().find(|it| it.id == format!("extracted/{}", &digest[..12])).unwrap();
    assert_eq!((values(of(&extracted), "url"), of(&extracted).recovery), (vec![URL], Recovery::Rebuild));
    assert_eq!(of(&extracted).owns.len(), 2);
    assert_eq!(of(CODE).recovery, Recovery::Uncertain);
}

#[test]
fn of_two_downloads_of_one_address_the_earlier_is_superseded() {
    let name = |tag: &str| format!("downloads/{}.{}", digest(URL), digest(tag));
    let root = root().file(&name("1"), "old").modified(100).file(&name("2"), "new").modified(200);
    let root = root.file(&format!("{}.json", name("1")), record(URL));
    let entries = top(&root);
    let of = |tag: &str| entries.iter().find(|it| it.owns.contains(&name(tag))).unwrap();
    assert_eq!((of("1").state, of("1").reclaim.is_some()), (State::Stale, true));
    assert_eq!((of("2").state, of("2").reclaim.is_some()), (State::Complete, false));
    assert_ne!(of("1").id, of("2").id);
    assert_eq!(of("1").recovery, Recovery::Download);
    // Nobody knows where this one was from.
    let root = root.without(&format!("{}.json", name("1")));
    assert_eq!(top(&root)[0].recovery, Recovery::Uncertain);
}

#[test]
fn a_file_that_is_only_called_like_a_record_may_be_somebodys() {
    for text in [r#"{"answer": 42}"#, "[]", "", r#"{"url": "/home/me/x"}"#] {
        let [entry] = top(&root().file(&format!("downloads/{CODE}.json"), text)).try_into().unwrap();
        assert_eq!((entry.state, entry.recovery), (State::Broken, Recovery::Uncertain), "{text}");
        assert_eq!(entry.reclaim, None, "{text}");
    }
}

#[test]
fn a_killed_download_a_lone_record_and_a_nameless_download_are_told_apart() {
    let [killed, recorded, nameless] = ["1", "2", "3"].map(digest);
    let root =
        root().file(&format!("downloads/{killed}.incomplete"), "x").file(&format!("downloads/{killed}.lock"), "");
    let root =
        root.file(&format!("downloads/{recorded}.json"), record(URL)).file(&format!("downloads/{nameless}"), "x");
    let entries = top(&root);
    let of = |digest: &str| entries.iter().find(|it| it.id.contains(&digest[..12])).unwrap();
    assert_eq!((of(&killed).state, &*of(&killed).kind, of(&killed).owns.len()), (State::Partial, "partial", 2));
    assert_eq!((of(&recorded).state, of(&recorded).reclaim.is_some()), (State::Stale, true));
    assert_eq!((of(&nameless).state, of(&nameless).recovery), (State::Complete, Recovery::Uncertain));
}

#[test]
fn names_that_begin_alike_are_written_out() {
    let (one, two) = (format!("{}{}", "a".repeat(12), "b".repeat(52)), "a".repeat(64));
    let root = root().file(&format!("downloads/{one}"), "1").file(&format!("downloads/{two}"), "2");
    assert_eq!(ids(&top(&root)), [format!("downloads/{two}"), format!("downloads/{one}")]);
}

#[test]
fn a_local_folder_called_downloads_is_a_dataset_amid_the_downloads() {
    let at = "downloads/default/0.0.0/897e6ddaa2a6a7f4";
    let root = root().build(at, "").file(&format!("downloads/{CODE}"), "1").file("downloads/notes/mine.txt", "1");
    let entries = top(&root);
    assert_eq!(ids(&entries), ["downloads", &format!("downloads/{}", &CODE[..12])]);
    assert_eq!(entries[0].owns[0], at);
    assert_eq!(ids(&below(&root, "downloads")), ["downloads@default/0.0.0/897e6ddaa2a6a7f4"]);
}

#[test]
fn folders_that_variables_moved_are_caches_of_their_own() {
    let list =
        |root: &MemoryRoot, cache: &str| HfDatasets::list_entries(root, cache, None, Detail::Full).unwrap().entries;
    let archive = digest(URL);
    let extracted = digest(&format!("/mnt/dl/{archive}"));
    let root = MemoryRoot::new().named("/mnt/dl").file(&archive, "zip").file(&format!("extracted/{extracted}/a"), "1");
    let root = root.file("mine.txt", "1");
    let entries = list(&root, "datasets-downloads");
    assert_eq!(ids(&entries), [&archive[..12], &format!("extracted/{}", &extracted[..12])]);
    assert_eq!(entries[1].recovery, Recovery::Rebuild);
    let root = MemoryRoot::new().file(&format!("{CODE}/a"), "1").file(&format!("{CODE}.lock"), "");
    assert_eq!(ids(&list(&root, "datasets-extracted")), [&CODE[..12]]);
    assert!(HfDatasets::discover(&MemoryRoot::new().file("mine.txt", "1"), "datasets-downloads").unwrap().is_empty());
}
