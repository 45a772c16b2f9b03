//! Numbers are true: in random homes, with random selections, what a dry run promises, what the report says and what a
//! count by hand finds are the same; nothing that stays loses a byte; and what is kept for undo comes back as it was.
//! `DSCC_TRUTH_CASES` asks for more cases than the few of every run.

mod clones;
mod found;
mod home;
mod nested;
mod recount;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use dscc::model::RelPath;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use crate::sandbox::{Run, Sandbox, array};
use home::Thing;
use recount::{Bytes, Count, Kind};

/// What is asked for.
#[derive(Clone, Debug)]
struct Wish {
    selection: Selection,
    force: Vec<&'static str>,
    way: Way,
}

#[derive(Clone, Debug)]
enum Selection {
    All,
    Caches(Vec<&'static str>),
    /// Some of the entries that there are, by a number for each.
    Entries(Vec<u16>),
}

/// How it is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    AtOnce,
    WithoutRecord,
    /// Held, undone, and carried out again.
    Undone,
    /// Held, and deleted later.
    Discarded,
}

const CACHES: &[&str] = &["hub", "flat", "ir_datasets", "datasets", "assets"];

fn wishes() -> impl Strategy<Value = Wish> {
    let selection = prop_oneof![
        2 => Just(Selection::All),
        2 => proptest::sample::subsequence(CACHES, 1..3).prop_map(Selection::Caches),
        5 => proptest::collection::vec(any::<u16>(), 1..5).prop_map(Selection::Entries),
    ];
    let force = proptest::sample::subsequence(vec!["irreplaceable", "needed", "in-use"], 0..=3);
    let way = prop_oneof![Just(Way::AtOnce), Just(Way::WithoutRecord), Just(Way::Undone), Just(Way::Discarded)];
    (selection, force, way).prop_map(|(selection, force, way)| Wish { selection, force, way })
}

fn config() -> ProptestConfig {
    let asked = std::env::var("DSCC_TRUTH_CASES").ok();
    let cases = asked.as_ref().map_or(24, |text| text.parse().expect("DSCC_TRUTH_CASES is a number"));
    // The same ones each time, unless somebody goes looking for more.
    let rng_seed = if asked.is_some() { RngSeed::Random } else { RngSeed::Fixed(6) };
    ProptestConfig { cases, rng_seed, max_shrink_iters: 250, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn promise_report_and_a_count_by_hand_agree_and_nothing_else_changes(things in home::things(), wish in wishes()) {
        Case::new(&things).run(&wish)?;
    }
}

/// A home, and what is in it.
struct Case {
    sandbox: Sandbox,
    /// Whether a manifest of the store misses a holder: then the payload keeps the store, until it is gone.
    is_out_of_order: bool,
    before: Count,
}

type Checked<T = ()> = Result<T, TestCaseError>;

impl Case {
    fn new(things: &[Thing]) -> Self {
        let sandbox = home::make(things);
        let before = count(&sandbox);
        let is_out_of_order = things.iter().any(|thing| matches!(thing, Thing::Shared { listed: false, .. }));
        Self { sandbox, is_out_of_order, before }
    }

    fn run(&self, wish: &Wish) -> Checked {
        let entries = self.entries()?;
        let Some(args) = wish.args(&entries) else { return Ok(()) };
        let (status, dry) = self.document(&[&["clean", "-n"], words(&args).as_slice()].concat())?;
        same(&self.before, &self.now(), "a dry run")?;
        check_partition(&entries, &wish.named(&entries), &dry)?;
        if array(&dry, "remove").iter().all(|row| array(row, "paths").is_empty()) {
            let (again, real) = self.document(&[&["clean", "-y"], words(&args).as_slice()].concat())?;
            prop_assert_eq!((again, &real["expected"], &real["freed"]), (status, &json!(0), &json!(0)));
            return same(&self.before, &self.now(), "a run with nothing to do");
        }
        if wish.way == Way::Undone {
            if !self.hold(&args, &dry)? {
                return Ok(());
            }
            let (status, undone) = self.document(&["undo"])?;
            prop_assert_eq!((status, array(&undone, "left").len()), (0, 0), "{:#}", undone);
            let is_manifest = |path: &Path| path.extension().is_some_and(|it| it == "refs");
            // Those were written anew, twice.
            let but_manifests = |mut count: Count| {
                count.0.iter_mut().filter(|(path, _)| is_manifest(path)).for_each(|(_, found)| found.inode = (0, 0));
                count
            };
            same(&but_manifests(self.before.clone()), &but_manifests(self.now()), "undo")?;
        }
        if wish.way == Way::Discarded {
            if !self.hold(&args, &dry)? {
                return Ok(());
            }
            let (status, discarded) = self.document(&["undo", "--discard", "-y"])?;
            prop_assert_eq!(
                (status, &discarded["freed"]),
                (0, &dry["expected"]),
                "what was promised is freed in the end"
            );
        } else {
            let record: &[&str] = if wish.way == Way::WithoutRecord { &["--no-record"] } else { &[] };
            let (again, real) = self.document(&[&["clean", "-y"], record, words(&args).as_slice()].concat())?;
            prop_assert_eq!(again, status, "{:#}", real);
            agree(&dry, &real)?;
            let freed = self.before.freed_until(&self.now());
            let said = Bytes { size: number(&real, "freed"), disk: number(&real, "freed_disk") };
            prop_assert_eq!(said, freed, "reported and counted");
        }
        let after = self.now();
        prop_assert_eq!(number(&dry, "expected"), self.before.freed_until(&after).size, "promised and counted");
        self.check_what_is_left(&dry, &after)?;
        // With it, something goes from what stays.
        if !wish.force.contains(&"needed") {
            self.check_links(&after)?;
            self.check_entries_left(&entries, &dry)?;
        }
        self.run_again(&args, wish, &dry)
    }

    /// Carries it out for undo: nothing is free, and what waits is counted as such and nowhere else. Tells whether
    /// something waits: of an entry whose only folder holds another's things, nothing goes.
    fn hold(&self, args: &[String], dry: &Value) -> Checked<bool> {
        let (_, held) = self.document(&[&["clean", "-y", "--keep-undo"], words(args).as_slice()].concat())?;
        agree(dry, &held)?;
        prop_assert_eq!((&held["freed"], &held["freed_disk"]), (&json!(0), &json!(0)), "what waits is not free");
        let now = self.now();
        prop_assert_eq!(self.before.freed_until(&now), Bytes::default());
        let (_, list) = self.document(&["list"])?;
        let rows = array(&list, "held");
        if rows.is_empty() {
            same(&self.before, &now, "a run of which nothing waits")?;
            return Ok(false);
        }
        prop_assert_eq!(&rows[0]["size"], &dry["expected"], "what waits is what deleting it will free");
        let root = |row: &Value| PathBuf::from(row["root"].as_str().unwrap());
        let waits = |path: &Path| path.components().any(|it| it.as_os_str().as_bytes().starts_with(b".dscc-"));
        let roots: Vec<PathBuf> = array(&list, "caches").iter().map(root).collect();
        let counted = |path: &Path| !waits(path) && roots.iter().any(|root| path.starts_with(root));
        let in_caches = now.sum(|path, _| counted(path));
        prop_assert_eq!(number(&list, "size"), in_caches.size, "{:#}", list);
        Ok(true)
    }

    /// Only what is at or beneath the paths of the report is gone, and everything else is what it was.
    fn check_what_is_left(&self, dry: &Value, after: &Count) -> Checked {
        let mut places: BTreeSet<PathBuf> = BTreeSet::new();
        for row in array(dry, "remove") {
            let root = PathBuf::from(row["root"].as_str().unwrap());
            let paths = array(&row, "paths").into_iter();
            places.extend(paths.map(|path| root.join(RelPath::parse(path.as_str().unwrap()).unwrap().to_path_buf())));
        }
        for path in self.before.gone_until(after) {
            prop_assert!(path.ancestors().any(|above| places.contains(above)), "{:?} went, and was not to", path);
        }
        for (path, found) in &after.0 {
            let Some(was) = self.before.0.get(path) else {
                return Err(TestCaseError::fail(format!("{path:?} is new")));
            };
            if path.extension().is_some_and(|it| it == "refs") && was.content != found.content {
                let text = |content: &[u8]| String::from_utf8(content.to_owned()).unwrap();
                let (was, is) = (text(&was.content), text(&found.content));
                prop_assert!(is.lines().all(|line| was.lines().any(|other| other == line)), "{:?}: {}", path, is);
                continue;
            }
            prop_assert!(was.lasting() == found.lasting(), "{:?} was {:?} and is {:?}", path, was, found);
            prop_assert!(
                found.kind == Kind::Folder || !places.contains(path),
                "{:?} was to go and is still there",
                path
            );
        }
        Ok(())
    }

    /// What a snapshot that stays could read, it can read.
    fn check_links(&self, after: &Count) -> Checked {
        for (path, found) in after.0.iter().filter(|(_, found)| found.kind == Kind::Link) {
            let target = path.parent().unwrap().join(std::ffi::OsStr::from_bytes(&found.content));
            let repository = path.ancestors().find(|it| it.ends_with("snapshots")).and_then(Path::parent);
            let Some(repository) = repository else { continue };
            let target = plain(&target);
            if target.starts_with(repository.join("blobs")) && self.before.0.contains_key(&target) {
                prop_assert!(after.0.contains_key(&target), "{:?} lost what it leads to", path);
            }
        }
        Ok(())
    }

    /// Entries that went are not there, others are what they were.
    fn check_entries_left(&self, before: &[Value], dry: &Value) -> Checked {
        let key = |row: &Value| (row["cache"].to_string(), row["id"].to_string());
        let gone: BTreeSet<_> = array(dry, "remove").iter().map(key).collect();
        let now = self.entries()?;
        let now: BTreeMap<_, _> = now.iter().map(|row| (key(row), row)).collect();
        // A row without anything of its own tells of others.
        for row in before.iter().filter(|row| !gone.contains(&key(row)) && !array(row, "paths").is_empty()) {
            let holds_gone = before.iter().any(|it| gone.contains(&key(it)) && is_somewhere_in(it, row, before));
            let Some(is) = now.get(&key(row)) else {
                // Alone in its folder now, it is listed as that folder.
                let folder = |it: &&&Value| it["cache"] == row["cache"] && owns_above(it, row);
                if now.values().any(|it| folder(&it)) {
                    continue;
                }
                return Err(TestCaseError::fail(format!("{row:#} stays and is not there any more")));
            };
            // Manifests of the store lose lines.
            let figures: &[&str] = if row["cache"] == "hub" { &["files"] } else { &["size", "disk_size", "files"] };
            let same = figures.iter().all(|it| row[*it] == is[*it]);
            prop_assert!(holds_gone || same, "{:#}\nstays, and is now\n{:#}", row, is);
        }
        for row in before.iter().filter(|row| gone.contains(&key(row))) {
            let left = now.get(&key(row)).map(|is| &is["unique_size"]);
            prop_assert!(left.is_none_or(|left| *left == json!(0)), "{:#}\nwent, and {:?} is left", row, left);
        }
        Ok(())
    }

    /// The same again finds nothing to do.
    fn run_again(&self, args: &[String], wish: &Wish, dry: &Value) -> Checked {
        let clean = || self.dscc(&[&["clean", "-y", "--json"], words(args).as_slice()].concat());
        let is_needed = |row: &Value| row["reason"].as_str().unwrap().contains("stays and needs it");
        if self.is_out_of_order || array(dry, "keep").iter().any(is_needed) {
            clean(); // What stayed for the sake of something that went may go now.
        }
        // An emptied folder is put back for an entry that names a place in it, be there something or not.
        let timeless = |mut count: Count| {
            count.0.values_mut().filter(|it| it.kind == Kind::Folder).for_each(|it| it.modified = (0, 0));
            count
        };
        let after = self.now();
        let run = clean();
        same(&timeless(after), &timeless(self.now()), "a second run")?;
        if matches!(wish.selection, Selection::Entries(_)) {
            return Ok(()); // The names of what went are unknown now.
        }
        // All of it is protected now, unless a plugin names what is not there.
        let document = run.json();
        let refused = array(&document, "remove").is_empty() && !array(&document, "keep").is_empty();
        prop_assert_eq!(run.status, if refused { 3 } else { 0 }, "{}", run.text());
        prop_assert_eq!((&document["expected"], &document["freed"]), (&json!(0), &json!(0)));
        Ok(())
    }

    fn entries(&self) -> Checked<Vec<Value>> {
        let (_, document) = self.document(&["show", "--children"])?;
        Ok(array(&document, "entries"))
    }

    fn document(&self, args: &[&str]) -> Checked<(i32, Value)> {
        let run = self.dscc(&[args, &["--json"]].concat());
        let document = serde_json::from_str(&run.stdout)
            .map_err(|error| TestCaseError::fail(format!("{args:?} {}: {error}\n{}", run.status, run.text())))?;
        Ok((run.status, document))
    }

    fn dscc(&self, args: &[&str]) -> Run {
        Run::of(self.sandbox.command(args).env("DSCC_PLUGINS_DIR", home::plugins()).output().unwrap())
    }

    fn now(&self) -> Count {
        count(&self.sandbox)
    }
}

/// All but dscc's own records, and the times of the folders in which it puts aside what goes, beside the roots.
fn count(sandbox: &Sandbox) -> Count {
    let mut count = Count::of(&sandbox.path(""), &sandbox.home().join(".local"));
    for beside in ["home", "home/.cache/huggingface"] {
        count.0.entry(sandbox.path(beside)).and_modify(|found| found.modified = (0, 0));
    }
    count
}

/// What two documents on the same plan have in common.
fn agree(dry: &Value, real: &Value) -> Checked {
    for key in ["expected", "remove", "keep"] {
        prop_assert_eq!(&dry[key], &real[key], "`{}` of the dry run and of the report", key);
    }
    prop_assert_eq!(&real["failed"], &json!([]));
    Ok(())
}

/// Nothing changed; else it says what did, and not what all of it is.
fn same(before: &Count, after: &Count, what: &str) -> Checked {
    for (path, was) in &before.0 {
        prop_assert_eq!(Some(was), after.0.get(path), "{:?} after {}", path, what);
    }
    let new: Vec<&Path> = after.gone_until(before);
    prop_assert_eq!(new, Vec::<&Path>::new(), "new after {}", what);
    Ok(())
}

/// Whatever was chosen goes or is kept, and never both.
fn check_partition(entries: &[Value], chosen: &[&Value], dry: &Value) -> Checked {
    let key = |row: &Value| (row["cache"].to_string(), row["id"].to_string());
    let rows = |name: &str| array(dry, name).iter().map(key).collect::<Vec<_>>();
    let (remove, keep) = (rows("remove"), rows("keep"));
    let unique = |rows: &[(String, String)]| rows.iter().collect::<BTreeSet<_>>().len() == rows.len();
    prop_assert!(unique(&remove) && unique(&keep), "{:#}", dry);
    for row in chosen {
        let row = key(row);
        prop_assert!(remove.contains(&row) != keep.contains(&row), "{:?} is both or neither in {:#}", row, dry);
    }
    for gone in entries.iter().filter(|row| remove.contains(&key(row))) {
        let stays = entries.iter().find(|row| is_in(row, gone) && !remove.contains(&key(row)));
        prop_assert!(stays.is_none(), "{:#} is in something that goes", stays.unwrap());
    }
    let known = |it: &(String, String)| entries.iter().any(|row| key(row) == *it);
    prop_assert!(remove.iter().chain(&keep).all(known));
    Ok(())
}

/// Whether an entry is below another.
/// Whether what one entry owns is in what another one does.
fn owns_above(above: &Value, row: &Value) -> bool {
    let paths = |it: &Value| array(it, "paths").iter().map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let covers = |path: &String| paths(above).iter().any(|it| Path::new(path).starts_with(it));
    paths(row).iter().all(covers)
}

/// The same at any depth.
fn is_somewhere_in(row: &Value, above: &Value, all: &[Value]) -> bool {
    is_in(row, above) || all.iter().any(|it| is_in(row, it) && is_somewhere_in(it, above, all))
}

fn is_in(row: &Value, above: &Value) -> bool {
    row["cache"] == above["cache"] && row["parent"] == above["id"]
}

impl Wish {
    /// The command's arguments; none if there is nothing to name.
    fn args(&self, entries: &[Value]) -> Option<Vec<String>> {
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        let mut args: Vec<String> = match &self.selection {
            Selection::All => vec!["--all".into()],
            Selection::Caches(caches) => caches.iter().flat_map(|cache| ["-c".into(), (*cache).to_owned()]).collect(),
            Selection::Entries(_) => {
                let name = |row: &&Value| format!("{}:{}", text(row, "cache"), text(row, "id"));
                self.named(entries).iter().map(name).collect()
            }
        };
        if args.is_empty() {
            return None;
        }
        for force in &self.force {
            args.extend(["--force".to_owned(), (*force).to_owned()]);
        }
        Some(args)
    }

    /// The entries that it asks for.
    fn named<'a>(&self, entries: &'a [Value]) -> Vec<&'a Value> {
        match &self.selection {
            Selection::All => entries.iter().filter(|row| row["parent"].is_null()).collect(),
            Selection::Caches(caches) => entries
                .iter()
                .filter(|row| row["parent"].is_null() && caches.contains(&row["cache"].as_str().unwrap()))
                .collect(),
            Selection::Entries(numbers) if !entries.is_empty() => {
                let places: BTreeSet<usize> = numbers.iter().map(|it| usize::from(*it) % entries.len()).collect();
                places.into_iter().map(|at| &entries[at]).collect()
            }
            Selection::Entries(_) => Vec::new(),
        }
    }
}

fn words(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn number(document: &Value, key: &str) -> u64 {
    document[key].as_u64().unwrap()
}

/// A path without `..`, by its text alone.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut all, part| {
        if part == std::path::Component::ParentDir {
            all.pop();
        } else {
            all.push(part);
        }
        all
    })
}
