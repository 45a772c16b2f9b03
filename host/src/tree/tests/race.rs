//! Someone exchanges directories for links all the time while removals and walks run.

#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::*;

/// Four folders, three of them with a file of one byte.
fn build(top: &Path) {
    for folder in ["a", "a/e", "c/d"] {
        let folder = top.join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("precious"), "x").unwrap();
    }
}

/// Exchanges a directory in the root for a link to the outside, over and over, while `act` runs many times.
fn while_swapping(sandbox: &Sandbox, victim: &str, rounds: usize, act: impl Fn()) {
    let (stop, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (inside, link) = (sandbox.root_path().join(victim), sandbox.dir.path().join("link"));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                if link.symlink_metadata().is_err() {
                    symlink(sandbox.outside(), &link).unwrap();
                }
                if renameat_with(CWD, &inside, CWD, &link, RenameFlags::EXCHANGE).is_ok() {
                    swaps.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        for _ in 0..rounds {
            act();
        }
        while swaps.load(Ordering::Relaxed) < 2000 {
            act();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_directory_swapped_for_a_link_never_leads_a_removal_outside() {
    for way in ways() {
        for victim in ["top/a", "top/c/d", "top"] {
            let sandbox = Sandbox::new();
            let root = sandbox.root(way);
            let top = sandbox.root_path().join("top");
            while_swapping(&sandbox, victim, 150, || {
                let _ = fs::remove_file(&top);
                // Made elsewhere and moved in: the fixture itself must not write through a link that is swapped in.
                let fresh = sandbox.dir.path().join("fresh");
                build(&fresh);
                if victim == "top" {
                    let _ = fs::rename(&fresh, &top);
                } else if fs::create_dir(&top).is_ok() || top.is_dir() {
                    for folder in ["a", "c"] {
                        let _ = fs::rename(fresh.join(folder), top.join(folder));
                    }
                }
                let _ = fs::remove_dir_all(&fresh);
                if let Ok(stat) = root.stat(&path("top")) {
                    let nothing = Keep { paths: &PathTree::default(), kept: &[] };
                    root.remove(&path("top"), stat.identity, &nothing, &LinkTally::default(), &Progress::default());
                }
            });
            sandbox.assert_outside_untouched();
        }
    }
}

#[test]
fn a_directory_swapped_for_a_link_never_leads_a_reader_outside() {
    for way in ways() {
        let sandbox = Sandbox::new();
        build(&sandbox.root_path().join("top"));
        fs::write(sandbox.outside().join("precious"), "secret").unwrap();
        fs::create_dir(sandbox.outside().join("only-outside")).unwrap();
        let root = sandbox.root(way);
        while_swapping(&sandbox, "top/a", 300, || {
            if let Ok(content) = root.read(&path("top/a/precious"), 100) {
                assert_eq!(content, b"x");
            }
            if let Ok(names) = root.names(&path("top/a")) {
                assert!(!names.contains(&"only-outside".to_owned()));
            }
            let nodes = root.walk(&RelPath::root(), Filter::default()).unwrap().next(1000);
            assert!(!nodes.iter().any(|node| node.path.contains("only-outside")));
            let usage = measure_all(&root).usage[0];
            assert!(usage.files <= 3 && usage.size <= 3, "{usage:?}");
        });
    }
}
