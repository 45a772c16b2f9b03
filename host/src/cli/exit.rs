//! How commands end: the exit statuses, and errors that end a command.

use std::process::ExitCode;

use crate::clean::SelectionError;
use crate::folders::NoHome;
use crate::plugins::{BuildError, FolderError, InstallError, NewError, ProposalError};
use crate::runs::GivenUp;
use crate::runtime::PluginError;
use crate::settings::SettingsError;
use crate::survey::UnknownCache;
use crate::ui::{Output, OutputError};

/// The exit status of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Done, also with nothing to do.
    Done,
    /// Failed, or done in part.
    Failed,
    /// The command line does not make sense.
    Usage,
    /// Nobody to ask, or all of it protected or in use.
    Refused,
    /// A check found problems.
    Findings,
    /// A named target does not exist.
    NotFound,
    /// This signal ended it early, and what was done was told.
    Interrupted(u8),
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Done => 0,
            Status::Failed => 1,
            Status::Usage => 2,
            Status::Refused => 3,
            Status::Findings => 4,
            Status::NotFound => 5,
            Status::Interrupted(signal) => 128_u8.saturating_add(signal),
        })
    }
}

/// What ends a command early.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: Status,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Tells the user, and gives the exit status.
    pub(super) fn report(self, output: &mut Output) -> ExitCode {
        if !self.message.is_empty() {
            let mut lines = self.message.lines();
            output.error(lines.next().unwrap_or_default());
            lines.for_each(|line| output.continuation(line));
        }
        if let Some(hint) = self.hint {
            output.hint(&hint);
        }
        self.status.into()
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Closed => Self::new(Status::Done, ""),
            error => Self::new(Status::Failed, error.to_string()),
        }
    }
}

impl From<NoHome> for Failure {
    fn from(error: NoHome) -> Self {
        Self::new(Status::Failed, error.to_string())
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let (status, hint) = match error {
            SettingsError::Io(..) => (Status::Failed, "make the file readable, or set DSCC_CONFIG to another"),
            SettingsError::Line { .. } => (Status::Usage, "correct it; DSCC_CONFIG names another file"),
            SettingsError::Variable { .. } => (Status::Usage, "correct the variable, or unset it"),
        };
        Self::new(status, error.to_string()).hint(hint)
    }
}

impl From<GivenUp> for Failure {
    fn from(error: GivenUp) -> Self {
        Self::new(Status::Failed, error.to_string()).hint(error.hint())
    }
}

impl From<UnknownCache> for Failure {
    fn from(error: UnknownCache) -> Self {
        Self::new(Status::NotFound, error.to_string()).hint("`dscc list` shows the caches that there are")
    }
}

impl From<SelectionError> for Failure {
    fn from(error: SelectionError) -> Self {
        let status = match error {
            SelectionError::NotFound(_) => Status::NotFound,
            SelectionError::Ambiguous { .. } => Status::Usage,
        };
        Self::new(status, error.to_string())
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::new(Status::Failed, error.to_string()).hint(error.hint())
    }
}

impl From<ProposalError> for Failure {
    fn from(error: ProposalError) -> Self {
        let status = match error {
            ProposalError::NotInstalled(_) => Status::NotFound,
            ProposalError::OtherName { .. } => Status::Usage,
            _ => Status::Refused,
        };
        Self::new(status, error.to_string()).hint(error.hint())
    }
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        match error {
            InstallError::Folder(error) => error.into(),
            InstallError::Proposal(error) => error.into(),
            InstallError::Moved => Self::new(Status::Failed, error.to_string()).hint("run the command again"),
            InstallError::NotInstalled(_) => Self::new(Status::NotFound, error.to_string()),
        }
    }
}

impl From<NewError> for Failure {
    fn from(error: NewError) -> Self {
        let (status, hint) = match error {
            NewError::Name(_) => (Status::Usage, None),
            NewError::Taken { .. } => (Status::Refused, Some("choose another name")),
            NewError::NotEmpty(_) => (Status::Refused, Some("--dir DIR puts the project elsewhere")),
            NewError::Io(..) => (Status::Failed, None),
        };
        Self { status, message: error.to_string(), hint: hint.map(str::to_owned) }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let status = match error {
            BuildError::NoProject(_) => Status::NotFound,
            _ => Status::Failed,
        };
        Self::new(status, error.to_string())
    }
}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        let failure = Self::new(Status::Failed, error.told());
        match error.limit() {
            Some(limit) => failure.hint(format!("if you trust it with more, add `--limit {limit}=...`")),
            None if error.says_what_to_do() => failure,
            None => failure.hint("nothing was done with it; tell the plugin's author what was printed"),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Status::Failed, format!("{error:#}"))
    }
}
