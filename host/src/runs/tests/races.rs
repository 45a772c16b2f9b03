//! Things are put aside, put back and deleted thousands of times while somebody exchanges all that can be exchanged: the
//! folders they are in, the things themselves, the folder that they wait in, and the root.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::model::RelPath;
use crate::runs::Watch;
use crate::runs::waiting::{Waits, give_back_strangers, purge};
use crate::tree::{FsError, Holding, Identity, LinkTally, NodeKind, Root};

/// What is put aside, in this order; the last one only if it is empty.
const ITEMS: [&str; 4] = ["top/a", "top/c/f", "top/c/d", "top/e"];

/// `root/`, and beside it what may never change, what is exchanged for it, and where leftovers go.
struct Scene {
    dir: tempfile::TempDir,
    root: Root,
    open: fs::File,
    round: AtomicUsize,
    base: PathBuf,
}

/// Something that could not be brought to an end while somebody disturbed it.
struct Leftover {
    path: PathBuf,
    ino: u64,
    items: Vec<(RelPath, Identity)>,
}

impl Scene {
    fn new() -> Self {
        // In memory, where there is such a place: a disk is too slow for thousands of rounds.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let dir = tempfile::Builder::new().prefix("dscc-races-").tempdir_in(place).unwrap();
        for folder in ["root", "outside/top/a", "outside/top/c/d", "spare", "trash", "outside/0", "aside"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        for file in ["precious", "top/a/x", "top/c/f", "top/c/d/x", "0/x", "1"] {
            fs::write(dir.path().join("outside").join(file), "precious").unwrap();
        }
        let root = Root::open(&dir.path().join("root")).unwrap();
        let user = rustix::process::geteuid().as_raw();
        let base = dir.path().join(format!(".dscc-quarantine-{user}"));
        let open = fs::File::open(root.path()).unwrap();
        Self { dir, root, open, round: AtomicUsize::new(0), base }
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(path)
    }

    /// A place in the root, wherever that is at this moment.
    fn in_root(&self, path: &str) -> PathBuf {
        Path::new("/proc/self/fd").join(self.open.as_raw_fd().to_string()).join(path)
    }

    fn run_folder(&self) -> PathBuf {
        self.base.join(format!("run.{}", self.round.load(Relaxed)))
    }

    /// A tree for the next round, moved into its place as a whole, and what will be exchanged for parts of it.
    fn build(&self) -> Vec<(RelPath, Identity)> {
        let round = self.round.fetch_add(1, Relaxed) + 1;
        // Whatever is left of the round before is perhaps somebody's: it is never deleted here.
        let _ = fs::rename(self.in_root("top"), self.at(format!("trash/{round}")));
        let fresh = self.at(format!("fresh-{round}"));
        for folder in ["a/x", "c/d/x", "e"] {
            fs::create_dir_all(fresh.join(folder)).unwrap();
        }
        for file in ["a/x/1", "c/f", "c/d/x/1"] {
            fs::write(fresh.join(file), "goes").unwrap();
        }
        fs::create_dir(self.at(format!("spare/folder-{round}"))).unwrap();
        fs::write(self.at(format!("spare/folder-{round}/kept")), format!("kept folder {round}")).unwrap();
        fs::write(self.at(format!("spare/file-{round}")), format!("kept file {round}")).unwrap();
        // What was looked at is what goes, and never what is in its place later.
        let items = ITEMS.map(|path| {
            let it = fresh.join(path.strip_prefix("top/").unwrap()).symlink_metadata().unwrap();
            let kind = if it.is_dir() { NodeKind::Directory } else { NodeKind::File };
            (RelPath::parse(path).unwrap(), Identity { dev: it.dev(), ino: it.ino(), kind })
        });
        fs::rename(&fresh, self.in_root("top")).unwrap();
        items.into()
    }

    /// Puts everything aside and back, or deletes it. What cannot be brought to an end comes back.
    fn play(&self) -> Option<Leftover> {
        let items = self.build();
        let round = self.round.load(Relaxed);
        let name = format!("run.{round}");
        let Ok(holding) = Holding::make(&self.root, &name) else {
            Holding::places(&self.root, &name).iter().for_each(|place| Holding::clear_away(place));
            return None;
        };
        for (number, (path, identity)) in items.iter().enumerate() {
            // Where something came in between, nothing is done, and that is no failure of this test.
            let _ = if path.as_str().ends_with('e') {
                self.root.put_aside_if_empty(path, *identity, &holding, number).map(drop)
            } else {
                self.root.put_aside(path, *identity, &holding, number)
            };
        }
        if round.is_multiple_of(3) {
            for (number, (path, _)) in items.iter().enumerate().rev() {
                let _ = self.root.put_back(&holding, number, path);
            }
        }
        let leftover = Leftover { path: holding.path().to_owned(), ino: holding.identity().1, items };
        (!finish(&self.root, &holding, &leftover)).then_some(leftover)
    }

    /// A place where nothing is: numbers of inodes come again.
    fn somewhere(&self) -> PathBuf {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        self.at(format!("trash/other-{}", NUMBER.fetch_add(1, Relaxed)))
    }

    /// What no program may change.
    fn outside(&self) -> BTreeSet<(PathBuf, Option<String>)> {
        files(&self.at("outside")).map(|path| (path.clone(), fs::read_to_string(path).ok())).collect()
    }

    /// Everything that begins with `kept`, wherever it is by now.
    fn kept(&self) -> BTreeSet<String> {
        let texts = files(self.dir.path()).filter_map(|path| fs::read_to_string(path).ok());
        texts.filter(|text| text.starts_with("kept")).collect()
    }
}

fn files(below: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    walkdir::WalkDir::new(below).into_iter().map(|entry| entry.unwrap().into_path())
}

/// Deletes what was put aside, and tells whether nothing is left.
fn finish(root: &Root, holding: &Holding, of: &Leftover) -> bool {
    let waits = |(number, (path, identity)): (usize, &'_ (RelPath, Identity))| (number, path.clone(), *identity);
    let owned: Vec<_> = of.items.iter().enumerate().map(waits).collect();
    let waits: Vec<Waits<'_>> = owned
        .iter()
        .map(|(number, path, Identity { ino, kind, .. })| Waits {
            number: *number,
            path,
            ino: *ino,
            kind: *kind,
            emptied: path.as_str().ends_with('e'),
        })
        .collect();
    give_back_strangers(root, holding, &waits);
    let failures = purge(holding, &waits, &LinkTally::default(), &Watch::default());
    failures.is_empty() && holding.remove_if_empty() == Ok(true)
}

fn exchange(one: &Path, two: &Path) -> bool {
    renameat_with(CWD, one, CWD, two, RenameFlags::EXCHANGE).is_ok()
}

/// So many removals and disturbances there must be at least.
const ENOUGH: usize = 50;

/// How long all disturbances together may take; `DSCC_RACE_SECONDS` for more.
fn time_for_each(disturbances: u32) -> Duration {
    let asked = std::env::var("DSCC_RACE_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(asked.unwrap_or(7)) / disturbances
}

/// What is done at the same time, again and again; true if it worked. Called an even number of times, it changes nothing.
type Disturb = fn(&Scene) -> bool;

/// A folder for a link that leads outside.
fn link_for_folder(scene: &Scene) -> bool {
    exchange(&scene.at("root/top/a"), &scene.at("aside/link-a"))
}

/// The folder above for such a link.
fn link_for_parent(scene: &Scene) -> bool {
    exchange(&scene.at("root/top/c"), &scene.at("aside/link-c"))
}

/// Things for other things of their kind, which are to be kept.
fn kept_for_things(scene: &Scene) -> bool {
    let round = scene.round.load(Relaxed);
    let both = [("root/top/c/f", format!("spare/file-{round}")), ("root/top/a", format!("spare/folder-{round}"))];
    let both = both.map(|(place, other)| (scene.at(place), scene.at(other)));
    let exchanged = both.iter().filter(|(place, other)| exchange(place, other)).count() > 0;
    for (place, other) in &both {
        // If it has been put aside just now, its place is taken.
        let _ = renameat_with(CWD, other, CWD, place, RenameFlags::NOREPLACE);
    }
    exchanged
}

/// Something new in a folder that is to go if it is empty.
fn something_in_an_empty_folder(scene: &Scene) -> bool {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Relaxed);
    if number.is_multiple_of(2) {
        let _ = fs::create_dir(scene.at("root/top/e"));
    }
    // Moved in: a file that is made and not yet written is not kept text.
    let new = scene.at(format!("aside/new-{number}"));
    fs::write(&new, format!("kept new {number}")).unwrap();
    fs::rename(&new, scene.at(format!("root/top/e/{number}"))).is_ok()
}

/// The folder above is moved out of the root and back.
fn parent_away(scene: &Scene) -> bool {
    let (here, there) = (scene.at("root/top/c"), scene.at("aside/away"));
    let away = renameat_with(CWD, &here, CWD, &there, RenameFlags::NOREPLACE).is_ok();
    let back = renameat_with(CWD, &there, CWD, &here, RenameFlags::NOREPLACE).is_ok();
    if away && !back {
        // The next round has begun.
        fs::rename(&there, scene.somewhere()).unwrap();
    }
    away
}

/// What holds the folders of all runs, for a link to a folder outside which looks like it.
fn link_for_base(scene: &Scene) -> bool {
    exchange(&scene.base, &scene.at("aside/link-base"))
}

/// The folder of a run for one that has the same numbers in it.
fn other_for_run(scene: &Scene) -> bool {
    let decoy = scene.at("aside/decoy");
    if !decoy.exists() {
        fs::DirBuilder::new().mode(0o700).create(&decoy).unwrap();
        for number in 0..ITEMS.len() {
            fs::write(decoy.join(number.to_string()), "kept decoy").unwrap();
        }
    }
    let run = scene.run_folder();
    exchange(&run, &decoy) && exchange(&run, &decoy)
}

/// The root for a link that leads outside.
fn link_for_root(scene: &Scene) -> bool {
    exchange(&scene.at("root"), &scene.at("aside/link-root"))
}

#[test]
fn whatever_is_exchanged_while_things_are_put_aside_nothing_else_is_touched_and_all_comes_to_an_end() {
    let disturbances: [(&str, Disturb); 8] = [
        ("link for folder", link_for_folder),
        ("link for parent", link_for_parent),
        ("kept for things", kept_for_things),
        ("something in an empty folder", something_in_an_empty_folder),
        ("parent away", parent_away),
        ("link for base", link_for_base),
        ("other for run", other_for_run),
        ("link for root", link_for_root),
    ];
    for (name, disturb) in disturbances {
        let (rounds, times) = disturbed(name, disturb, time_for_each(8));
        eprintln!("{name}: {rounds} removals, disturbed {times} times");
        assert!(rounds > ENOUGH && times > ENOUGH, "{name}: {rounds} removals, disturbed {times} times");
    }
}

/// A scene in which everything is aside, with what is known of it.
fn aside() -> (Scene, Holding, Leftover) {
    let scene = Scene::new();
    let items = scene.build();
    let holding = Holding::make(&scene.root, "run.1").unwrap();
    for (number, (path, identity)) in items.iter().enumerate() {
        scene.root.put_aside(path, *identity, &holding, number).unwrap();
    }
    let leftover = Leftover { path: holding.path().to_owned(), ino: holding.identity().1, items };
    (scene, holding, leftover)
}

#[test]
fn what_waits_and_is_not_what_was_put_aside_goes_back_or_waits_on_and_is_never_deleted() {
    for is_free in [true, false] {
        let (scene, holding, leftover) = aside();
        let waits = holding.path().join("1");
        fs::rename(&waits, scene.somewhere()).unwrap();
        fs::write(&waits, "kept").unwrap();
        if !is_free {
            fs::write(scene.at("root/top/c/f"), "kept as well").unwrap();
        }
        let place = if is_free { scene.at("root/top/c/f") } else { waits };
        assert_eq!(finish(&scene.root, &holding, &leftover), is_free);
        assert_eq!(fs::read_to_string(place).unwrap(), "kept");
        assert_eq!(scene.kept().len(), if is_free { 3 } else { 4 });
    }
}

#[test]
fn what_somebody_put_into_a_folder_that_was_empty_goes_back_or_waits_on() {
    for (at_the_place, is_left) in [(None, false), (Some("other"), false), (Some("new"), true)] {
        let (scene, holding, leftover) = aside();
        fs::write(holding.path().join("3/new"), "kept new").unwrap();
        if let Some(name) = at_the_place {
            fs::create_dir(scene.at("root/top/e")).unwrap();
            fs::write(scene.at("root/top/e").join(name), "kept there").unwrap();
        }
        assert_eq!(finish(&scene.root, &holding, &leftover), !is_left, "{at_the_place:?}");
        let place = if is_left { holding.path().join("3/new") } else { scene.at("root/top/e/new") };
        assert_eq!(fs::read_to_string(place).unwrap(), "kept new");
    }
}

#[test]
fn a_folder_that_is_not_the_one_that_was_made_is_neither_opened_nor_removed() {
    let (scene, holding, leftover) = aside();
    let (here, away) = (holding.path(), scene.at("aside/away"));
    fs::rename(here, &away).unwrap();
    fs::DirBuilder::new().mode(0o700).create(here).unwrap();
    // What waits is known by its open folder, wherever that is, and the other one stays though it is empty.
    assert!(!finish(&scene.root, &holding, &leftover));
    assert!(here.is_dir() && fs::read_dir(&away).unwrap().next().is_none());
    assert_eq!(Holding::open(here, leftover.ino).unwrap_err(), FsError::Changed);
    fs::remove_dir(here).unwrap();
    assert_eq!(Holding::open(here, leftover.ino).unwrap_err(), FsError::NotFound);
    // Nor does a link lead to it.
    fs::rename(&scene.base, scene.at("aside/base")).unwrap();
    fs::rename(&away, scene.at("aside/base/run.1")).unwrap();
    symlink(scene.at("aside/base"), &scene.base).unwrap();
    assert_eq!(Holding::open(here, leftover.ino).unwrap_err(), FsError::NotOurs);
    fs::remove_file(&scene.base).unwrap();
    fs::rename(scene.at("aside/base"), &scene.base).unwrap();
    assert!(finish(&scene.root, &Holding::open(here, leftover.ino).unwrap(), &leftover));
}

#[test]
fn a_thing_does_not_go_back_into_a_folder_that_was_moved_out_of_the_root() {
    let (scene, holding, leftover) = aside();
    let (here, away) = (scene.at("root/top/c"), scene.at("aside/away"));
    fs::rename(&here, &away).unwrap();
    assert_eq!(scene.root.put_back(&holding, 1, &leftover.items[1].0), Err(FsError::NotFound));
    fs::rename(&away, &here).unwrap();
    scene.root.put_back(&holding, 1, &leftover.items[1].0).unwrap();
    assert!(here.join("f").exists());
}

fn disturbed(name: &str, disturb: Disturb, time: Duration) -> (usize, usize) {
    let scene = Scene::new();
    for (link, target) in
        [("link-a", "outside/top/a"), ("link-c", "outside/top/c"), ("link-root", "outside"), ("link-base", "outside")]
    {
        symlink(scene.at(target), scene.at("aside").join(link)).unwrap();
    }
    let outside = scene.outside();
    let (stop, times) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut leftovers = Vec::new();
    let begun = Instant::now();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !stop.load(Relaxed) {
                times.fetch_add(usize::from(disturb(&scene)), Relaxed);
                // Whoever renames all the time keeps everybody else from it.
                std::thread::sleep(Duration::from_micros(20));
            }
        });
        // On a busy machine the time alone says nothing.
        let enough = || scene.round.load(Relaxed) > ENOUGH && times.load(Relaxed) > ENOUGH;
        while begun.elapsed() < time || (!enough() && begun.elapsed() < Duration::from_secs(60)) {
            leftovers.extend(scene.play());
        }
        stop.store(true, Relaxed);
    });
    put_right(&scene);
    let rounds = scene.round.load(Relaxed);
    for leftover in &leftovers {
        bring_to_an_end(&scene, leftover);
    }
    leftovers.extend(scene.play());
    assert_eq!(scene.outside(), outside, "{name}");
    let kept = scene.kept();
    for round in 1..=rounds {
        assert!(kept.contains(&format!("kept file {round}")), "{name}: the file of round {round} of {rounds} is lost");
        assert!(kept.contains(&format!("kept folder {round}")), "{name}: the folder of round {round} of {rounds}");
    }
    if name.starts_with("something") {
        let new = kept.iter().filter(|text| text.starts_with("kept new")).count();
        let made = scene.number_of_new();
        assert!(new >= made, "{new} of {made} new files are left");
    }
    assert!(!scene.base.exists() && !scene.at("root").join(scene.base.file_name().unwrap()).exists(), "{name}");
    (rounds, times.into_inner())
}

impl Scene {
    /// How many new files reached the folder that is to go if it is empty.
    fn number_of_new(&self) -> usize {
        let left = files(&self.at("aside")).filter(|path| path.to_string_lossy().contains("new-")).count();
        let all = self
            .kept()
            .iter()
            .filter(|text| text.starts_with("kept new"))
            .filter_map(|text| text.rsplit(' ').next()?.parse::<usize>().ok())
            .max()
            .map_or(0, |most| most + 1);
        all - left.min(all)
    }
}

/// Puts the base and the root where they belong.
fn put_right(scene: &Scene) {
    for (place, link) in [(scene.base.clone(), "aside/link-base"), (scene.at("root"), "aside/link-root")] {
        if place.is_symlink() {
            assert!(exchange(&place, &scene.at(link)));
        } else if scene.at(link).is_dir() && !scene.at(link).is_symlink() {
            fs::rename(scene.at(link), &place).unwrap();
        }
    }
}

fn bring_to_an_end(scene: &Scene, leftover: &Leftover) {
    let holding = match Holding::open(&leftover.path, leftover.ino) {
        Err(FsError::NotFound) => return,
        other => other.unwrap(),
    };
    // What came in the way is put elsewhere, as a person would.
    for (path, _) in &leftover.items {
        let place = scene.root.path().join(path.as_str());
        if place.symlink_metadata().is_ok() {
            fs::rename(place, scene.somewhere()).unwrap();
        }
        fs::create_dir_all(scene.root.path().join(path.as_str()).parent().unwrap()).unwrap();
    }
    assert!(finish(&scene.root, &holding, leftover), "{}", leftover.path.display());
}
