//! Lines for the person who looks at the plugin's log (`-v`). The host bounds their number; a plugin never needs them.

use crate::bindings::dscc::plugin::log::Level;

/// For the plugin's author.
///
/// ```
/// dscc_sdk::log::debug("12 index files were read");
/// ```
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// What the plugin does.
///
/// ```
/// dscc_sdk::log::info("the old layout is in use");
/// ```
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Something odd that does not change the result. What the user should know belongs into a listing's warnings.
///
/// ```
/// dscc_sdk::log::warn("`index.json` names a file twice");
/// ```
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Something that went wrong.
///
/// ```
/// dscc_sdk::log::error("the index is unreadable");
/// ```
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
