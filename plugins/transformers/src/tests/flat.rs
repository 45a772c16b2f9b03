//! Downloads and what is left of them.

use dscc_sdk::{Recovery, State};

use super::*;

const ETAG: &str = "\"fc4ec9323262a690c77580018b150014e0e79cf0\"";

#[test]
fn a_download_is_named_as_its_users_name_it_and_has_its_record_and_its_lock() {
    let url = format!("{BERT}/config.json");
    let listing = top(&MemoryRoot::new().download(&url, ETAG, 1));
    let [entry] = listing.entries.try_into().unwrap();
    let name = name(&url, ETAG);
    assert_eq!(entry.id, "bert-base-uncased/config.json@3c61d016.3552da30");
    assert_eq!((entry.kind.as_str(), entry.label.as_str()), ("download", "bert-base-uncased/config.json"));
    assert_eq!(entry.owns, [format!("{name}.json"), name.clone(), format!("{name}.lock")]);
    assert_eq!(entry.locks[0].path, format!("{name}.lock"));
    assert_eq!((entry.state, entry.recovery, &entry.reclaim), (State::Complete, Recovery::Download, &None));
    for (key, value) in [
        ("repository", "bert-base-uncased"),
        ("revision", "main"),
        ("url", url.as_str()),
        ("etag", "fc4ec9323262a690c77580018b150014e0e79cf0"),
    ] {
        assert_eq!(values(&entry, key), [value], "{key}");
    }
}

#[test]
fn of_several_downloads_of_one_address_all_but_the_last_are_superseded() {
    let url = format!("{BERT}/config.json");
    let root = MemoryRoot::new().download(&url, "\"1\"", 10).download(&url, "\"2\"", 30).download(&url, "\"3\"", 20);
    let listing = top(&root.download(&format!("{BERT}/vocab.txt"), "\"1\"", 5));
    let at = |etag: &str| find(&listing, &format!("bert-base-uncased/config.json@{}", digits(&url, etag)));
    for old in ["\"1\"", "\"3\""] {
        assert_eq!(at(old).state, State::Stale, "{old}");
        assert!(at(old).reclaim.unwrap().starts_with("superseded"), "{old}");
    }
    assert_eq!((at("\"2\"").state, at("\"2\"").reclaim), (State::Complete, None));
    assert_eq!(
        find(&listing, &format!("bert-base-uncased/vocab.txt@{}", digits(&format!("{BERT}/vocab.txt"), "\"1\"")))
            .reclaim,
        None
    );
}

#[test]
fn of_downloads_of_the_same_time_none_is_superseded() {
    let url = format!("{BERT}/config.json");
    let listing = top(&MemoryRoot::new().download(&url, "\"1\"", 10).download(&url, "\"2\"", 10));
    assert!(listing.entries.iter().all(|entry| entry.reclaim.is_none() && entry.state == State::Complete));
}

#[test]
fn what_the_hub_does_not_serve_at_that_address_may_be_gone_for_good() {
    for (url, id, warned) in [
        (
            "https://s3.amazonaws.com/models.huggingface.co/bert/a.json",
            "s3.amazonaws.com/models.huggingface.co/bert/a.json",
            1,
        ),
        ("https://cdn.huggingface.co/t5-small-spiece.model", "cdn.huggingface.co/t5-small-spiece.model", 1),
        ("https://example.org/bundle.zip", "example.org/bundle.zip", 0),
        ("https://hub.lab/acme/t/resolve/main/config.json", "hub.lab/acme/t/config.json", 0),
    ] {
        let entry = find(&top(&MemoryRoot::new().download(url, "\"1\"", 1)), &format!("{id}@{}", digits(url, "\"1\"")));
        assert_eq!((entry.recovery, values(&entry, "warning").len()), (Recovery::Uncertain, warned), "{url}");
    }
}

#[test]
fn a_download_without_a_record_is_found_out_by_its_name() {
    let (weights, other) = (format!("{BERT}/pytorch_model.bin"), "https://example.org/secret");
    let root = MemoryRoot::new().download(&format!("{BERT}/config.json"), ETAG, 1);
    let root = root.nameless(&weights, "\"1\"").nameless(other, "\"2\"");
    let listing = top(&root);
    let known = find(&listing, &digits(&weights, "\"1\""));
    assert_eq!((known.label.as_str(), known.recovery), ("bert-base-uncased/pytorch_model.bin", Recovery::Download));
    assert_eq!(values(&known, "url"), [weights.as_str()]);
    let unknown = find(&listing, &digits(other, "\"2\""));
    assert_eq!((unknown.label.as_str(), unknown.recovery, unknown.state), ("", Recovery::Uncertain, State::Complete));
    for entry in [known, unknown] {
        assert_eq!(values(&entry, "warning").len(), 1);
        assert_eq!((entry.owns.len(), entry.reclaim), (2, None));
    }
}

#[test]
fn another_download_of_an_address_tells_it_too() {
    let url = "https://example.org/secret";
    let listing = top(&MemoryRoot::new().download(url, "\"1\"", 5).nameless(url, "\"2\"").modified(9));
    let entry = find(&listing, &digits(url, "\"2\""));
    assert_eq!(values(&entry, "url"), [url]);
}

#[test]
fn what_a_killed_client_leaves_is_reclaimable_and_checked_with_the_locks_of_what_it_was_to_be() {
    let (resumed, begun) = (name(&format!("{BERT}/rust_model.ot"), "\"1\""), name(&format!("{BERT}/x"), "\"2\""));
    let root = MemoryRoot::new().download(&format!("{BERT}/config.json"), ETAG, 1);
    let root = root.file(&format!("{resumed}.incomplete"), "part").file(&format!("{resumed}.lock"), "");
    let root = root.file("tmp6xhnv40t", "part").file(&format!("{begun}.lock"), "");
    let listing = top(&root);
    let partial = find(&listing, &digits(&format!("{BERT}/rust_model.ot"), "\"1\""));
    assert_eq!((partial.kind.as_str(), partial.label.as_str()), ("partial", "bert-base-uncased/rust_model.ot"));
    assert_eq!(partial.owns, [format!("{resumed}.incomplete"), format!("{resumed}.lock")]);
    let temporary = find(&listing, "tmp6xhnv40t");
    assert_eq!(temporary.locks.iter().map(|lock| lock.path.as_str()).collect::<Vec<_>>(), [format!("{begun}.lock")]);
    let locks = find(&listing, "locks");
    assert_eq!(
        (locks.owns, locks.state, locks.recovery),
        (vec![format!("{begun}.lock")], State::Detached, Recovery::Rebuild)
    );
    for entry in [partial, temporary] {
        assert_eq!((entry.state, entry.recovery), (State::Partial, Recovery::Download));
        assert!(entry.reclaim.unwrap().starts_with("a killed download"));
    }
}

#[test]
fn a_record_of_what_is_gone_is_stale() {
    let url = format!("{BERT}/config.json");
    let root = MemoryRoot::new().download(&url, ETAG, 1).without(&name(&url, ETAG));
    let entry = find(&top(&root), "bert-base-uncased/config.json@3c61d016.3552da30");
    assert_eq!((entry.kind.as_str(), entry.state, entry.owns.len()), ("record", State::Stale, 2));
    assert!(entry.reclaim.is_some());
}

#[test]
fn what_was_extracted_is_a_child_of_its_archive_and_made_again_from_it() {
    let url = "https://example.org/bundle.zip";
    let archive = name(url, "\"1\"");
    let folder = format!("{}-extracted", archive.replace('.', "-"));
    let root = MemoryRoot::new().download(url, "\"1\"", 1).file(&format!("{folder}/a.txt"), "a");
    let root = root.download(&format!("{BERT}/config.json"), ETAG, 1);
    let listing = top(&root);
    let id = format!("example.org/bundle.zip@{}", digits(url, "\"1\""));
    let parent = find(&listing, &id);
    assert!(parent.has_children && parent.owns.contains(&folder));
    let [child] = children(&root, &id).try_into().unwrap();
    assert_eq!(
        (child.id, child.owns, child.recovery),
        (format!("{id}/extracted"), vec![folder.clone()], Recovery::Rebuild)
    );
    assert_eq!(child.locks[0].path, format!("{archive}.lock"));
    for entry in listing.entries.iter().filter(|entry| entry.id != id) {
        assert!(!entry.has_children && children(&root, &entry.id).is_empty(), "{}", entry.id);
    }
    let alone = top(&root.without(&archive).without(&format!("{archive}.json")));
    let entry = find(&alone, &format!("{}/extracted", digits(url, "\"1\"")));
    assert_eq!((entry.owns, entry.state), (vec![folder], State::Detached));
}

#[test]
fn a_partial_download_beside_the_file_is_a_child_of_it() {
    let url = format!("{BERT}/tf_model.h5");
    let root = MemoryRoot::new().download(&url, "\"1\"", 1).file(&format!("{}.incomplete", name(&url, "\"1\"")), "x");
    let id = format!("bert-base-uncased/tf_model.h5@{}", digits(&url, "\"1\""));
    assert_eq!((find(&top(&root), &id).owns.len(), find(&top(&root), &id).state), (4, State::Complete));
    let [child] = children(&root, &id).try_into().unwrap();
    assert_eq!((child.id, child.state), (format!("{id}/incomplete"), State::Partial));
}

#[test]
fn the_note_that_the_migration_was_done_goes_with_the_last_download() {
    let url = format!("{BERT}/config.json");
    let root = MemoryRoot::new().download(&url, ETAG, 1).file("tmp6xhnv40t", "x");
    for (note, shares) in
        [("1", vec!["version.txt"]), (" 1\n", vec!["version.txt"]), ("my notes", vec![]), ("", vec![])]
    {
        let listing = top(&root.clone().file("version.txt", note));
        assert_eq!(find(&listing, "bert-base-uncased/config.json@3c61d016.3552da30").shares, shares, "{note:?}");
        assert_eq!(listing.entries.len(), 2);
        assert_eq!(find(&listing, "tmp6xhnv40t").shares, Vec::<&str>::new());
    }
    let hub = top(&root.file("version.txt", "1").file("models--a--b/refs/main", "x"));
    assert!(hub.entries.iter().all(|entry| entry.shares.is_empty()), "a hub without it is told of as an old cache");
}

#[test]
fn beside_other_things_a_temporary_file_may_be_anybodys() {
    let root = MemoryRoot::new().download(&format!("{BERT}/config.json"), ETAG, 1).file("tmp6xhnv40t", "x");
    let cache = root.clone().file("models--a--b/refs/main", "x").file(".locks/x", "").directory("tmpabcdefgh");
    assert_eq!(top(&cache).entries.len(), 2);
    for (path, other) in [("thesis.tex", root.clone()), ("work/x", root.clone()), ("tmpabc", root)] {
        assert_eq!(top(&other.file(path, "x")).entries.len(), 1, "{path}");
    }
}
