//! The made-up interface 0.2, as a later version would be added: bindings, and what leads from its words to the host's.

use wasmtime::Store;
use wasmtime::component::{HasSelf, InstancePre, Linker, Resource};

use super::super::{Answer, Calls, Interface, Start, newest};
use crate::model::Detail;
use crate::runtime::files::Directory;
use crate::runtime::state::State;

use bindings::dscc::plugin::{files, log, types};
use bindings::exports::dscc::plugin::cache_plugin;
use bindings::{Plugin, PluginPre};

#[allow(missing_docs, unreachable_pub, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "versions/0.2",
        world: "plugin",
        imports: { default: trappable },
        with: { "dscc:plugin/files.directory": crate::runtime::files::Directory },
    });
}

pub(super) const INTERFACE: Interface =
    Interface { version: "0.2.0", imports: &["files", "log", "types"], link, prepare };

fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    Plugin::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

fn prepare(pre: InstancePre<State>) -> wasmtime::Result<Start> {
    let pre = PluginPre::new(pre)?;
    Ok(Box::new(move |store| Ok(Box::new(pre.instantiate(store)?))))
}

impl Calls for Plugin {
    fn describe(&self, store: &mut Store<State>) -> Answer<newest::Manifest> {
        self.guest().call_describe(store).map(|manifest| Ok(manifest.into()))
    }

    fn discover(&self, store: &mut Store<State>, root: Resource<Directory>, rule: &str) -> Answer<Vec<newest::Cache>> {
        self.guest().call_discover(store, root, rule, 1000).map(all)
    }

    fn list_entries(
        &self,
        store: &mut Store<State>,
        root: Resource<Directory>,
        cache: &str,
        parent: Option<&str>,
        detail: Detail,
    ) -> Answer<newest::Listing> {
        let detail = match detail {
            Detail::Outline => types::Detail::Outline,
            Detail::Full => types::Detail::Full,
        };
        let entries = self.guest().call_entries(store, root, cache, parent, detail)?;
        Ok(all(entries).map(|entries| newest::Listing { entries, warnings: Vec::new() }))
    }

    fn delete_entry(
        &self,
        store: &mut Store<State>,
        root: Resource<Directory>,
        cache: &str,
        ids: &[String],
    ) -> Answer<Vec<newest::Edit>> {
        self.guest().call_delete_entry(store, root, cache, ids).map(all)
    }
}

impl Plugin {
    fn guest(&self) -> &cache_plugin::Guest {
        self.dscc_plugin_cache_plugin()
    }
}

fn all<T, U: From<T>>(answer: Result<Vec<T>, String>) -> Result<Vec<U>, String> {
    answer.map(|items| items.into_iter().map(Into::into).collect())
}

impl From<types::Manifest> for newest::Manifest {
    fn from(manifest: types::Manifest) -> Self {
        Self {
            name: manifest.name,
            version: manifest.version,
            title: manifest.title,
            summary: String::new(),
            homepage: None,
            license: None,
            roots: manifest.roots.into_iter().map(Into::into).collect(),
            extra: Vec::new(),
        }
    }
}

impl From<types::RootRule> for newest::RootRule {
    fn from(rule: types::RootRule) -> Self {
        let location = |path| newest::Location { path, expand: newest::Expansion::empty() };
        let locations = rule.locations.into_iter().map(location).collect();
        Self { id: rule.id, locations, marks: Vec::new(), indexes: rule.indexes }
    }
}

impl From<types::Cache> for newest::Cache {
    fn from(cache: types::Cache) -> Self {
        let remark = cache.remark.map(|remark| format!(" ({remark})")).unwrap_or_default();
        Self { id: cache.id, title: cache.title + &remark, path: cache.path }
    }
}

impl From<types::Entry> for newest::Entry {
    fn from(entry: types::Entry) -> Self {
        let state = match entry.state {
            types::State::Complete => newest::State::Complete,
            types::State::Partial => newest::State::Partial,
            types::State::Detached | types::State::Archived => newest::State::Detached,
            types::State::Stale => newest::State::Stale,
            types::State::Broken => newest::State::Broken,
        };
        Self {
            id: entry.id,
            kind: "entry".into(),
            label: entry.label,
            owns: entry.owns,
            shares: Vec::new(),
            needs: Vec::new(),
            locks: Vec::new(),
            state,
            recovery: newest::Recovery::Irreplaceable,
            reclaim: None,
            has_children: false,
            keeps_parent: false,
            created: None,
            last_used: None,
            attributes: entry.tags.into_iter().map(|tag| ("tag".into(), tag)).collect(),
        }
    }
}

impl From<types::Edit> for newest::Edit {
    fn from(edit: types::Edit) -> Self {
        Self { file: edit.file, at: newest::Moment::Before, drop: newest::Records::Lines(edit.drop_lines) }
    }
}

impl types::Host for State {}

impl files::Host for State {}

impl files::HostDirectory for State {
    fn names(&mut self, this: Resource<Directory>) -> wasmtime::Result<Vec<String>> {
        self.root_names(&this)
    }

    fn given(&mut self, this: Resource<Directory>) -> wasmtime::Result<String> {
        Ok(self.root_names(&this)?.swap_remove(0))
    }

    fn read(&mut self, this: Resource<Directory>, file: String, limit: u32) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.read_files(&this, &[file], limit)?.pop().and_then(Result::ok))
    }

    fn drop(&mut self, this: Resource<Directory>) -> wasmtime::Result<()> {
        self.close(this)
    }
}

impl log::Host for State {
    fn log(&mut self, message: String) -> wasmtime::Result<()> {
        self.add_line("info", message);
        Ok(())
    }
}
