//! What can go wrong with a plugin, each fault with its own kind, a stable code, and a sentence that says what to do.

use std::time::Duration;

use wasmtime::Trap;

use super::limits::Limits;

/// Bytes of a message, besides what the plugin printed.
const MAX_MESSAGE: usize = 4096;

/// A plugin failed; its caches are missing from this run, the others are not concerned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plugin `{plugin}`, {function}: {kind}")]
pub struct PluginError {
    /// The plugin's name, or the file it came from.
    pub plugin: String,
    /// Which call, by its name in the interface, or `load`.
    pub function: &'static str,
    /// What happened.
    pub kind: PluginErrorKind,
    /// The end of what the plugin printed during that call.
    pub output: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginErrorKind {
    /// Text, an archive, an old binary format.
    #[error("this is not a WebAssembly component ({0}); build it with `dscc plugin build`")]
    NotAComponent(String),
    /// A core module.
    #[error(
        "this is a core WebAssembly module, not a component; build it for wasm32-wasip2, or with `dscc plugin build`"
    )]
    CoreModule,
    /// More bytes than any plugin needs.
    #[error("the component has {size} bytes; the limit is {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Imports outside the table.
    #[error("it asks for what no plugin gets: {}; build it against dscc's interface alone", .0.join(", "))]
    ForbiddenImports(Vec<String>),
    /// Not a plugin of ours.
    #[error("it does not export `{0}`, so it is no dscc plugin; implement the world in dscc's wit folder")]
    MissingExport(String),
    /// Made for a later dscc.
    #[error("it speaks interface {found}, this dscc speaks {ours}; upgrade dscc")]
    TooNew {
        /// The component's.
        found: String,
        /// Ours.
        ours: Box<str>,
    },
    /// Made for an earlier dscc.
    #[error("it speaks interface {found}, this dscc speaks {ours}; update the plugin")]
    TooOld {
        /// The component's.
        found: String,
        /// Ours.
        ours: Box<str>,
    },
    /// The code generator refused it.
    #[error("it cannot be compiled: {0}; the file is damaged or was made by an unfit tool")]
    Compile(String),
    /// The types of imports or exports differ from the interface.
    #[error("it does not fit the interface: {0}; rebuild it with this dscc's `dscc plugin build`")]
    Link(String),
    /// Ran out of time.
    #[error("it used more than {:.1} s of computing time and was stopped", .0.as_secs_f64())]
    Time(Duration),
    /// Kept the host busy.
    #[error("it kept dscc walking and reading for more than {:.0} s and was stopped", .0.as_secs_f64())]
    HostTime(Duration),
    /// Ran out of memory.
    #[error("it asked for more than {} MiB of memory and was stopped", .0 >> 20)]
    Memory(usize),
    /// Ran out of table space.
    #[error("it asked for more than {0} table elements and was stopped")]
    Tables(usize),
    /// Recursed too deeply.
    #[error("it used more than {} KiB of stack and was stopped", .0 >> 10)]
    Stack(usize),
    /// Handed over too much in one call.
    #[error("it passed more than {} MiB in one call and was stopped", .0 >> 20)]
    Data(usize),
    /// Panicked or did something undefined.
    #[error("it crashed ({0})")]
    Trap(String),
    /// The file is not what was approved.
    #[error("{0}")]
    Changed(Box<Changed>),
    /// Another process was at work.
    #[error("it was updated or removed while this command ran; run the command again")]
    Replaced,
    /// No plugin can run on this machine.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
    /// Said itself that it cannot go on.
    #[error("{0}")]
    Reported(String),
    /// Returned what breaks a rule.
    #[error("its answer breaks a rule: {0}")]
    Invalid(String),
}

/// An installed component that is not what was approved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what}; it does not run. `dscc plugin add {origin}` puts the approved one back, `dscc plugin update {name} PATH` \
     approves another"
)]
pub struct Changed {
    /// Which file, and what is wrong with it.
    pub what: String,
    /// The plugin's name.
    pub name: String,
    /// Where it was added from.
    pub origin: String,
}

impl PluginError {
    pub(super) fn new(plugin: &str, function: &'static str, kind: PluginErrorKind) -> Self {
        Self { plugin: plugin.to_owned(), function, kind, output: String::new() }
    }

    /// The error of a component that did not come as far as being loaded.
    pub fn of_file(plugin: &str, kind: PluginErrorKind) -> Self {
        Self::new(plugin, "load", kind)
    }

    /// The error of an answer that breaks a rule.
    pub fn invalid(plugin: &str, function: &'static str, rule: String) -> Self {
        Self::new(plugin, function, PluginErrorKind::Invalid(rule))
    }

    /// The limit that was run into, by its name, if it was one that can be set for a plugin.
    pub fn limit(&self) -> Option<&'static str> {
        use PluginErrorKind as K;
        match self.kind {
            K::Time(_) => Some("time"),
            K::HostTime(_) => Some("host-time"),
            K::Memory(_) => Some("memory"),
            K::Tables(_) => Some("table-elements"),
            K::Data(_) => Some("call-data"),
            _ => None,
        }
    }

    /// The message, cut where it is longer than anybody reads: names and sentences in it are the plugin's.
    pub fn message(&self) -> String {
        let message = self.to_string();
        if message.len() <= MAX_MESSAGE {
            return message;
        }
        let end = message.floor_char_boundary(MAX_MESSAGE);
        format!("{}... ({} bytes)", &message[..end], message.len())
    }

    /// The message, then what the plugin printed, a line each.
    pub fn told(&self) -> String {
        let mut text = self.message();
        self.output.lines().for_each(|line| text.push_str(&format!("\n    {line}")));
        text
    }

    /// Whether the message itself says what to do.
    pub fn says_what_to_do(&self) -> bool {
        use PluginErrorKind as K;
        match self.kind {
            K::Changed(_) | K::Replaced | K::Engine(_) | K::Reported(_) => true,
            _ => matches!(
                self.code(),
                "plugin-file" | "plugin-imports" | "plugin-interface" | "plugin-too-new" | "plugin-too-old"
            ),
        }
    }

    /// The fault's code in JSON.
    pub fn code(&self) -> &'static str {
        use PluginErrorKind as K;
        match self.kind {
            K::NotAComponent(_) | K::CoreModule | K::TooLarge { .. } | K::Compile(_) => "plugin-file",
            K::ForbiddenImports(_) => "plugin-imports",
            K::MissingExport(_) | K::Link(_) => "plugin-interface",
            K::TooNew { .. } => "plugin-too-new",
            K::TooOld { .. } => "plugin-too-old",
            K::Time(_) | K::HostTime(_) => "plugin-time",
            K::Memory(_) | K::Tables(_) => "plugin-memory",
            K::Stack(_) => "plugin-stack",
            K::Data(_) => "plugin-data",
            K::Trap(_) => "plugin-crash",
            K::Changed(_) => "plugin-changed",
            K::Replaced => "plugin-replaced",
            K::Engine(_) => "plugin-engine",
            K::Reported(_) => "plugin-error",
            K::Invalid(_) => "plugin-answer",
        }
    }
}

/// What a limiter or a host function reports through the engine's error, so that nothing depends on error texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Exceeded {
    #[error("out of time")]
    Time,
    #[error("out of the host's time")]
    HostTime,
    #[error("out of memory")]
    Memory,
    #[error("out of tables")]
    Tables,
}

/// Why a call into a component ended without an answer.
pub(super) fn classify(error: &wasmtime::Error, limits: &Limits) -> PluginErrorKind {
    if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        return match exceeded {
            Exceeded::Time => PluginErrorKind::Time(limits.guest_time),
            Exceeded::HostTime => PluginErrorKind::HostTime(limits.host_time),
            Exceeded::Memory => PluginErrorKind::Memory(limits.memory),
            Exceeded::Tables => PluginErrorKind::Tables(limits.table_elements),
        };
    }
    if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return PluginErrorKind::Trap(format!("it exited with status {}", exit.0));
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => PluginErrorKind::Stack(limits.stack),
        Some(Trap::UnreachableCodeReached) => PluginErrorKind::Trap("it panicked".into()),
        Some(trap) => PluginErrorKind::Trap(trap.to_string()),
        // The engine has no type for this one, and the store's other errors are not about data.
        None if error.root_cause().to_string().contains("too much data") => PluginErrorKind::Data(limits.call_data),
        None => PluginErrorKind::Trap(root_text(error)),
    }
}

/// Why an instance could not be made: what its start did, or that it does not fit.
pub(super) fn classify_start(error: &wasmtime::Error, limits: &Limits) -> PluginErrorKind {
    let ran = error.is::<Exceeded>() || error.is::<Trap>() || error.is::<wasmtime_wasi::I32Exit>();
    if ran { classify(error, limits) } else { PluginErrorKind::Link(root_text(error)) }
}

/// An engine error without its backtrace.
pub(super) fn root_text(error: &wasmtime::Error) -> String {
    error.root_cause().to_string()
}
