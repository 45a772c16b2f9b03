//! What killed processes and removed builds leave behind.

use dscc_sdk::{Recovery, State};

use super::*;

#[test]
fn a_killed_build_is_partial_and_has_the_locks_that_no_finished_build_has() {
    let at = "generator/default-450765c5d9b46883/0.0.0";
    let table = "generator-train-00000-00000-of-NNNNN.arrow";
    let root =
        root().file(&format!("{at}.incomplete/{table}"), "1").file(&format!("{at}_builder.lock"), "").root_lock(at);
    let [dataset] = top(&root).try_into().unwrap();
    assert_eq!((dataset.state, dataset.reclaim.is_some()), (State::Partial, true));
    let [partial] = below(&root, "generator").try_into().unwrap();
    assert_eq!((&*partial.kind, partial.state, partial.recovery), ("partial", State::Partial, Recovery::Rebuild));
    assert!(partial.reclaim.is_some());
    assert_eq!(partial.owns.len(), 3);

    let root = root.build(at, "");
    let [build, partial] = below(&root, "generator").try_into().unwrap();
    assert_eq!((build.owns.len(), partial.owns.len()), (4, 1));
    assert!(partial.locks.iter().any(|lock| lock.path == format!("{at}_builder.lock")));
    assert_eq!(top(&root)[0].reclaim, None);
}

#[test]
fn locks_of_builds_that_are_gone_are_one_entry() {
    let at = format!("a/default/0.0.0/{OLD}");
    let root = root().build(&at, "").root_lock("gone/default/0.0.0/897e6ddaa2a6a7f4");
    let root = root
        .file("empty/default/0.0.0/897e6ddaa2a6a7f4_builder.lock", "")
        .file("notes.lock", "")
        .file("_x.lock", "mine");
    // A lock of the same build from before the cache was moved, and one with a name that was too long.
    let root = root.file(&format!("_old_home_datasets_a_default_0.0.0_{OLD}.lock"), "");
    let long = format!("{HOME}/a/default").replace('/', "_") + "...-8233720368547758.lock";
    let root = root.file(&long, "").file(&format!("downloads/{CODE}.lock"), "");
    let entries = top(&root);
    assert_eq!(ids(&entries), ["a", "locks/unused"]);
    assert_eq!(entries[0].owns.len(), 4);
    let locks = &entries[1];
    assert_eq!((locks.owns.len(), locks.locks.len()), (5, 5), "{:?}", locks.owns);
    assert!(locks.reclaim.is_some() && !locks.owns.iter().any(|path| path.contains("notes") || path == "_x.lock"));
}

#[test]
fn locks_beside_builds_that_are_gone_go_with_the_dataset() {
    let root =
        root().build(&format!("a/default/0.0.0/{OLD}"), "").file(&format!("a/default/0.0.0/{NEW}_builder.lock"), "");
    let children = below(&root, "a");
    assert_eq!(ids(&children), [&format!("a@default/0.0.0/{OLD}"), "a@locks"]);
    assert!(top(&root)[0].owns.contains(&children[1].owns[0]));
}

#[test]
fn an_empty_folder_of_a_build_is_stale_and_one_without_its_record_is_broken() {
    let root = root()
        .directory("a/default/0.0.0/897e6ddaa2a6a7f4")
        .file("b/default/0.0.0/897e6ddaa2a6a7f4/b-train.arrow", "1");
    let [empty] = below(&root, "a").try_into().unwrap();
    assert_eq!((empty.state, empty.reclaim.is_some()), (State::Stale, true));
    let [bare] = below(&root, "b").try_into().unwrap();
    assert_eq!((bare.state, bare.recovery), (State::Broken, Recovery::Uncertain));
}

#[test]
fn results_of_a_process_without_caching_are_one_entry_and_other_files_are_not() {
    let root = MemoryRoot::new().named("/tmp/hf_datasets-q1w2e3r4").file("cache-aa.arrow", "1");
    let root = root.file("tmpej94qrsc", "2").file("mine.txt", "3");
    let entries = HfDatasets::list_entries(&root, "datasets-tmp", None, Detail::Full).unwrap().entries;
    assert_eq!(entries[0].id, "hf_datasets-q1w2e3r4");
    assert_eq!(entries[0].owns, ["cache-aa.arrow", "tmpej94qrsc"]);
    assert!(entries[0].reclaim.is_some());
}
