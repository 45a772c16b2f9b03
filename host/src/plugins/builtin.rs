//! The components that come with the program, embedded, so that every installation runs the same bytes. They are built
//! from `plugins/` by `dscc plugin build` and committed in `plugins/built/`, each with its facts beside it, which are
//! what the component itself says (a test compares them).

use std::sync::LazyLock;

use super::facts::Facts;

/// A component that comes with the program.
pub struct BuiltIn {
    /// What it is and asks for.
    pub facts: Facts,
    /// Its bytes.
    pub component: &'static [u8],
}

/// What is embedded: each plugin's facts as JSON, and its component.
/// Their order is that of listings, and of precedence where several find the same folder.
const EMBEDDED: &[(&str, &[u8])] = &[
    (include_str!("../../built/hf-hub.json"), include_bytes!("../../built/hf-hub.wasm")),
    (include_str!("../../built/transformers.json"), include_bytes!("../../built/transformers.wasm")),
    (include_str!("../../built/hf-datasets.json"), include_bytes!("../../built/hf-datasets.wasm")),
    (include_str!("../../built/hf-home.json"), include_bytes!("../../built/hf-home.wasm")),
    (include_str!("../../built/ir-datasets.json"), include_bytes!("../../built/ir-datasets.wasm")),
    (include_str!("../../built/datamaestro.json"), include_bytes!("../../built/datamaestro.wasm")),
];

/// All of them, in the order in which they are listed.
pub fn built_in() -> &'static [BuiltIn] {
    static ALL: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| EMBEDDED.iter().map(read).collect());
    &ALL
}

#[expect(clippy::expect_used, reason = "the facts are part of the program; a test reads each of them")]
fn read((facts, component): &(&str, &'static [u8])) -> BuiltIn {
    BuiltIn { facts: serde_json::from_str(facts).expect("the facts of a built-in component are sound"), component }
}
