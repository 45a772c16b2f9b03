//! A home made for one test: a tree in its place, an environment of its own, and a folder beside it that nothing may
//! touch. Nothing of the user's is seen from in there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::model::{Problem, RelPath, RootRule, escape_text};
use crate::roots::{Environment, Outcome, Template, resolve};
use crate::tree::{Filter, FsError, NodeKind, Root};

use super::text::Setting;
use super::tree::{Places, Tree};

/// Why there is no place for a tree.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Making it failed.
    #[error("a home for the test cannot be made: {0}")]
    Io(#[from] io::Error),
    /// Looking at it failed.
    #[error("the home made for the test cannot be looked at: {0}")]
    Tree(#[from] FsError),
    /// `root:`.
    #[error("`root: {0}` names a rule that the manifest does not have")]
    UnknownRule(String),
    /// A manifest without rules or locations.
    #[error("the manifest has no root rule with a location, so there is no place for a tree")]
    NoRule,
    /// The place for temporary files is one where no root may be.
    #[error("{0}; set TMPDIR to another folder")]
    Refused(String),
    /// The rule leads to where no test writes.
    #[error("the rule `{rule}` leads to `{path}`, which is not in the home; say `env:` so that it leads to the home")]
    Outside {
        /// The rule.
        rule: String,
        /// The place.
        path: String,
    },
}

/// A home with a tree in it; removed when dropped.
pub(super) struct Home {
    /// With everything that belongs to the test.
    dir: TempDir,
    /// The home itself.
    path: PathBuf,
    /// Where the tree is.
    pub(super) at: PathBuf,
    pub(super) environment: Environment,
    tree: Tree,
}

/// What is at each path of the home and beside it: enough to notice any change.
pub(super) type Snapshot = BTreeMap<PathBuf, Seen>;

/// A change of a file shows in its size or its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) kind: NodeKind,
    target: String,
    size: u64,
    modified: i64,
}

impl Home {
    /// Makes a home of that name with a tree in it.
    pub(super) fn new(name: &str, rules: &[RootRule], setting: &Setting, tree: &Tree) -> Result<Self, HomeError> {
        let dir = tempfile::Builder::new().prefix("dscc-test-").tempdir()?;
        let above = dir.path().canonicalize()?;
        let path = above.join(name);
        for folder in [path.clone(), above.join("tmp"), outside(&path)] {
            fs::create_dir_all(folder)?;
        }
        fs::write(outside(&path).join("precious"), "not the plugin's")?;
        let mut environment = environment(&path, above.join("tmp"), setting);
        let at = match &setting.at {
            Some(at) => path.join(at.trim_start_matches(['~', '/'])),
            None => default_place(rules, setting, &mut environment)?,
        };
        let home = Self { dir, path, at, environment, tree: tree.clone() };
        home.tree.write(&Places { root: &home.at, home: &home.path })?;
        Ok(home)
    }

    /// The failures of the plugin among problems. To say of what cannot be read that it cannot be listed is none.
    pub(super) fn failures<'a>(&self, problems: &'a [Problem]) -> impl Iterator<Item = &'a Problem> {
        let readable = self.tree.is_readable();
        problems.iter().filter(move |it| it.code.starts_with("plugin") && (readable || it.code != "plugin-error"))
    }

    /// Whether all of the tree can be read.
    pub(super) fn is_readable(&self) -> bool {
        self.tree.is_readable()
    }

    /// A text without what differs from home to home.
    pub(super) fn portable(&self, text: &str) -> String {
        let above = self.path.parent().unwrap_or(&self.path);
        text.replace(&escape_text(self.path.as_os_str()), "~").replace(&escape_text(above.as_os_str()), "~/..")
    }

    /// Everything in the test's folder as it is now, by its path.
    pub(super) fn snapshot(&self) -> Result<Snapshot, FsError> {
        let above = self.path.parent().unwrap_or(&self.path);
        let root = Root::open(above)?;
        let mut walker = root.walk(&RelPath::root(), Filter { stat: true, ..Filter::default() })?;
        let mut snapshot = Snapshot::new();
        loop {
            let nodes = walker.next(10_000);
            if nodes.is_empty() {
                return Ok(snapshot);
            }
            for node in nodes {
                let path = RelPath::parse(&node.path).map_err(|_| FsError::WrongKind)?;
                let seen = Seen { kind: node.kind, target: node.target, size: node.size, modified: node.modified };
                snapshot.insert(above.join(path.to_path_buf()), seen);
            }
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.tree.unlock(&self.at);
        let _ = &self.dir;
    }
}

/// A folder beside the home.
fn outside(home: &Path) -> PathBuf {
    home.with_file_name("outside")
}

/// The text of a link that leads from directly in a root to the folder beside the home.
pub(super) fn link_outside() -> Vec<u8> {
    b"$HOME/../outside".to_vec()
}

/// Whether permissions keep this process from reading.
pub(super) fn permissions_count() -> bool {
    let Ok(dir) = tempfile::tempdir() else { return false };
    let mut tree = Tree::default();
    let locked = super::tree::Item { mode: Some(0), ..super::tree::What::Folder.into() };
    tree.items.insert(RelPath::from_components(["locked"]), locked);
    let places = Places { root: dir.path(), home: dir.path() };
    let counts = tree.write(&places).is_ok() && fs::read_dir(dir.path().join("locked")).is_err();
    tree.unlock(dir.path());
    counts
}

fn environment(home: &Path, temp: PathBuf, setting: &Setting) -> Environment {
    let shown = home.to_string_lossy();
    let set = setting.env.iter().map(|(name, value)| (name.into(), value.replace("$HOME", &shown).into()));
    let variables = std::iter::once(("HOME".into(), home.into())).chain(set).collect();
    Environment { variables, home: Some(home.to_owned()), cache: home.join(".cache"), temp, ..Environment::default() }
}

/// Where the rule leads in this environment. If it leads nowhere for want of variables, they are set.
fn default_place(rules: &[RootRule], setting: &Setting, environment: &mut Environment) -> Result<PathBuf, HomeError> {
    let rule = match &setting.rule {
        Some(id) => rules.iter().find(|rule| rule.id == *id).ok_or_else(|| HomeError::UnknownRule(id.clone()))?,
        None => rules.first().ok_or(HomeError::NoRule)?,
    };
    let home = environment.home.clone().unwrap_or_default();
    let mut candidates = resolve(rule, environment, &[]);
    if candidates.is_empty() && setting.env.is_empty() {
        let first = rule.locations.first().and_then(|it| it.path.parse::<Template>().ok()).ok_or(HomeError::NoRule)?;
        for name in first.variables() {
            environment.variables.insert(name.into(), home.join(name).into());
        }
        candidates = resolve(rule, environment, &[]);
    }
    let candidate = candidates.into_iter().next().ok_or(HomeError::NoRule)?;
    let own = candidate.path.starts_with(&home) || candidate.path.starts_with(&environment.temp);
    if let (Outcome::Refused(_), true, Some(message)) = (&candidate.outcome, own, candidate.message()) {
        return Err(HomeError::Refused(message));
    }
    if !own {
        let path = escape_text(candidate.path.as_os_str());
        return Err(HomeError::Outside { rule: rule.id.clone(), path });
    }
    // A pattern that nothing matches yet; any name does.
    Ok(candidate.path.to_string_lossy().replace('*', "x").into())
}
