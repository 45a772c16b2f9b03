//! The model of claims, tested on real files: small cases that state one rule each, and properties on random caches.

mod properties;
mod rules;
mod world;
