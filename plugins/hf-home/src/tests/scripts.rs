//! Copies of scripts of Datasets and Evaluate, which are named by their code.

use dscc_sdk::testing::MemoryRoot;
use dscc_sdk::{Entry, Recovery, State};

use super::{attribute, commit, find, hash, ids, level};
use crate::modules::digest_of_code as digest;

const SCRIPT: &str = "\"\"\"Text.\"\"\"\nimport datasets  # the library\n\nfrom .utils import read\n";
const UTILS: &str = "def read(): pass\n";

fn root(source: &str, script: &str, version: &str) -> MemoryRoot {
    let at = format!("datasets_modules/datasets/acme--set/{version}");
    MemoryRoot::new()
        .file(&format!("{at}/set.py"), script)
        .file(&format!("{at}/utils.py"), UTILS)
        .file(&format!("{at}/set.json"), format!(r#"{{"original file path": "{source}", "local file path": "x"}}"#))
        .file(&format!("{at}/dataset_infos.json"), "{}")
        .file("datasets_modules/datasets/acme--set.lock", "")
}

fn version() -> String {
    digest(&[SCRIPT, UTILS])
}

#[track_caller]
fn the_copy(root: &MemoryRoot) -> Entry {
    let [copy] = level(root, "modules", Some("datasets/acme/set")).entries.try_into().unwrap();
    copy
}

#[test]
fn a_script_that_is_what_its_name_says_can_be_downloaded_again() {
    let downloads = format!("/hf/datasets/downloads/{}.py", hash('a'));
    let snapshot = format!("/hf/hub/datasets--acme--set/snapshots/{}/set.py", commit('1'));
    for source in [downloads, snapshot] {
        let root = root(&source, SCRIPT, &version());
        let copy = the_copy(&root);
        assert_eq!((copy.recovery, attribute(&copy, "warning")), (Recovery::Download, None));
        assert_eq!(attribute(&copy, "source"), Some(source.as_str()));
        assert_eq!(copy.locks[0].path, "datasets_modules/datasets/acme--set.lock");
    }
}

#[test]
fn an_edit_that_changes_the_code_is_found() {
    let source = format!("/downloads/{}.py", hash('a'));
    let edited = root(&source, &SCRIPT.replace("datasets", "mine"), &version());
    assert_eq!(the_copy(&edited).recovery, Recovery::Uncertain);
    assert!(attribute(&the_copy(&edited), "warning").unwrap().contains("edited"));
    let commented = root(&source, &SCRIPT.replace("the library", "a library"), &version());
    assert_eq!(the_copy(&commented).recovery, Recovery::Download);
}

#[test]
fn what_the_library_does_not_copy_is_somebody_s() {
    let source = format!("/downloads/{}.py", hash('a'));
    let at = format!("datasets_modules/datasets/acme--set/{}", version());
    let root = root(&source, SCRIPT, &version())
        .file(&format!("{at}/__init__.py"), "")
        .file(&format!("{at}/README.md"), "")
        .file(&format!("{at}/__pycache__/utils.cpython-311.pyc"), "c");
    assert_eq!((the_copy(&root).recovery, the_copy(&root).owns), (Recovery::Download, vec![at.clone()]));
    let noted = the_copy(&root.clone().file(&format!("{at}/notes.txt"), "mine"));
    assert_eq!(noted.recovery, Recovery::Uncertain);
    assert!(attribute(&noted, "warning").unwrap().contains("stays"));
    assert!(noted.owns.len() == 7 && !noted.owns.iter().any(|path| path.ends_with("notes.txt")), "{:?}", noted.owns);
    for name in ["mine.py", "mine/results.csv", "mine/__init__.py", "__pycache__/mine.cpython-311.pyc"] {
        let copy = the_copy(&root.clone().file(&format!("{at}/{name}"), "mine"));
        assert_eq!(copy.recovery, Recovery::Uncertain, "{name}");
        assert!(attribute(&copy, "warning").unwrap().contains("none of the files"), "{name}");
    }
}

#[test]
fn what_was_copied_from_a_local_file_or_lost_its_record_is_not_certain() {
    for source in ["/home/me/work/set.py", "", "\\"] {
        assert_eq!(the_copy(&root(source, SCRIPT, &version())).recovery, Recovery::Uncertain, "{source}");
    }
    let at = format!("datasets_modules/datasets/acme--set/{}", version());
    let lost = root("/x", SCRIPT, &version()).without(&format!("{at}/utils.py"));
    assert_eq!((the_copy(&lost).recovery, the_copy(&lost).state), (Recovery::Uncertain, State::Complete));
    let broken = root("/x", SCRIPT, &version()).without(&format!("{at}/set.py"));
    assert_eq!((the_copy(&broken).recovery, the_copy(&broken).state), (Recovery::Uncertain, State::Broken));
    let code = find(&level(&broken, "modules", None), "datasets/acme/set");
    assert_eq!((code.recovery, code.state), (Recovery::Uncertain, State::Broken));
}

#[test]
fn scripts_of_each_kind_are_told_apart() {
    let root = MemoryRoot::new()
        .file(&format!("datasets_modules/datasets/squad/{}/squad.py", hash('a')), "x")
        .file(&format!("datasets_modules/metrics/bleu/{}/bleu.py", hash('a')), "x")
        .file(&format!("evaluate_modules/metrics/evaluate-metric--bleu/{}/bleu.py", hash('a')), "x");
    let expected = ["datasets/squad", "datasets-metric/bleu", "evaluate/evaluate-metric/bleu"];
    assert_eq!(ids(&level(&root, "modules", None)), expected);
}

#[test]
fn the_lock_of_a_script_goes_with_it_or_is_left_over() {
    let code = find(&level(&root("x", SCRIPT, &version()), "modules", None), "datasets/acme/set");
    assert_eq!(code.owns.last().map(String::as_str), Some("datasets_modules/datasets/acme--set.lock"));
    assert_eq!(code.locks[0].path, "datasets_modules/datasets/acme--set.lock");
    let gone = MemoryRoot::new().file("datasets_modules/datasets/acme--set.lock", "");
    let [lock] = level(&gone, "modules", None).entries.try_into().unwrap();
    assert_eq!((lock.kind.as_str(), lock.state, lock.reclaim.is_some()), ("lock", State::Detached, true));
}
