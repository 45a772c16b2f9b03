//! What the user sees: tables, sizes, ages, messages, progress, questions, JSON. Nothing here knows of plugins, caches on
//! disk or WebAssembly; everything that comes from disk is escaped here before a terminal gets it.

mod age;
mod escape;
pub mod json;
mod output;
mod progress;
mod prompt;
mod size;
mod style;
mod table;

pub use age::{age, local, rfc3339, timestamp};
pub use escape::{escape, is_hidden};
pub use output::{Output, OutputError};
pub use progress::{Count, Progress};
pub use prompt::{Answer, ask, can_ask, confirm};
pub use size::{at_least, count, size};
pub use style::{ColorChoice, Colors, Style};
pub use table::{Column, Rendered, Table};
