//! What came of a rule: a directory, where its name came from, and whether it may be a root. The sentences for the user
//! are made here, so that every command says the same of the same folder.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::Refusal;
use super::shown;

/// A place that a rule or the user gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The rule's id.
    pub rule: String,
    /// As the library itself would write it: absolute, links not resolved. What was refused for being relative or empty
    /// is relative or empty; a location with a `*` that gave nothing keeps the `*`.
    pub path: PathBuf,
    /// Where the path came from.
    pub origin: Origin,
    /// Whether it is a root.
    pub outcome: Outcome,
}

/// Where a path came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A location of the rule.
    Location {
        /// The location as the rule has it.
        text: String,
        /// Its variables with their values as they are set.
        variables: Vec<(String, OsString)>,
    },
    /// `--root`.
    Named,
}

/// Whether a place is a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It exists, is sane, and shows a mark where the rule has marks or is empty.
    Found {
        /// The same directory with links resolved: what is to be opened.
        resolved: PathBuf,
    },
    /// It does not exist.
    Absent,
    /// It exists and shows none of the marks: no such root.
    Unmarked {
        /// What was looked for.
        marks: Vec<String>,
    },
    /// It, or a folder above it, cannot be looked into: what it holds is unknown, not nothing.
    Unreadable(io::ErrorKind),
    /// It must not be a root, whatever it holds.
    Refused(Refusal),
}

impl Candidate {
    /// A stable word for the outcome, as JSON problems carry it.
    pub fn code(&self) -> &'static str {
        match &self.outcome {
            Outcome::Found { .. } => "root-found",
            Outcome::Absent => "root-absent",
            Outcome::Unmarked { .. } => "root-unmarked",
            Outcome::Unreadable(_) => "root-unreadable",
            Outcome::Refused(refusal) => refusal.code(),
        }
    }

    /// What the user should know of it; none for a root without trouble.
    pub fn message(&self) -> Option<String> {
        let path = shown(self.path.as_os_str());
        let what = match &self.outcome {
            Outcome::Found { .. } => return None,
            Outcome::Absent => format!("`{path}` does not exist"),
            Outcome::Unmarked { marks } => {
                format!("`{path}` is not empty and holds none of {}, so it is no such cache", quoted(marks))
            }
            Outcome::Unreadable(kind) => {
                format!("`{path}` cannot be looked into ({kind}), so what it holds is unknown")
            }
            Outcome::Refused(refusal) => format!("`{path}` is refused as a root: {refusal}"),
        };
        Some(format!("{} ({}): {what}", self.rule, self.origin))
    }

    /// The variables that led here, if any did.
    fn variables(&self) -> Option<String> {
        let Origin::Location { variables, .. } = &self.origin else { return None };
        let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(" and "))
    }

    /// The variables to be blamed for a refusal: they may have led other rules to folders that are refused as well.
    pub fn cause(&self) -> Option<String> {
        let not_the_value =
            matches!(self.outcome, Outcome::Refused(Refusal::MountPoint | Refusal::BadLocation(_) | Refusal::NoHome));
        let refused = matches!(self.outcome, Outcome::Refused(_)) && !not_the_value;
        self.variables().filter(|_| refused)
    }

    /// What to do about [`Self::message`].
    pub fn hint(&self) -> Option<String> {
        let rule = &self.rule;
        let instead = match self.variables() {
            Some(names) => format!("set {names} to an absolute path, or name the folder with `--root {rule}=PATH`"),
            None => format!("name another folder with `--root {rule}=PATH`"),
        };
        match &self.outcome {
            Outcome::Found { .. } => None,
            Outcome::Absent | Outcome::Unmarked { .. } => Some(format!("name the folder with `--root {rule}=PATH`")),
            Outcome::Unreadable(_) => Some("run as a user who may read the folder".to_owned()),
            Outcome::Refused(Refusal::MountPoint) => {
                Some(format!("if it is meant, name it: `--root {rule}={}`", shown(self.path.as_os_str())))
            }
            Outcome::Refused(Refusal::BadLocation(_)) => Some("update the plugin, or tell its author".to_owned()),
            Outcome::Refused(Refusal::NoHome) => Some(format!("set HOME, or use `--root {rule}=PATH`")),
            Outcome::Refused(_) => Some(instead),
        }
    }
}

impl fmt::Display for Origin {
    /// `HF_HUB_CACHE=~/hub`, `by default ~/.cache/x` or `--root`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named => f.write_str("--root"),
            Self::Location { text, variables } if variables.is_empty() => write!(f, "by default {text}"),
            Self::Location { variables, .. } => {
                let settings: Vec<String> =
                    variables.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
                f.write_str(&settings.join(" "))
            }
        }
    }
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}
