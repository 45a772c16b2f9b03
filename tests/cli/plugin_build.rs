//! `dscc plugin build` and `dscc plugin dev`, with programs that stand in for the tools: what is said when one is
//! missing, what is taken for a component, and that a listing follows the sources. `tests/tutorial.sh` has the real ones.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::components::Entry;
use crate::plugins::lib;
use crate::sandbox::{Run, Sandbox, array, ids};

/// A JavaScript project whose build copies what lies in `next.wasm`, by an `npm` of its own.
struct Project {
    sandbox: Sandbox,
}

impl Project {
    fn new() -> Self {
        let project = Self { sandbox: Sandbox::new() };
        fs::create_dir_all(project.path("node_modules")).unwrap();
        project.write("package.json", r#"{"name": "dscc-plugin-lab", "devDependencies": {"tool": "1.0.0"}}"#);
        project.tool("npm", "echo chatter; echo error chatter >&2; test -e next.wasm && cp next.wasm lab.wasm");
        project
    }

    fn path(&self, file: &str) -> PathBuf {
        self.sandbox.home().join("project").join(file)
    }

    fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), content).unwrap();
    }

    /// A program that is found before others of its name.
    fn tool(&self, name: &str, script: &str) {
        let path = self.sandbox.path("tools").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.command(["plugin"].iter().chain(args));
        let tools = self.sandbox.path("tools");
        let path = std::env::join_paths([tools, "/usr/bin".into(), "/bin".into()]).unwrap();
        command.env("PATH", path);
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    /// Runs with the stand-ins alone.
    fn run_without_tools(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).env("PATH", self.sandbox.path("tools")).output().unwrap())
    }

    /// What the next build gives: a plugin that reads `~/lab` and shows these entries.
    fn next(&self, entries: &[&str]) {
        let entries: Vec<Entry> = entries.iter().map(|id| Entry::new(id).owns(id)).collect();
        self.write("next.wasm", lib("lab", "1.0.0").entries(&entries).build());
    }
}

#[test]
fn a_build_says_what_came_out_and_how_to_install_it() {
    let project = Project::new();
    project.next(&["thing"]);
    let run = project.run(&["build", "project"]).expect(0);
    let digest = crate::plugins::digest_of(&fs::read(project.path("lab.wasm")).unwrap());
    for part in [&*digest, "dscc:plugin/files@0.1.0", "bytes)", "dscc plugin add ./project/lab.wasm"] {
        assert!(run.stdout.contains(part), "{part} is not in {}", run.stdout);
    }
    assert!(!run.stdout.contains("chatter") && run.stderr.contains("error chatter"), "{}", run.text());
    let quiet = project.run(&["build", "--quiet", "project"]).expect(0);
    assert_eq!(quiet.stdout.trim_end(), project.path("lab.wasm").canonicalize().unwrap().to_str().unwrap());
    let document = project.run(&["build", "--json", "project"]).expect(0).json();
    assert_eq!(document["component"]["digest"], digest.as_str());
    let mut add = project.command(&["add", "-y", "./project/lab.wasm"]);
    Run::of(add.output().unwrap()).expect(0);
}

#[test]
fn what_is_missing_is_named_with_the_command_that_brings_it() {
    let project = Project::new();
    let says = |run: Run, status: i32, words: &[&str]| {
        let run = run.expect(status);
        for word in words {
            assert!(run.stderr.contains(word), "{word} is not in {}", run.stderr);
        }
    };
    says(project.run(&["build"]), 5, &["Cargo.toml", "dscc plugin new"]);
    fs::remove_dir(project.path("node_modules")).unwrap();
    says(project.run(&["build", "project"]), 1, &["npm install"]);
    fs::create_dir(project.path("node_modules")).unwrap();
    fs::remove_file(project.sandbox.path("tools/npm")).unwrap();
    says(project.run_without_tools(&["build", "project"]), 1, &["`npm` cannot be run", "nodejs.org"]);
    fs::remove_file(project.path("package.json")).unwrap();
    project.write("pyproject.toml", "[project]\nname = \"lab\"\n");
    says(project.run_without_tools(&["build", "project"]), 1, &["pip install componentize-py=="]);
    fs::remove_file(project.path("pyproject.toml")).unwrap();
    project.write("Cargo.toml", "[package]\nname = \"lab\"\n");
    says(project.run_without_tools(&["build", "project"]), 1, &["rustup.rs"]);
    project.tool("rustc", "echo /nonexistent");
    says(project.run_without_tools(&["build", "project"]), 1, &["rustup target add wasm32-wasip2"]);
}

#[test]
fn a_python_project_is_built_by_the_tool_of_its_own_environment() {
    let project = Project::new();
    fs::remove_file(project.path("package.json")).unwrap();
    project.next(&["thing"]);
    project.write("pyproject.toml", "[project]\nname = \"dscc-plugin-lab\"\n");
    project.tool("componentize-py", "exit 9");
    project.run(&["build", "project"]).expect(1);
    project.write(".venv/bin/componentize-py", "#!/bin/sh\nwhile test $# -gt 1; do shift; done; cp next.wasm \"$1\"\n");
    let own = project.path(".venv/bin/componentize-py");
    fs::set_permissions(own, fs::Permissions::from_mode(0o755)).unwrap();
    project.run(&["build", "project"]).expect(0);
    assert!(project.path("lab.wasm").exists());
}

#[test]
fn what_an_earlier_build_left_is_not_taken_for_this_ones_and_what_is_no_plugin_is_refused() {
    let project = Project::new();
    project.next(&["thing"]);
    project.run(&["build", "project"]).expect(0);
    fs::remove_file(project.path("next.wasm")).unwrap();
    let failed = project.run(&["build", "project"]).expect(1);
    assert!(failed.stderr.contains("npm run build could not build"), "{}", failed.stderr);
    project.tool("npm", "true");
    let nothing = project.run(&["build", "project"]).expect(1);
    assert!(nothing.stderr.contains("left no") && nothing.stderr.contains("lab.wasm"), "{}", nothing.stderr);
    project.tool("npm", "echo hello > lab.wasm");
    let other = project.run(&["build", "project"]).expect(1);
    assert!(other.stderr.contains("no plugin"), "{}", other.stderr);
}

#[test]
fn dev_shows_what_the_plugin_alone_finds_and_installs_nothing() {
    let project = Project::new();
    project.next(&["thing"]);
    project.sandbox.hub().model("a", 10);
    let empty = project.run(&["dev", "--once", "project"]).expect(0);
    assert_eq!(empty.stdout.matches("Nothing found").count(), 1, "{}", empty.stdout);
    project.sandbox.fill("lab");
    let before = project.sandbox.all_but(&project.path("lab.wasm"));
    let run = project.run(&["dev", "--once", "project"]).expect(0);
    assert!(
        run.stdout.contains("lab ") && run.stdout.contains("thing") && run.stdout.contains("5 B"),
        "{}",
        run.text()
    );
    assert!(!run.stdout.contains("hub"), "{}", run.stdout);
    assert_eq!(project.sandbox.all_but(&project.path("lab.wasm")), before);
    let document = project.run(&["dev", "--once", "--json", "project"]).expect(0).json();
    assert_eq!(ids(&array(&document, "entries")), ["thing"]);
    let elsewhere = project.sandbox.path("outside/folder");
    let root = format!("--root=lab={}", elsewhere.display());
    let run = project.run(&["dev", "--once", "project", &root]).expect(0);
    assert!(run.stdout.contains(elsewhere.to_str().unwrap()), "{}", run.text());
}

#[test]
fn dev_shows_a_mistake_and_goes_on_with_the_next_change() {
    let project = Project::new();
    project.next(&["thing", "first"]);
    project.sandbox.fill("lab");
    let compiled = || {
        let digest = crate::plugins::digest_of(&fs::read(project.path("next.wasm")).unwrap());
        let folders = fs::read_dir(crate::sandbox::code_dir()).unwrap().map(|folder| folder.unwrap().path());
        folders.filter(|folder| folder.join(&digest).exists()).count()
    };
    let mut command = project.command(&["dev", "project"]);
    let mut dev = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(dev.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut wait = |word: &str| stderr.by_ref().find(|line| line.contains(word)).expect(word);
    wait("Waiting");
    assert_eq!(compiled(), 1);
    project.tool("npm", "echo mistake >&2; false");
    project.write("src/plugin.js", "1");
    assert!(wait("changed").contains("src/plugin.js"));
    wait("mistake");
    wait("error: npm run build");
    wait("Waiting");
    project.tool("npm", "cp other.wasm lab.wasm");
    let entries = [Entry::new("another").owns("thing")];
    project.write("other.wasm", lib("lab", "2.0.0").entries(&entries).build());
    project.write("src/plugin.js", "12");
    wait("lab 2.0.0");
    wait("Waiting");
    assert_eq!(compiled(), 0, "the code of a version that is no more");
    dev.kill().unwrap();
    let output = dev.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("thing") && stdout.contains("another"), "{stdout}");
}
