//! dscc's own folders on this platform, and the variables that override them.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;

/// Where dscc keeps its own things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Settings (`DSCC_CONFIG`).
    pub config: PathBuf,
    /// Installed plugins (`DSCC_PLUGINS_DIR`).
    pub plugins: PathBuf,
    /// Journal and undo records (`DSCC_STATE_DIR`).
    pub state: PathBuf,
    /// Compiled code (`DSCC_CACHE_DIR`); may be deleted at any time.
    pub cache: PathBuf,
}

/// The home directory is unknown and not everything was overridden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the home directory is not known; set HOME, or DSCC_CONFIG, DSCC_PLUGINS_DIR, DSCC_STATE_DIR and DSCC_CACHE_DIR"
)]
pub struct NoHome;

impl Folders {
    /// The folders for this process's environment.
    ///
    /// # Errors
    /// When there is no home directory and a folder is not overridden.
    pub fn of_process() -> Result<Self, NoHome> {
        let platform = etcetera::choose_base_strategy().ok();
        let pick = |variable: &str, default: Option<PathBuf>| {
            let set = std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
            set.map(|path| std::path::absolute(&path).unwrap_or(path)).or(default).ok_or(NoHome)
        };
        let data = platform.as_ref().map(|it| it.data_dir().join("dscc"));
        let state = platform.as_ref().map(|it| it.state_dir().unwrap_or_else(|| it.data_dir()).join("dscc"));
        Ok(Self {
            config: pick("DSCC_CONFIG", platform.as_ref().map(|it| it.config_dir().join("dscc").join("config.toml")))?,
            plugins: pick("DSCC_PLUGINS_DIR", data.map(|it| it.join("plugins")))?,
            state: pick("DSCC_STATE_DIR", state)?,
            cache: pick("DSCC_CACHE_DIR", platform.as_ref().map(|it| it.cache_dir().join("dscc")))?,
        })
    }
}
