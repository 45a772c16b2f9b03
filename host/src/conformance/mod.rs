//! What every plugin must keep, checked: with the author's cases, and with trees that are generated from them. A check
//! looks at the plugin as the commands do, through the same survey, plans and removals, in a home made for it; here is
//! only what is asked of the answers. Nothing is installed, and nothing of the user's is looked at.
//!
//! `case`, `text` and `tree` read cases, `variants` makes trees of them, `home` puts a tree in a place of its own, `look`
//! asks the plugin; `claims`, `listing` and `removal` are the checks, `golden` compares with what an author expects.
//!
//! # Cases
//!
//! ```text
#![doc = include_str!("cases.md")]
//! ```

mod case;
mod claims;
mod golden;
mod home;
mod listing;
mod look;
mod removal;
mod report;
mod text;
mod tree;
mod variants;

use std::path::PathBuf;

use rayon::prelude::*;

use crate::plugins::{Catalog, Code, Facts, Known};
use crate::roots::Environment;
use crate::runtime::{Limits, OnDemand};
use crate::survey::Survey;
use crate::tree::Progress;

pub use case::{Case, CaseError, read_cases};
pub use golden::GoldenError;
pub use home::HomeError;
pub use report::{CHECKS, Check, Report, Row};
pub use text::{LineError, Setting};
pub use tree::Tree;

use home::permissions_count;
use look::{Look, Subject};
use report::{Finding, Findings};
use variants::{Extent, Trial};

/// Why a test could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// There is no place for a tree.
    #[error("{tree}: {error}")]
    Home {
        /// The tree, by its name.
        tree: String,
        /// Why.
        error: HomeError,
    },
    /// What a case expects cannot be read or written.
    #[error(transparent)]
    Golden(#[from] GoldenError),
}

/// A survey by one component alone, which is not installed.
pub fn alone(runtime: OnDemand, facts: Facts, component: PathBuf) -> Survey {
    let code = Code::File { path: component, source: None };
    let catalog = Catalog { plugins: vec![Known { facts, code, limits: Limits::default() }], ..Catalog::default() };
    Survey::new(runtime, catalog, Environment::default(), Vec::new())
}

/// How a plugin is tested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What the cases expect is written, and not compared.
    pub bless: bool,
    /// Only the cases and the trees made of them are looked at, and none that every plugin meets.
    pub cases_only: bool,
}

/// Tests the plugin of such a survey.
///
/// # Errors
/// When a tree has no place, or a file of a case cannot be read or written. What is wrong with the plugin is in the
/// report.
pub fn test(survey: &Survey, cases: &[Case], options: Options, progress: &Progress) -> Result<Report, TestError> {
    let subject = Subject { survey, progress };
    let unreadable = permissions_count();
    let (cases, skipped): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|it| unreadable || it.tree.is_readable());
    // The huge tree first: it takes longest.
    let mut trials = if options.cases_only { Vec::new() } else { variants::general(&cases, unreadable) };
    trials.extend(variants::of_cases(&cases, unreadable));
    let findings: Vec<_> = trials.par_iter().map(|trial| examine(subject, trial)).collect();
    let mut report = Report::new(&trials, skipped.iter().map(|it| it.name.clone()).collect());
    for (trial, findings) in trials.iter().zip(findings) {
        report.add(trial, findings?);
    }
    for case in cases {
        let golden = golden::check(subject, case, options.bless)?;
        report.add_golden(case, golden);
    }
    Ok(report)
}

/// All checks on one tree. After a failed call the other answers say nothing.
fn examine(subject: Subject<'_>, trial: &Trial) -> Result<Vec<Finding>, TestError> {
    let mut findings = Findings::default();
    check_all(subject, trial, &mut findings).map_err(|error| TestError::Home { tree: trial.name(), error })?;
    Ok(findings.into_all())
}

fn check_all(subject: Subject<'_>, trial: &Trial, findings: &mut Findings) -> Result<(), HomeError> {
    let home = trial.home(subject, "home")?;
    let look = Look::of(subject, &home);
    if look.failures(&home, "", findings) {
        return Ok(());
    }
    if trial.variant.is_empty() && !trial.generated {
        listing::leads_here(&look, &home, trial, findings);
    }
    claims::check(&look, findings);
    listing::check(subject, &look, &home, findings);
    if !findings.is_empty() {
        return Ok(());
    }
    if trial.extent == Extent::Whole {
        listing::check_elsewhere(subject, &look, &home, trial, findings)?;
    }
    removal::check(&look, &home, trial, findings)
}
