//! The command line as clap sees it. Help texts are the doc comments here.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args as Arguments, Parser, Subcommand, ValueEnum};

use jiff::SignedDuration;

use crate::roots::Override;
use crate::runtime::{INTERFACE_VERSION, parse_setting};
use crate::settings::parse_age;
use crate::ui::ColorChoice;

/// Shows and cleans what machine-learning libraries leave on disk.
#[derive(Debug, Parser)]
#[command(name = "dscc", version = version(), max_term_width = 100, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

fn version() -> String {
    format!("{} (commit {}, interface {INTERFACE_VERSION})", env!("CARGO_PKG_VERSION"), env!("DSCC_COMMIT"))
}

/// What every command takes.
#[derive(Clone, Debug, Arguments)]
#[command(next_help_heading = "Options of every command")]
pub(super) struct Global {
    /// Write JSON to standard output, and never ask
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Write ids only, one a line, and no remarks
    #[arg(short, long, global = true, conflicts_with = "json")]
    pub(super) quiet: bool,
    /// Show what plugins log
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// Colour the output: auto, always or never
    #[arg(long, global = true, default_value = "auto", value_name = "WHEN")]
    pub(super) color: ColorChoice,
    /// The folder with the installed plugins [env: DSCC_PLUGINS_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) plugins_dir: Option<PathBuf>,
    /// Look in PATH instead of where RULE leads; repeat it for several roots (`dscc paths` lists the rules)
    #[arg(long = "root", global = true, value_name = "RULE=PATH", value_parser = root_parser())]
    pub(super) roots: Vec<Override>,
}

/// A path need not be UTF-8.
fn root_parser() -> impl TypedValueParser<Value = Override> {
    OsStringValueParser::new().try_map(|text| Override::parse(&text))
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show each cache with its size: where the disk went
    #[command(visible_alias = "ls")]
    List(List),
    /// Show the entries of caches: models, datasets, revisions, leftovers
    Show(Show),
    /// Remove entries, after showing what goes and asking
    #[command(visible_alias = "rm")]
    Clean(Clean),
    /// Carry out a plan that `dscc clean --dry-run --json` printed; what changed since then stays, and the reason is told
    Apply(Apply),
    /// Put back what the last `clean` took, as long as it waits: interrupted, or run with --keep-undo
    Undo(Undo),
    /// Show what runs of `clean` did: when, what went, how they ended
    History(History),
    /// Show dscc's own folders and where each library's cache is looked for
    Paths(Paths),
    /// Install, look at and make plugins
    #[command(subcommand)]
    Plugin(Plugin),
}

/// Which caches.
#[derive(Clone, Debug, Arguments)]
pub(super) struct Caches {
    /// Only this cache, or all caches of this plugin; may be repeated
    #[arg(short, long = "cache", value_name = "NAME")]
    pub(super) caches: Vec<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) caches: Caches,
    /// Look into every entry and sum up what the libraries would not miss
    #[arg(long)]
    pub(super) reclaimable: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Show {
    #[command(flatten)]
    pub(super) caches: Caches,
    /// Show what is in the entries, too: revisions, partial downloads
    #[arg(long)]
    pub(super) children: bool,
    /// Only these entries: an id, or CACHE:ID, or a revision as ID@REF or ID@HASH
    #[arg(value_name = "ENTRY")]
    pub(super) entries: Vec<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct Clean {
    #[command(flatten)]
    pub(super) caches: Caches,
    /// These entries: an id, or CACHE:ID, or a revision as ID@REF or ID@HASH (seven digits or more)
    #[arg(value_name = "ENTRY")]
    pub(super) entries: Vec<String>,
    /// Everything in all caches, or in those given with -c
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) how: Removing,
    /// Lift a protection; may be repeated
    #[arg(long, value_enum, value_name = "PROTECTION")]
    pub(super) force: Vec<Protection>,
    /// Keep what changed less than so long ago, unless it is named: 90s, 1h, 2d; 0s for no such thing [default: 1h, and
    /// 1d on file systems that other machines may use]
    #[arg(long, value_name = "AGE", env = "DSCC_GRACE", value_parser = parse_age)]
    pub(super) grace: Option<SignedDuration>,
    /// Also remove what belongs to other users, where that is possible
    #[arg(long)]
    pub(super) include_others: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Apply {
    /// What `dscc clean --dry-run --json` printed, or `-` for standard input
    #[arg(value_name = "PLAN")]
    pub(super) plan: PathBuf,
    #[command(flatten)]
    pub(super) how: Removing,
}

/// How a plan is carried out.
#[derive(Debug, Arguments)]
pub(super) struct Removing {
    /// Show what would go, and stop there; with --json that is a plan for `dscc apply`
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    /// Do not ask; lifts no protection
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Wait so long for a library to give its lock back, instead of keeping what it locks at once
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    pub(super) wait: u32,
    /// Keep what goes for so long (a week, if no age is given), so that `dscc undo` can put it back; it is not free until
    /// then. 0s for not at all, whatever the settings say (keep-undo) [env: DSCC_KEEP_UNDO]
    #[arg(long, value_name = "AGE", num_args = 0..=1, require_equals = true, default_missing_value = "7d", value_parser = parse_age, conflicts_with = "no_record")]
    pub(super) keep_undo: Option<SignedDuration>,
    /// Do without a record, for where none can be written: what an interruption took cannot be put back
    #[arg(long)]
    pub(super) no_record: bool,
}

/// A protection that can be lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Protection {
    /// Entries named one by one go although they cannot be had back
    Irreplaceable,
    /// Entries go although others that stay need them
    Needed,
    /// Entries go although a process uses them, a library has locked them, or they have just changed
    InUse,
}

#[derive(Debug, Arguments)]
pub(super) struct Undo {
    /// A run, as `dscc list`, `dscc history` and `dscc clean` name it; by default the last one of which something waits
    #[arg(value_name = "RUN")]
    pub(super) run: Option<String>,
    /// Delete what waits instead, of this run or of all
    #[arg(long)]
    pub(super) discard: bool,
    /// Only what has waited for longer than this
    #[arg(long, value_name = "AGE", value_parser = parse_age, requires = "discard", conflicts_with = "run")]
    pub(super) older: Option<SignedDuration>,
    /// Do not ask before deleting
    #[arg(short, long)]
    pub(super) yes: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct History {
    /// Everything about this run
    #[arg(value_name = "RUN")]
    pub(super) run: Option<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct Paths {
    #[command(flatten)]
    pub(super) caches: Caches,
}

#[derive(Debug, Subcommand)]
pub(super) enum Plugin {
    /// Install a plugin from a component, after showing what it may do and asking
    Add(PluginAdd),
    /// Show the plugins, built-in and installed
    #[command(visible_alias = "ls")]
    List,
    /// Show what a plugin is, what it may do and what it costs; of a file nothing runs but its description of itself
    Info {
        /// A plugin's name, or a component's path
        #[arg(value_name = "NAME|PATH")]
        plugin: PathBuf,
    },
    /// Put another version in the place of an installed plugin; only further rights are asked about
    Update(PluginUpdate),
    /// Uninstall plugins; caches stay as they are
    #[command(visible_alias = "rm")]
    Remove {
        /// The plugins' names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Show what would be done, and stop there
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Check that what is installed is what was approved; exit status 4 if not
    Verify {
        /// Only these plugins
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Start a plugin: a project that works already, for the cache ~/.cache/NAME
    New(PluginNew),
    /// Test a plugin: against its cases, and for what every plugin must keep; exit status 4 if something is wrong
    #[command(after_long_help = CASES)]
    Test(PluginTest),
    /// Build the plugin in a folder into a component, NAME.wasm in that folder
    Build {
        /// The plugin's folder, with its Cargo.toml, package.json or pyproject.toml
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Build the plugin in a folder and show what it finds here, again whenever a source changes; installs nothing
    Dev {
        /// The plugin's folder
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Stop after the first time
        #[arg(long)]
        once: bool,
    },
}

#[derive(Debug, Arguments)]
pub(super) struct PluginNew {
    /// What the plugin and its cache are called: lower-case letters, digits, `-` and `_`
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// What it is written in
    #[arg(long, value_enum, default_value = "rust", value_name = "LANGUAGE")]
    pub(super) lang: Lang,
    /// The project's folder, which is made or empty [default: NAME]
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Lang {
    /// Small and fast
    Rust,
    /// By componentize-py
    Python,
    /// By componentize-js
    #[value(name = "javascript")]
    JavaScript,
}

const CASES: &str = concat!("Cases:\n", include_str!("../conformance/cases.md"));

#[derive(Debug, Arguments)]
pub(super) struct PluginTest {
    /// A component, or a plugin's folder: it is built, or the one component in it is taken
    #[arg(value_name = "COMPONENT|DIR", default_value = ".")]
    pub(super) plugin: PathBuf,
    /// Only this case and the trees made of it, and none that every plugin meets; may be repeated
    #[arg(long = "case", value_name = "NAME")]
    pub(super) only: Vec<String>,
    /// The folder with the cases; by default `cases` beside the component
    #[arg(long, value_name = "DIR")]
    pub(super) cases: Option<PathBuf>,
    /// Write what the cases expect instead of comparing with it
    #[arg(long)]
    pub(super) bless: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct PluginAdd {
    /// The component, or `-` for standard input
    #[arg(value_name = "PATH")]
    pub(super) path: PathBuf,
    #[command(flatten)]
    pub(super) how: Installing,
}

#[derive(Debug, Arguments)]
pub(super) struct PluginUpdate {
    /// The installed plugin
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// The new component, or `-` for standard input; by default the file that the plugin was added from
    #[arg(value_name = "PATH")]
    pub(super) path: Option<PathBuf>,
    #[command(flatten)]
    pub(super) how: Installing,
}

/// How a plugin is installed.
#[derive(Debug, Arguments)]
pub(super) struct Installing {
    /// Show what would be done, and stop there
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    /// Do not ask: approve what the component asks for
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Let it take the place of a later version, or of another plugin with its name or one of its caches
    #[arg(long)]
    pub(super) replace: bool,
    /// Set a limit for this plugin, as in memory=512MiB or time=10s; may be repeated (`dscc plugin info` shows them)
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = parse_setting)]
    pub(super) limits: Vec<(String, u64)>,
    /// Take these bytes only: the SHA-256 that the author tells
    #[arg(long, value_name = "SHA256")]
    pub(super) digest: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
