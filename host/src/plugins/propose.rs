//! What adding or updating a plugin would come to, before anybody is asked: a pure decision over facts. It is made once
//! for the question, and again when the plugins directory is ours to change.

use std::collections::BTreeSet;

use semver::Version;

use crate::runtime::LimitSettings;

use super::builtin::built_in;
use super::facts::Facts;
use super::record::{LockFile, Record, request};
use super::request::{Change, Request};

/// What the user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Install a new plugin, or a new version of this one.
    pub update: Option<String>,
    /// Whether it may take the place of others, and of a later version.
    pub replace: bool,
    /// Limits that are set for it; none keeps those that it has.
    pub limits: LimitSettings,
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What would be approved.
    pub request: Request,
    /// The plugin of that name that is installed now.
    pub before: Option<Record>,
    /// What is different from what was approved for that one; empty for a plugin that is new.
    pub changes: Vec<Change>,
    /// Installed plugins that go, because their words are taken.
    pub removes: BTreeSet<String>,
}

/// Why it cannot be done as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// `update` of what is not there.
    #[error("no plugin `{0}` is installed")]
    NotInstalled(String),
    /// `update` with another plugin's component.
    #[error("this is `{found}`, not `{wanted}`")]
    OtherName {
        /// What the component calls itself.
        found: String,
        /// What was named.
        wanted: String,
    },
    /// `add` of another version.
    #[error("`{name}` {version} is installed already")]
    Installed {
        /// Its name.
        name: String,
        /// The installed version.
        version: String,
    },
    /// An earlier version than the installed one.
    #[error("`{name}` {version} is installed, and this is the earlier {found}")]
    Downgrade {
        /// Its name.
        name: String,
        /// The installed version.
        version: String,
        /// The component's.
        found: String,
    },
    /// A word belongs to another plugin.
    #[error("the {kind} plugin `{other}` has {} already", words(.taken))]
    Taken {
        /// The plugin.
        other: String,
        /// `installed` or `built-in`.
        kind: &'static str,
        /// Which words.
        taken: Vec<String>,
    },
}

impl ProposalError {
    /// What to do instead.
    pub fn hint(&self) -> String {
        match self {
            Self::NotInstalled(_) => "`dscc plugin list` shows what is; `dscc plugin add PATH` installs it".into(),
            Self::OtherName { found, .. } => format!("`dscc plugin update {found} PATH` updates that one"),
            Self::Installed { name, .. } => {
                format!("`dscc plugin update {name} PATH` updates it; --replace puts this one in its place")
            }
            Self::Downgrade { .. } | Self::Taken { kind: "installed", .. } => {
                "--replace puts this one in its place".into()
            }
            Self::Taken { .. } => "--replace runs this one instead of it".into(),
        }
    }
}

fn words(taken: &[String]) -> String {
    let quoted: Vec<String> = taken.iter().map(|word| format!("`{word}`")).collect();
    format!("the name{} {}", if taken.len() == 1 { "" } else { "s" }, quoted.join(", "))
}

impl Proposal {
    /// Decides what would be done.
    ///
    /// # Errors
    /// When it would take another's place and that was not asked for, or is no such update.
    pub fn new(file: &LockFile, facts: &Facts, wish: &Wish) -> Result<Self, ProposalError> {
        let name = &facts.manifest.name;
        let before = file.get(name);
        if let Some(wanted) = &wish.update {
            if wanted != name {
                return Err(ProposalError::OtherName { found: name.clone(), wanted: wanted.clone() });
            }
            before.ok_or_else(|| ProposalError::NotInstalled(wanted.clone()))?;
        }
        if let Some(before) = before.filter(|it| it.facts.digest != facts.digest && !wish.replace) {
            check_version(before, facts, wish)?;
        }
        let approved = before.map(|it| it.overrides.clone()).unwrap_or_default();
        let overrides = overridden(facts);
        let mut removes = BTreeSet::new();
        for (other, kind, taken) in taken(file, facts) {
            let is_approved = kind == "built-in" && approved.contains(&other);
            if !wish.replace && !is_approved {
                return Err(ProposalError::Taken { other, kind, taken });
            }
            if kind == "installed" {
                removes.insert(other);
            }
        }
        let mut limits = before.map(|it| it.limits.clone()).unwrap_or_default();
        limits.extend(wish.limits.clone());
        let request = request(facts, &limits, &overrides);
        let changes = before.map(|it| it.request().changes_to(&request)).unwrap_or_default();
        Ok(Self { request, before: before.cloned(), changes, removes })
    }

    /// Whether exactly this is installed already.
    pub fn is_done(&self, facts: &Facts) -> bool {
        self.before.as_ref().is_some_and(|it| it.facts == *facts && it.request() == self.request)
    }

    /// Whether more is asked for than was approved, or another plugin goes.
    pub fn widens(&self) -> bool {
        self.before.is_none() || !self.removes.is_empty() || self.changes.iter().any(|change| change.widens)
    }
}

fn check_version(before: &Record, facts: &Facts, wish: &Wish) -> Result<(), ProposalError> {
    let (name, version) = (before.name().to_owned(), before.facts.manifest.version.clone());
    if wish.update.is_none() {
        return Err(ProposalError::Installed { name, version });
    }
    let found = &facts.manifest.version;
    let parsed = |text: &str| Version::parse(text).ok();
    if parsed(found) < parsed(&version) {
        return Err(ProposalError::Downgrade { name, version, found: found.clone() });
    }
    Ok(())
}

/// The built-in plugins that could not run beside it.
fn overridden(facts: &Facts) -> BTreeSet<String> {
    let words = facts.words();
    let taken = built_in().iter().filter(|it| !it.facts.words().is_disjoint(&words));
    taken.map(|it| it.facts.manifest.name.clone()).collect()
}

/// The other plugins that have words of this one: name, kind, which words.
fn taken(file: &LockFile, facts: &Facts) -> Vec<(String, &'static str, Vec<String>)> {
    let words = facts.words();
    let name = &facts.manifest.name;
    let installed = file.records.iter().filter(|it| it.name() != name).map(|it| (&it.facts, "installed"));
    let built_in = built_in().iter().map(|it| (&it.facts, "built-in"));
    let taken = built_in.chain(installed).map(|(other, kind)| {
        let taken = other.words().intersection(&words).map(|word| (*word).to_owned()).collect::<Vec<_>>();
        (other.manifest.name.clone(), kind, taken)
    });
    taken.filter(|(_, _, taken)| !taken.is_empty()).collect()
}
