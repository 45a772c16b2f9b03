//! Carrying out what was approved: the component goes into the plugins directory and its record into the lock file, or
//! both go. What was proposed is decided again under the guard, and must come to the same.

use jiff::Timestamp;

use super::facts::Facts;
use super::folder::{Folder, FolderError};
use super::propose::{Proposal, ProposalError, Wish};
use super::record::Record;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// See [`FolderError`].
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// See [`ProposalError`].
    #[error(transparent)]
    Proposal(#[from] ProposalError),
    /// Another process was faster.
    #[error("the installed plugins have changed since the question was asked, so nothing was done")]
    Moved,
    /// Not there.
    #[error("no plugin `{0}` is installed")]
    NotInstalled(String),
}

/// Installs what was approved. The same bytes approved for the same are written again, which mends a damaged file.
///
/// # Errors
/// When the plugins directory cannot be changed, or has changed since the proposal was made.
pub fn install(
    folder: &Folder,
    component: &[u8],
    facts: &Facts,
    source: Option<String>,
    wish: &Wish,
    approved: &Proposal,
) -> Result<(), InstallError> {
    folder.change(Some(component), |file| {
        let proposal = Proposal::new(file, facts, wish)?;
        // Another process may have installed the very same.
        let is_done = proposal.is_done(facts) && proposal.request == approved.request;
        if !is_done && proposal != *approved {
            return Err(InstallError::Moved);
        }
        for other in &proposal.removes {
            file.remove(other);
        }
        let request = proposal.request.clone();
        let added = proposal.before.filter(|it| it.facts == *facts && it.request() == request).map(|it| it.added);
        let added = added.unwrap_or_else(now);
        file.put(Record::approved(facts.clone(), source, added, request.limits, request.overrides));
        Ok(())
    })
}

/// Removes an installed plugin. Its caches stay as they are.
///
/// # Errors
/// When it is not installed, or the plugins directory cannot be changed.
pub fn remove(folder: &Folder, name: &str) -> Result<Option<Record>, InstallError> {
    folder.change(None, |file| {
        let record = file.get(name).cloned();
        if file.remove(name) { Ok(record) } else { Err(InstallError::NotInstalled(name.to_owned())) }
    })
}

/// Seconds are exact enough, and easier to read.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
