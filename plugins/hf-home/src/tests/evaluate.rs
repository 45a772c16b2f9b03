//! Downloads of Evaluate, and metrics that are being computed.

use dscc_sdk::testing::MemoryRoot;
use dscc_sdk::{Entry, Recovery, State};

use super::{attribute, find, hash, ids, level};
use crate::downloads::hex;

fn locks(entry: &Entry) -> Vec<&str> {
    entry.locks.iter().map(|lock| lock.path.as_str()).collect()
}

#[test]
fn a_download_is_named_by_its_address_and_goes_with_its_companions() {
    let name = format!("downloads/{}.{}", hash('a'), hash('b'));
    let root = MemoryRoot::new()
        .file(&name, "code")
        .file(
            &format!("{name}.json"),
            r#"{"url": "https://huggingface.co/spaces/e/accuracy/accuracy.py", "etag": "1"}"#,
        )
        .file(&format!("{name}.lock"), "");
    let entry = find(&level(&root, "evaluate", None), "downloads/aaaaaaaaaaaa.bbbbbbbbbbbb");
    assert_eq!((entry.label.as_str(), entry.recovery), ("accuracy.py", Recovery::Download));
    assert_eq!(entry.owns, [format!("{name}.json"), name.clone(), format!("{name}.lock")]);
    assert_eq!(locks(&entry), [format!("{name}.lock")]);
}

#[test]
fn an_older_download_of_the_same_address_is_superseded() {
    let root = MemoryRoot::new().file(&format!("downloads/{}.{}", hash('a'), hash('b')), "old").modified(10);
    let root = root.file(&format!("downloads/{}.{}", hash('a'), hash('c')), "new").modified(20);
    let listing = level(&root, "evaluate", None);
    let [old, new] = listing.entries.try_into().unwrap();
    assert_eq!((old.state, old.reclaim.is_some()), (State::Stale, true));
    assert_eq!((new.state, new.reclaim), (State::Complete, None));
}

#[test]
fn what_was_unpacked_names_its_archive() {
    let archive = format!("downloads/{}", hash('a'));
    let name = hex(&<sha2::Sha256 as sha2::Digest>::digest(format!("/hf/evaluate/{archive}")));
    let root = MemoryRoot::new().named("/hf/evaluate").file(&archive, "zip");
    let root = root.file(&format!("{archive}.json"), r#"{"url": "https://example.org/data.zip"}"#);
    let root = root.file(&format!("downloads/extracted/{name}/a.txt"), "1");
    let root = root.file(&format!("downloads/extracted/{}/a.txt", hash('d')), "1");
    let listing = level(&root, "evaluate", None);
    let known = find(&listing, &format!("downloads/extracted/{}", &name[..12]));
    assert_eq!(
        (known.recovery, attribute(&known, "source")),
        (Recovery::Rebuild, Some("https://example.org/data.zip"))
    );
    assert_eq!(find(&listing, "downloads/extracted/dddddddddddd").recovery, Recovery::Uncertain);
}

#[test]
fn what_no_record_names_may_not_be_had_back() {
    let [known, unknown, folder] = ['a', 'b', 'c'].map(|digit| format!("downloads/{}", hash(digit)));
    let record = r#"{"url": "https://example.org/data", "etag": null}"#;
    let root = MemoryRoot::new().file(&known, "1").file(&format!("{known}.json"), record).file(&unknown, "1");
    let root = root.file(&format!("{folder}/x"), "1").file(&format!("{folder}.json"), record);
    let recoveries: Vec<Recovery> =
        level(&root, "evaluate", None).entries.into_iter().map(|entry| entry.recovery).collect();
    assert_eq!(recoveries, [Recovery::Download, Recovery::Uncertain, Recovery::Uncertain]);
}

#[test]
fn a_file_named_like_a_temporary_one_is_nobody_s_where_nothing_was_downloaded() {
    let root = MemoryRoot::new().file("tmpbackup_1", "1").file("downloads/tmpab12_3cd", "1");
    assert!(level(&root, "evaluate", None).entries.is_empty());
    let root = root.file(&format!("downloads/{}.lock", hash('a')), "");
    assert_eq!(ids(&level(&root, "evaluate", None)), ["downloads/aaaaaaaaaaaa", "downloads/tmpab12_3cd"]);
}

#[test]
fn the_archive_is_known_wherever_the_cache_is() {
    let archive = format!("downloads/{}", hash('a'));
    let name = hex(&<sha2::Sha256 as sha2::Digest>::digest(format!("/h\\f/{archive}")));
    let root = MemoryRoot::new().named("/h\\\\f").file(&archive, "zip");
    let root = root.file(&format!("downloads/extracted/{name}/a.txt"), "1");
    let listing = level(&root, "evaluate", None);
    assert_eq!(find(&listing, &format!("downloads/extracted/{}", &name[..12])).recovery, Recovery::Rebuild);
}

#[test]
fn what_a_kill_left_is_partial_and_other_names_are_nobody_s() {
    let root =
        MemoryRoot::new().file("downloads/tmpab12_3cd", "1").file(&format!("downloads/{}.incomplete", hash('a')), "1");
    let root =
        root.file(&format!("downloads/{}.lock", hash('b')), "").file("downloads/tmp", "1").file("downloads/x.csv", "1");
    let listing = level(&root, "evaluate", None);
    assert_eq!(ids(&listing), ["downloads/aaaaaaaaaaaa", "downloads/bbbbbbbbbbbb", "downloads/tmpab12_3cd"]);
    assert!(listing.entries.iter().all(|entry| entry.reclaim.is_some()));
    let states: Vec<State> = listing.entries.iter().map(|entry| entry.state).collect();
    assert_eq!(states, [State::Partial, State::Stale, State::Partial]);
}

#[test]
fn a_folder_of_downloads_may_be_the_root() {
    let root = MemoryRoot::new().file(&hash('a'), "1");
    assert_eq!(ids(&level(&root, "evaluate", None)), ["aaaaaaaaaaaa"]);
}

#[test]
fn results_wait_for_their_own_process_and_for_the_one_that_reads_them() {
    let at = |name: &str| format!("bleu/default/{name}");
    let root = MemoryRoot::new()
        .file(&at("exp-2-0.arrow"), "1")
        .file(&at("exp-2-0.arrow.lock"), "")
        .file(&at("exp-2-1.arrow"), "1")
        .file(&at("exp-2-1.arrow.lock"), "")
        .file(&at("exp-2-rdv.lock"), "")
        .file(&at("default_experiment-1-0.arrow.lock"), "")
        .file(&at("exp.csv"), "mine");
    let top = level(&root, "metrics", None);
    let metric = find(&top, "bleu/default");
    assert_eq!((metric.label.as_str(), metric.owns.len()), ("bleu (default)", 6));
    assert!(!metric.owns.contains(&at("exp.csv")) && metric.reclaim.is_some());
    let parts = level(&root, "metrics", Some("bleu/default"));
    assert_eq!(ids(&parts), [at("exp-2-0.arrow"), at("exp-2-1.arrow"), at("locks")]);
    assert_eq!(locks(&parts.entries[1]), [at("exp-2-1.arrow.lock"), at("exp-2-0.arrow.lock")]);
    assert_eq!(locks(&parts.entries[0]), [at("exp-2-0.arrow.lock")]);
    assert_eq!(parts.entries[2].owns, [at("default_experiment-1-0.arrow.lock"), at("exp-2-rdv.lock")]);
}

#[test]
fn what_a_metric_downloaded_is_not_called_a_leftover() {
    let model = format!("bleurt/default/downloads/{}", hash('a'));
    let root = MemoryRoot::new().file(&model, "1").file("bleurt/default/default_experiment-1-0.arrow.lock", "");
    let root = root.file(&format!("{model}.json"), r#"{"url": "https://example.org/bleurt.zip"}"#);
    let top = level(&root, "metrics", None);
    assert_eq!(find(&top, "bleurt/default").reclaim, None);
    let parts = level(&root, "metrics", Some("bleurt/default"));
    let download = find(&parts, "bleurt/default/downloads/aaaaaaaaaaaa");
    assert_eq!((download.recovery, download.reclaim), (Recovery::Download, None));
}

#[test]
fn results_that_no_process_ever_locked_are_perhaps_not_the_library_s() {
    let root = MemoryRoot::new().file("mine/results/run-1-0.arrow", "1");
    let entry = find(&level(&root, "metrics", Some("mine/results")), "mine/results/run-1-0.arrow");
    assert_eq!((entry.recovery, entry.reclaim.is_some()), (Recovery::Uncertain, false));
    let metric = find(&level(&root, "metrics", None), "mine/results");
    assert_eq!((metric.recovery, metric.reclaim.is_some()), (Recovery::Uncertain, false));
    let both = root.file("mine/results/x-1-0.arrow", "1").file("mine/results/x-1-0.arrow.lock", "");
    assert_eq!(find(&level(&both, "metrics", None), "mine/results").recovery, Recovery::Rebuild);
}

#[test]
fn arrow_files_of_other_places_and_names_are_nobody_s() {
    let root = MemoryRoot::new().file("csv/default/0.0.0/x-1-0.arrow", "1").file("csv/default/csv-train.arrow", "1");
    let root = root
        .file("x-1-0.arrow", "1")
        .file("a/x-1-0.arrow", "1")
        .file("a/b/-1-0.arrow", "1")
        .file("a/b/x-+1-0.arrow", "1");
    assert!(level(&root, "metrics", None).entries.is_empty());
}

#[test]
fn names_that_begin_alike_are_told_apart() {
    let names = ["1", "2"].map(|end| format!("downloads/{}{end}", &hash('a')[1..]));
    let root = names.iter().fold(MemoryRoot::new(), |root, name| root.file(name, "1"));
    assert_eq!(ids(&level(&root, "evaluate", None)), names);
}
