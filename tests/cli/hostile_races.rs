//! A tree that changes under the program's hands: whatever it meets between its plan and a removal, nothing outside of
//! the root changes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::hub::{commit, etag};
use crate::sandbox::Sandbox;
use crate::tree;

/// Exchanges two names for each other, in one step where the system can.
fn exchange(one: &Path, two: &Path, spare: &Path) {
    if renameat_with(CWD, one, CWD, two, RenameFlags::EXCHANGE).is_err() {
        let _ = fs::rename(one, spare);
        let _ = fs::rename(two, one);
        let _ = fs::rename(spare, two);
    }
}

/// While `work` runs, calls `disturb` again and again; gives how often.
fn during(disturb: impl Fn() + Sync, work: impl FnOnce()) -> u32 {
    let (stop, rounds) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                disturb();
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _stopped = Stopped(&stop);
        work();
    });
    rounds.into_inner()
}

/// Sets the flag when it goes, also when an assertion fails: the other thread would go on for ever.
struct Stopped<'a>(&'a AtomicBool);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Removes whatever has this name, and never what a link there leads to.
fn discard(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
}

#[test]
fn a_folder_exchanged_for_a_link_thousands_of_times_never_leads_outside() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let victim = sandbox.outside().join("victim");
    let snapshot = format!("snapshots/{}", commit('a'));
    for folder in ["blobs", "refs", "snapshots", &snapshot] {
        fs::create_dir_all(victim.join(folder)).unwrap();
        for name in [etag('a'), etag('b'), "weights".into(), "main".into(), commit('b')] {
            fs::write(victim.join(folder).join(name), "precious").unwrap();
        }
    }
    let before = tree::read(&sandbox.outside());
    let spare = sandbox.path("spare");
    for part in ["", "blobs", "snapshots", &snapshot] {
        let (mut exchanges, mut runs) = (0, 0);
        while runs < 9 || exchanges < 10_000 && runs < 60 {
            // Nothing is exchanged yet, or the scene itself would be set outside.
            fs::create_dir_all(&spare).unwrap();
            let repo = hub.model("a", 10);
            repo.revision('b', &[("weights", 'b', 10)]);
            symlink(victim.join(part), spare.join("decoy")).unwrap();
            let swap = || exchange(&repo.path(part), &spare.join("decoy"), &spare.join("third"));
            exchanges += during(swap, || {
                for _ in 0..3 {
                    let run = sandbox.dscc(["clean", "-y", "--all", "--force", "needed"]);
                    assert!([0, 1, 3].contains(&run.status), "{}: {}", run.status, run.text());
                    runs += 1;
                }
            });
            discard(&hub.root.join("models--acme--a"));
            discard(&spare);
        }
        assert!(exchanges > 1000, "{part}: {exchanges} exchanges in {runs} runs");
        assert_eq!(tree::read(&sandbox.outside()), before, "{part}");
    }
}

#[test]
fn files_that_come_and_go_are_never_an_error_of_the_listing() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 10);
    let flicker = || {
        repo.blob(&format!("{}.incomplete", etag('d')), 5).revision('b', &[("x", 'b', 3)]);
        let _ = fs::remove_dir_all(repo.path("snapshots").join(commit('b')));
        let _ = fs::remove_file(repo.path("blobs").join(format!("{}.incomplete", etag('d'))));
        let _ = fs::remove_file(repo.path("blobs").join(etag('b')));
    };
    during(flicker, || {
        for _ in 0..8 {
            sandbox.dscc(["list"]).expect(0);
            sandbox.dscc(["show", "--children"]).expect(0);
        }
    });
    let _ = fs::remove_dir_all(repo.path("snapshots").join(commit('b')));
}

#[test]
fn two_runs_at_once_remove_everything_once() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    for round in 0..3 {
        for name in 0..20 {
            hub.model(&format!("m{name}"), 100);
        }
        let size = tree::size(&hub.root);
        let freed: Vec<u64> = std::thread::scope(|scope| {
            let run = || sandbox.dscc(["clean", "-y", "--all", "--json"]);
            let handles = [scope.spawn(run), scope.spawn(run)];
            handles.map(|handle| handle.join().unwrap().json()["freed"].as_u64().unwrap()).into()
        });
        // Each holds locks that the other may meet; what is left then goes with the next run.
        let rest = sandbox.dscc(["clean", "-y", "--all", "--json"]).expect(0).json();
        assert_eq!(tree::size(&hub.root), 0, "round {round}");
        let sum = freed.iter().sum::<u64>() + rest["freed"].as_u64().unwrap();
        assert_eq!(sum, size, "round {round}: {freed:?}");
    }
}
