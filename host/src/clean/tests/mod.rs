//! The model of claims, tested on real files: small cases that state one rule each, and properties on random caches.

mod between;
mod links;
mod properties;
mod rules;
pub(crate) mod world;
