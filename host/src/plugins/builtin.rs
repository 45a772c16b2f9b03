//! The components that come with the program, embedded, so that every installation runs the same bytes. They are built
//! from `plugins/` by `dscc plugin build` and committed in `plugins/built/`.

/// All of them: the plugin's name, and its component.
pub const BUILT_IN: &[(&str, &[u8])] = &[("hf-hub", include_bytes!("../../built/hf-hub.wasm"))];
