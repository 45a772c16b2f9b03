//! What a component costs: how long it takes to compile and to load, how large its code is, and whether the code on disk
//! is sound. For `info` and `verify`; nothing here changes the code cache.

use std::time::{Duration, Instant};

use super::{PluginError, PluginErrorKind, Runtime, error, load_code};

/// What a component costs on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appraisal {
    /// Time to compile it.
    pub compile: Duration,
    /// Time to load its compiled code, as later runs do.
    pub load: Duration,
    /// Bytes of compiled code.
    pub code: u64,
}

/// Whether compiled code is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    /// It is, and sound.
    Sound,
    /// It is not; the next use compiles.
    Absent,
    /// It is, and is not what was written; the next use compiles again.
    Damaged,
}

impl Runtime {
    /// Compiles a component and loads the result, without keeping it.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn appraise(&self, name: &str, digest: &str, bytes: &[u8]) -> Result<Appraisal, PluginError> {
        let failed =
            |e: wasmtime::Error| PluginError::new(name, "load", PluginErrorKind::Compile(error::root_text(&e)));
        let start = Instant::now();
        let compiled = self.engine.precompile_component(bytes).map_err(failed)?;
        let compile = start.elapsed();
        let load = match self.code.time_to_map(&self.engine, digest) {
            Some(time) => time,
            None => {
                let start = Instant::now();
                load_code::load(&self.engine, &compiled).map_err(failed)?;
                start.elapsed()
            }
        };
        Ok(Appraisal { compile, load, code: compiled.len() as u64 })
    }

    /// Whether the component's compiled code is on disk.
    pub fn code_state(&self, digest: &str) -> CodeState {
        self.code.state(digest)
    }
}
