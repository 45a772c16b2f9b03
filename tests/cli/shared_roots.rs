//! Several plugins in one folder: bytes are counted once, and nobody can claim, remove, read or name what is another's.

use dscc::clean::{Selection, Target, select};
use dscc::survey::Scope;

use crate::components::{Entry, Plugin, Rule};
use crate::hub::etag;
use crate::tree;
use crate::world::{HUB, REPO, World, write};

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

#[test]
fn what_is_installed_does_not_come_before_what_is_built_in_by_asking_for_marks() {
    let (mut world, hub) = World::with_hub();
    world.plugin("bad", HUB, |plugin| {
        let rule = Rule { id: "bad", locations: &[HUB], marks: &[REPO], indexes: &[] };
        plugin.manifest_of("bad", "1.0.0", &[rule]).entries(&[Entry::new("orphan").owns(REPO)])
    });
    world.built_in_last = true;
    let seen = world.look();
    assert_eq!((seen.cache("hub"), seen.cache("bad")), ((0, 0), (0, 1)));
    assert_eq!((seen.top("bad"), seen.clean(&[])), (Vec::<&str>::new(), 50));
    assert!(!hub.exists(REPO));
}

#[test]
fn what_is_out_of_scope_and_stays_keeps_what_it_needs() {
    let (mut world, hub) = World::with_hub();
    write(&world.sandbox.home().join("bad/thing"), 5);
    let need = hub.root.join(REPO).to_str().unwrap().to_owned();
    world.plugin("bad", "~/bad", |plugin| plugin.entries(&[Entry::new("thing").owns("thing").needs(&need)]));
    world.scope = vec!["hub".into()];
    assert_eq!(world.look().plan(&[]).roots.len(), 1, "a listing does not ask next door");
    world.with_neighbours = true;
    let seen = world.look();
    let targets = vec![Target { text: "model/acme/a".into() }];
    let chosen = select(&seen.found.inventories, &Selection { targets, all: false }).unwrap();
    let force = dscc::clean::Terms::default();
    let plan =
        dscc::clean::plan(&seen.found.inventories, &seen.weights, &chosen, force, Vec::new(), &mut seen.asking());
    assert!(plan.roots.iter().all(dscc::clean::RootPlan::is_empty));
    let kept: Vec<&str> = plan.roots.iter().flat_map(|root| &root.keep).map(|keep| keep.held.reason.as_str()).collect();
    assert!(!kept.is_empty() && kept.iter().all(|it| it.contains("`bad:thing` stays and needs it")), "{kept:?}");
}
