//! What a component asks for, read from its bytes before anything compiles or runs it. What it may have is
//! decided by the table of interfaces and the one here; `plugin info` shows the same.

use std::collections::BTreeSet;

use wasmparser::{Encoding, Parser, Payload};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::error::PluginErrorKind;
use super::interfaces::{EXPORT, INTERFACES, Interface, choose, is_granted};

/// WASI 0.2, which guests in most languages import whether they use it or not. Inert: linked with an empty context, so
/// there is no file, no variable, no argument, no socket, a clock that stands still and numbers that are not random.
const INERT: &[&str] = &["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];
const INERT_VERSION: &str = "0.2.";

/// The names that a component imports and exports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Sorted, with their versions.
    pub imports: BTreeSet<String>,
    /// Sorted, with their versions.
    pub exports: BTreeSet<String>,
}

impl Audit {
    /// The imports that no plugin gets.
    pub fn forbidden(&self) -> Vec<String> {
        self.refused(INTERFACES)
    }

    /// The version of our interface that the component exports, if it does: of several the one it is called through.
    pub fn interface(&self) -> Option<&str> {
        self.interfaces().find(|version| choose(INTERFACES, version).is_ok()).or_else(|| self.interfaces().next())
    }

    /// Whether this host can and may run the component.
    ///
    /// # Errors
    /// Says why not; a version that does not fit comes before what is missing because of it.
    pub fn verdict(&self) -> Result<(), PluginErrorKind> {
        self.chosen(INTERFACES).map(|_| ())
    }

    /// The same for any table of interfaces, with the one that the component is called through.
    pub(super) fn chosen(&self, rows: &'static [Interface]) -> Result<&'static Interface, PluginErrorKind> {
        let none = Err(PluginErrorKind::MissingExport(EXPORT.into()));
        let row = self.interfaces().fold(none, |found, version| found.or_else(|_| choose(rows, version)))?;
        match self.refused(rows) {
            none if none.is_empty() => Ok(row),
            offenders => Err(PluginErrorKind::ForbiddenImports(offenders)),
        }
    }

    fn interfaces(&self) -> impl Iterator<Item = &str> {
        self.exports.iter().map(|export| split(export)).filter(|(name, _)| *name == EXPORT).map(|(_, version)| version)
    }

    fn refused(&self, rows: &[Interface]) -> Vec<String> {
        self.imports.iter().filter(|import| !is_allowed(rows, import)).cloned().collect()
    }
}

/// Reads the imports and exports of a component.
///
/// # Errors
/// When the bytes are no component.
pub fn audit(bytes: &[u8]) -> Result<Audit, PluginErrorKind> {
    // After the dash it shows bytes, on many lines.
    let words = |message: &str| message.split(" - ").next().unwrap_or_default().to_owned();
    let damaged = |e: wasmparser::BinaryReaderError| PluginErrorKind::NotAComponent(words(e.message()));
    let mut audit = Audit::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(damaged)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(PluginErrorKind::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    audit.imports.insert(import.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    audit.exports.insert(export.map_err(damaged)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(audit)
}

/// The same of compiled code, which holds the names too: megabytes of a component need not be read for them.
pub(super) fn audit_compiled(engine: &Engine, component: &Component) -> Audit {
    let component = component.component_type();
    Audit {
        imports: component.imports(engine).map(|(name, _)| name.to_owned()).collect(),
        exports: component.exports(engine).map(|(name, _)| name.to_owned()).collect(),
    }
}

fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}

fn is_allowed(rows: &[Interface], import: &str) -> bool {
    let (name, version) = split(import);
    is_granted(rows, name, version) || is_inert(import)
}

/// Whether an import is linked and empty.
pub fn is_inert(import: &str) -> bool {
    let (name, version) = split(import);
    INERT.iter().any(|prefix| name.starts_with(prefix)) && version.starts_with(INERT_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn damaged_components_are_read_or_refused_but_never_crash_the_reader(
            cut in 0usize..20_000, damage in proptest::collection::vec((0usize..20_000, any::<u8>()), 0..8),
        ) {
            let whole = include_bytes!("../../built/hf-hub.wasm");
            let mut bytes = whole[..whole.len().min(20_000 + cut)].to_vec();
            for (at, byte) in damage {
                bytes[at] = byte;
            }
            if let Ok(audit) = audit(&bytes) {
                let _ = audit.verdict();
            }
        }
    }

    fn component(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn all_offenders_are_named_and_inert_imports_pass() {
        let bytes = component(
            r#"(component
                (import "wasi:http/outgoing-handler@0.2.0" (instance))
                (import "wasi:sockets/tcp@0.2.3" (instance))
                (import "wasi:filesystem/types@0.3.0" (instance))
                (import "dscc:plugin/log@0.1.0" (instance))
                (import "evil:thing/do" (instance)))"#,
        );
        let expected = ["evil:thing/do", "wasi:filesystem/types@0.3.0", "wasi:http/outgoing-handler@0.2.0"];
        assert_eq!(audit(&bytes).unwrap().forbidden(), expected);
    }

    #[test]
    fn compiled_code_tells_the_same_names_as_the_component() {
        let engine = Engine::default();
        let components: [&[u8]; 3] = [
            include_bytes!("../../built/hf-hub.wasm"),
            include_bytes!("../../versions/plugin-0.1.wasm"),
            &component(
                r#"(component
                    (import "evil:thing/do" (func))
                    (import "wasi:sockets/tcp@0.2.3" (instance))
                    (import "a-type" (type (sub resource)))
                    (instance $i) (export "dscc:plugin/cache-plugin@0.1.0" (instance $i)))"#,
            ),
        ];
        for bytes in components {
            assert_eq!(audit_compiled(&engine, &Component::new(&engine, bytes).unwrap()), audit(bytes).unwrap());
        }
    }

    #[test]
    fn a_core_module_text_and_garbage_are_told_apart() {
        assert_eq!(audit(&component("(module)")), Err(PluginErrorKind::CoreModule));
        for bytes in [&b""[..], b"(component)", b"\0asm\x0d\0\x01", b"\x7fELF...."] {
            assert!(matches!(audit(bytes), Err(PluginErrorKind::NotAComponent(_))), "{bytes:?}");
        }
    }

    #[test]
    fn the_version_problem_is_told_in_the_right_direction() {
        let verdict = |version: &str| {
            let text =
                format!(r#"(component (instance $i) (export "dscc:plugin/cache-plugin@{version}" (instance $i)))"#);
            audit(&component(&text)).unwrap().verdict()
        };
        assert_eq!(verdict("0.1.0"), Ok(()));
        assert!(matches!(verdict("0.2.0"), Err(PluginErrorKind::TooNew { .. })));
        assert!(matches!(verdict("0.1.1"), Err(PluginErrorKind::TooNew { .. })));
        assert!(matches!(verdict("0.0.9"), Err(PluginErrorKind::TooOld { .. })));
        let none = audit(&component("(component)")).unwrap().verdict();
        assert!(matches!(none, Err(PluginErrorKind::MissingExport(_))));
    }
}
