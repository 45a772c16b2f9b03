//! `dscc plugin new`: a project that is a working plugin already, from the texts that `build.rs` embedded. Until the SDK
//! is published a project carries its source, so that it builds with a package registry and this program alone.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{Expansion, Location, Manifest, RootRule};
use crate::roots::check_manifest;

use super::builtin::built_in;

/// What a new project is made of, by path: `template/LANGUAGE/...`, `sdk/...`, `wit/...`.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Not the name of this file: Cargo would leave a folder with it out of the package.
const SUFFIX: &str = ".in";

/// A language that there is a template for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Small and fast components, and tests without WebAssembly.
    Rust,
    /// With the interpreter in the component.
    Python,
    /// With the interpreter in the component.
    JavaScript,
}

/// A project that was written.
#[derive(Clone, Debug)]
pub struct Project {
    /// The plugin's name.
    pub name: String,
    /// Where it is.
    pub dir: PathBuf,
    /// Its files, relative to that.
    pub files: Vec<String>,
}

/// Why no project was written.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// A name that no plugin can have.
    #[error("no plugin can be called so: {0}")]
    Name(String),
    /// A name of one that is there.
    #[error("the built-in plugin `{other}` has the name `{name}` already")]
    Taken {
        /// The name.
        name: String,
        /// The plugin.
        other: String,
    },
    /// Nothing is ever overwritten.
    #[error("`{0}` is not an empty folder, and nothing in it is overwritten")]
    NotEmpty(PathBuf),
    /// Reading or writing failed.
    #[error("`{0}`: {1}")]
    Io(PathBuf, std::io::Error),
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::JavaScript];

    /// In lower case, as the command line and the templates have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::JavaScript => "javascript",
        }
    }
}

/// Writes a new project into a folder, which is made or empty.
///
/// # Errors
/// When the name or the folder is not to be had, or writing fails; then there may be a part of the project.
pub fn new_project(name: &str, language: Language, dir: &Path) -> Result<Project, NewError> {
    check_name(name)?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| NewError::Io(path, error)
    };
    fs::create_dir_all(dir).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => NewError::NotEmpty(dir.to_owned()),
        _ => NewError::Io(dir.to_owned(), error),
    })?;
    if fs::read_dir(dir).map_err(failed(dir))?.next().is_some() {
        return Err(NewError::NotEmpty(dir.to_owned()));
    }
    let files = files(name, language);
    for (path, text) in &files {
        let path = dir.join(path);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let written = fs::File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(failed(&path))?;
    }
    Ok(Project { name: name.to_owned(), dir: dir.to_owned(), files: files.into_iter().map(|it| it.0).collect() })
}

/// The rules of names and locations decide, on what the templates make of the name.
fn check_name(name: &str) -> Result<(), NewError> {
    let location = |path: String| Location { path, expand: Expansion::default() };
    let locations = vec![location(format!("${{{}}}", variable(name))), location(format!("~/.cache/{name}"))];
    let manifest = Manifest {
        name: name.to_owned(),
        version: "0.1.0".into(),
        title: title(name),
        summary: String::new(),
        homepage: None,
        license: None,
        roots: vec![RootRule { id: name.to_owned(), locations, marks: Vec::new(), indexes: Vec::new() }],
        extra: Vec::new(),
    };
    check_manifest(&manifest, usize::MAX).map_err(NewError::Name)?;
    match built_in().iter().find(|it| it.facts.words().contains(name)) {
        Some(other) => Err(NewError::Taken { name: name.to_owned(), other: other.facts.manifest.name.clone() }),
        None => Ok(()),
    }
}

/// A project's files, by their paths with `/`.
fn files(name: &str, language: Language) -> Vec<(String, String)> {
    let template = format!("template/{}/", language.name());
    let interface = if language == Language::Rust { "sdk/wit/" } else { "wit/" };
    let mut files = Vec::new();
    for (path, text) in EMBEDDED {
        if let Some(path) = path.strip_prefix(&template) {
            files.push((path.strip_suffix(SUFFIX).unwrap_or(path).to_owned(), filled(text, name)));
        } else if let Some(file) = path.strip_prefix("wit/") {
            files.push((format!("{interface}{file}"), (*text).to_owned()));
        } else if path.starts_with("sdk/") && language == Language::Rust {
            let path = path.strip_suffix(SUFFIX).unwrap_or(path);
            let text = if path == "sdk/Cargo.toml" { alone(text) } else { (*text).to_owned() };
            files.push((path.to_owned(), text));
        }
    }
    files.sort();
    files
}

/// The SDK's manifest without the lints that it takes from dscc's workspace.
fn alone(manifest: &str) -> String {
    let mut inherits = false;
    let keep = |line: &&str| {
        if line.starts_with('[') {
            inherits = *line == "[lints]";
        }
        !inherits
    };
    let lines: Vec<&str> = manifest.lines().filter(keep).collect();
    format!("{}\n", lines.join("\n").trim_end())
}

/// A template's text with what its placeholders stand for, where they are words of their own.
fn filled(text: &str, name: &str) -> String {
    let year = Timestamp::now().to_zoned(TimeZone::UTC).year().to_string();
    let (variable, title) = (variable(name), title(name));
    let values = [("NAME_HOME", variable.as_str()), ("NAME", name), ("TITLE", title.as_str()), ("YEAR", year.as_str())];
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (before, word_on) = rest.split_at(start);
        let (word, after) = word_on.split_at(word_on.find(|character| !is_word(character)).unwrap_or(word_on.len()));
        filled.push_str(before);
        filled.push_str(values.iter().find(|(placeholder, _)| *placeholder == word).map_or(word, |(_, value)| value));
        rest = after;
    }
    filled + rest
}

/// The variable that names the cache's folder.
fn variable(name: &str) -> String {
    format!("{}_HOME", name.to_ascii_uppercase().replace('-', "_"))
}

/// `lab-data` is the cache of "Lab data", until its author finds a better word.
fn title(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut characters = words.trim().chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_where_they_are_words_of_their_own() {
        let text = "NAME NAME_HOME \"NAME\" ~/.cache/NAME dscc-plugin-NAME NAME.wasm ${NAME_HOME} TITLE's é NAME";
        let expected = "lab-data LAB_DATA_HOME \"lab-data\" ~/.cache/lab-data dscc-plugin-lab-data lab-data.wasm \
                        ${LAB_DATA_HOME} Lab data's é lab-data";
        assert_eq!(filled(text, "lab-data"), expected);
        let other = "FILENAME NAMES NAME_HOMES name SUBTITLE RENAME_HOME\n";
        assert_eq!(filled(other, "lab-data"), other);
    }

    #[test]
    fn what_the_templates_make_of_a_name_is_a_manifest_that_is_taken() {
        for good in ["a", "labdata", "lab-data", "lab_data", "a-1", &"x".repeat(64)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "Lab", "1lab", "-lab", "lab data", "lab/data", "..", "all", "dscc", &"x".repeat(65), "läb"] {
            assert!(matches!(check_name(bad), Err(NewError::Name(_))), "{bad}");
        }
        for taken in ["hub", "hf-hub"] {
            assert!(matches!(check_name(taken), Err(NewError::Taken { .. })), "{taken}");
        }
    }

    #[test]
    fn the_sdk_that_a_project_carries_takes_nothing_from_a_workspace() {
        let manifest = "[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n\n[features]\njson = []\n";
        assert_eq!(alone(manifest), "[package]\nname = \"x\"\n\n[features]\njson = []\n");
        let files = files("labdata", Language::Rust);
        let (_, manifest) = files.iter().find(|(path, _)| path == "sdk/Cargo.toml").unwrap();
        assert!(manifest.contains("dscc-sdk") && !manifest.contains("workspace"), "{manifest}");
    }
}
