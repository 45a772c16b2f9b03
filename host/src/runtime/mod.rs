//! Running plugins: bytes -> header check -> audit of version and imports -> compiled code -> calls, each in a fresh,
//! bounded instance. Everything that knows WebAssembly is in this folder; what leaves it is plain data (`model`) or a
//! [`PluginError`].

mod appraise;
mod audit;
mod calls;
mod code_cache;
mod convert;
mod error;
mod files;
mod interfaces;
mod limits;
mod load_code;
mod on_demand;
mod output;
mod seal;
mod stamp;
mod state;
mod strip;
#[cfg(test)]
mod tests;
mod ticker;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, OptLevel};

pub use appraise::{Appraisal, CodeState};
pub use audit::{Audit, audit, is_inert};
pub use calls::Plugin;
pub use code_cache::forget_code;
pub use error::{Changed, PluginError, PluginErrorKind};
pub use interfaces::INTERFACE_VERSION;
pub use limits::{LimitError, LimitSettings, Limits, NAMED, Named, check_settings, named, parse_setting};
pub use on_demand::OnDemand;
pub use output::LogLine;
pub use strip::strip;

use code_cache::CodeCache;
use interfaces::{INTERFACES, Interface};
use stamp::Stamp;
use state::State;
use ticker::Ticker;

/// The SHA-256 digest of a component, in hex.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Whether a text has the form of [`digest`].
pub fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The engine, and what every plugin shares: one in a process.
pub struct Runtime {
    engine: Engine,
    interfaces: &'static [Interface],
    linker: Linker<State>,
    code: CodeCache,
    ticker: Arc<Ticker>,
    limits: Limits,
}

impl Runtime {
    /// Makes the engine. `code_dir` is where compiled code is kept; it need not exist, nor be writable.
    ///
    /// # Errors
    /// When this machine cannot run the engine at all.
    pub fn new(code_dir: &Path, limits: Limits) -> wasmtime::Result<Self> {
        Self::speaking(INTERFACES, code_dir, limits)
    }

    fn speaking(interfaces: &'static [Interface], code_dir: &Path, limits: Limits) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config
            .cranelift_opt_level(OptLevel::Speed)
            .epoch_interruption(true)
            .concurrency_support(false)
            .max_wasm_stack(limits.stack)
            .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20))
            .parallel_compilation(true);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        interfaces.iter().try_for_each(|interface| (interface.link)(&mut linker))?;
        let code = CodeCache::new(code_dir, &engine);
        let ticker = Arc::new(Ticker::start(&engine));
        Ok(Self { engine, interfaces, linker, code, ticker, limits })
    }

    /// What a plugin may use up if nothing else was agreed for it.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Makes a component ready to be called, each call within these limits; those of the engine (stack, size of a
    /// component) are the runtime's. Nothing of the component runs here.
    ///
    /// # Errors
    /// When the bytes are no component, ask for imports outside the table, lack an export, or do not compile.
    pub fn load(&self, name: &str, bytes: &[u8], limits: Limits) -> Result<Plugin, PluginError> {
        self.load_known(name, &digest(bytes), bytes, limits)
    }

    /// The same for bytes of which the caller has the digest.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn load_known(&self, name: &str, digest: &str, bytes: &[u8], limits: Limits) -> Result<Plugin, PluginError> {
        // Before code is looked up: it may be there from a run that took more.
        self.check_size(name, bytes)?;
        let component = match self.code.load(&self.engine, digest) {
            Some(component) => component,
            None => self.compile(name, bytes, |compiled| self.code.store(digest, compiled))?,
        };
        self.prepare(name, digest, &component, limits)
    }

    /// The same for a file whose bytes `read` gives, if they have the digest. It is not asked where it gave them before,
    /// the file is the same since, and they are compiled.
    ///
    /// # Errors
    /// As for [`Self::load`], or those of `read`.
    pub fn load_file<B: AsRef<[u8]>>(
        &self,
        name: &str,
        digest: &str,
        file: &File,
        limits: Limits,
        read: impl FnOnce() -> Result<B, PluginError>,
    ) -> Result<Plugin, PluginError> {
        let stamp = Stamp::of(file);
        if stamp.is_some_and(|stamp| self.code.knows(digest, &stamp))
            && let Some(component) = self.code.load(&self.engine, digest)
        {
            return self.prepare(name, digest, &component, limits);
        }
        let plugin = self.load_known(name, digest, read()?.as_ref(), limits)?;
        if let Some(stamp) = stamp {
            self.code.remember(digest, stamp);
        }
        Ok(plugin)
    }

    /// The same, compiled anew: code on disk is neither used nor touched.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn load_anew(&self, name: &str, bytes: &[u8], limits: Limits) -> Result<Plugin, PluginError> {
        self.check_size(name, bytes)?;
        self.prepare(name, &digest(bytes), &self.compile(name, bytes, |_| ())?, limits)
    }

    fn check_size(&self, name: &str, bytes: &[u8]) -> Result<(), PluginError> {
        let (size, limit) = (bytes.len(), self.limits.component);
        if size <= limit {
            Ok(())
        } else {
            Err(PluginError::new(name, "load", PluginErrorKind::TooLarge { size, limit }))
        }
    }

    /// Looks at what a component asks for, and compiles it if it may have that.
    fn compile(&self, name: &str, bytes: &[u8], keep: impl FnOnce(&[u8])) -> Result<Component, PluginError> {
        let fail = |kind| PluginError::new(name, "load", kind);
        let failed = |e: wasmtime::Error| fail(PluginErrorKind::Compile(error::root_text(&e)));
        audit(bytes).and_then(|audit| audit.chosen(self.interfaces)).map_err(fail)?;
        let compiled = self.engine.precompile_component(bytes).map_err(failed)?;
        keep(&compiled);
        load_code::load(&self.engine, &compiled).map_err(failed)
    }

    fn prepare(&self, name: &str, digest: &str, component: &Component, limits: Limits) -> Result<Plugin, PluginError> {
        let fail = |kind| PluginError::new(name, "load", kind);
        let interface = audit::audit_compiled(&self.engine, component).chosen(self.interfaces).map_err(fail)?;
        let start = self
            .linker
            .instantiate_pre(component)
            .and_then(interface.prepare)
            .map_err(|e| fail(PluginErrorKind::Link(error::root_text(&e))))?;
        let limits = Limits { stack: self.limits.stack, component: self.limits.component, ..limits };
        Ok(Plugin::new(name, digest.to_owned(), self.engine.clone(), start, limits, Arc::clone(&self.ticker)))
    }
}
