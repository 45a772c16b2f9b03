//! A run that cannot be recorded any more, in the middle of it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;

use crate::runs::{Afterwards, Again, Fate, Runs, State, Watch, history, recover, remove};
use crate::skipped::skipped;

use super::second_look::world;

/// A file that nobody can write, whoever has it open, until this is gone.
struct Immutable(PathBuf);

impl Immutable {
    fn new(path: PathBuf) -> Option<Self> {
        let this = Self(path);
        this.chattr("+i").then_some(this)
    }

    fn chattr(&self, mark: &str) -> bool {
        let done = Command::new("chattr").arg(mark).arg(&self.0).output();
        done.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        self.chattr("-i");
    }
}

#[test]
fn if_the_record_cannot_be_written_on_everything_is_put_back_and_nothing_is_called_removed() {
    let world = world();
    let (before, state) = (world.contents(), world.dir.path().join("state"));
    let (plan, runs) = (world.plan_for(&["a", "b"]), Runs::new(&state));
    let mut mark = None;
    let mut again = |_| {
        let record = std::fs::read_dir(state.join("runs")).unwrap().next().unwrap().unwrap();
        mark = Immutable::new(record.path());
        Again { claimed: Ok(HashSet::new()), spare_used: true }
    };
    let what = (std::slice::from_ref(&world.inventory), &plan);
    let removed = remove(&runs, vec![], what, &mut again, Afterwards::Delete, &Watch::default());
    if mark.is_none() {
        return skipped("if_the_record_cannot_be_written_on", "nothing can be marked immutable here");
    }
    let error = removed.err().unwrap().to_string();
    assert!(error.contains("everything was put back") && error.contains("jsonl"), "{error}");
    assert_eq!(world.contents(), before);
    let (past, _) = history(&runs);
    assert_eq!((past[0].state, past[0].fates()), (State::GivenUp, vec![Fate::Kept; 2]));
    drop(mark);
    recover(&runs, &Watch::default());
    assert!(runs.all().0.is_empty() && world.contents() == before);
}
