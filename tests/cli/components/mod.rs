//! Components in text, and answers laid out in their memory as the canonical ABI of components wants them. A plugin here
//! is well-behaved until a case replaces one of its functions or one of its answers.

mod answer;
mod manifest;

use std::io::Write as _;

pub use answer::Entry;
pub use manifest::Manifest;

use dscc::model::Problem;
use dscc::plugins::{Catalog, Code, Facts, Known};
use dscc::runtime::{Limits, Runtime};

use crate::sandbox::code_dir;

use answer::{BASE, Memory, Record};

const FRAME: &str = include_str!("plugin.wat");
const WASI: &str = include_str!("wasi.wat");

/// What a plugin asks for: a rule's id, where it looks, what such a place shows, which files lose lines.
#[derive(Clone, Copy, Default)]
pub struct Rule<'a> {
    pub id: &'a str,
    pub locations: &'a [&'a str],
    pub marks: &'a [&'a str],
    pub indexes: &'a [&'a str],
}

/// What a listing is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Outline,
    Full,
    Children,
}

/// A component under construction. It is called `bad`, asks for `~/bad` by the rule `bad` and finds the cache `bad`.
pub struct Plugin {
    memory: Memory,
    describe: String,
    discover: String,
    list: String,
    delete: String,
    /// What every level warns of: path and message.
    warnings: Vec<(String, String)>,
    allocating: String,
    /// Further fields of the core module.
    module: String,
    /// Further imports of the component, what is lowered of them, and what of that the core module gets.
    imports: [String; 3],
}

impl Plugin {
    pub fn new() -> Self {
        let mut plugin = Self {
            memory: Memory::default(),
            describe: String::new(),
            discover: String::new(),
            list: String::new(),
            delete: "(call $drop (local.get $root)) (i32.const 0)".to_owned(),
            warnings: Vec::new(),
            allocating: String::new(),
            module: String::new(),
            imports: Default::default(),
        };
        plugin = plugin.manifest("bad", "1.0.0", "bad", "~/bad").caches(&[("bad", "")]);
        plugin.entries(&[Entry::new("thing").owns("thing")])
    }

    /// What it says of itself, with one rule of one location.
    pub fn manifest(self, name: &str, version: &str, rule: &str, location: &str) -> Self {
        self.saying(&Manifest::new(name, version).rule(rule, &[location]))
    }

    /// What it says of itself.
    pub fn saying(mut self, manifest: &Manifest) -> Self {
        let at = self.manifest_at(manifest);
        self.describing(&format!("(i32.const {at})"))
    }

    /// The place of a manifest in its memory.
    pub fn manifest_at(&mut self, manifest: &Manifest) -> u32 {
        let record = manifest.record(&mut self.memory);
        self.memory.record(&record)
    }

    /// What it says of itself, with several rules.
    pub fn manifest_of(self, name: &str, version: &str, rules: &[Rule]) -> Self {
        let manifest = rules.iter().fold(Manifest::new(name, version), |manifest, rule| {
            let manifest = manifest.rule(rule.id, rule.locations);
            let manifest = rule.marks.iter().fold(manifest, |manifest, mark| manifest.mark(mark));
            rule.indexes.iter().fold(manifest, |manifest, index| manifest.index(index))
        });
        self.saying(&manifest)
    }

    /// The caches it finds: id and path.
    pub fn caches(self, caches: &[(&str, &str)]) -> Self {
        self.titled(caches, "Title")
    }

    /// The same with a title.
    pub fn titled(mut self, caches: &[(&str, &str)], title: &str) -> Self {
        let memory = &mut self.memory;
        let mut row = |(id, path): &(&str, &str)| Record::new().text(memory, id).text(memory, title).text(memory, path);
        let rows: Vec<Record> = caches.iter().map(&mut row).collect();
        let list = memory.list(&rows);
        let at = memory.record(&Record::new().word(0).pair(list));
        self.discover = format!("(call $drop (local.get $root)) (i32.const {at})");
        self
    }

    /// The first level, and nothing below.
    pub fn entries(self, entries: &[Entry]) -> Self {
        self.levels(entries, &[])
    }

    /// The first level, and what is in each of its entries.
    pub fn levels(mut self, top: &[Entry], below: &[Entry]) -> Self {
        let memory = &mut self.memory;
        let mut warning = |(path, text): &(String, String)| Record::new().text(memory, path).text(memory, text);
        let warnings: Vec<Record> = self.warnings.iter().map(&mut warning).collect();
        let warnings = memory.list(&warnings);
        let [top, below] = [top, below].map(|entries| {
            let rows: Vec<Record> = entries.iter().map(|entry| entry.record(memory)).collect();
            let list = memory.list(&rows);
            memory.record(&Record::new().word(0).pair(list).pair(warnings))
        });
        let choice = format!("(select (i32.const {below}) (i32.const {top}) (local.get $has-parent))");
        self.list = format!("(call $drop (local.get $root)) {choice}");
        self
    }

    /// Levels that depend on conditions, each in text with a number as its result: the answer for every choice of them.
    pub fn levels_by<F>(mut self, conditions: &[String], answer: F) -> Self
    where
        F: Fn(&[bool], Level) -> Option<Vec<Entry>>,
    {
        let failure = self.failure_at("it cannot say");
        let mut answers = Record::new();
        for choice in 0..1_u32 << conditions.len() {
            let holds: Vec<bool> = (0..conditions.len()).map(|at| choice & (1 << at) != 0).collect();
            for level in [Level::Outline, Level::Full, Level::Children] {
                let place = answer(&holds, level).map(|entries| {
                    let rows: Vec<Record> = entries.iter().map(|entry| entry.record(&mut self.memory)).collect();
                    let list = self.memory.list(&rows);
                    self.memory.record(&Record::new().word(0).pair(list).pair((0, 0)))
                });
                answers = answers.word(place.unwrap_or(failure));
            }
        }
        let table = self.memory.record(&answers);
        let choices = conditions.iter().enumerate().map(|(at, condition)| {
            let bit = 1_u32 << at;
            format!("(if {condition} (then (local.set $choice (i32.or (local.get $choice) (i32.const {bit})))))")
        });
        let choices: String = choices.collect();
        let level = "(select (i32.const 2) (local.get $detail) (local.get $has-parent))";
        let place = format!("(i32.add (i32.mul (local.get $choice) (i32.const 3)) {level})");
        let place = format!("(i32.add (i32.const {table}) (i32.mul (i32.const 4) {place}))");
        self.listing(&format!("(local $choice i32) {choices} (call $drop (local.get $root)) (i32.load {place})"))
    }

    /// The condition that a file is there, for [`Self::levels_by`].
    pub fn exists(&mut self, file: &str) -> String {
        let (place, _) = self.texts_at(&[file]);
        let read = format!(
            "(call $read (local.get $root) (i32.const {place}) (i32.const 1) (i32.const 1000) (i32.const 256))"
        );
        format!("(block (result i32) {read} (i32.eqz (i32.load8_u (i32.load (i32.const 256)))))")
    }

    /// A warning that every level comes with; before the levels are given.
    pub fn warning(mut self, path: &str, message: &str) -> Self {
        self.warnings.push((path.to_owned(), message.to_owned()));
        self
    }

    /// What it wants dropped from files when anything goes: each file with its lines.
    pub fn edits(mut self, edits: &[(&str, &[&str])]) -> Self {
        let memory = &mut self.memory;
        let mut edit = |(file, lines): &(&str, &[&str])| {
            let lines = memory.texts(lines);
            // Before the files go; whole lines.
            Record::new().text(memory, file).byte(0).word(0).pair(lines)
        };
        let rows: Vec<Record> = edits.iter().map(&mut edit).collect();
        let list = memory.list(&rows);
        let at = memory.record(&Record::new().word(0).pair(list));
        self.deleting(&format!("(call $drop (local.get $root)) (i32.const {at})"))
    }

    /// Its `delete-entry`, in text; gives the place of a result.
    pub fn deleting(self, body: &str) -> Self {
        Self { delete: body.to_owned(), ..self }
    }

    /// Its `discover`, in text; gives the place of a result.
    pub fn discovering(self, body: &str) -> Self {
        Self { discover: body.to_owned(), ..self }
    }

    /// Its `describe`, in text; gives the place of a manifest.
    pub fn describing(self, body: &str) -> Self {
        Self { describe: body.to_owned(), ..self }
    }

    /// Its `list-entries`, in text; gives the place of a result.
    pub fn listing(self, body: &str) -> Self {
        Self { list: body.to_owned(), ..self }
    }

    /// Its `list-entries` with this before what it does.
    pub fn prepending(mut self, body: &str) -> Self {
        self.list = format!("{body} {}", self.list);
        self
    }

    /// What it does whenever the host asks it for memory, in text.
    pub fn allocating(self, body: &str) -> Self {
        Self { allocating: body.to_owned(), ..self }
    }

    /// Its `list-entries` reads these files and fails with what came of each as a digit: 0 for content, else 1 more than
    /// the error's place in `fs-error`.
    pub fn reading(mut self, paths: &[&str]) -> Self {
        let (files, count) = self.texts_at(paths);
        let text = self.bytes_at(&vec![b'-'; paths.len()]);
        let answer = self.error_at(text, count);
        let read = format!(
            "(local $at i32)
            (call $read (local.get $root) (i32.const {files}) (i32.const {count}) (i32.const 1000) (i32.const 0x100))
            (loop $next
              (i32.store8 (i32.add (i32.const {text}) (local.get $at))
                (i32.add (i32.const 48) (select
                  (i32.add (i32.const 1) (i32.load8_u offset=4 (call $result (local.get $at))))
                  (i32.const 0)
                  (i32.load8_u (call $result (local.get $at))))))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br_if $next (i32.lt_u (local.get $at) (i32.const {count}))))
            (call $drop (local.get $root)) (i32.const {answer})"
        );
        // Each result takes 12 bytes.
        let result = "(func $result (param $at i32) (result i32)
            (i32.add (i32.load (i32.const 0x100)) (i32.mul (local.get $at) (i32.const 12))))";
        self.with(result).listing(&read)
    }

    /// A place in its memory with these bytes.
    pub fn bytes_at(&mut self, bytes: &[u8]) -> u32 {
        self.memory.put(bytes)
    }

    /// Places of texts in its memory, as a list of them: place and number.
    pub fn texts_at(&mut self, texts: &[&str]) -> (u32, u32) {
        self.memory.texts(texts)
    }

    /// The place of an answer that is an error with this text.
    pub fn failure_at(&mut self, text: &str) -> u32 {
        let at = self.bytes_at(text.as_bytes());
        self.error_at(at, u32::try_from(text.len()).unwrap())
    }

    /// The place of an answer that is an error with the text at that place.
    pub fn error_at(&mut self, text: u32, length: u32) -> u32 {
        self.memory.record(&Record::new().word(1).pair((text, length)).pair((0, 0)))
    }

    /// More in its core module: functions, tables, start.
    pub fn with(mut self, fields: &str) -> Self {
        self.module.push_str(fields);
        self
    }

    /// One more import of the component, in text.
    pub fn importing(mut self, import: &str) -> Self {
        self.imports[0].push_str(import);
        self
    }

    /// Imports WASI as `wasi.wat` has it.
    pub fn with_wasi(mut self) -> Self {
        let mut parts = WASI.split(";; ---\n");
        let mut next = || parts.next().unwrap_or_default().to_owned();
        self.imports = [next(), next(), next()];
        self.module.push_str(&next());
        self
    }

    pub fn text(&self) -> String {
        let body = format!(
            r#"{module}
            (func (export "describe") (result i32) {describe})
            (func (export "discover") (param $root i32) (param $rule i32) (param $rule-length i32) (result i32)
              {discover})
            (func (export "list-entries") (param $root i32) (param $cache i32) (param $cache-length i32)
              (param $has-parent i32) (param $parent i32) (param $parent-length i32) (param $detail i32) (result i32)
              {list})
            (func (export "delete-entry") (param $root i32) (param i32 i32 i32 i32) (result i32)
              {delete})
            (data (memory $memory) (i32.const {BASE}) "{data}")"#,
            module = self.module,
            describe = self.describe,
            discover = self.discover,
            list = self.list,
            delete = self.delete,
            data = self.memory.escaped(),
        );
        let [imports, lowered, passed] = &self.imports;
        let text = FRAME.replace("(;BODY;)", &body).replace("(;ALLOCATING;)", &self.allocating);
        text.replace("(;IMPORTS;)", imports).replace("(;LOWERED;)", lowered).replace("(;PASSED;)", passed)
    }

    pub fn build(&self) -> Vec<u8> {
        parse(&self.text())
    }
}

/// The built-in plugins and, before them, these components, each called by its name in errors. One that is refused is told
/// among the problems, as a survey tells it.
pub fn catalog(components: &[(&str, &[u8])], limits: Limits) -> Catalog {
    let mut catalog = Catalog::built_in(Limits::default());
    let runtime = Runtime::new(&code_dir(), limits).unwrap();
    for (at, (name, component)) in components.iter().enumerate() {
        match Facts::of(&runtime, name, component, limits) {
            Ok(facts) => {
                let path = code_dir().join(format!("{}.wasm", facts.digest));
                // Other tests may read the very file at this moment.
                let mut file = tempfile::NamedTempFile::new_in(code_dir()).unwrap();
                file.write_all(component).unwrap();
                file.persist(&path).unwrap();
                let code = Code::File { path, source: None };
                catalog.plugins.insert(at.min(catalog.plugins.len()), Known { facts, code, limits });
            }
            Err(error) => catalog.problems.push(Problem::new(error.code(), error.to_string())),
        }
    }
    catalog
}

/// A component from its text.
pub fn parse(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}
