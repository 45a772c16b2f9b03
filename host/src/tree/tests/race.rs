//! Someone exchanges directories for links all the time while removals and walks run.

#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::*;

fn build(sandbox: &Sandbox) {
    for folder in ["a", "b", "c/d"] {
        sandbox.file(&format!("top/{folder}/precious"), 1);
        sandbox.file(&format!("top/{folder}/e/precious"), 1);
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
            while_swapping(&sandbox, victim, 250, || {
                let _ = fs::remove_file(sandbox.root_path().join("top"));
                let _ = fs::create_dir(sandbox.root_path().join("top"));
                // The fixture itself must not write through a link that is swapped in.
                let fresh = Sandbox::new();
                build(&fresh);
                for folder in ["a", "b", "c"] {
                    let (from, to) = (fresh.root_path().join("top").join(folder), sandbox.root_path().join("top"));
                    if to.symlink_metadata().is_ok_and(|meta| meta.is_dir()) && victim != "top" {
                        let _ = fs::rename(from, to.join(folder));
                    }
                }
                if victim == "top" {
                    let _ = fs::rename(fresh.root_path().join("top"), sandbox.root_path().join("top"));
                }
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
        build(&sandbox);
        fs::write(sandbox.outside().join("precious"), "secret").unwrap();
        fs::create_dir(sandbox.outside().join("only-outside")).unwrap();
        let root = sandbox.root(way);
        while_swapping(&sandbox, "top/a", 800, || {
            if let Ok(content) = root.read(&path("top/a/precious"), 100) {
                assert_eq!(content, b"x");
            }
            if let Ok(names) = root.names(&path("top/a")) {
                assert!(!names.contains(&"only-outside".to_owned()));
            }
            let nodes = root.walk(&RelPath::root(), Filter::default()).unwrap().next(1000);
            assert!(!nodes.iter().any(|node| node.path.contains("only-outside")));
            let usage = measure_all(&root).usage[0];
            assert!(usage.files <= 6 && usage.size <= 6, "{usage:?}");
        });
    }
}
