//! `dscc plugin verify`: whether what is installed is still what was approved. Looks and never mends, so that a finding
//! can be looked at.

use crate::model::{Problem, escape_text};
use crate::runtime::{CodeState, PluginError, PluginErrorKind, Runtime};

use super::catalog::{Catalog, Known, of_folder};
use super::facts::Facts;
use super::folder::Folder;

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The plugin.
    pub name: String,
    /// Whether its compiled code is there.
    pub code: CodeState,
    /// What is wrong; empty if nothing is.
    pub findings: Vec<Problem>,
}

/// Checks the plugins of this run: the component's bytes, what it says of itself, its compiled code.
pub fn verify_plugins(runtime: &Runtime, plugins: &[Known]) -> Vec<Checked> {
    plugins.iter().map(|known| verify_plugin(runtime, known)).collect()
}

/// Checks the plugins directory itself: the lock file, what it does not name, what does not run.
pub fn verify_folder(folder: &Folder, catalog: &Catalog) -> Vec<Problem> {
    let mut findings = catalog.problems.clone();
    let Ok(file) = folder.read() else { return findings }; // told by the catalog already
    match folder.strays(&file) {
        Ok(strays) => findings.extend(strays.iter().map(|stray| {
            let path = folder.path().join(&stray.name);
            let message = "nothing names this file: an interrupted change left it".to_owned();
            let hint = "delete it, or `dscc plugin add` it; the next change deletes it after a day";
            Problem::new("plugin-stray-file", message).at(escape_text(path.as_os_str())).hint(hint)
        })),
        Err(error) => findings.push(of_folder(&error)),
    }
    findings
}

fn verify_plugin(runtime: &Runtime, known: &Known) -> Checked {
    let code = runtime.code_state(&known.facts.digest);
    let told = |error: PluginError| about(known, Problem::new(error.code(), error.to_string()));
    let mut findings: Vec<Problem> = verify_component(runtime, known).err().map(told).into_iter().collect();
    if code == CodeState::Damaged {
        let message = "its compiled code is damaged; it is not used, and the next use compiles again";
        findings.push(about(known, Problem::new("plugin-code-damaged", message)));
    }
    Checked { name: known.name().to_owned(), code, findings }
}

fn verify_component(runtime: &Runtime, known: &Known) -> Result<(), PluginError> {
    let facts = Facts::of(runtime, known.name(), &known.component()?, known.limits)?;
    if facts == known.facts {
        return Ok(());
    }
    let kind = PluginErrorKind::Invalid("it says something else of itself than when it was approved".into());
    Err(PluginError::of_file(known.name(), kind))
}

fn about(known: &Known, problem: Problem) -> Problem {
    Problem { plugin: Some(known.name().to_owned()), ..problem }
}
