//! What waits goes back: which entries, which not, and what is told of it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use crate::clean::tests::world::{World, entry};
use crate::runs::{Afterwards, Again, Phase, PutBack, Runs, Watch, discard, put_back, remove};
use crate::tree::Progress;

use super::second_look::world;

fn runs(world: &World) -> Runs {
    Runs::new(&world.dir.path().join("state"))
}

/// Takes these away, so that they wait; the run.
fn take(world: &World, ids: &[&str]) -> String {
    let plan = world.plan_for(ids);
    let mut again = |_| Again { claimed: Ok(Default::default()), spare_used: true };
    let (what, watch) = ((std::slice::from_ref(&world.inventory), &plan), Watch::default());
    remove(&runs(world), vec![], what, &mut again, Afterwards::Wait(None), &watch).unwrap().held.unwrap()
}

fn undo(world: &World, run: &str) -> PutBack {
    let (run, record) = runs(world).take_over(run).unwrap().unwrap();
    put_back(run, &record, &Progress::default()).unwrap()
}

fn back(done: &PutBack) -> Vec<&str> {
    done.back.iter().map(|entry| entry.id.as_str()).collect()
}

fn left(done: &PutBack) -> Vec<&str> {
    done.left.iter().map(|(entry, _)| entry.id.as_str()).collect()
}

#[test]
fn an_entry_whose_name_begins_like_that_of_another_is_no_part_of_it_and_is_told_once() {
    let entries = ["bert", "bert-large"].map(|id| entry(id).owning(&[id]));
    let world = World::new(&[("bert/x", 10), ("bert-large/x", 20)], vec![("", entries.into())]);
    let (root, run) = (world.dir.path().join("root"), take(&world, &["bert", "bert-large"]));
    fs::create_dir(root.join("bert")).unwrap();
    let first = undo(&world, &run);
    assert_eq!((back(&first), left(&first)), (vec!["bert-large"], vec!["bert"]));
    fs::remove_dir(root.join("bert")).unwrap();
    let second = undo(&world, &run);
    assert_eq!((back(&second), left(&second)), (vec!["bert"], vec![]));
    assert_eq!(world.bytes(), 30);
}

#[test]
fn what_came_back_for_one_entry_and_went_again_keeps_the_others_that_share_it_from_coming_back() {
    let world = world();
    let (root, run) = (world.dir.path().join("root"), take(&world, &["a", "b"]));
    fs::create_dir(root.join("a")).unwrap();
    assert_eq!(back(&undo(&world, &run)), ["b"]);
    fs::remove_file(root.join("blobs/shared")).unwrap();
    fs::remove_dir(root.join("a")).unwrap();
    let done = undo(&world, &run);
    assert_eq!((back(&done), left(&done)), (vec![], vec!["a"]));
    assert!(done.left[0].1.contains("shared with others") && !root.join("a").exists(), "{:?}", done.left);
}

#[test]
fn a_record_that_a_kill_cut_off_anywhere_can_be_written_on() {
    let world = world();
    let (before, run) = (world.contents(), take(&world, &["a"]));
    let record = world.dir.path().join(format!("state/runs/{run}.jsonl"));
    let mut cut_off = b"{\"line\":\"entry\",\"id\":\"\xc3\xa4".to_vec();
    for _ in 0..2 {
        // Also in the middle of a character.
        OpenOptions::new().append(true).open(&record).unwrap().write_all(&cut_off).unwrap();
        let (mut taken, _) = runs(&world).take_over(&run).unwrap().unwrap();
        taken.enter(Phase::Held, None).unwrap();
        cut_off.pop();
    }
    assert_eq!(left(&undo(&world, &run)), [""; 0]);
    assert_eq!(world.contents(), before);
}

#[test]
fn what_was_freed_is_told_though_not_all_of_it_could_be_deleted() {
    let world = world();
    let run = take(&world, &["a", "c"]);
    let (taken, record) = runs(&world).take_over(&run).unwrap().unwrap();
    let at = record.roots[0].items.iter().position(|item| item.path.as_str() == "c").unwrap();
    let waits = record.roots[0].holding.join(at.to_string());
    fs::rename(waits, world.dir.path().join("c")).unwrap();
    fs::create_dir_all(world.dir.path().join("root/c")).unwrap();
    fs::create_dir(record.roots[0].holding.join(at.to_string())).unwrap();
    let done = discard(taken, &record, &Watch::default());
    assert_eq!(done.err().map(|it| it.freed.size), Some(10));
    assert_eq!(runs(&world).all().0.len(), 1, "what could not be deleted is not forgotten");
}
