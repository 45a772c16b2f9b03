//! The Rust face of `wit/`, generated. Nothing outside `runtime` sees these types.

#![allow(missing_docs, unreachable_pub, reason = "generated from wit/, which documents them")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "plugin",
    imports: { default: trappable },
    with: {
        "dscc:plugin/files.directory": super::files::Directory,
        "dscc:plugin/files.walker": super::files::Walk,
    },
});
