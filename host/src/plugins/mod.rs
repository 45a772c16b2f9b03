//! Where plugins come from: the built-in components, and building new ones.

mod build;
mod builtin;

pub use build::{BuildError, Built, build};
pub use builtin::BUILT_IN;
