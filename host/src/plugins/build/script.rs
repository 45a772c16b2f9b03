//! Plugins in languages that bring their interpreter along: the tools that make a component of them are libraries of
//! these languages, and know where to find everything else. Each writes `NAME.wasm` in the plugin's folder itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{BuildError, Built, checked, run, stem};

/// With the version that the examples are tested with.
const GET_COMPONENTIZE_PY: &str =
    "install it into a virtual environment: python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.0";
const GET_NODE: &str = "install Node.js from nodejs.org";

/// `package.json` has a script `build` that writes `NAME.wasm`.
pub(super) fn build_javascript(dir: &Path) -> Result<Built, BuildError> {
    let manifest = dir.join("package.json");
    let text = read(&manifest)?;
    let json: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| BuildError::Io(manifest.clone(), std::io::Error::other(error.to_string())))?;
    let component = component(dir, &manifest, json["name"].as_str())?;
    let needs = json["dependencies"].is_object() || json["devDependencies"].is_object();
    if needs && !dir.join("node_modules").is_dir() {
        return Err(BuildError::NoModules(dir.to_owned()));
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = Command::new(npm);
    command.args(["run", "--silent", "build"]).current_dir(dir);
    finish(dir, "npm run build", &mut command, GET_NODE, component)
}

/// `app.py` has the plugin, `wit/` the interface; `pyproject.toml` says what it is called.
pub(super) fn build_python(dir: &Path) -> Result<Built, BuildError> {
    let manifest = dir.join("pyproject.toml");
    let text = read(&manifest)?;
    let component = component(dir, &manifest, project_name(&text))?;
    let own = ["bin", "Scripts"].map(|folder| dir.join(".venv").join(folder).join("componentize-py"));
    let own = own.into_iter().find(|path| path.exists());
    let mut command = Command::new(own.unwrap_or_else(|| "componentize-py".into()));
    command.args(["--wit-path", "wit", "--world", "plugin", "componentize", "app", "--output"]);
    command.arg(&component).current_dir(dir);
    finish(dir, "componentize-py", &mut command, GET_COMPONENTIZE_PY, component)
}

/// The `name` of the table `[project]`.
fn project_name(text: &str) -> Option<&str> {
    let lines = text.lines().map(str::trim).skip_while(|line| *line != "[project]").skip(1);
    let mut values = lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    let (_, value) = values.find(|(key, _)| key.trim() == "name")?;
    let value = value.trim();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    value[1..].split(quote).next()
}

/// Where the component will be.
fn component(dir: &Path, manifest: &Path, name: Option<&str>) -> Result<PathBuf, BuildError> {
    let plain = |name: &&str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0']);
    let name = name.map(stem).filter(plain).ok_or_else(|| BuildError::NoName(manifest.to_owned()))?;
    Ok(dir.join(format!("{name}.wasm")))
}

fn finish(
    dir: &Path,
    program: &str,
    command: &mut Command,
    install: &'static str,
    component: PathBuf,
) -> Result<Built, BuildError> {
    // What an earlier build left must not pass for what this one makes.
    match fs::remove_file(&component) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(BuildError::Io(component, error)),
        _ => {}
    }
    if !run(command, install)?.success() {
        return Err(BuildError::Failed { program: program.to_owned(), project: dir.to_owned() });
    }
    let bytes = match fs::read(&component) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(BuildError::NotWritten(component)),
        Err(error) => return Err(BuildError::Io(component, error)),
    };
    checked(component, &bytes)
}

fn read(path: &Path) -> Result<String, BuildError> {
    fs::read_to_string(path).map_err(|error| BuildError::Io(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_python_project_is_that_of_its_project_table() {
        let text =
            "[tool.x]\nname = \"other\"\n\n[project]\nversion = '1'\nname = \"labdata\" # ours\n[y]\nname = 'z'\n";
        assert_eq!(project_name(text), Some("labdata"));
        assert_eq!(project_name("[project]\nname = 'lab'\n"), Some("lab"));
        for without in ["", "name = \"x\"", "[project]\n[y]\nname = \"x\"", "[project]\nname = x"] {
            assert_eq!(project_name(without), None, "{without}");
        }
    }

    #[test]
    fn a_component_lies_in_the_folder_whatever_the_project_is_called() {
        let (dir, manifest) = (Path::new("/x"), Path::new("/x/package.json"));
        let of = |name: &str| component(dir, manifest, Some(name)).ok();
        assert_eq!(of("dscc-plugin-lab").as_deref(), Some(Path::new("/x/lab.wasm")));
        for bad in ["", "..", "a/b", "../y", "a\\b", "dscc-plugin-", "@lab/data"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
