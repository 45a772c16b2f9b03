//! Copies of code of Transformers and Diffusers.

use dscc_sdk::testing::MemoryRoot;
use dscc_sdk::{Entry, Recovery, State};

use super::{attribute, commit, find, ids, level};

const CODE: &str = "transformers_modules/acme/custom_hyphen_code";
const ID: &str = "transformers/acme/custom-code";

/// A copy made at second 100, with what Python compiled of it.
fn copy() -> MemoryRoot {
    let at = format!("{CODE}/{}", commit('1'));
    let root = ["", "transformers_modules", "transformers_modules/acme", CODE, &at]
        .iter()
        .fold(MemoryRoot::new(), |root, at| root.file(&dscc_sdk::path::join(at, "__init__.py"), "").modified(100));
    root.file(&format!("{at}/helper.py"), "ANSWER = 42\n")
        .modified(101)
        .file(&format!("{at}/__pycache__/helper.cpython-311.pyc"), compiled(0, 101, 12))
}

/// The header of a compiled file.
fn compiled(flags: u32, time: u32, size: u32) -> Vec<u8> {
    [0x0da7_0a0d, flags, time, size].iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

fn in_copy(name: &str) -> String {
    format!("{CODE}/{}/{name}", commit('1'))
}

#[track_caller]
fn the_copy(root: &MemoryRoot) -> Entry {
    find(&level(root, "modules", Some(ID)), &format!("{ID}@{}", commit('1')))
}

#[track_caller]
fn assert_uncertain(root: &MemoryRoot, why: &str) {
    let entry = the_copy(root);
    let warning = attribute(&entry, "warning").unwrap_or_default();
    assert_eq!(entry.recovery, Recovery::Uncertain, "{warning}");
    assert!(warning.contains(why), "{warning}");
}

#[test]
fn the_code_of_a_repository_has_its_name_and_a_copy_for_each_commit() {
    let root = copy().file(&format!("{CODE}/{}/helper.py", commit('2')), "x");
    let code = find(&level(&root, "modules", None), ID);
    assert_eq!((attribute(&code, "repository"), code.has_children), (Some("acme/custom-code"), true));
    assert_eq!(code.owns, [format!("{CODE}/{}", commit('1')), format!("{CODE}/{}", commit('2'))]);
    let copy = the_copy(&root);
    assert_eq!(copy.owns, [format!("{CODE}/{}", commit('1'))]);
    assert!(copy.keeps_parent && copy.recovery == Recovery::Download);
    assert_eq!(attribute(&copy, "revision"), Some(commit('1').as_str()));
}

#[test]
fn the_packages_above_the_code_go_with_the_last_of_it() {
    let root = copy().file(&format!("transformers_modules/gpt2/{}/x.py", commit('3')), "x");
    let root = root.file("__pycache__/__init__.cpython-311.pyc", "c").file("__pycache__/other.cpython-311.pyc", "c");
    let listing = level(&root, "modules", None);
    let above = ["transformers_modules/__init__.py", "__pycache__/__init__.cpython-311.pyc", "__init__.py"];
    assert_eq!(find(&listing, ID).shares[2..], above);
    assert_eq!(find(&listing, "transformers/gpt2").shares, above);
}

#[test]
fn an_init_file_that_is_not_empty_is_no_library_s() {
    let root = copy().file("transformers_modules/acme/__init__.py", "mine");
    let shares = find(&level(&root, "modules", None), ID).shares;
    assert!(!shares.contains(&"transformers_modules/acme/__init__.py".to_owned()) && shares.len() == 3, "{shares:?}");
    assert_uncertain(&copy().file(&in_copy("__init__.py"), "mine").modified(100), "not empty");
}

#[test]
fn beside_a_user_s_own_packages_the_one_above_is_his() {
    let root = copy().file("my_package/__init__.py", "");
    let listing = level(&root, "modules", None);
    assert!(!find(&listing, ID).shares.contains(&"__init__.py".to_owned()));
    assert_eq!(
        ids(&level(&MemoryRoot::new().file("__init__.py", "").file("mine/x.py", "1"), "modules", None)),
        [""; 0]
    );
}

#[test]
fn the_folders_of_old_and_new_versions_are_one_repository_s() {
    let old = format!("transformers_modules/acme/custom-code/{}", commit('1'));
    let root = copy().file(&format!("{old}/helper.py"), "x");
    assert_eq!(ids(&level(&root, "modules", None)), [ID]);
    assert_eq!(the_copy(&root).owns, [old, format!("{CODE}/{}", commit('1'))]);
}

#[test]
fn a_file_that_is_newer_than_the_copy_may_be_an_edit() {
    assert_uncertain(&copy().file(&in_copy("helper.py"), "ANSWER = 43\n").modified(1000), "newer");
    let soon = copy().file(&in_copy("more.py"), "x").modified(130);
    assert_eq!(the_copy(&soon).recovery, Recovery::Download);
}

#[test]
fn a_file_that_is_not_what_python_compiled_may_be_an_edit() {
    for (time, size) in [(99, 12), (101, 13)] {
        let file = in_copy("__pycache__/helper.cpython-310.pyc");
        assert_uncertain(&copy().file(&file, compiled(0, time, size)), "compiled");
        assert_eq!(the_copy(&copy().file(&file, compiled(1, time, size))).recovery, Recovery::Download);
    }
    let broken = copy().file(&in_copy("__pycache__/helper.cpython-310.pyc"), "short");
    assert_eq!(the_copy(&broken).recovery, Recovery::Download);
}

#[test]
fn what_somebody_put_beside_the_code_stays() {
    let root = copy().file(&in_copy("helper.py.orig"), "x").link(&in_copy("mine.py"), "/data/mine.py");
    assert_uncertain(&root, "stays");
    let owns = the_copy(&root).owns;
    assert_eq!(owns, ["__init__.py", "helper.py", "__pycache__/helper.cpython-311.pyc"].map(in_copy));
}

#[test]
fn of_a_local_folder_there_is_no_record() {
    let root = MemoryRoot::new()
        .file("transformers_modules/my_dot_model/0123456789abcdef/x.py", "x")
        .file("transformers_modules/local/y.py", "y")
        .file("transformers_modules/local/__pycache__/y.cpython-39.pyc", "y")
        .file("transformers_modules/local/__pycache__/z.cpython-39.pyc", "z");
    let top = level(&root, "modules", None);
    assert_eq!(ids(&top), ["transformers-local/local", "transformers-local/my.model"]);
    assert!(top.entries.iter().all(|entry| entry.recovery == Recovery::Uncertain));
    let files = level(&root, "modules", Some("transformers-local/local"));
    let [files] = files.entries.try_into().unwrap();
    assert_eq!((files.id.as_str(), files.recovery), ("transformers-local/local@files", Recovery::Uncertain));
    assert_eq!(
        files.owns,
        ["__pycache__/y.cpython-39.pyc", "y.py"].map(|name| format!("transformers_modules/local/{name}"))
    );
}

#[test]
fn pipelines_of_the_community_are_written_anew_and_local_ones_are_not_known() {
    let root = MemoryRoot::new()
        .file("diffusers_modules/git/lpw.py", "x")
        .file("diffusers_modules/git/other.py", "x")
        .file("diffusers_modules/local/mine.py", "x")
        .file(&format!("diffusers_modules/local/acme--pipe/{}/pipeline.py", commit('1')), "x");
    let top = level(&root, "modules", None);
    assert_eq!(ids(&top), ["diffusers/acme/pipe", "diffusers/lpw", "diffusers/other", "diffusers-local/mine"]);
    let recoveries: Vec<Recovery> =
        top.entries.iter().map(|entry| level(&root, "modules", Some(&entry.id)).entries[0].recovery).collect();
    use Recovery::{Download, Uncertain};
    assert_eq!(recoveries, [Download, Download, Download, Uncertain]);
}

#[test]
fn links_in_the_place_of_folders_are_the_user_s() {
    let places = [
        "transformers_modules/mine".to_owned(),
        "transformers_modules/acme/mine".to_owned(),
        format!("transformers_modules/acme/code/{}", commit('1')),
        "diffusers_modules/local/acme--pipe".to_owned(),
        "datasets_modules/datasets/acme--set".to_owned(),
    ];
    let root = places.iter().fold(MemoryRoot::new(), |root, place| root.link(place, "/data/mine"));
    let listing = level(&root, "modules", None);
    assert_eq!(listing.entries.len(), places.len());
    for place in places {
        let entry = find(&listing, &place);
        assert_eq!((entry.kind.as_str(), entry.recovery, entry.owns), ("link", Recovery::Irreplaceable, vec![place]));
    }
}

#[test]
fn packages_without_code_are_left_over_and_those_with_something_else_are_not() {
    let hollow = MemoryRoot::new().file("__init__.py", "").file("transformers_modules/acme/x/__init__.py", "");
    let hollow = hollow.file("transformers_modules/acme/x/__pycache__/__init__.cpython-311.pyc", "c");
    let [entry] = level(&hollow, "modules", None).entries.try_into().unwrap();
    assert_eq!((entry.id.as_str(), entry.owns.len(), entry.state), ("empty-packages", 3, State::Detached));
    let used = hollow.file("transformers_modules/acme/x/mine/code.py", "x").file("datasets_modules/__init__.py", "");
    let [entry] = level(&used, "modules", None).entries.try_into().unwrap();
    assert_eq!(entry.owns, ["datasets_modules/__init__.py"]);
}

#[test]
fn the_children_of_an_entry_do_not_depend_on_how_much_else_is_read() {
    let root = copy()
        .file(&format!("transformers_modules/acme/custom-code/{}/x.py", commit('1')), "x")
        .file(&format!("transformers_modules/_01_hyphen_ai/Yi_dot_5/{}/x.py", commit('1')), "x")
        .file(&format!("transformers_modules/gpt2/{}/x.py", commit('1')), "x")
        .file("transformers_modules/gpt2/0123456789abcdef/x.py", "x")
        .file("transformers_modules/local/x.py", "x")
        .file("diffusers_modules/git/a.b.py", "x")
        .file("diffusers_modules/git/__pycache__/a.cpython-311.pyc", "x")
        .file("diffusers_modules/local/a.py", "x")
        .file(&format!("diffusers_modules/local/a--b/{}/x.py", commit('1')), "x")
        .file(&format!("datasets_modules/datasets/a--b--c/{}/c.py", super::hash('1')), "x")
        .file("datasets_modules/datasets/a--b--c.lock", "")
        .file(&format!("datasets_modules/metrics/a/{}/a.py", super::hash('1')), "x")
        .file(&format!("evaluate_modules/metrics/a--b/{}/b.py", super::hash('1')), "x")
        .file(&format!("evaluate_modules/comparisons/a--b/{}/b.py", super::hash('2')), "x");
    let top = level(&root, "modules", None);
    assert_eq!(top.entries.len(), 11, "{:?}", ids(&top));
    for entry in &top.entries {
        let copies = level(&root, "modules", Some(&entry.id)).entries;
        let owned: Vec<&String> = copies.iter().flat_map(|copy| &copy.owns).collect();
        let all: Vec<&String> = entry.owns.iter().filter(|path| !path.ends_with(".lock")).collect();
        assert_eq!(owned, all, "{}", entry.id);
        assert!(crate::modules::is_read_once(&root, &entry.id), "{}", entry.id);
    }
}
