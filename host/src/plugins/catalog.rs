//! Which plugins there are in this run: the built-in ones and the installed ones, of which each word of `-c` belongs to
//! one. Made from facts alone; a component is read when it is needed, and only runs if it is the one that was approved.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::model::{Problem, escape_text};
use crate::runtime::{Changed, Limits, Plugin, PluginError, PluginErrorKind, Runtime, digest};

use super::builtin::built_in;
use super::facts::Facts;
use super::folder::{Folder, FolderError};
use super::record::{LockFile, Record};

/// A plugin that runs in this process.
#[derive(Clone, Debug)]
pub struct Known {
    /// What it is and asks for.
    pub facts: Facts,
    /// Where its component is.
    pub code: Code,
    /// What it may use up.
    pub limits: Limits,
}

/// Where a component is.
#[derive(Clone, Debug)]
pub enum Code {
    /// In the program.
    Embedded(&'static [u8]),
    /// In the plugins directory.
    File {
        /// The file.
        path: PathBuf,
        /// What it was added from, escaped.
        source: Option<String>,
    },
}

/// A plugin that does not run, because another one has its name or one of its caches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overridden {
    /// Its name.
    pub name: String,
    /// The one that runs.
    pub by: String,
}

/// The plugins of this run.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Built-in ones first, then the installed ones by name.
    pub plugins: Vec<Known>,
    /// The built-in ones that an installed one is approved to run instead of.
    pub overridden: Vec<Overridden>,
    /// What is installed and does not run, and why.
    pub problems: Vec<Problem>,
}

impl Known {
    /// An installed plugin; `defaults` are the limits that its record does not set.
    pub fn installed(folder: &Folder, record: &Record, defaults: Limits) -> Self {
        let path = folder.component_path(&record.facts.digest);
        let code = Code::File { path, source: record.source.clone() };
        Self { facts: record.facts.clone(), code, limits: record.limits(defaults) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.facts.manifest.name
    }

    /// Whether it comes with the program.
    pub fn is_built_in(&self) -> bool {
        matches!(self.code, Code::Embedded(_))
    }

    /// Whether the lock file beside the component names it no more: another process has changed it since it was read.
    fn is_gone(&self, component: &Path) -> bool {
        let file = component.parent().and_then(|folder| Folder::new(folder).read().ok());
        file.is_some_and(|file| !file.digests().contains(&self.facts.digest))
    }

    /// The component, ready to be called.
    ///
    /// # Errors
    /// When the file is missing, is another one than was approved, or cannot be loaded.
    pub fn load(&self, runtime: &Runtime) -> Result<Plugin, PluginError> {
        let (name, digest) = (self.name(), &self.facts.digest);
        match &self.code {
            Code::Embedded(bytes) => runtime.load_known(name, digest, bytes, self.limits),
            Code::File { path, source } => {
                let file = File::open(path).map_err(|error| self.unreadable(path, source.as_deref(), &error))?;
                let read = || self.read(&file, path, source.as_deref());
                runtime.load_file(name, digest, &file, self.limits, read)
            }
        }
    }

    /// The component's bytes, which have the digest that the facts are about.
    ///
    /// # Errors
    /// When the file is missing, or is another one than was approved.
    pub fn component(&self) -> Result<Cow<'static, [u8]>, PluginError> {
        match &self.code {
            Code::Embedded(bytes) => Ok(Cow::Borrowed(bytes)),
            Code::File { path, source } => {
                let file = File::open(path).map_err(|error| self.unreadable(path, source.as_deref(), &error))?;
                self.read(&file, path, source.as_deref()).map(Cow::Owned)
            }
        }
    }

    fn read(&self, file: &File, path: &Path, source: Option<&str>) -> Result<Vec<u8>, PluginError> {
        let mut bytes = Vec::new();
        match file.take(self.facts.size + 1).read_to_end(&mut bytes) {
            Err(error) => Err(self.unreadable(path, source, &error)),
            Ok(_) if digest(&bytes) == self.facts.digest => Ok(bytes),
            Ok(_) => Err(self.changed(path, source, "is not the one that was approved")),
        }
    }

    fn unreadable(&self, path: &Path, source: Option<&str>, error: &io::Error) -> PluginError {
        self.changed(path, source, &format!("cannot be read ({error})"))
    }

    fn changed(&self, path: &Path, source: Option<&str>, how: &str) -> PluginError {
        if self.is_gone(path) {
            return PluginError::of_file(self.name(), PluginErrorKind::Replaced);
        }
        let what = format!("its component `{}` {how}", escape_text(path.as_os_str()));
        let origin = source.map_or_else(|| "PATH".to_owned(), as_argument);
        let changed = Changed { what, name: self.name().to_owned(), origin };
        PluginError::of_file(self.name(), PluginErrorKind::Changed(Box::new(changed)))
    }
}

impl Catalog {
    /// The built-in plugins alone.
    pub fn built_in(limits: Limits) -> Self {
        let known = |it: &super::BuiltIn| Known { facts: it.facts.clone(), code: Code::Embedded(it.component), limits };
        Self { plugins: built_in().iter().map(known).collect(), ..Self::default() }
    }

    /// The built-in plugins and those in the plugins directory. What cannot be used there costs itself only.
    pub fn read(folder: &Folder, limits: Limits) -> Self {
        let mut catalog = Self::built_in(limits);
        match folder.read() {
            Ok(file) => catalog.add_installed(folder, &file, limits),
            Err(error) => catalog.problems.push(of_folder(&error)),
        }
        catalog
    }

    fn add_installed(&mut self, folder: &Folder, file: &LockFile, limits: Limits) {
        for damaged in &file.damaged {
            let name = damaged.shown_name();
            let message =
                format!("the installed plugin `{name}` does not run: its record is damaged ({})", damaged.why);
            let problem = Problem::new("plugin-record", message).at(escape_text(folder.lock_file_path().as_os_str()));
            self.problems.push(Problem { plugin: damaged.name.clone(), ..problem.hint(damaged.hint()) });
        }
        for record in &file.records {
            self.add_record(folder, record, limits);
        }
    }

    /// An installed plugin runs unless it has a word of one that it was not approved to run instead of.
    fn add_record(&mut self, folder: &Folder, record: &Record, limits: Limits) {
        let words = record.facts.words();
        let others = self.plugins.iter().filter(|it| !it.facts.words().is_disjoint(&words));
        let others: Vec<(String, bool)> = others.map(|it| (it.name().to_owned(), it.is_built_in())).collect();
        let may_override = |(name, built_in): &(String, bool)| *built_in && record.overrides.contains(name);
        if let Some((name, _)) = others.iter().find(|other| !may_override(other)) {
            let own = record.name();
            let message =
                format!("the installed plugin `{own}` does not run: `{name}` has its name or one of its caches");
            let hint = format!("`dscc plugin remove {own}`, or `dscc plugin add --replace PATH` to run it instead");
            let problem = Problem::new("plugin-overridden", message).hint(hint);
            return self.problems.push(Problem { plugin: Some(own.to_owned()), ..problem });
        }
        for (name, _) in others {
            self.plugins.retain(|it| it.name() != name);
            self.overridden.push(Overridden { name, by: record.name().to_owned() });
        }
        self.plugins.push(Known::installed(folder, record, limits));
    }

    /// What every listing says: which built-in plugins do not run because an installed one does.
    pub fn notices(&self) -> impl Iterator<Item = Problem> + '_ {
        self.overridden.iter().map(|Overridden { name, by }| {
            let message = format!("the built-in plugin `{name}` is overridden by the installed plugin `{by}`");
            let problem = Problem::new("built-in-overridden", message);
            Problem { plugin: Some(by.clone()), ..problem }.hint(format!("`dscc plugin remove {by}` brings it back"))
        })
    }
}

/// A source as a shell takes it.
pub(crate) fn as_argument(source: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=@%,:".contains(&byte);
    if source.bytes().all(is_plain) {
        source.to_owned()
    } else if source.contains('\\') {
        // The escaped form of names that are no text is the shell's own.
        format!("$'{}'", source.replace('\'', r"\'"))
    } else {
        format!("'{}'", source.replace('\'', r"'\''"))
    }
}

/// A plugins directory that cannot be used, as a row.
pub fn of_folder(error: &FolderError) -> Problem {
    Problem::new(error.code(), error.to_string()).hint(error.hint())
}
