//! Plugins that mean ill, installed and used through the program as a user does it. What the user sees is in
//! `../snapshots`, one file for each case; beside that, every case asserts that nothing outside of the plugin's own root
//! changed, that the hub has its rows, and that nothing of the hub goes but what went without the plugin.

mod answers;
mod neighbours;
mod refused;
mod removal;
mod roots;
mod texts;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::components::Plugin;
use crate::sandbox::{Run, Sandbox, array, ids};
use crate::tree::{self, Tree};

const HUB: &str = "home/.cache/huggingface/hub";
const BAD: &str = "home/bad";

/// A loop without end.
pub const FOREVER: &str = "(loop $forever (br $forever)) (unreachable)";
/// Asks for 4 GB.
pub const GROW: &str = "(drop (memory.grow (i32.const 60000))) (unreachable)";
/// Calls [`DEEP`], which calls itself.
pub const RECURSE: &str = "(drop (call $deep (i64.const 0))) (unreachable)";
pub const DEEP: &str = "(func $deep (param i64) (result i64)
    (i64.add (call $deep (i64.add (local.get 0) (i64.const 1))) (i64.const 1)))";

/// A home with a hub and, beside it, what the plugin `bad` asks for.
pub struct World {
    pub sandbox: Sandbox,
    /// Of the program's environment, besides the usual.
    pub variables: Vec<(&'static str, PathBuf)>,
}

impl World {
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        hub.model("a", 10);
        fs::write(hub.root.join("notes"), "unclaimed").unwrap();
        let home = sandbox.home();
        for (file, content) in [
            (".cache/huggingface/token", "hf_secret"),
            (".ssh/id_ed25519", "a key"),
            ("bad/thing/file", "content"),
            ("bad/other/file", "other"),
            ("bad/index", "one\ntwo\nthing\n"),
            ("bad/notes", "mine\n"),
        ] {
            fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
            fs::write(home.join(file), content).unwrap();
        }
        symlink(sandbox.outside(), home.join("bad/link")).unwrap();
        Self { sandbox, variables: Vec::new() }
    }

    /// Runs the program.
    pub fn dscc(&self, args: &[&str]) -> Run {
        let mut command = self.sandbox.command(args);
        Run::of(command.envs(self.variables.iter().cloned()).output().unwrap())
    }

    /// All there is.
    pub fn tree(&self) -> Tree {
        tree::read(&self.sandbox.path(""))
    }

    /// Writes a component to a file and adds it.
    pub fn add(&self, component: &[u8], options: &[&str]) -> Run {
        fs::write(self.sandbox.path("plugin.wasm"), component).unwrap();
        self.dscc(&[&["plugin", "add", "-y", "../plugin.wasm"], options].concat())
    }

    /// A command with what it printed, as a person reads it.
    pub fn told(&self, command: &str, run: &Run) -> String {
        let streams = [("", &run.stdout), ("--- stderr\n", &run.stderr)];
        let streams: String =
            streams.iter().filter(|(_, it)| !it.is_empty()).map(|(s, it)| format!("{s}{it}")).collect();
        assert_plain(&streams);
        format!("$ dscc {command}\n{}--- exit status {}\n", self.normal(&streams), run.status)
    }

    /// Without what differs from run to run and from machine to machine.
    fn normal(&self, text: &str) -> String {
        let above = self.sandbox.path("").to_str().unwrap().trim_end_matches('/').to_owned();
        let text = text.replace(&format!("{above}/home"), "$HOME").replace(&above, "$SANDBOX");
        // Some file systems keep no access times.
        let text = text.replace("LAST USED    ", "LAST USED").replace("read just now", "-        ");
        let text = text.replace("  -              $", "  -          $");
        let lines = text.lines().map(|line| {
            let words = line.split(' ').map(|word| if is_digest(word) { "[digest]" } else { word });
            let line = words.collect::<Vec<_>>().join(" ");
            match (line.find('('), line.find(", interface")) {
                (Some(from), Some(to)) if line.contains("[digest]") => {
                    format!("{}[size]{}\n", &line[..=from], &line[to..])
                }
                _ => format!("{}\n", line.trim_end()),
            }
        });
        lines.collect()
    }
}

fn is_digest(word: &str) -> bool {
    word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Nothing that moves the cursor, reorders or hides.
#[track_caller]
pub fn assert_plain(text: &str) {
    let bad = |it: &char| {
        (it.is_control() && *it != '\n')
            || matches!(u32::from(*it), 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x2069 | 0xfeff)
    };
    assert_eq!(text.chars().find(bad), None, "{text:?}");
}

/// Compares with what was reviewed.
#[track_caller]
pub fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("plugin-{name}"), text));
}

#[test]
fn every_snapshot_is_one_of_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cli");
    let sources: String = fs::read_dir(folder.join("hostile_plugins"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    for file in fs::read_dir(folder.join("snapshots")).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_prefix("plugin-").and_then(|it| it.strip_suffix(".snap")) else { continue };
        let name = name.strip_prefix("refused-").unwrap_or(name);
        assert!(sources.contains(&format!("\"{name}\"")), "no case is called {name}: remove {file}");
    }
}

/// What becomes of a plugin that can be installed: the four statuses of `list`, `show`, `clean -n` and `clean -y`, and
/// which of its own paths go.
pub struct Case<'a> {
    name: &'a str,
    component: Vec<u8>,
    options: &'a [&'a str],
    statuses: [i32; 4],
    gone: &'a [&'a str],
}

impl<'a> Case<'a> {
    /// A plugin that fails as soon as it is asked for anything, so that none of its own goes.
    pub fn new(name: &'a str, plugin: &Plugin) -> Self {
        Self { name, component: plugin.build(), options: &[], statuses: [1; 4], gone: &[] }
    }

    /// Options of `dscc plugin add`.
    pub fn options(self, options: &'a [&'a str]) -> Self {
        Self { options, ..self }
    }

    pub fn statuses(self, statuses: [i32; 4]) -> Self {
        Self { statuses, ..self }
    }

    /// Paths in its root that go when everything is cleaned.
    pub fn gone(self, gone: &'a [&'a str]) -> Self {
        Self { gone, ..self }
    }

    #[track_caller]
    pub fn check(self) {
        self.check_in(&World::new());
    }

    #[track_caller]
    pub fn check_in(self, world: &World) {
        let before_any = world.tree();
        let added = world.add(&self.component, self.options);
        let mut text = world.told("plugin add -y plugin.wasm", &added);
        let added = added.expect(0);
        assert!(added.stderr.contains("is installed"), "{}", added.stderr);
        let before = world.tree();
        let installed = |path: &Path| path.starts_with("home/.local/share/dscc") || path == Path::new("plugin.wasm");
        assert_eq!(without(&before, installed), without(&before_any, installed), "adding changed something else");
        let commands: [&[&str]; 4] =
            [&["list"], &["show", "--children"], &["clean", "--all", "-n"], &["clean", "--all", "-y"]];
        for (command, status) in commands.into_iter().zip(self.statuses) {
            if command.ends_with(&["-y"]) {
                self.check_json(world, self.statuses);
                assert_eq!(world.tree(), before, "looking changed something");
            }
            let run = world.dscc(command);
            text.push('\n');
            text.push_str(&world.told(&command.join(" "), &run));
            let hub = ["hub", "model/acme/a", "model/acme/a", "freed"];
            assert!(run.stdout.contains(hub[commands.iter().position(|it| *it == command).unwrap()]), "{}", run.text());
            snapshot_status(&self, &run, status);
        }
        self.check_gone(&before, &world.tree());
        snapshot(self.name, &text);
    }

    /// The same as JSON: plain text, the hub's rows, the same statuses.
    #[track_caller]
    fn check_json(&self, world: &World, statuses: [i32; 4]) {
        let commands: [(&[&str], &str); 3] =
            [(&["list"], "caches"), (&["show", "--children"], "entries"), (&["clean", "--all", "-n"], "remove")];
        for ((command, key), status) in commands.into_iter().zip(statuses) {
            let run = world.dscc(&[command, &["--json"]].concat());
            assert_plain(&run.stdout);
            snapshot_status(self, &run, status);
            let rows = array(&run.json(), key);
            let hub = rows.iter().find(|row| row["cache"] == "hub" && row["size"] != 0);
            assert!(hub.is_some() && (key == "caches" || ids(&rows).contains(&"model/acme/a")), "{}", run.text());
            for error in array(&run.json(), "errors") {
                assert!(
                    error["message"].as_str().is_some_and(|it| !it.is_empty()) && !error["code"].is_null(),
                    "{error}"
                );
                assert!(error["hint"].is_string() || error["code"] == "plugin-error", "no hint: {error}");
            }
        }
    }

    /// Of its own root what was said, of the hub what went without the plugin, nothing else.
    #[track_caller]
    fn check_gone(&self, before: &Tree, after: &Tree) {
        tree::assert_gone(&below(before, BAD), &below(after, BAD), self.gone);
        assert_eq!(below(after, HUB), *hub_after_cleaning(), "the hub is not what it is without the plugin");
        let inside = |path: &Path| path.starts_with(BAD) || path.starts_with(HUB);
        assert_eq!(without(after, inside), without(before, inside), "something outside changed");
    }
}

#[track_caller]
fn snapshot_status(case: &Case<'_>, run: &Run, status: i32) {
    assert_eq!(run.status, status, "{}\n{}", case.name, run.text());
}

/// What cleaning everything leaves of the hub where nothing else is installed.
fn hub_after_cleaning() -> &'static Tree {
    static AFTER: OnceLock<Tree> = OnceLock::new();
    AFTER.get_or_init(|| {
        let world = World::new();
        world.sandbox.dscc(["clean", "--all", "-y"]).expect(0);
        below(&world.tree(), HUB)
    })
}

fn below(tree: &Tree, folder: &str) -> Tree {
    let inside =
        tree.iter().filter_map(|(path, node)| Some((path.strip_prefix(folder).ok()?.to_owned(), node.clone())));
    inside.filter(|(path, _)| path != Path::new("")).collect()
}

fn without(tree: &Tree, left_out: impl Fn(&Path) -> bool) -> Tree {
    // The folders above come into being with what is in them.
    let above = |path: &Path| Path::new("home/.local/share/dscc").starts_with(path);
    let rest = tree.iter().filter(|(path, _)| !left_out(path) && !above(path));
    rest.map(|(path, node)| (path.clone(), node.clone())).collect()
}
