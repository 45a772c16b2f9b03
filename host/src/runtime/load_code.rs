//! The one place where machine code that was not just compiled enters the process.

#![expect(unsafe_code, reason = "loading compiled code cannot be checked by the engine; the argument is below")]

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
