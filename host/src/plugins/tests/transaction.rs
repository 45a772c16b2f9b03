//! Killed anywhere, a change leaves the old state or the new one, and the next change works and tidies up.

use std::fs;
use std::path::Path;

use super::super::folder::{LOCK_FILE, NEW, Step, steps};
use super::*;
use crate::plugins::Known;
use crate::runtime::Limits;

type Change = fn(&mut LockFile);

/// What `add`, `update`, `remove` and their kin do to the lock file, and the component that they bring along.
fn changes() -> Vec<(&'static str, Option<Vec<u8>>, Change)> {
    vec![
        ("add", Some(component("new", "1.0.0")), |file| file.put(record("new", "1.0.0"))),
        ("update", Some(component("alpha", "2.0.0")), |file| file.put(record("alpha", "2.0.0"))),
        ("repair", Some(component("alpha", "1.0.0")), |file| file.put(record("alpha", "1.0.0"))),
        ("remove", None, |file| assert!(file.remove("alpha"))),
        ("replace two", Some(component("new", "1.0.0")), |file| {
            assert!(file.remove("alpha") && file.remove("beta"));
            file.put(record("new", "1.0.0"));
        }),
    ]
}

/// A folder with two plugins and what an earlier kill left.
fn start(path: &Path) -> Folder {
    let folder = Folder::new(path.join("plugins"));
    add(&folder, "alpha", "1.0.0").unwrap();
    add(&folder, "beta", "1.0.0").unwrap();
    fs::write(folder.path().join(format!("{NEW}{LOCK_FILE}")), "{\"form").unwrap();
    folder
}

fn assert_whole(folder: &Folder, file: &LockFile, what: &str) {
    for record in &file.records {
        let known = Known::installed(folder, record, Limits::default());
        assert!(known.component().is_ok(), "{what}: {:?}", known.component());
    }
}

fn names(folder: &Folder) -> Vec<String> {
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_change_cut_off_anywhere_leaves_the_old_or_the_new_state_and_the_next_one_tidies_up() {
    for (name, bytes, change) in changes() {
        let all = {
            let dir = tempfile::tempdir().unwrap();
            let folder = start(dir.path());
            let before = folder.read().unwrap();
            let mut after = before.clone();
            change(&mut after);
            steps(&before, &after, bytes.as_deref(), &folder.strays(&after).unwrap())
        };
        assert!(all.len() >= 2, "{name}: {all:?}");
        for done in 0..=all.len() {
            for torn in [None, Some(0), Some(1)] {
                let what = format!("{name} after {done} steps, the next torn: {torn:?}");
                let dir = tempfile::tempdir().unwrap();
                let folder = start(dir.path());
                let before = folder.read().unwrap();
                let mut after = before.clone();
                change(&mut after);
                all[..done].iter().for_each(|step| folder.take(step).unwrap());
                match (torn, all.get(done)) {
                    (Some(halves), Some(Step::Put { name, bytes })) => {
                        let part = &bytes[..bytes.len() * halves / 2];
                        fs::write(folder.path().join(format!("{NEW}{name}")), part).unwrap();
                    }
                    (Some(_), _) => continue,
                    (None, _) => {}
                }
                let found = folder.read().unwrap();
                assert!(found == before || found == after, "{what}: {found:?}");
                assert_whole(&folder, &found, &what);
                add(&folder, "later", "1.0.0").unwrap();
                let left = names(&folder).into_iter().filter(|name| name.starts_with(NEW)).collect::<Vec<_>>();
                assert!(left.is_empty(), "{what}: {left:?}");
                // The same command again, as far as there is still something to do.
                if found == before {
                    folder
                        .change(bytes.as_deref(), |file| {
                            change(file);
                            Ok::<_, FolderError>(())
                        })
                        .unwrap();
                }
                let last = folder.read().unwrap();
                assert!(last.get("later").is_some() && last.records.len() == after.records.len() + 1, "{what}");
                assert_whole(&folder, &last, &what);
            }
        }
    }
}

#[test]
fn what_is_new_is_named_only_when_it_is_there_and_what_goes_is_deleted_only_when_nothing_names_it() {
    for (name, bytes, change) in changes() {
        let dir = tempfile::tempdir().unwrap();
        let folder = start(dir.path());
        let before = folder.read().unwrap();
        let mut after = before.clone();
        change(&mut after);
        let all = steps(&before, &after, bytes.as_deref(), &[]);
        let lock_file = all.iter().position(|step| matches!(step, Step::Put { name, .. } if name == LOCK_FILE));
        for (at, step) in all.iter().enumerate() {
            match step {
                Step::Put { name: file, .. } if file != LOCK_FILE => {
                    assert!(lock_file.is_none_or(|it| at < it), "{name}")
                }
                Step::Put { .. } => {}
                Step::Delete { name: file } => {
                    assert!(lock_file.is_some_and(|it| at > it), "{name}");
                    let digests = after.digests();
                    assert!(!digests.contains(file.trim_end_matches(".wasm")), "{name} deletes what it needs");
                }
            }
        }
    }
}

#[test]
fn who_read_the_lock_file_before_a_change_is_told_to_look_again_and_not_that_something_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let folder = start(dir.path());
    let known = Known::installed(&folder, &record("alpha", "1.0.0"), Limits::default());
    add(&folder, "alpha", "2.0.0").unwrap();
    assert_eq!(known.component().unwrap_err().code(), "plugin-replaced");
    let beta = Known::installed(&folder, &record("beta", "1.0.0"), Limits::default());
    fs::remove_file(folder.component_path(&beta.facts.digest)).unwrap();
    assert_eq!(beta.component().unwrap_err().code(), "plugin-changed");
}

#[test]
fn a_refused_change_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = start(dir.path());
    let before = (names(&folder).len(), fs::read(folder.lock_file_path()).unwrap());
    let refuse = |file: &mut LockFile| {
        file.remove("alpha");
        Err::<(), _>(FolderError::Busy(folder.path().to_owned()))
    };
    assert!(folder.change(Some(b"other"), refuse).is_err());
    assert_eq!((names(&folder).len(), fs::read(folder.lock_file_path()).unwrap()), before);
}

#[test]
fn only_old_components_that_nothing_names_are_deleted_and_other_peoples_files_never() {
    let dir = tempfile::tempdir().unwrap();
    let folder = start(dir.path());
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 3600);
    let put = |name: &str, aged: bool| {
        let file = fs::File::create(folder.path().join(name)).unwrap();
        if aged {
            file.set_modified(old).unwrap();
        }
    };
    let (fresh, aged) = (format!("{}.wasm", digest(b"fresh")), format!("{}.wasm", digest(b"aged")));
    let named = format!("{}.wasm", facts("alpha", "1.0.0").digest);
    fs::File::options().write(true).open(folder.path().join(&named)).unwrap().set_modified(old).unwrap();
    put(&fresh, false);
    for name in [aged.as_str(), "notes.txt", "other.wasm"] {
        put(name, true);
    }
    add(&folder, "later", "1.0.0").unwrap();
    let left = names(&folder);
    for kept in [fresh.as_str(), &named, "notes.txt", "other.wasm"] {
        assert!(left.iter().any(|name| name == kept), "{kept} is gone");
    }
    assert!(!left.contains(&aged), "{left:?}");
}

#[test]
fn threads_that_add_at_once_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path().join("plugins"));
    let all: Vec<String> = (0..8).map(|number| format!("plugin{number}")).collect();
    std::thread::scope(|scope| {
        for name in &all {
            scope.spawn(|| add(&folder, name, "1.0.0").unwrap());
        }
    });
    let file = folder.read().unwrap();
    assert_eq!(file.records.iter().map(Record::name).collect::<Vec<_>>(), all);
    assert_whole(&folder, &file, "after all");
    assert!(folder.strays(&file).unwrap().is_empty());
}
