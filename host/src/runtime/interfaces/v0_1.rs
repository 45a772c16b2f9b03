//! Interface 0.1: its bindings, made from `wit/`, and what leads from its words to the host's and back.

use wasmtime::Store;
use wasmtime::component::{HasSelf, InstancePre, Linker, Resource};

use crate::model::Detail;
use crate::runtime::files::{Directory, Fault, Walk};
use crate::runtime::state::State;
use crate::tree::{self, NodeKind};

use super::{Answer, Calls, Interface, Start};

use bindings::dscc::plugin::{files, log};
use bindings::exports::dscc::plugin::cache_plugin;
use bindings::{Plugin, PluginPre};

pub(in crate::runtime) use bindings::dscc::plugin::types;

#[allow(missing_docs, unreachable_pub, reason = "generated from wit/, which documents them")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "plugin",
        imports: { default: trappable },
        with: {
            "dscc:plugin/files.directory": crate::runtime::files::Directory,
            "dscc:plugin/files.walker": crate::runtime::files::Walk,
        },
    });
}

pub(super) const INTERFACE: Interface =
    Interface { version: "0.1.0", imports: &["files", "log", "types"], link, prepare };

fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    Plugin::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

fn prepare(pre: InstancePre<State>) -> wasmtime::Result<Start> {
    let pre = PluginPre::new(pre)?;
    Ok(Box::new(move |store| Ok(Box::new(pre.instantiate(store)?))))
}

impl Calls for Plugin {
    fn describe(&self, store: &mut Store<State>) -> Answer<types::Manifest> {
        self.guest().call_describe(store).map(Ok)
    }

    fn discover(&self, store: &mut Store<State>, root: Resource<Directory>, rule: &str) -> Answer<Vec<types::Cache>> {
        self.guest().call_discover(store, root, rule)
    }

    fn list_entries(
        &self,
        store: &mut Store<State>,
        root: Resource<Directory>,
        cache: &str,
        parent: Option<&str>,
        detail: Detail,
    ) -> Answer<types::Listing> {
        let detail = match detail {
            Detail::Outline => types::Detail::Outline,
            Detail::Full => types::Detail::Full,
        };
        self.guest().call_list_entries(store, root, cache, parent, detail)
    }

    fn delete_entry(
        &self,
        store: &mut Store<State>,
        root: Resource<Directory>,
        cache: &str,
        ids: &[String],
    ) -> Answer<Vec<types::Edit>> {
        self.guest().call_delete_entry(store, root, cache, ids)
    }
}

impl Plugin {
    fn guest(&self) -> &cache_plugin::Guest {
        self.dscc_plugin_cache_plugin()
    }
}

impl types::Host for State {}

impl files::Host for State {}

impl files::HostDirectory for State {
    fn names(&mut self, this: Resource<Directory>) -> wasmtime::Result<Vec<String>> {
        self.root_names(&this)
    }

    fn walk(
        &mut self,
        this: Resource<Directory>,
        at: String,
        filter: files::Filter,
    ) -> wasmtime::Result<Result<Resource<Walk>, files::FsError>> {
        Ok(self.start_walk(&this, &at, filter.into())?.map_err(Into::into))
    }

    fn read(
        &mut self,
        this: Resource<Directory>,
        files: Vec<String>,
        limit: u32,
    ) -> wasmtime::Result<Vec<Result<Vec<u8>, files::FsError>>> {
        let contents = self.read_files(&this, &files, limit)?;
        Ok(contents.into_iter().map(|content| content.map_err(Into::into)).collect())
    }

    fn drop(&mut self, this: Resource<Directory>) -> wasmtime::Result<()> {
        self.close(this)
    }
}

impl files::HostWalker for State {
    fn next(&mut self, this: Resource<Walk>, max: u32) -> wasmtime::Result<Vec<files::Node>> {
        Ok(self.next_nodes(&this, max)?.into_iter().map(Into::into).collect())
    }

    fn drop(&mut self, this: Resource<Walk>) -> wasmtime::Result<()> {
        self.close(this)
    }
}

impl log::Host for State {
    fn log(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.add_line(level, message);
        Ok(())
    }
}

impl From<files::Filter> for tree::Filter {
    fn from(filter: files::Filter) -> Self {
        let has = |kind| filter.kinds.contains(kind);
        let kinds = tree::Kinds {
            file: has(files::Kinds::FILE),
            directory: has(files::Kinds::DIRECTORY),
            link: has(files::Kinds::LINK),
            other: has(files::Kinds::OTHER),
        };
        Self { max_depth: filter.max_depth, kinds, names: filter.names, stat: filter.stat }
    }
}

impl From<tree::Node> for files::Node {
    fn from(node: tree::Node) -> Self {
        let kind = match node.kind {
            NodeKind::File => files::Kind::File,
            NodeKind::Directory => files::Kind::Directory,
            NodeKind::Link => files::Kind::Link,
            NodeKind::Other => files::Kind::Other,
            NodeKind::Unreadable => files::Kind::Unreadable,
        };
        Self { path: node.path, kind, target: node.target, size: node.size, modified: node.modified }
    }
}

impl From<Fault> for files::FsError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotFound => Self::NotFound,
            Fault::Denied => Self::Denied,
            Fault::WrongKind => Self::WrongKind,
            Fault::TooLarge => Self::TooLarge,
            Fault::BadPath => Self::BadPath,
            Fault::Other => Self::Other,
        }
    }
}
