//! Plugins to be installed, and the plugins directory as the tests look at it.

use std::fs;
use std::path::{Path, PathBuf};

use dscc::plugins::built_in;
use serde_json::Value;

use crate::components::{Entry, Plugin};
use crate::sandbox::{Run, Sandbox, array};
use crate::tree::{self, Tree};

/// A plugin that reads `~/NAME` and finds one cache of its own name there.
pub fn lib(name: &str, version: &str) -> Plugin {
    found_in(Plugin::new().manifest(name, version, name, &format!("~/{name}")), name)
}

/// The same plugin with one cache of that name.
pub fn found_in(plugin: Plugin, cache: &str) -> Plugin {
    plugin.caches(&[(cache, "")]).entries(&[Entry::new("thing").owns("thing")])
}

/// The digest that the program must come to.
pub fn digest_of(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Sandbox {
    pub fn plugins_dir(&self) -> PathBuf {
        self.home().join(".local/share/dscc/plugins")
    }

    pub fn lock_file(&self) -> PathBuf {
        self.plugins_dir().join("plugins-lock.json")
    }

    pub fn installed_component(&self, bytes: &[u8]) -> PathBuf {
        self.plugins_dir().join(format!("{}.wasm", digest_of(bytes)))
    }

    /// Everything in the plugins directory; nothing if there is none.
    pub fn plugins_tree(&self) -> Tree {
        let dir = self.plugins_dir();
        if dir.exists() { tree::read(&dir) } else { Tree::new() }
    }

    /// A component as a file.
    pub fn component(&self, file: &str, plugin: &Plugin) -> PathBuf {
        let path = self.path(file);
        fs::write(&path, plugin.build()).unwrap();
        path
    }

    /// Installs a plugin from `NAME.wasm`, and gives its bytes.
    #[track_caller]
    pub fn install(&self, name: &str, plugin: &Plugin) -> Vec<u8> {
        let path = self.component(&format!("{name}.wasm"), plugin);
        self.plugin(["add", "-y", path.to_str().unwrap()]).expect(0);
        fs::read(path).unwrap()
    }

    /// `dscc plugin ...`
    pub fn plugin<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Run {
        self.dscc(["plugin"].into_iter().chain(args))
    }

    #[track_caller]
    pub fn plugin_json<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Value {
        self.json(["plugin"].into_iter().chain(args))
    }

    /// The cache of a [`lib`], with 5 bytes in it.
    pub fn fill(&self, name: &str) -> PathBuf {
        let root = self.home().join(name);
        fs::create_dir_all(root.join("thing")).unwrap();
        fs::write(root.join("thing/file"), "12345").unwrap();
        root
    }

    /// The ids of the caches that `dscc list` finds, whatever its exit status.
    pub fn caches(&self) -> Vec<String> {
        let rows = array(&self.dscc(["list", "--json"]).json(), "caches");
        rows.iter().map(|row| row["cache"].as_str().unwrap().to_owned()).collect()
    }

    /// The names in `dscc plugin list` that run, whatever its exit status. Of the built-in plugins the first, `hf-hub`,
    /// stands for all: the others have to run in any case.
    #[track_caller]
    pub fn running(&self) -> Vec<String> {
        let rows = array(&self.plugin(["list", "--json"]).json(), "plugins");
        let running = rows.iter().filter(|row| row["runs"] == true);
        let mut names: Vec<String> = running.map(|row| row["name"].as_str().unwrap().to_owned()).collect();
        for it in built_in().iter().skip(1) {
            let other = &it.facts.manifest.name;
            let at = names.iter().position(|name| name == other);
            names.remove(at.unwrap_or_else(|| panic!("`{other}` does not run")));
        }
        names
    }
}

/// The codes of the problems under a key.
pub fn codes(document: &Value, key: &str) -> Vec<String> {
    array(document, key).iter().map(|row| row["code"].as_str().unwrap().to_owned()).collect()
}

/// The command in back quotes that begins like this, as its words.
#[track_caller]
pub fn command_in(text: &str, start: &str) -> Vec<String> {
    let at = text.find(&format!("`{start}")).unwrap_or_else(|| panic!("no `{start} in {text}"));
    let command = text[at + 1..].split('`').next().unwrap();
    command.split_whitespace().skip(1).map(str::to_owned).collect()
}

/// Overwrites a byte in the middle.
pub fn tamper(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}
