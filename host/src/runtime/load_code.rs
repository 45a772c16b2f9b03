//! The one place where machine code that was not just compiled enters the process.

#![expect(unsafe_code, reason = "loading compiled code cannot be checked by the engine; the argument is below")]

use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::Component;

/// Turns compiled code into a component. The caller has either compiled it in this process, or read it from the code
/// cache through [`super::code_cache::CodeCache::load`].
///
/// # Errors
/// When the code was made by another engine, for another machine or with other settings.
pub(super) fn load(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` demands code that `precompile_component` made and nobody altered. Code that was compiled in
    // this process is that. Code from the cache is read once into this buffer (no mapping that could change under us),
    // from a folder that belongs to this user and that no one else may write to, and its bytes have the digest that
    // was stored when this program compiled them; whoever can forge both can already replace the program. The header
    // (engine version, settings, processor features) is checked by `deserialize` itself.
    unsafe { Component::deserialize(engine, compiled) }
}

/// The same for a file of the code cache, which is used in place: tens of megabytes are not copied for the few pages that
/// a call needs.
///
/// # Errors
/// As for [`load`], or when the file system is not one to run anything from.
pub(super) fn map(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: as above: the file's bytes were read once and had the digest that was stored when this program compiled
    // them, and its stamp (inode, size, time of the last change of any kind) shows no change since. It lies in a folder
    // that no one else may write to, and nothing in there is ever written in place, so that the mapping keeps what it
    // had when it was made; whoever can write to it all the same is this user, who can replace the program.
    unsafe { Component::deserialize_file(engine, path) }
}
