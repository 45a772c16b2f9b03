//! Beneath a directory that goes, what is to be kept stays in place, with the directories above it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn remove_keeping(root: &Root, at: &str, keep: &[&str]) -> Removal {
    let mut paths = PathTree::default();
    let ids: Vec<PathId> = keep.iter().map(|text| paths.insert(&path(text))).collect();
    let mut kept = vec![false; paths.len()];
    ids.iter().for_each(|id| kept[id.index()] = true);
    let keep = Keep { paths: &paths, kept: &kept };
    let expected = root.stat(&path(at)).unwrap().identity;
    root.remove(&path(at), expected, &keep, &LinkTally::default(), &Progress::default())
}

#[test]
fn kept_paths_stay_with_all_beneath_and_the_folders_above() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.file("top/a/keep/deep/file", 1);
        sandbox.file("top/a/go/file", 1);
        sandbox.file("top/b/keep.txt", 1);
        sandbox.file("top/b/go.txt", 1);
        sandbox.link("top/c/link", "x");
        let root = sandbox.root(way);
        let removal = remove_keeping(&root, "top", &["top/a/keep", "top/b/keep.txt", "top/c/absent"]);
        assert_eq!(removal, Removal { files: 2, failures: vec![], kept_something: true, gone: false });
        assert!(sandbox.has("top/a/keep/deep/file") && sandbox.has("top/b/keep.txt"));
        assert!(!sandbox.has("top/a/go") && !sandbox.has("top/b/go.txt") && !sandbox.has("top/c"));
    }
}

#[test]
fn only_what_is_beneath_the_path_can_keep_it() {
    for way in ways() {
        for keep in ["a", "a/b", "a/b/file", "a/b/other", "a/c", ""] {
            let sandbox = Sandbox::new();
            sandbox.file("a/b/file", 1);
            let removal = remove_keeping(&sandbox.root(way), "a/b/file", &[keep]);
            assert_eq!(removal, Removal { files: 1, gone: true, ..Removal::default() }, "{keep}");
            assert!(sandbox.has("a/b") && !sandbox.has("a/b/file"));
        }
    }
}

fn remaining(dir: &Path, prefix: &str, all: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            remaining(&entry.path(), &format!("{name}/"), all);
        }
        all.insert(name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn exactly_what_is_not_kept_goes(
        files in proptest::collection::vec("[ab](/[abc]){0,3}", 1..25),
        keep in proptest::collection::vec("[ab](/[abc]){0,3}", 0..5),
    ) {
        for way in ways() {
            let sandbox = Sandbox::new();
            sandbox.folder("top");
            for (index, file) in files.iter().enumerate() {
                let target = sandbox.root_path().join("top").join(file);
                let above = fs::create_dir_all(target.parent().unwrap());
                if above.is_ok() && !target.exists() {
                    match index % 3 {
                        0 => fs::create_dir(&target).unwrap(),
                        1 => fs::write(&target, "x").unwrap(),
                        _ => symlink("/", &target).unwrap(),
                    }
                }
            }
            let keep: Vec<String> = keep.iter().map(|text| format!("top/{text}")).collect();
            let mut before = BTreeSet::new();
            remaining(&sandbox.root_path(), "", &mut before);
            let is_kept = |at: &str| keep.iter().any(|kept| path(at).starts_with(&path(kept)));
            let stays = |at: &String| is_kept(at) || before.iter().any(|other| is_kept(other) && path(other).starts_with(&path(at)));
            let expected: BTreeSet<String> = before.iter().filter(|at| stays(at)).cloned().collect();

            let texts: Vec<&str> = keep.iter().map(|text| &**text).collect();
            let removal = remove_keeping(&sandbox.root(way), "top", &texts);
            let mut after = BTreeSet::new();
            remaining(&sandbox.root_path(), "", &mut after);
            prop_assert_eq!(&after, &expected);
            prop_assert_eq!(removal.gone, expected.is_empty());
            prop_assert_eq!(removal.kept_something, !expected.is_empty());
            prop_assert!(removal.failures.is_empty());
        }
    }
}
