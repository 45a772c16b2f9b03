//! Something that went wrong and that the user has to know: a warning or an error row.

use crate::model::RelPath;
use crate::runtime::PluginError;

/// What went wrong, where, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// Stable, for programs.
    pub code: String,
    /// The plugin concerned.
    pub plugin: Option<String>,
    /// The cache concerned.
    pub cache: Option<String>,
    /// The entry concerned.
    pub id: Option<String>,
    /// The path concerned.
    pub path: Option<String>,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The end of what a plugin printed.
    pub output: String,
}

impl Problem {
    /// A problem with a code and a message.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), ..Self::default() }
    }

    /// A plugin's failure.
    pub fn of_plugin(error: &PluginError, cache: Option<&str>) -> Self {
        Self {
            plugin: Some(error.plugin.clone()),
            cache: cache.map(str::to_owned),
            output: error.output.clone(),
            hint: Some("the other plugins are not concerned; tell the plugin's author what was printed".to_owned())
                .filter(|_| error.code() != "plugin-error"),
            ..Self::new(error.code(), error.to_string())
        }
    }

    /// The same problem, about a place.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same problem, about a path beneath a root.
    #[must_use]
    pub fn beneath(self, root: &std::path::Path, path: &RelPath) -> Self {
        let full = if path.is_root() { root.to_owned() } else { root.join(path.to_path_buf()) };
        self.at(crate::model::escape_text(full.as_os_str()))
    }

    /// The same problem, with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
