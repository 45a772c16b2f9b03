//! The four calls of the interface. Each makes a fresh instance, bounds it, checks the answer and names the culprit if
//! there is one; whatever was wrong, the next call starts clean.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::Resource;
use wasmtime::{Engine, Store};

use crate::model::{Cache, Detail, Edit, Listing, Manifest};
use crate::tree::Root;

use super::convert;
use super::error::{PluginError, PluginErrorKind, classify, classify_start};
use super::files::Directory;
use super::interfaces::{Answer, Calls, Start};
use super::limits::Limits;
use super::output::LogLine;
use super::state::State;
use super::ticker::Ticker;

/// A component that is ready to be called.
pub struct Plugin {
    name: String,
    digest: String,
    engine: Engine,
    start: Start,
    limits: Limits,
    ticker: Arc<Ticker>,
    log: Mutex<Vec<LogLine>>,
}

impl Plugin {
    pub(super) fn new(
        name: &str,
        digest: String,
        engine: Engine,
        start: Start,
        limits: Limits,
        ticker: Arc<Ticker>,
    ) -> Self {
        Self { name: name.to_owned(), digest, engine, start, limits, ticker, log: Mutex::default() }
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SHA-256 digest of its bytes, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it has said since this was asked last.
    pub fn take_log(&self) -> Vec<LogLine> {
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who it is and what it asks for; called without any right.
    ///
    /// # Errors
    /// When the plugin fails or its manifest breaks a rule.
    pub fn describe(&self) -> Result<Manifest, PluginError> {
        let (manifest, _) = self.call("describe", |guest, store| guest.describe(store))?;
        convert::manifest(manifest, &self.limits).map_err(|rule| self.invalid("describe", rule))
    }

    /// The caches in a root.
    ///
    /// # Errors
    /// When the plugin fails or its answer breaks a rule.
    pub fn discover(&self, root: &Root, rule: &str) -> Result<Vec<Cache>, PluginError> {
        let (caches, _) = self.call("discover", |guest, store| {
            let root = handle(store, root)?;
            guest.discover(store, root, rule)
        })?;
        convert::caches(caches, &self.limits).map_err(|rule| self.invalid("discover", rule))
    }

    /// One level of a cache.
    ///
    /// # Errors
    /// When the plugin fails or its answer breaks a rule.
    pub fn list_entries(
        &self,
        root: &Root,
        cache: &Cache,
        parent: Option<&str>,
        detail: Detail,
    ) -> Result<Listing, PluginError> {
        let (listing, incomplete) = self.call("list-entries", |guest, store| {
            let root = handle(store, root)?;
            guest.list_entries(store, root, &cache.id, parent, detail)
        })?;
        convert::listing(listing, cache, parent, incomplete, &self.limits)
            .map_err(|rule| self.invalid("list-entries", rule))
    }

    /// What indexes lose when these entries go.
    ///
    /// # Errors
    /// When the plugin fails, says that the entries cannot go, or its answer breaks a rule.
    pub fn delete_entry(&self, root: &Root, cache: &Cache, ids: &[String]) -> Result<Vec<Edit>, PluginError> {
        let (edits, incomplete) = self.call("delete-entry", |guest, store| {
            let root = handle(store, root)?;
            guest.delete_entry(store, root, &cache.id, ids)
        })?;
        if incomplete {
            let message = "part of the cache cannot be read, so nobody can tell which records have to go";
            return Err(PluginError::new(&self.name, "delete-entry", PluginErrorKind::Reported(message.into())));
        }
        convert::edits(edits, &self.limits).map_err(|rule| self.invalid("delete-entry", rule))
    }

    /// Makes an instance and calls it. The flag tells whether it was shown anything unreadable.
    fn call<T>(
        &self,
        function: &'static str,
        call: impl FnOnce(&dyn Calls, &mut Store<State>) -> Answer<T>,
    ) -> Result<(T, bool), PluginError> {
        let mut store = State::store(&self.engine, self.limits);
        let outcome = {
            let _ticking = self.ticker.tick();
            self.enter(&mut store, call)
        };
        let state = store.into_data();
        let stderr = state.stderr.text();
        let kind = match outcome {
            Ok(Ok(value)) => {
                self.keep_log(state.log, &stderr);
                return Ok((value, state.incomplete));
            }
            Ok(Err(message)) => PluginErrorKind::Reported(message),
            Err(kind) => kind,
        };
        let mut output: Vec<&str> = state.log.iter().map(|line| line.text.as_str()).collect();
        output.extend(stderr.lines());
        let output = output[output.len().saturating_sub(20)..].join("\n");
        self.keep_log(state.log, &stderr);
        Err(PluginError { output, ..PluginError::new(&self.name, function, kind) })
    }

    fn enter<T>(
        &self,
        store: &mut Store<State>,
        call: impl FnOnce(&dyn Calls, &mut Store<State>) -> Answer<T>,
    ) -> Result<Result<T, String>, PluginErrorKind> {
        // Types of exports are compared when the instance is made; its start function may trap there, too.
        let instance = (self.start)(store).map_err(|error| classify_start(&error, &self.limits))?;
        call(&*instance, store).map_err(|error| classify(&error, &self.limits))
    }

    fn keep_log(&self, lines: Vec<LogLine>, stderr: &str) {
        let stderr = stderr.lines().map(|line| LogLine { level: "stderr", text: line.to_owned() });
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let room = 1000_usize.saturating_sub(log.len());
        log.extend(lines.into_iter().chain(stderr).take(room));
    }

    fn invalid(&self, function: &'static str, rule: String) -> PluginError {
        PluginError::new(&self.name, function, PluginErrorKind::Invalid(rule))
    }
}

/// A handle on the root for one call.
fn handle(store: &mut Store<State>, root: &Root) -> wasmtime::Result<Resource<Directory>> {
    Ok(store.data_mut().table.push(Directory(root.clone()))?)
}
