//! Several plugins in one folder, and folders in each other: bytes are counted once, and nobody can claim, remove, read
//! or name what is another's.

use std::fs;
use std::path::{Path, PathBuf};

use dscc::clean::{
    Advice, EntryIx, Force, Inventory, Outcome, Plan, Selection, Target, Weights, execute, plan, select, union,
};
use dscc::model::{Detail, Edit};
use dscc::roots::{Environment, Override};
use dscc::runtime::{Limits, OnDemand};
use dscc::survey::{Found, Scope, Survey, weigh};
use dscc::tree::Progress;

use crate::components::{Entry, Plugin, catalog};
use crate::hub::{Hub, etag};
use crate::sandbox::{Sandbox, array, code_dir};
use crate::tree;

const REPO: &str = "models--acme--a";

/// The built-in plugin and others by name.
struct World {
    sandbox: Sandbox,
    plugins: Vec<(&'static str, Vec<u8>)>,
    /// Where the hub is, if not at its usual place.
    hub: Option<PathBuf>,
    /// Whether the built-in plugin comes after the others.
    built_in_last: bool,
    /// The words of `-c`.
    scope: Vec<String>,
}

/// What was found and listed.
struct Seen {
    survey: Survey,
    found: Found,
    weights: Vec<Weights>,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        Self { sandbox, plugins: Vec::new(), hub: None, built_in_last: false, scope: Vec::new() }
    }

    /// A hub with a model of 10 bytes, at its usual place.
    fn with_hub() -> (Self, Hub) {
        let world = Self::new();
        let hub = world.sandbox.hub();
        hub.model("a", 10);
        (world, hub)
    }

    /// A plugin with one rule for one place and one cache, all of the same name.
    fn plugin(&mut self, name: &'static str, place: &str, change: impl FnOnce(Plugin) -> Plugin) {
        let plugin = Plugin::new().manifest(name, "1.0.0", name, place).caches(&[(name, "")]);
        self.plugins.push((name, change(plugin).build()));
    }

    fn look(&self) -> Seen {
        let environment = Environment {
            home: Some(self.sandbox.home()),
            cache: self.sandbox.home().join(".cache"),
            temp: self.sandbox.path("tmp"),
            ..Environment::default()
        };
        let components: Vec<(&str, &[u8])> =
            self.plugins.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        let mut catalog = catalog(&components, Limits::default());
        if !self.built_in_last {
            catalog.plugins.rotate_left(components.len());
        }
        let hub = self.hub.iter().map(|path| Override { rule: "hub".into(), path: path.clone() });
        let survey = Survey::new(OnDemand::new(&code_dir()), catalog, environment, hub.collect());
        let mut found = survey.find(&Scope { names: self.scope.clone() });
        survey.list_top(&mut found.inventories, Detail::Full, &mut found.problems);
        for inventory in &mut found.inventories {
            let top: Vec<EntryIx> = (0..inventory.items.len()).collect();
            survey.list_below(inventory, &top, &mut found.problems);
        }
        let weights = weigh(&found.inventories, &Progress::default());
        Seen { survey, found, weights }
    }
}

impl Seen {
    /// The place of a cache.
    #[track_caller]
    fn cache(&self, id: &str) -> (usize, usize) {
        let caches = self.found.inventories.iter().enumerate().flat_map(|(at, inventory)| {
            inventory.caches.iter().enumerate().map(move |(cache, state)| (at, cache, &state.cache.id))
        });
        let found: Vec<(usize, usize)> = caches.filter(|it| it.2 == id).map(|(at, cache, _)| (at, cache)).collect();
        let [one] = found.as_slice() else { panic!("{id}: {found:?}, {:?}", self.found.problems) };
        *one
    }

    fn size(&self, id: &str) -> u64 {
        let (at, cache) = self.cache(id);
        self.weights[at].cache(&self.found.inventories[at], cache).size
    }

    fn unclaimed(&self, id: &str) -> u64 {
        let (at, cache) = self.cache(id);
        self.weights[at].unclaimed(cache).size
    }

    fn total(&self) -> u64 {
        union(&self.found.inventories, &self.weights).size
    }

    /// The ids of a cache's first level.
    fn top(&self, id: &str) -> Vec<&str> {
        let (at, cache) = self.cache(id);
        let inventory = &self.found.inventories[at];
        inventory.caches[cache].top.iter().map(|&ix| inventory.items[ix].entry.id.as_str()).collect()
    }

    /// The host's remarks on a cache: code and message.
    fn remarks(&self, id: &str) -> Vec<(&str, &str)> {
        let (at, cache) = self.cache(id);
        let remarks = &self.found.inventories[at].caches[cache].remarks;
        remarks.iter().map(|remark| (remark.code.as_str(), remark.message.as_str())).collect()
    }

    fn told(&self) -> Vec<(&str, &str)> {
        self.found.problems.iter().map(|it| (it.code.as_str(), it.message.as_str())).collect()
    }

    /// What a selection comes to: entries by name, or all that is in scope.
    fn plan(&self, names: &[&str]) -> Plan {
        let targets = names.iter().map(|name| Target { text: (*name).to_owned() }).collect();
        let chosen = select(&self.found.inventories, &Selection { targets, all: names.is_empty() }).unwrap();
        let (found, force) = (&self.found.inventories, Force { irreplaceable: true, needed: true });
        plan(found, &self.weights, &chosen, force, Vec::new(), &mut Asking(&self.survey))
    }

    /// Removes all of it.
    fn clean(&self, names: &[&str]) -> u64 {
        let plan = self.plan(names);
        let run = |(inventory, root)| execute(inventory, root, &Progress::default());
        let outcomes: Vec<Outcome> = self.found.inventories.iter().zip(&plan.roots).map(run).collect();
        let freed = outcomes.iter().map(|outcome| outcome.freed.size).sum();
        assert_eq!(freed, plan.roots.iter().map(|root| root.expected.size).sum::<u64>());
        freed
    }
}

struct Asking<'a>(&'a Survey);

impl Advice for Asking<'_> {
    fn edits(&self, inventory: &Inventory, cache: usize, ids: &[String]) -> Result<Vec<Edit>, String> {
        self.0.edits(inventory, cache, ids)
    }

    fn in_use(&mut self, _: &Inventory, _: EntryIx) -> Option<String> {
        None
    }
}

fn write(at: &Path, size: usize) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, vec![b'x'; size]).unwrap();
}

const HUB: &str = "~/.cache/huggingface/hub";

#[test]
fn two_plugins_in_one_folder_add_up_and_what_nobody_claims_counts_once() {
    let (mut world, hub) = World::with_hub();
    write(&hub.root.join("legacy/file"), 300);
    write(&hub.root.join("stray"), 7);
    world.plugin("old", HUB, |plugin| plugin.entries(&[Entry::new("legacy").owns("legacy")]));
    let seen = world.look();
    assert_eq!((seen.found.inventories.len(), seen.told()), (1, vec![]));
    assert_eq!((seen.size("hub"), seen.size("old")), (57, 300));
    assert_eq!((seen.unclaimed("hub"), seen.unclaimed("old")), (7, 0));
    assert_eq!([seen.total(), tree::size(&hub.root)], [357; 2]);
    let place = hub.root.display();
    let shared = format!("`{place}` is the folder of hf-hub's hub, too: each byte is counted once");
    assert_eq!(seen.remarks("old"), [("root-shared", shared.as_str())]);
    assert_eq!(seen.remarks("hub"), []);
    let before = tree::read(&hub.root);
    assert_eq!(seen.clean(&["old:legacy"]), 300);
    tree::assert_gone(&before, &tree::read(&hub.root), &["legacy"]);
}

#[test]
fn a_claim_on_a_neighbours_place_in_it_or_around_it_is_left_out_and_nothing_goes() {
    let blob = format!("{REPO}/blobs/{}", etag('a'));
    for claim in [blob.as_str(), REPO, &format!("{REPO}/refs"), &format!(".locks/{REPO}"), ".locks"] {
        for shared in [false, true] {
            let (mut world, hub) = World::with_hub();
            let fake = Entry::new("orphan");
            let fake = if shared { fake.shares(claim) } else { fake.owns(claim) };
            world.plugin("bad", HUB, |plugin| plugin.entries(&[fake]));
            // With `-c bad` the hub is out of scope; its claims count all the same.
            for scope in [vec![], vec!["bad".to_owned()]] {
                world.scope = scope;
                let seen = world.look();
                assert_eq!(seen.top("bad"), Vec::<&str>::new(), "{claim}");
                let remark = "1 entry is left out, because hf-hub claims the same place: `orphan`";
                assert_eq!(seen.remarks("bad")[1], ("claimed-by-other", remark), "{claim}");
                assert_eq!((seen.size("hub"), seen.size("bad")), (50, 0), "{claim}");
            }
            let before = tree::read(&hub.root);
            assert_eq!(world.look().clean(&[]), 0, "{claim}");
            assert_eq!(tree::read(&hub.root), before, "{claim}");
        }
    }
}

#[test]
fn a_rule_that_has_marks_comes_before_one_without_whoever_is_asked_first() {
    let (mut world, _) = World::with_hub();
    world.plugin("bad", HUB, |plugin| plugin.entries(&[Entry::new("orphan").owns(REPO)]));
    world.built_in_last = true;
    let seen = world.look();
    assert_eq!((seen.cache("hub"), seen.cache("bad")), ((0, 0), (0, 1)));
    assert_eq!((seen.top("hub").len(), seen.top("bad").len()), (1, 0));
}

#[test]
fn what_is_out_of_scope_is_not_chosen_not_found_and_not_in_the_total() {
    let (mut world, hub) = World::with_hub();
    write(&hub.root.join("legacy/file"), 300);
    world.plugin("old", HUB, |plugin| plugin.entries(&[Entry::new("legacy").owns("legacy")]));
    world.scope = vec!["old".into()];
    let seen = world.look();
    assert_eq!(seen.total(), 300);
    let targets = vec![Target { text: "model/acme/a".into() }];
    assert!(select(&seen.found.inventories, &Selection { targets, all: false }).is_err());
    let before = tree::read(&hub.root);
    assert_eq!(seen.clean(&[]), 300);
    tree::assert_gone(&before, &tree::read(&hub.root), &["legacy"]);
}

#[test]
fn a_plugin_that_comes_first_and_fails_keeps_the_others_from_removing_what_may_be_its() {
    type Change = fn(Plugin) -> Plugin;
    let failing: [Change; 2] = [|plugin| plugin.listing("(unreachable)"), |plugin| plugin.caches(&[("bad", "..")])];
    for fail in failing {
        let mut world = World::new();
        write(&world.sandbox.home().join("bad/thing/file"), 5);
        world.plugin("bad", "~/bad", fail);
        world.plugin("worse", "~/bad", |plugin| plugin.entries(&[Entry::new("thing").owns("thing")]));
        let seen = world.look();
        assert_eq!(seen.told().len(), 1, "{:?}", seen.told());
        assert_eq!((seen.size("worse"), seen.total()), (5, 5));
        let plan = seen.plan(&["thing"]);
        assert!(plan.roots[0].is_empty());
        let reason = &plan.roots[0].keep[0].held.reason;
        assert!(reason.starts_with("bad is asked first here and could not see everything"), "{reason}");
    }
    let mut world = World::new();
    write(&world.sandbox.home().join("bad/thing/file"), 5);
    world.plugin("worse", "~/bad", |plugin| plugin.entries(&[Entry::new("thing").owns("thing")]));
    world.plugin("bad", "~/bad", failing[0]);
    assert_eq!(world.look().clean(&["thing"]), 5, "one that comes later concerns nobody");
}

#[test]
fn each_plugin_knows_the_folder_by_the_name_that_led_it_there() {
    let mut world = World::new();
    let home = world.sandbox.home();
    write(&home.join("bad/one"), 1);
    write(&home.join("bad/two"), 2);
    std::os::unix::fs::symlink("bad", home.join("link")).unwrap();
    world.plugin("bad", "~/bad", |plugin| plugin.entries(&[Entry::new("one").owns("one")]));
    world.plugin("worse", "~/link", |plugin| plugin.entries(&[Entry::new("two").owns("two")]));
    let seen = world.look();
    assert_eq!(seen.found.inventories.len(), 1);
    let inventory = &seen.found.inventories[0];
    assert_eq!((inventory.given(0), inventory.given(1)), (home.join("bad").as_path(), home.join("link").as_path()));
    assert_eq!(inventory.root_of(1).given(), home.join("link"));
    assert_eq!((seen.size("bad"), seen.size("worse")), (1, 2));
}

/// A hub within what a plugin of another folder claims.
fn nested(change: impl FnOnce(Plugin) -> Plugin) -> (World, Hub) {
    let mut world = World::new();
    let home = world.sandbox.home();
    let hub = Hub::at(home.join("bad/thing/hub"));
    hub.model("a", 10);
    write(&home.join("bad/thing/file"), 300);
    write(&home.join("bad/stray"), 7);
    world.hub = Some(hub.root.clone());
    world.plugin("bad", "~/bad", change);
    (world, hub)
}

#[test]
fn of_nested_folders_the_inner_one_is_not_counted_nor_removed_with_the_outer() {
    let inner = format!("thing/hub/{REPO}");
    let claims = ["thing", "thing/hub", &inner];
    let entries = claims.map(|claim| Entry::new(claim.replace('/', "-")).owns(claim));
    let (world, hub) = nested(|plugin| plugin.entries(&entries));
    let seen = world.look();
    assert_eq!((seen.size("hub"), seen.size("bad"), seen.unclaimed("bad"), seen.total()), (50, 307, 7, 357));
    let remark = format!("`{}` in it is counted as hub (hf-hub)", hub.root.display());
    assert_eq!(seen.remarks("bad"), [("root-nested", remark.as_str())]);
    assert_eq!(seen.remarks("hub"), []);
    let (bad, _) = seen.cache("bad");
    let inventory = &seen.found.inventories[bad];
    let size = |ix| seen.weights[bad].entry(inventory, ix).size;
    assert_eq!((0..3).map(size).collect::<Vec<_>>(), [300, 0, 0]);
    let before = tree::read(&world.sandbox.home().join("bad"));
    assert_eq!(seen.clean(&["bad:thing", "bad:thing-hub", &format!("bad:thing-hub-{REPO}")]), 300);
    tree::assert_gone(&before, &tree::read(&world.sandbox.home().join("bad")), &["thing/file"]);
}

#[test]
fn an_inner_folder_of_a_plugin_that_fails_stays_its_own_and_is_counted_nowhere() {
    let (mut world, hub) = nested(|plugin| plugin);
    world.plugin("worse", "~/bad/thing/worse", |plugin| plugin.caches(&[("worse", "..")]));
    write(&world.sandbox.home().join("bad/thing/worse/file"), 1000);
    let seen = world.look();
    assert_eq!((seen.told().len(), seen.remarks("bad").len(), seen.size("bad"), seen.total()), (1, 1, 307, 357));
    assert_eq!(seen.clean(&["thing"]), 300);
    assert!(world.sandbox.home().join("bad/thing/worse/file").exists() && hub.exists(REPO));
}

#[test]
fn the_plugin_of_the_outer_folder_cannot_read_or_walk_the_inner_one_by_its_path() {
    let mut plugin = Plugin::new();
    let refs = format!("thing/hub/{REPO}/refs/main");
    let (files, count) = plugin.texts_at(&["thing/file", &refs]);
    let paths = ["thing", "thing/hub", &format!("thing/hub/{REPO}")];
    let walked: Vec<(u32, usize)> = paths.iter().map(|path| (plugin.bytes_at(path.as_bytes()), path.len())).collect();
    let text = plugin.bytes_at(b"-----");
    let answer = plugin.error_at(text, 5);
    let digit = |at: u32, result: &str| {
        format!(
            "(i32.store8 (i32.const {}) (i32.add (i32.const 48) (select
               (i32.add (i32.const 1) (i32.load8_u offset=4 {result})) (i32.const 0) (i32.load8_u {result}))))",
            text + at
        )
    };
    // 0 for what was granted, else 1 more than the error's place in `fs-error`.
    let mut body = format!(
        "(call $read (local.get $root) (i32.const {files}) (i32.const {count}) (i32.const 1000) (i32.const 0x100))"
    );
    body += &digit(0, "(i32.load (i32.const 0x100))");
    body += &digit(1, "(i32.add (i32.load (i32.const 0x100)) (i32.const 12))");
    for (place, (at, length)) in walked.into_iter().enumerate() {
        body += &format!(
            "(call $walk (local.get $root) (i32.const {at}) (i32.const {length}) (i32.const 0) (i32.const 0)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x180))"
        );
        body += &digit(2 + u32::try_from(place).unwrap(), "(i32.const 0x180)");
    }
    body += &format!("(call $drop (local.get $root)) (i32.const {answer})");
    let (world, _) = nested(|_| plugin.listing(&body));
    let seen = world.look();
    let told = seen.told();
    // `not-found` is the first error.
    assert!(told.len() == 1 && told[0].0 == "plugin-error" && told[0].1.contains(": 01011"), "{told:?}");
}

#[test]
fn a_hard_link_between_two_folders_is_counted_once_in_all() {
    let (mut world, hub) = World::with_hub();
    let home = world.sandbox.home();
    fs::create_dir_all(home.join("bad/thing")).unwrap();
    let blob = hub.root.join(REPO).join("blobs").join(etag('a'));
    fs::hard_link(blob, home.join("bad/thing/link")).unwrap();
    write(&home.join("bad/thing/file"), 300);
    world.plugin("bad", "~/bad", |plugin| plugin);
    let seen = world.look();
    assert_eq!((seen.size("hub"), seen.size("bad"), seen.total()), (50, 310, 350));
}

#[test]
fn a_child_that_claims_beside_its_parent_costs_the_level_and_the_parent_stays() {
    for claim in ["other", "thing2", "other/file"] {
        let mut world = World::new();
        for file in ["thing/file", "thing2/file", "other/file"] {
            write(&world.sandbox.home().join("bad").join(file), 5);
        }
        let children = [Entry::new("thing/1").owns("thing/file"), Entry::new("thing/2").owns(claim)];
        world.plugin("bad", "~/bad", |plugin| {
            plugin.levels(&[Entry::new("thing").owns("thing").with_children()], &children)
        });
        let seen = world.look();
        let rule = format!("`thing/2` owns `{claim}`, which its parent `thing` does not claim");
        let message = format!("plugin `bad`, list-entries: its answer breaks a rule: {rule}");
        assert_eq!(seen.told(), [("plugin-answer", message.as_str())]);
        assert_eq!(seen.found.problems[0].id.as_deref(), Some("thing"));
        assert_eq!((seen.found.inventories[0].items.len(), seen.clean(&["thing"])), (1, 0));
        let mut again = seen.survey.find(&Scope::default());
        seen.survey.list_whole(&mut again.inventories, &mut again.problems);
        assert_eq!(again.problems, seen.found.problems, "told once");
    }
}

#[test]
fn a_word_of_the_command_line_belongs_to_one_plugin() {
    for word in ["hub", "hf-hub", "first", "first-rule", "first-cache", "third"] {
        let (mut world, _) = World::with_hub();
        for folder in ["a", "b", "c"] {
            write(&world.sandbox.home().join(folder).join("thing/file"), 5);
        }
        world.plugin("first", "~/a", |plugin| {
            plugin.manifest("first", "1.0.0", "first-rule", "~/a").caches(&[("first-cache", "")])
        });
        world.plugin("second", "~/b", |plugin| plugin.caches(&[("fine", ""), (word, "")]));
        world.plugin("third", "~/c", |plugin| plugin);
        let seen = world.look();
        let owner = match word {
            "hub" | "hf-hub" => "hf-hub",
            "third" => "third",
            _ => "first",
        };
        let rule = format!("it calls a cache `{word}`, which is a word of the plugin `{owner}`");
        let message = format!("plugin `second`, discover: its answer breaks a rule: {rule}");
        assert_eq!(seen.told(), [("plugin-answer", message.as_str())], "{word}");
        assert_eq!(seen.found.inventories.len(), 3, "all but the second one's: {word}");
    }
}

/// Two hubs, one in the other: the whole program with what is built in.
#[test]
fn list_tells_of_nested_folders_and_counts_a_hard_link_once() {
    let sandbox = Sandbox::new();
    let outer = Hub::at(sandbox.home().join("outer"));
    let inner = Hub::at(outer.root.join("models--acme--a/inner"));
    outer.model("a", 100);
    inner.model("b", 20);
    let blob = Path::new("blobs").join(etag('a'));
    fs::hard_link(inner.root.join("models--acme--b").join(&blob), outer.root.join("linked")).unwrap();
    let roots = [&outer, &inner].map(|hub| format!("--root=hub={}", hub.root.display()));
    let list = sandbox.json(["list", &roots[0], &roots[1]]);
    let rows = array(&list, "caches");
    let sizes: Vec<u64> = rows.iter().map(|row| row["size"].as_u64().unwrap()).collect();
    assert_eq!((sizes, &list["size"]), (vec![160, 60], &200.into()));
    let remark = format!("`{}` in it is counted as hub (hf-hub)", inner.root.display());
    let warnings = array(&rows[0], "warnings");
    assert_eq!((&warnings[0]["code"], &warnings[0]["message"]), (&"root-nested".into(), &remark.as_str().into()));
    assert_eq!((&warnings[0]["cache"], &warnings[0]["plugin"]), (&"hub".into(), &"hf-hub".into()));
    assert_eq!((warnings.len(), array(&rows[1], "warnings").len()), (1, 0));
    let run = sandbox.dscc(["list", &roots[0], &roots[1]]).expect(0);
    assert!(run.stdout.lines().last().unwrap().contains("200 B"), "{}", run.stdout);
    assert!(run.stderr.lines().any(|line| line.contains(&remark)), "{}", run.stderr);
    let before = tree::read(&outer.root);
    sandbox.dscc(["clean", "-y", "model/acme/a", &roots[0], &roots[1]]).expect(0);
    let gone = ["blobs", "refs", "snapshots"].map(|part| format!("{REPO}/{part}"));
    let locks = format!(".locks/{REPO}");
    let gone = [&gone[0], &gone[1], &gone[2], &locks].map(String::as_str);
    let after = tree::read(&outer.root);
    assert!(gone.iter().all(|path| !after.contains_key(Path::new(path))), "{after:?}");
    let within = |path: &Path| path.starts_with(format!("{REPO}/inner")) || path == Path::new("linked");
    let kept = |tree: &tree::Tree| tree.clone().into_iter().filter(|(path, _)| within(path)).collect::<Vec<_>>();
    assert_eq!(kept(&before), kept(&after));
}
