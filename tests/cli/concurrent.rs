//! Several runs at once, and other programs at work in a cache that is cleaned: every byte is freed by one run, nothing that
//! stays or is in use is lost, and the report says why.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dscc::clean::Failure;
use dscc::runs::{Afterwards, Again, Runs, Watch, remove};

use crate::hub::{Hub, commit, etag};
use crate::prompt::on_a_terminal;
use crate::sandbox::{Run, Sandbox, array, ids, reason};
use crate::tree;
use crate::world::World;

/// Runs all of these at the same time.
fn at_once<const N: usize>(sandbox: &Sandbox, commands: [Vec<String>; N]) -> [Run; N] {
    std::thread::scope(|scope| {
        let start = |args| scope.spawn(move || sandbox.dscc(args));
        commands.map(start).map(|running| running.join().unwrap())
    })
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// The exit status agrees with the report; gives what was freed.
#[track_caller]
fn freed(run: &Run) -> u64 {
    if run.status == 5 {
        return 0; // what it was to remove was gone already
    }
    let document = run.json();
    let (failed, kept) = (array(&document, "failed").len(), array(&document, "keep").len());
    match run.status {
        0 => assert_eq!(failed, 0, "{document:#}"),
        1 | 3 => assert!(failed + kept > 0, "{document:#}"),
        status => panic!("{status}: {}", run.text()),
    }
    document["freed"].as_u64().unwrap()
}

/// Twelve repositories, with what is shared between some of them.
fn crowd(sandbox: &Sandbox, with_locks: bool) -> Hub {
    let hub = sandbox.hub();
    for number in 0..8 {
        let repo = hub.model(&format!("m{number}"), 100 + number);
        repo.revision('b', &[("w", 'b', 30), ("s/x", 'a', 0)]).refs("refs/pr/1", 'b');
    }
    let holders: Vec<_> = (0..4).map(|number| hub.repo(&format!("models--acme--s{number}"))).collect();
    let lines: Vec<String> = holders.iter().map(|repo| repo.holds('1')).collect();
    let payload = hub.payload('f', 5000, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    for repo in &holders {
        repo.shared('a', "w", '1', &payload).refs("main", 'a');
    }
    if !with_locks {
        let _ = fs::remove_dir_all(hub.root.join(".locks"));
        let _ = fs::remove_file(hub.root.join(format!("{payload}.lock")));
    }
    hub
}

/// No link leads nowhere, and no ref names what is not there.
#[track_caller]
fn assert_valid(hub: &Hub) {
    for entry in walkdir::WalkDir::new(&hub.root).into_iter().map(Result::unwrap) {
        let path = entry.path();
        assert!(!entry.path_is_symlink() || path.exists(), "{} leads nowhere", path.display());
        if path.parent().is_some_and(|it| it.ends_with("refs")) && path.is_file() {
            let snapshots = path.parent().unwrap().with_file_name("snapshots");
            let named = fs::read_to_string(path).unwrap();
            assert!(snapshots.join(&named).is_dir(), "{} names {named}", path.display());
        }
    }
}

#[test]
fn two_runs_over_the_same_and_overlapping_entries_free_each_byte_once_and_lose_nothing() {
    let overlapping = |from: usize, to: usize| {
        let names = (from..to).map(|number| format!("model/acme/m{number}"));
        let all = names.chain((from / 3..to / 3).map(|number| format!("model/acme/s{number}")));
        ["clean", "-y", "--json"].into_iter().map(str::to_owned).chain(all).collect::<Vec<_>>()
    };
    let revisions = || -> Vec<String> {
        let names = (0..8).map(|number| format!("model/acme/m{number}@{}", commit('a')));
        ["clean", "-y", "--json"].into_iter().map(str::to_owned).chain(names).collect()
    };
    for round in 0..8 {
        let sandbox = Sandbox::new();
        let hub = crowd(&sandbox, round % 2 == 0);
        let size = tree::size(&hub.root);
        let pair = match round % 4 {
            0 | 1 => [words("clean -y --all --json"), words("clean -y --all --json")],
            2 => [overlapping(0, 6), overlapping(3, 8)],
            _ => [revisions(), words("clean -y --all --json")],
        };
        let runs = at_once(&sandbox, pair);
        let sum: u64 = runs.iter().map(freed).sum();
        assert_valid(&hub);
        assert_eq!(sandbox.leftovers(), Vec::<PathBuf>::new(), "{round}");
        let left = tree::size(&hub.root);
        // Edits of lists of holders shorten them; those bytes count for nobody.
        let edited = size - left - sum;
        assert!(edited <= 4 * 100, "{round}: {size} - {left} is not {sum}");
        let rest = sandbox.dscc(["clean", "-y", "--all", "--json"]).expect(0);
        assert_eq!((freed(&rest), tree::size(&hub.root)), (left, 0), "{round}");
    }
}

#[test]
fn a_run_waits_until_another_one_has_ended_its_work_in_the_same_root() {
    let sandbox = Sandbox::new();
    let hub = crowd(&sandbox, true);
    // What a run does as long as it moves things.
    let other = File::open(&hub.root).unwrap();
    other.lock().unwrap();
    let mut run = sandbox.command(words("clean -y --all")).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(hub.exists("models--acme--m0") && run.try_wait().unwrap().is_none());
    drop(other);
    assert!(run.wait().unwrap().success());
    assert_eq!(tree::size(&hub.root), 0);
}

#[test]
fn a_run_beside_an_undo_or_a_deletion_of_an_older_one_leaves_every_entry_whole_or_gone() {
    for (round, beside) in ["undo --json", "undo --discard -y --json", "undo --json"].iter().cycle().take(9).enumerate()
    {
        let sandbox = Sandbox::new();
        let hub = crowd(&sandbox, round % 2 == 0);
        let whole = |name: &str| {
            let folder = hub.root.join(format!("models--acme--{name}"));
            if folder.exists() { tree::read(&folder) } else { tree::Tree::new() }
        };
        let names: Vec<String> =
            (0..8).map(|number| format!("m{number}")).chain((0..4).map(|number| format!("s{number}"))).collect();
        let before: Vec<_> = names.iter().map(|name| whole(name)).collect();
        let first: Vec<String> = ["m0", "m1", "m2", "s0", "s1"].map(|name| format!("model/acme/{name}")).into();
        sandbox.dscc(words("clean -y --keep-undo").into_iter().chain(first)).expect(0);
        let [clean, other] = at_once(&sandbox, [words("clean -y --all --json"), words(beside)]);
        freed(&clean);
        assert!([0, 1, 3, 5].contains(&other.status), "{round}: {}", other.text());
        if other.status == 0 {
            assert_eq!(array(&other.json(), "left").len(), 0, "{round}: {}", other.text());
        }
        assert_valid(&hub);
        for (name, before) in names.iter().zip(&before) {
            let now = whole(name);
            assert!(now.is_empty() || now == *before, "{round}: {name} is neither whole nor gone");
        }
        let run = sandbox.dscc(words("undo --discard -y"));
        assert!([0, 5].contains(&run.status), "{round}: {}", run.text());
        sandbox.dscc(words("clean -y --all")).expect(0);
        assert_eq!((sandbox.leftovers(), tree::size(&hub.root)), (Vec::new(), 0), "{round}");
    }
}

#[test]
fn of_two_undos_one_puts_everything_back_and_the_other_says_that_nothing_is_left_for_it() {
    for round in 0..6 {
        let sandbox = Sandbox::new();
        let hub = crowd(&sandbox, true);
        let before = tree::read(&hub.root);
        sandbox.dscc(words("clean -y --keep-undo --all")).expect(0);
        let undo = || words("undo --json");
        let runs = at_once(&sandbox, [undo(), undo(), words("list")]);
        let mut status: Vec<i32> = runs[..2].iter().map(|run| run.status).collect();
        status.sort_unstable();
        assert!(
            status[0] == 0 && [3, 5].contains(&status[1]),
            "{round}: {status:?}: {}{}",
            runs[0].text(),
            runs[1].text()
        );
        assert_eq!(tree::read(&hub.root), before, "{round}");
        assert_eq!(sandbox.leftovers(), Vec::<PathBuf>::new());
    }
}

#[test]
fn looking_at_what_waits_is_in_nobodys_way() {
    let sandbox = Sandbox::new();
    let hub = crowd(&sandbox, true);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                sandbox.dscc(["list"]).expect(0);
            }
        });
        let work = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..6 {
                sandbox.dscc(words("clean -y --keep-undo --all")).expect(0);
                sandbox.dscc(["undo"]).expect(0);
            }
        }));
        stop.store(true, Ordering::Relaxed);
        work.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    assert_valid(&hub);
}

#[test]
fn what_shares_with_something_that_is_gone_for_good_is_not_put_back() {
    let sandbox = Sandbox::new();
    let hub = crowd(&sandbox, true);
    sandbox.dscc(words("clean -y --keep-undo model/acme/s0 model/acme/m0")).expect(0);
    sandbox.dscc(words("clean -y model/acme/s1 model/acme/s2 model/acme/s3")).expect(0);
    assert!(!hub.exists(format!("blobs/ff/{}", etag('f'))));
    let undone = sandbox.dscc(words("undo --json")).expect(1).json();
    assert!(ids(&array(&undone, "done")).contains(&"model/acme/m0"), "{undone:#}");
    let left = array(&undone, "left");
    assert!(ids(&left).contains(&"model/acme/s0"), "{undone:#}");
    assert!(left.iter().all(|row| row["reason"].as_str().unwrap().contains("shared with others")), "{undone:#}");
    assert_valid(&hub);
}

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn said(&self) -> String {
        format!("(process {})", self.0.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program that is mapped as a reader maps weights: its own file is not open.
#[cfg(target_os = "linux")]
fn mapping(file: &Path) -> Running {
    use std::os::unix::process::CommandExt as _;
    let sleep = ["/bin/sleep", "/usr/bin/sleep"].iter().find(|path| Path::new(path).exists()).unwrap();
    fs::copy(fs::canonicalize(sleep).unwrap(), file).unwrap();
    Running(Command::new(file).arg0("sleep").arg("300").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
}

#[test]
#[cfg(target_os = "linux")]
fn weights_that_are_mapped_stay_with_the_revision_and_the_reason_names_the_reader() {
    let sandbox = Sandbox::new();
    let hub = crowd(&sandbox, true);
    let weights = hub.root.join("models--acme--m0/blobs").join(etag('a'));
    let reader = mapping(&weights);
    let descriptors = fs::read_dir(format!("/proc/{}/fd", reader.0.id())).unwrap();
    assert!(!descriptors.flatten().any(|it| fs::read_link(it.path()).is_ok_and(|it| it == weights)));
    let before = tree::read(&hub.root.join("models--acme--m0"));
    for args in ["clean -y --all --json", "clean -y --all --keep-undo --json", "clean -y --all --no-record --json"] {
        let document = sandbox.dscc(words(args)).json();
        let why = reason(&document, "model/acme/m0");
        assert!(why.contains(&reader.said()) && why.contains("--force in-use"), "{why}");
        assert_eq!(tree::read(&hub.root.join("models--acme--m0")), before, "{args}");
    }
    assert!(!hub.exists("models--acme--m1"));
    let forced = sandbox.json(words("clean -y --all --force in-use"));
    let told = array(&forced, "remove").iter().any(|row| row["reason"].as_str().unwrap().contains(&reader.said()));
    assert!(told && !hub.exists("models--acme--m0"), "{forced:#}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_partial_download_that_is_written_meanwhile_loses_no_byte_and_the_reason_names_the_writer() {
    let sandbox = Sandbox::new();
    let hub = crowd(&sandbox, true);
    let name = format!("{}.0a1b2c3d.incomplete", etag('d'));
    let partial = hub.root.join("models--acme--m0/blobs").join(&name);
    let file = OpenOptions::new().create(true).append(true).open(&partial).unwrap();
    let writing = "i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done; sleep 300";
    let writer = Running(Command::new("sh").args(["-c", writing]).stdout(Stdio::from(file)).spawn().unwrap());
    for args in ["clean -y --all --json", "clean -y --all --keep-undo --json"] {
        let document = sandbox.dscc(words(args)).json();
        let why = reason(&document, &format!("model/acme/m0/blobs/{name}"));
        assert!(why.contains(&writer.said()), "{why}");
        // The repository stays, because it holds what stays.
        assert!(ids(&array(&document, "keep")).contains(&"model/acme/m0"), "{document:#}");
    }
    let written: String = (0..2000).map(|number| format!("{number}\n")).collect();
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while fs::read_to_string(&partial).unwrap() != written {
        assert!(std::time::Instant::now() < until, "the writer does not come to its end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The last look at what is in use is over when the reader comes, and the removal has begun.
#[test]
#[cfg(target_os = "linux")]
fn what_a_process_opens_after_the_last_look_is_put_back_unless_forced_and_the_reason_names_it() {
    for (spare_used, goes) in [(true, false), (false, true)] {
        let (world, hub) = World::with_hub();
        hub.model("b", 20).revision('b', &[("w", 'b', 30)]);
        let before = tree::read(&hub.root);
        let seen = world.look();
        let plan = seen.plan(&["model/acme/a", "model/acme/b"]);
        let blob = hub.root.join("models--acme--b/blobs").join(etag('b'));
        let reader = Running(Command::new("sleep").arg("300").stdin(File::open(blob).unwrap()).spawn().unwrap());
        let runs = Runs::new(&world.sandbox.path("state"));
        let mut again = |_: usize| Again { claimed: Ok(HashSet::new()), spare_used };
        let (all, watch) = (&seen.found.inventories, Watch::default());
        let done = remove(&runs, vec![], (all, &plan), &mut again, Afterwards::Delete, &watch).unwrap();
        let failed: Vec<_> = done.outcomes.iter().flat_map(|outcome| &outcome.failed).collect();
        assert_eq!(done.outcomes.iter().all(|outcome| outcome.removed.is_empty()), !goes, "{failed:?}");
        let is_named = |it: &&&Failure| it.consequence.as_ref().is_some_and(|why| why.contains(&reader.said()));
        assert_eq!(failed.iter().filter(is_named).count() > 0, !goes, "{failed:?}");
        assert_eq!(tree::read(&hub.root) == before, !goes);
        assert_eq!((done.held, world.sandbox.leftovers()), (None, vec![]));
    }
}

#[test]
fn a_payload_stays_while_somebody_holds_its_lock_and_the_reason_says_so() {
    let sandbox = Sandbox::new();
    let hub = crowd(&sandbox, true);
    let payload = format!("blobs/ff/{}", etag('f'));
    let lock = File::open(hub.root.join(format!("{payload}.lock"))).unwrap();
    lock.lock().unwrap();
    let document = sandbox.dscc(words("clean -y --all --json")).expect(0).json();
    for number in 0..4 {
        let why = reason(&document, &format!("model/acme/s{number}"));
        assert!(why.contains(&format!("{payload}.lock")), "{why}");
    }
    assert!(hub.exists(&payload) && !hub.exists("models--acme--m0"));
    assert_valid(&hub);
    drop(lock);
    sandbox.dscc(words("clean -y --all")).expect(0);
    assert_eq!(tree::size(&hub.root), 0);
}

/// Between the plan that is shown and the answer a download links to the payload and adds its line to the list of holders.
#[test]
fn a_holder_that_appears_after_the_plan_was_shown_keeps_the_payload() {
    let sandbox = Sandbox::new();
    let hub = crowd(&sandbox, true);
    let payload = format!("blobs/ff/{}", etag('f'));
    let question = sandbox.path("asked");
    let shared = sandbox.path("new");
    fs::create_dir(&question).unwrap();
    // The answer comes from a program that first does what a download does.
    let new = Hub::at(shared.clone());
    new.repo("models--acme--new").shared('a', "w", '1', &payload).refs("main", 'a');
    let line = hub.repo("models--acme--new").holds('1');
    let holders = hub.root.join(format!("{payload}.refs"));
    let entries = "model/acme/s0 model/acme/s1 model/acme/s2 model/acme/s3";
    let Some(mut terminal) = Terminal::new(&sandbox, &format!("clean {entries}")) else { return };
    terminal.wait_for("[y/N");
    fs::rename(shared.join("models--acme--new"), hub.root.join("models--acme--new")).unwrap();
    writeln!(OpenOptions::new().append(true).open(&holders).unwrap(), "{line}").unwrap();
    terminal.answer("y\n");
    let shown = terminal.end();
    assert!(hub.exists(&payload), "{shown}");
    assert!(fs::read_to_string(&holders).unwrap().contains(&line), "{shown}");
    assert_valid(&hub);
    // The new holder is an ordinary one from now on.
    sandbox.dscc(words("clean -y --all")).expect(0);
    assert_eq!(tree::size(&hub.root), 0);
}

/// A run on a terminal that is answered while it waits.
struct Terminal {
    child: Child,
    shown: std::sync::mpsc::Receiver<Vec<u8>>,
    text: String,
}

impl Terminal {
    fn new(sandbox: &Sandbox, args: &str) -> Option<Self> {
        // Whether there is one at all is found out as in the tests of the question.
        on_a_terminal(sandbox, "paths", "")?;
        let mut command = crate::prompt::terminal(sandbox, args);
        let mut child = command.spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        let (sender, shown) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = std::io::Read::read(&mut output, &mut piece) {
                let _ = sender.send(piece[..read].to_vec());
            }
        });
        Some(Self { child, shown, text: String::new() })
    }

    fn wait_for(&mut self, text: &str) {
        while !self.text.contains(text) {
            let piece = self.shown.recv_timeout(Duration::from_secs(60));
            self.text += &String::from_utf8_lossy(&piece.unwrap_or_else(|_| panic!("{}", self.text)));
        }
    }

    fn answer(&mut self, text: &str) {
        self.child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn end(mut self) -> String {
        self.child.wait().unwrap();
        while let Ok(piece) = self.shown.recv_timeout(Duration::from_secs(5)) {
            self.text += &String::from_utf8_lossy(&piece);
        }
        self.text
    }
}
