//! Lines for the person who looks at the plugin's log (`-v`). The host bounds their number; a plugin never needs them.

use crate::bindings::dscc::plugin::log::Level;

/// For the plugin's author.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// What the plugin does.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Something odd that does not change the result. What the user should know belongs into a listing's warnings.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Something that went wrong.
pub fn error(message: &str) {
    write(Level::Error, message);
}

#[cfg(target_family = "wasm")]
fn write(level: Level, message: &str) {
    crate::bindings::dscc::plugin::log::log(level, message);
}

#[cfg(not(target_family = "wasm"))]
#[expect(clippy::print_stderr, reason = "in tests the log is what the harness captures")]
fn write(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
}
