//! Datasets and their builds.

use dscc_sdk::{LockKind, Recovery, State};

use super::*;

#[test]
fn a_build_owns_its_folder_and_its_locks_and_is_described_by_its_record() {
    let at = format!("acme___reviews/default/0.0.0/{OLD}");
    let root = root().build(&at, r#""builder_name": "csv", "license": "mit""#);
    let [dataset] = top(&root).try_into().unwrap();
    assert_eq!((&*dataset.id, &*dataset.kind, dataset.state), ("acme/reviews", "dataset", State::Complete));
    let [build] = below(&root, "acme/reviews").try_into().unwrap();
    assert_eq!(build.id, format!("acme/reviews@default/0.0.0/{OLD}"));
    let lock = format!("{HOME}/{at}.lock").replace('/', "_");
    assert_eq!(
        build.owns,
        [at.clone(), format!("{at}.incomplete_info.lock"), format!("{at}_builder.lock"), lock.clone()]
    );
    assert_eq!(dataset.owns, build.owns);
    for file in [&lock, &format!("{at}_builder.lock"), &format!("{at}_info.lock"), &format!("{at}_infos.lock")] {
        assert!(build.locks.iter().any(|lock| lock.kind == LockKind::Flock && lock.path == **file), "{file}");
    }
    assert!(build.keeps_parent && build.reclaim.is_none() && !build.has_children);
    assert_eq!((build.state, build.recovery), (State::Complete, Recovery::Download));
    assert_eq!(values(&build, "splits"), ["train: 10"]);
    assert_eq!(values(&build, "revision"), [OLD]);
    assert_eq!(values(&build, "builder"), ["csv"]);
    assert_eq!(values(&build, "license"), ["mit"]);
}

#[test]
fn of_the_builds_of_one_config_all_but_the_latest_are_superseded() {
    let at = |hash: &str| format!("acme___reviews/default/0.0.0/{hash}");
    let mut root = root();
    for (hash, time) in [(OLD, 100), (NEW, 200)] {
        root = root.build(&at(hash), "").file(&format!("{}/dataset_info.json", at(hash)), "{}").modified(time);
    }
    let [old, new] = below(&root, "acme/reviews").try_into().unwrap();
    assert_eq!((old.state, new.state), (State::Stale, State::Complete));
    assert_eq!(old.reclaim.as_deref(), Some("superseded by ba62a849, a later build of the same config"));
    assert_eq!(new.reclaim, None);
}

#[test]
fn a_broken_build_supersedes_nothing_and_other_configs_and_versions_are_left_alone() {
    let root = root().build(&format!("a/default/0.0.0/{OLD}"), "").build(&format!("a/other/0.0.0/{OLD}"), "");
    let root = root.build(&format!("a/default/1.0.0/{OLD}"), "").build(&format!("a/default/0.0.0/{NEW}"), "");
    let root = root.file(&format!("a/default/0.0.0/{NEW}/dataset_info.json"), "{").modified(900);
    let builds = below(&root, "a");
    assert_eq!(builds.iter().filter(|build| build.reclaim.is_some()).count(), 0);
    assert_eq!(builds.iter().filter(|build| build.state == State::Broken).count(), 1);
}

/// Builds of one config, each with the second in which it was finished.
fn of_one_config(hashes: &[(&str, i64)]) -> MemoryRoot {
    hashes.iter().fold(root(), |root, (hash, time)| {
        let at = format!("data/default/0.0.0/{hash}");
        root.build(&at, "").file(&format!("{at}/dataset_info.json"), "{}").modified(*time)
    })
}

#[test]
fn folders_of_this_machine_that_are_called_alike_do_not_supersede_each_other_nor_what_is_of_the_hub() {
    let of = of_one_config(&[("1111111111111111", 100), (OLD, 150), ("2222222222222222", 200), (CODE, 300)]);
    for build in below(&of, "data") {
        assert_eq!((build.state, build.reclaim), (State::Complete, None), "{}", build.id);
    }
}

#[test]
fn a_superseded_build_with_something_of_the_users_is_missed() {
    let root = of_one_config(&[(OLD, 100), (NEW, 200)]).file(&format!("data/default/0.0.0/{OLD}/mine/model.bin"), "1");
    let [old, _] = below(&root, "data").try_into().unwrap();
    assert_eq!((old.state, old.recovery, old.reclaim), (State::Stale, Recovery::Uncertain, None));
}

#[test]
fn what_may_be_the_only_copy_is_uncertain() {
    let of = |at: &str, more: &str| {
        let root = root().build(at, more);
        let dataset = top(&root).remove(0).id;
        let build = below(&root, &dataset).remove(0);
        let [origin] = values(&build, "origin").try_into().unwrap();
        (build.recovery, origin.to_owned())
    };
    let local = r#""builder_name": "csv", "download_checksums": {"/data/x.csv": null}"#;
    let net = r#""builder_name": "csv", "download_checksums": {"https://example.org/x.csv": null}"#;
    let script = r#""builder_name": "my_corpus", "download_checksums": {"https://example.org/x.csv": null}"#;
    for (at, more, recovery, words) in [
        (format!("a___b/default/0.0.0/{OLD}"), "", Recovery::Download, "the Hub"),
        (format!("squad/plain/1.0.0/{OLD}"), "", Recovery::Download, "the Hub"),
        (
            format!("a___csv/a--b-0123456789abcdef/0.0.0/{CODE}"),
            r#""builder_name": "csv""#,
            Recovery::Download,
            "the Hub",
        ),
        (format!("csv/default-0123456789abcdef/0.0.0/{CODE}"), net, Recovery::Download, "on the net"),
        (format!("csv/default-0123456789abcdef/0.0.0/{CODE}"), local, Recovery::Uncertain, "files of this machine"),
        (
            format!("csv/default-0123456789abcdef/0.0.0/{CODE}"),
            r#""builder_name": "csv""#,
            Recovery::Uncertain,
            "named to the builder",
        ),
        (format!("a___b/default/1.2.0/{CODE}"), script, Recovery::Uncertain, "a loading script"),
        ("folder/default/0.0.0/897e6ddaa2a6a7f4".into(), "", Recovery::Uncertain, "a folder of this machine"),
        ("my___folder/default/0.0.0/897e6ddaa2a6a7f4".into(), "", Recovery::Uncertain, "a folder of this machine"),
        ("generator/default-c46d99222575bcf1/0.0.0".into(), "", Recovery::Uncertain, "Python objects"),
    ] {
        let (found, origin) = of(&at, more);
        assert_eq!(found, recovery, "{at}");
        assert!(origin.contains(words), "{at}: {origin}");
    }
}

#[test]
fn a_build_without_a_hash_is_its_versions_folder_or_the_files_in_it_if_others_are_there() {
    let at = "generator/default-c46d99222575bcf1/0.0.0";
    let root = root().build(at, r#""builder_name": "generator""#);
    let [build] = below(&root, "generator").try_into().unwrap();
    assert_eq!(build.id, "generator@default-c46d99222575bcf1/0.0.0");
    assert_eq!(build.owns[0], at);

    let root = root.build(&format!("{at}/{CODE}"), "");
    let builds = below(&root, "generator");
    assert_eq!(builds.len(), 2);
    assert_eq!(builds[0].owns[..2], [format!("{at}/dataset_info.json"), format!("{at}/x-train.arrow")]);
    assert_eq!(builds[1].owns[0], format!("{at}/{CODE}"));
}

#[test]
fn results_of_a_map_are_children_of_the_build_with_their_shards_together() {
    let at = format!("csv/default-0123456789abcdef/0.0.0/{CODE}");
    let root = root().build(&at, "").file(&format!("{at}/cache-aa.arrow"), "1").file(&format!("{at}/tmpej94qrsc"), "2");
    let root = root.file(&format!("{at}/cache-bb_00000_of_00002.arrow"), "3");
    let root = root.file(&format!("{at}/cache-bb_00001_of_00002.arrow"), "4");
    let [build] = below(&root, "csv").try_into().unwrap();
    assert!(build.has_children);
    let parts = below(&root, &build.id);
    let expected = ["cache-aa", "cache-bb", "tmpej94qrsc"].map(|name| format!("{}/{name}", build.id));
    assert_eq!(ids(&parts), expected);
    assert_eq!(parts[1].owns.len(), 2);
    assert_eq!(parts[1].recovery, Recovery::Rebuild);
    assert_eq!((parts[2].state, parts[2].reclaim.is_some()), (State::Partial, true));
    assert_eq!(parts[0].reclaim, None);
}

#[test]
fn missing_tables_make_a_build_broken_and_empty_splits_have_none() {
    let at = format!("a/default/0.0.0/{OLD}");
    let splits = r#"{"builder_name": "csv", "dataset_name": "a", "splits": {
        "train": {"num_examples": 4, "shard_lengths": [2, 2]}, "test": {"num_examples": 1}, "none": {"num_examples": 0}}}"#;
    let root = root().file(&format!("{at}/dataset_info.json"), splits).file(&format!("{at}/a-test.arrow"), "1");
    let root = root.file(&format!("{at}/a-train-00000-of-00002.arrow"), "1");
    let [build] = below(&root, "a").try_into().unwrap();
    assert_eq!((build.state, values(&build, "warning")), (State::Broken, vec!["tables are missing: train"]));
    assert_eq!(values(&build, "splits"), ["train: 4", "test: 1", "none: 0"]);
    let root = root.file(&format!("{at}/a-train-00001-of-00002.arrow"), "1");
    assert_eq!(below(&root, "a")[0].state, State::Complete);
}

#[test]
fn the_outline_claims_what_the_full_listing_claims() {
    let root =
        root().build(&format!("a___b/default/0.0.0/{OLD}"), "").build("generator/default-c46d99222575bcf1/0.0.0", "");
    let root =
        root.file(&format!("downloads/{CODE}"), "1").file(&format!("downloads/{CODE}.json"), r#"{"url": "https://x"}"#);
    let outline = HfDatasets::list_entries(&root, "datasets", None, Detail::Outline).unwrap().entries;
    let full = top(&root);
    let claims =
        |all: &[Entry]| all.iter().map(|it| (it.id.clone(), it.owns.clone(), it.has_children)).collect::<Vec<_>>();
    assert_eq!(claims(&outline), claims(&full));
}

#[test]
fn a_repository_is_called_by_the_hubs_name_where_the_files_say_it() {
    let more = r#""builder_name": "csv", "download_checksums": {"hf://datasets/Acme/MyData@abc/x.csv": null}"#;
    let root = root().build(&format!("Acme___my_data/default/0.0.0/{OLD}"), more);
    assert_eq!(values(&top(&root)[0], "repository"), ["Acme/MyData"]);
    let root = MemoryRoot::new().build(&format!("acme___csv/acme--reviews-0123456789abcdef/0.0.0/{CODE}"), "");
    assert_eq!(values(&top(&root)[0], "repository"), ["acme/reviews"]);
}
