//! Tokens, passwords and the user's settings are out of every plugin's reach, installed or built in, whatever root it has
//! and whatever it claims: they are not listed, counted, read, named or removed, and that is no failure.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::Value;

use crate::components::{Entry, Manifest, Plugin};
use crate::hub::Hub;
use crate::sandbox::{Run, Sandbox, array, ids, paths};
use crate::tree::{self, Tree};
use crate::world;

const TOKEN: &str = "hf_thisIsTheSecretToken";
const HF_HOME: &str = "home/.cache/huggingface";

/// A home with credentials in HF_HOME, and beside them what a plugin may have: `stuff/file` of 5 bytes, `stray` of 7.
struct Home {
    sandbox: Sandbox,
    variables: Vec<(&'static str, PathBuf)>,
}

impl Home {
    fn new() -> Self {
        let home = Self { sandbox: Sandbox::new(), variables: Vec::new() };
        for (file, content) in [
            ("token", TOKEN),
            ("stored_tokens", "[mine]\nhf_token = hf_thisIsTheSecretToken\n"),
            ("accelerate/default_config.yaml", "secret: hf_thisIsTheSecretToken\n"),
            ("stuff/file", "12345"),
            ("stray", "1234567"),
        ] {
            home.write(&format!("{HF_HOME}/{file}"), content);
        }
        home
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.sandbox.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Installs a plugin with one cache, all of it in one folder.
    fn install(&self, location: &str, entries: &[Entry]) {
        self.install_as(location, |plugin| plugin.entries(entries));
    }

    fn install_as(&self, location: &str, change: impl FnOnce(Plugin) -> Plugin) {
        self.sandbox.install("bad", &change(Plugin::new().manifest("bad", "1.0.0", "bad", location)));
    }

    /// Runs the program, which never tells a secret.
    #[track_caller]
    fn dscc(&self, args: &[&str]) -> Run {
        let mut command = self.sandbox.command(args);
        let run = Run::of(command.envs(self.variables.iter().cloned()).output().unwrap());
        assert!(!run.text().contains(TOKEN), "{}", run.text());
        run
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        self.dscc(&[args, &["--json"]].concat()).expect(0).json()
    }

    /// The row of a cache in `list`.
    #[track_caller]
    fn row(&self, cache: &str) -> Value {
        let rows = array(&self.json(&["list"]), "caches");
        rows.iter().find(|row| row["cache"] == cache).unwrap_or_else(|| panic!("no {cache} in {rows:?}")).clone()
    }

    fn tree(&self, folder: &str) -> Tree {
        tree::read(&self.sandbox.path(folder))
    }

    /// Cleans everything: in a folder exactly these paths go, with this many bytes in all, as the dry run says.
    #[track_caller]
    fn clean(&self, folder: &str, gone: &[&str], freed: u64) {
        let before = self.tree(folder);
        let planned = self.json(&["clean", "--all", "-n"]);
        assert_eq!((&planned["expected"], self.tree(folder)), (&freed.into(), before.clone()), "{planned:#}");
        let done = self.json(&["clean", "--all", "-y"]);
        assert_eq!((&done["freed"], array(&done, "failed")), (&freed.into(), vec![]), "{done:#}");
        assert_eq!(planned["remove"], done["remove"]);
        tree::assert_gone(&before, &self.tree(folder), gone);
    }
}

#[test]
fn a_claim_of_a_credential_is_none() {
    let home = Home::new();
    let token = Entry::new("token").owns("token").reclaim("nobody wants it");
    home.install(
        "~/.cache/huggingface",
        &[
            token.clone(),
            Entry::new("stored").shares("stored_tokens"),
            Entry::new("settings").owns("accelerate"),
            Entry::new("within").owns("accelerate/default_config.yaml"),
            Entry::new("mixed").owns("stuff").owns("stored_tokens.lock").shares("accelerate/more"),
        ],
    );
    let row = home.row("bad");
    let numbers = ["entries", "size", "files", "unclaimed"].map(|key| row[key].as_u64().unwrap());
    assert_eq!(numbers, [1, 12, 2, 7], "{row:#}");
    let shown = home.json(&["show", "--children"]);
    let rows = array(&shown, "entries");
    assert_eq!((ids(&rows), paths(&rows)), (vec!["mixed"], vec!["stuff".to_owned()]));
    assert!(!shown.to_string().contains("token") && !shown.to_string().contains("accelerate"), "{shown:#}");
    home.dscc(&["clean", "-y", "bad:token"]).expect(5);
    home.clean(HF_HOME, &["stuff"], 5);
}

#[test]
fn a_claim_of_a_child_is_none_either() {
    let home = Home::new();
    let parent = Entry::new("all").owns("stuff").owns("accelerate").with_children();
    let children = [
        Entry::new("all/settings").owns("accelerate/default_config.yaml"),
        Entry::new("all/file").owns("stuff/file").shares("accelerate/more"),
    ];
    home.install_as("~/.cache/huggingface", |plugin| plugin.levels(&[parent], &children));
    let rows = array(&home.json(&["show", "--children"]), "entries");
    assert_eq!((ids(&rows), paths(&rows)), (vec!["all", "all/file"], vec!["stuff".into(), "stuff/file".into()]));
    home.clean(HF_HOME, &["stuff"], 5);
}

#[test]
fn a_claim_around_credentials_takes_all_but_them() {
    let mut home = Home::new();
    home.variables.push(("HF_HOME", home.sandbox.home().join("work/models/hf")));
    for (file, content) in [("hf/token", TOKEN), ("hf/hub/file", "12345"), ("hf/stuff", "123"), ("other/token", "12")] {
        home.write(&format!("home/work/models/{file}"), content);
    }
    home.install("~/work", &[Entry::new("all").owns("models")]);
    assert_eq!(home.row("bad")["size"], 10);
    home.clean("home/work", &["models/hf/hub", "models/hf/stuff", "models/other"], 10);
    // What is left is an entry that frees nothing.
    assert_eq!((&home.row("bad")["size"], &home.row("bad")["unclaimed"]), (&0.into(), &0.into()));
    home.clean("home/work", &[], 0);
}

#[test]
fn a_folder_that_a_credential_keeps_is_not_planned_to_go() {
    let mut world = world::World::new();
    world::write(&world.sandbox.home().join(".cache/huggingface/token"), 100);
    for file in ["huggingface/file", "other/file"] {
        world::write(&world.sandbox.home().join(".cache").join(file), 1);
    }
    let entries = [Entry::new("one").owns("huggingface/file"), Entry::new("two").owns("other/file")];
    world.plugin("bad", "~/.cache", |plugin| plugin.entries(&entries));
    let seen = world.look();
    let plan = seen.plan(&[]);
    let steps: Vec<String> = plan.roots.iter().flat_map(|root| &root.steps).map(|it| it.path.to_string()).collect();
    assert_eq!(steps, ["huggingface/file", "other/file", "other"]);
    assert_eq!(seen.clean(&[]), 2);
    assert!(world.sandbox.home().join(".cache/huggingface/token").exists());
}

#[test]
fn a_plugin_that_reads_or_walks_credentials_finds_nothing_there() {
    let home = Home::new();
    symlink("token", home.sandbox.path(HF_HOME).join("link")).unwrap();
    fs::hard_link(home.sandbox.path(HF_HOME).join("token"), home.sandbox.path(HF_HOME).join("copy")).unwrap();
    let files = ["token", "stored_tokens", "accelerate/default_config.yaml", "copy", "link", "stray"];
    home.install_as("~/.cache/huggingface", |mut plugin| {
        let (files, count) = plugin.texts_at(&files);
        let folder = plugin.bytes_at(b"accelerate");
        let text = plugin.bytes_at(b"-------");
        let answer = plugin.error_at(text, count + 1);
        // 0 for what was granted, else 1 more than the error's place in `fs-error`.
        let digit = |result: &str| {
            format!(
                "(i32.add (i32.const 48) (select (i32.add (i32.const 1) (i32.load8_u offset=4 {result}))
              (i32.const 0) (i32.load8_u {result})))"
            )
        };
        plugin.listing(&format!(
            "(local $at i32) (local $result i32)
            (call $read (local.get $root) (i32.const {files}) (i32.const {count}) (i32.const 1000) (i32.const 0x100))
            (loop $next
              (local.set $result (i32.add (i32.load (i32.const 0x100)) (i32.mul (local.get $at) (i32.const 12))))
              (if (i32.eqz (i32.load8_u (local.get $result))) (then (call $log (i32.const 3)
                (i32.load offset=4 (local.get $result)) (i32.load offset=8 (local.get $result)))))
              (i32.store8 (i32.add (i32.const {text}) (local.get $at)) {})
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br_if $next (i32.lt_u (local.get $at) (i32.const {count}))))
            (call $walk (local.get $root) (i32.const {folder}) (i32.const 10) (i32.const 0) (i32.const 0)
              (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x180))
            (i32.store8 (i32.const {}) {})
            (call $drop (local.get $root)) (i32.const {answer})",
            digit("(local.get $result)"),
            text + count,
            digit("(i32.const 0x180)"),
        ))
    });
    // Four times not-found, a link is of the wrong kind, the file is given, and the folder is not found.
    for args in [&["list"][..], &["show", "--children"], &["clean", "--all", "-y"], &["list", "-vv"]] {
        let run = home.dscc(args);
        assert!(run.text().contains(": 1111301"), "{args:?}: {}", run.text());
    }
}

#[test]
fn no_line_goes_from_a_credential_that_is_declared_an_index() {
    let home = Home::new();
    let manifest = Manifest::new("bad", "1.0.0").rule("bad", &["~/.cache/huggingface"]).index("token").index("copy");
    fs::hard_link(home.sandbox.path(HF_HOME).join("token"), home.sandbox.path(HF_HOME).join("copy")).unwrap();
    let plugin = Plugin::new().entries(&[Entry::new("stuff").owns("stuff")]).saying(&manifest);
    home.sandbox.install("bad", &plugin.edits(&[("token", &[TOKEN]), ("copy", &[TOKEN])]));
    home.clean(HF_HOME, &["stuff"], 5);
}

#[test]
fn a_hub_that_is_hf_home_neither_counts_nor_loses_them() {
    let mut home = Home::new();
    let root = home.sandbox.path(HF_HOME);
    home.variables.push(("HF_HUB_CACHE", root.clone()));
    Hub::at(root).model("a", 10);
    let row = home.row("hub");
    assert_eq!([&row["size"], &row["unclaimed"]], [62, 12], "{row:#}");
    home.dscc(&["show", "--children"]).expect(0);
    home.clean(HF_HOME, &["models--acme--a", ".locks"], 50);
    for run in [home.dscc(&["list", "--json"]), home.dscc(&["clean", "--all", "-n"]), home.dscc(&["list"])] {
        assert!(!run.text().contains("token"), "{}", run.text());
    }
}

#[test]
fn credentials_stay_in_a_root_that_the_user_named_and_by_other_names_of_theirs() {
    let mut home = Home::new();
    // Where HF_TOKEN_PATH says, a link leads further, and there are a second name and a store beside it.
    home.variables.push(("HF_TOKEN_PATH", home.sandbox.home().join("work/hub/models--acme--a/blobs/token")));
    let hub = Hub::at(home.sandbox.home().join("work/hub"));
    hub.model("a", 10);
    home.write("home/work/hub/models--acme--b/keys/real", TOKEN);
    symlink("../../models--acme--b/keys/real", hub.root.join("models--acme--a/blobs/token")).unwrap();
    fs::hard_link(hub.root.join("models--acme--b/keys/real"), hub.root.join("models--acme--b/copy")).unwrap();
    home.write("home/work/hub/models--acme--a/blobs/stored_tokens", TOKEN);
    let root = format!("--root=hub={}", hub.root.display());
    assert_eq!(array(&home.json(&["list", &root]), "caches")[0]["size"], 50);
    let done = home.json(&["clean", "--all", "-y", &root]);
    assert_eq!((&done["freed"], array(&done, "failed")), (&50.into(), vec![]), "{done:#}");
    for place in ["a/blobs/token", "a/blobs/stored_tokens", "b/keys/real", "b/copy"] {
        let content = fs::read_to_string(hub.root.join(format!("models--acme--{place}"))).unwrap();
        assert_eq!(content, TOKEN, "{place}");
    }
    assert!(!hub.exists("models--acme--a/snapshots"));
}

#[test]
fn a_folder_of_credentials_is_refused_as_a_root_and_left_out_of_the_one_around_it() {
    let home = Home::new();
    home.write("home/.ir_datasets/auth/site", TOKEN);
    home.write("home/.ir_datasets/thing/file", "12345");
    home.install("~/.ir_datasets", &[Entry::new("thing").owns("thing"), Entry::new("auth").owns("auth/site")]);
    let auth = home.sandbox.home().join(".ir_datasets/auth");
    let run = home.dscc(&["list", "--json", &format!("--root=bad={}", auth.display())]);
    let problems = [array(&run.json(), "errors"), array(&run.json(), "caches")].concat();
    assert!(run.stdout.contains("root-private") && run.stdout.contains("keeps keys or settings"), "{problems:?}");
    let row = home.row("bad");
    assert_eq!([&row["size"], &row["entries"], &row["unclaimed"]], [5, 1, 0], "{row:#}");
    home.clean("home/.ir_datasets", &["thing"], 5);
}

/// Variables that name a folder of any cache that a built-in plugin knows.
const FOLDERS: [&str; 24] = [
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_ASSETS_CACHE",
    "HUGGINGFACE_ASSETS_CACHE",
    "HF_XET_CACHE",
    "HF_MODULES_CACHE",
    "HF_EVALUATE_CACHE",
    "HF_DATASETS_DOWNLOADED_EVALUATE_PATH",
    "HF_METRICS_CACHE",
    "HF_DATASETS_CACHE",
    "HF_DATASETS_DOWNLOADED_DATASETS_PATH",
    "HF_DATASETS_EXTRACTED_DATASETS_PATH",
    "TRANSFORMERS_CACHE",
    "PYTORCH_TRANSFORMERS_CACHE",
    "PYTORCH_PRETRAINED_BERT_CACHE",
    "SENTENCE_TRANSFORMERS_HOME",
    "KERNELS_CACHE",
    "HF_KERNELS_CACHE",
    "TORCH_HOME",
    "TMPDIR",
    "IR_DATASETS_HOME",
    "IR_DATASETS_TMP",
    "DATAMAESTRO_DIR",
    "DATAMAESTRO_HOME",
];

/// A Hugging Face home with something in each cache, and credentials that are larger than all of it together.
fn full_home() -> (Home, Tree) {
    let home = Home::new();
    let secrets = ["token", "stored_tokens", "stored_tokens.lock", "sandbox/pools/one/host.json", "accelerate/x/y/z"];
    for secret in secrets {
        home.write(&format!("{HF_HOME}/{secret}"), &format!("{TOKEN}{}", "x".repeat(1_000_000)));
    }
    let kept = home.tree(HF_HOME).into_iter().filter(|(path, _)| secrets.iter().any(|it| path.starts_with(it)));
    let kept = kept.collect();
    let (digest, commit) = ("a".repeat(64), "1".repeat(40));
    for file in [
        "assets/lib/default/default/file".to_owned(),
        "xet/https___cas_serv-tGqkUaZf_CBPHQ6h/chunk-cache/ab/key/item".to_owned(),
        "xet/logs/xet_20240101T085921392+0000_1.log".to_owned(),
        format!("modules/transformers_modules/acme/code/{commit}/code.py"),
        "modules/__init__.py".to_owned(),
        format!("evaluate/downloads/{digest}"),
        "metrics/bleu/default/default_experiment-1-0.arrow".to_owned(),
        format!("datasets/downloads/{digest}"),
        format!("datasets/csv/default/0.0.0/{digest}/dataset_info.json"),
        format!("transformers/{digest}.{digest}"),
        format!("transformers/{digest}.{digest}.json"),
        format!("{digest}.{digest}"),
        format!("downloads/{digest}"),
    ] {
        home.write(&format!("{HF_HOME}/{file}"), "12345");
    }
    Hub::at(home.sandbox.path(HF_HOME).join("hub")).model("a", 10);
    Hub::at(home.sandbox.path(HF_HOME)).model("b", 10);
    (home, kept)
}

/// Whatever the variables say: not listed, not counted, not removed, and not named.
#[track_caller]
fn assert_out_of_reach(home: &Home, kept: &Tree) {
    let variables = &home.variables;
    for args in [
        &["list", "--json"][..],
        &["show", "--children", "--json"],
        &["clean", "--all", "-n", "--json", "--force", "irreplaceable", "--force", "needed"],
        &["clean", "--all", "-y", "--json", "--force", "irreplaceable", "--force", "needed"],
    ] {
        let run = home.dscc(args);
        let document = run.json();
        let sizes = [&document["size"], &document["expected"], &document["freed"]];
        assert!(
            sizes.iter().all(|size| size.as_u64().is_none_or(|size| size < 1_000_000)),
            "{variables:?}: {document:#}"
        );
        let names = ["stored_tokens", "host.json", "accelerate", "huggingface/token", "\"token\""];
        assert!(names.iter().all(|name| !run.text().contains(name)), "{variables:?} {args:?}: {}", run.text());
    }
    let after = home.tree(HF_HOME);
    let missing: Vec<_> = kept.iter().filter(|(path, node)| after.get(*path) != Some(node)).collect();
    assert!(missing.is_empty(), "{variables:?}: {missing:?}");
}

#[test]
fn no_variable_that_names_the_hugging_face_home_leads_to_them() {
    for name in FOLDERS {
        let (mut home, kept) = full_home();
        home.variables.push((name, home.sandbox.path(HF_HOME)));
        assert_out_of_reach(&home, &kept);
    }
}

#[test]
fn all_variables_together_do_not_lead_to_them_either() {
    let (mut home, kept) = full_home();
    home.variables.extend(FOLDERS.map(|name| (name, home.sandbox.path(HF_HOME))));
    assert_out_of_reach(&home, &kept);
    // What is in one cache or another has gone all the same.
    assert!(!home.sandbox.path(HF_HOME).join("models--acme--b").exists());
}

#[test]
fn a_home_that_is_moved_keeps_them_where_it_is_now() {
    let (mut home, _) = full_home();
    let moved = home.sandbox.home().join("work/hf");
    fs::create_dir_all(moved.parent().unwrap()).unwrap();
    fs::rename(home.sandbox.path(HF_HOME), &moved).unwrap();
    for names in [&["HF_HOME"][..], &["HF_HOME", "HF_ASSETS_CACHE", "HF_HUB_CACHE"]] {
        home.variables = names.iter().map(|name| (*name, moved.clone())).collect();
        home.dscc(&["clean", "--all", "-y", "--force", "irreplaceable", "--force", "needed"]);
        for secret in ["token", "stored_tokens", "sandbox/pools/one/host.json", "accelerate/x/y/z"] {
            assert!(moved.join(secret).exists(), "{names:?}: {secret}");
        }
    }
    assert!(!moved.join("hub/models--acme--a").exists());
}
