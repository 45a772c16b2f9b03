//! The checks by name, and what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::case::Case;
use super::golden::Golden;
use super::variants::Trial;

/// A promise that every plugin keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// A stable word.
    pub code: &'static str,
    /// What is promised.
    pub promise: &'static str,
}

const fn check(code: &'static str, promise: &'static str) -> Check {
    Check { code, promise }
}

/// All of them. `manifest` is checked by the caller, before anything is listed.
pub const CHECKS: &[Check] = &[
    check("manifest", "the plugin describes itself by the rules of the interface"),
    check("runs", "no call fails, whatever the tree is like"),
    check("answers", "every answer keeps the rules of the interface"),
    check("root", "the plugin's rules lead to the tree of the case"),
    check("bytes", "every byte in a root with caches is claimed or reported as unclaimed"),
    check("owned-exists", "what an entry owns is there"),
    check("one-owner", "no two entries own one path, and none shares what another owns"),
    check("overlap", "an entry that lies in another one is its child, or one of the two says that it needs the other"),
    check("unique-ids", "every id is there once in its cache, on whatever level"),
    check("needs", "no entry needs what it owns itself"),
    check("locks", "a lock is a file or a folder of files, or absent"),
    check("outline", "the outline says the same as the full listing: ids, kinds, labels, owned paths, has-children"),
    check("has-children", "an entry without children has none when it is asked for them"),
    check("stable-ids", "ids are the same for the same tree in another home"),
    check("deterministic", "so is everything else that is said of it"),
    check("edits", "delete-entry answers, and drops records from declared indexes only"),
    check("removal", "an entry that is removed goes as planned, and is not listed afterwards"),
    check("neighbours", "entries that stay are still listed afterwards"),
    check("inside", "a removal changes nothing but what its plan names"),
    check("expected", "the listing is what the case expects"),
    check("plan", "the plan is what the case expects"),
];

/// A promise that was broken on one tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// What was found on one tree.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, code: &'static str, message: impl Into<String>) {
        debug_assert!(CHECKS.iter().any(|check| check.code == code));
        self.0.push(Finding { code, message: message.into() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_all(self) -> Vec<Finding> {
        self.0
    }
}

/// What a check came to on a case and all trees made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The check.
    pub code: &'static str,
    /// The case; none for what is checked without a tree.
    pub case: Option<String>,
    /// Whether the promise is kept.
    pub passed: bool,
    /// What broke it first.
    pub message: Option<String>,
    /// How often it was broken besides.
    #[serde(skip)]
    pub more: usize,
}

/// What came of a test.
#[derive(Debug, Default)]
pub struct Report {
    /// A row for each check and case, in the order of [`CHECKS`].
    pub rows: Vec<Row>,
    /// How many trees were looked at.
    pub trees: usize,
    /// The cases that need permissions to count, which they do not for this user.
    pub skipped: Vec<String>,
    /// The files that were written.
    pub blessed: Vec<PathBuf>,
}

impl Report {
    pub(super) fn new(trials: &[Trial], skipped: Vec<String>) -> Self {
        let cases: BTreeSet<&str> = trials.iter().map(|trial| trial.case.as_str()).collect();
        let generated: BTreeMap<&str, bool> = trials.iter().map(|it| (it.case.as_str(), it.generated)).collect();
        let of_cases = |code: &str| matches!(code, "root" | "expected" | "plan");
        let mut rows = Vec::new();
        for check in CHECKS.iter().filter(|check| check.code != "manifest") {
            let cases = cases.iter().filter(|case| !of_cases(check.code) || !generated[**case]);
            rows.extend(cases.map(|case| Row::passed(check.code, Some((*case).to_owned()))));
        }
        rows.insert(0, Row::passed("manifest", None));
        Self { rows, trees: trials.len(), skipped, blessed: Vec::new() }
    }

    /// The report of a plugin that could not describe itself.
    pub fn without_manifest(message: String) -> Self {
        let row = Row { passed: false, message: Some(message), ..Row::passed("manifest", None) };
        Self { rows: vec![row], ..Self::default() }
    }

    pub(super) fn add(&mut self, trial: &Trial, findings: Vec<Finding>) {
        for finding in findings {
            let message = match trial.variant.as_str() {
                "" => finding.message,
                variant => format!("{variant}: {}", finding.message),
            };
            self.fail(finding.code, &trial.case, message);
        }
    }

    pub(super) fn add_golden(&mut self, case: &Case, golden: Golden) {
        golden.findings.into_iter().for_each(|it| self.fail(it.code, &case.name, it.message));
        self.blessed.extend(golden.written);
    }

    fn fail(&mut self, code: &str, case: &str, message: String) {
        let row = self.rows.iter_mut().find(|row| row.code == code && row.case.as_deref() == Some(case));
        let Some(row) = row else { return };
        if row.passed {
            (row.passed, row.message) = (false, Some(message));
        } else {
            row.more += 1;
        }
    }

    /// Whether every promise is kept.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.passed)
    }
}

impl Row {
    fn passed(code: &'static str, case: Option<String>) -> Self {
        Self { code, case, passed: true, message: None, more: 0 }
    }
}
