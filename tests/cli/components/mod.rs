//! Components in text, and answers laid out in their memory as the canonical ABI of components wants them. A plugin here
//! is well-behaved until a case replaces one of its functions or one of its answers.

mod answer;

pub use answer::Entry;

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

impl Rule<'_> {
    fn record(&self, memory: &mut Memory) -> Record {
        let locations: Vec<Record> =
            self.locations.iter().map(|location| Record::new().text(memory, location).byte(0)).collect();
        let lists = [memory.list(&locations), memory.texts(self.marks), memory.texts(self.indexes)];
        lists.into_iter().fold(Record::new().text(memory, self.id), Record::pair)
    }
}

/// A component under construction. It is called `bad`, asks for `~/bad` by the rule `bad` and finds the cache `bad`.
pub struct Plugin {
    memory: Memory,
    describe: String,
    discover: String,
    list: String,
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
            module: String::new(),
            imports: Default::default(),
        };
        plugin = plugin.manifest("bad", "1.0.0", "bad", "~/bad").caches(&[("bad", "")]);
        plugin.entries(&[Entry::new("thing").owns("thing")])
    }

    /// What it says of itself, with one rule of one location.
    pub fn manifest(self, name: &str, version: &str, rule: &str, location: &str) -> Self {
        self.manifest_of(name, version, &[Rule { id: rule, locations: &[location], ..Rule::default() }])
    }

    /// What it says of itself.
    pub fn manifest_of(mut self, name: &str, version: &str, rules: &[Rule]) -> Self {
        let memory = &mut self.memory;
        let rules: Vec<Record> = rules.iter().map(|rule| rule.record(memory)).collect();
        let rules = memory.list(&rules);
        let words = [name, version, "A title", "A sentence."];
        let manifest = words.iter().fold(Record::new(), |record, word| record.text(memory, word));
        let at = memory.record(&manifest.none().none().pair(rules).pair((0, 0)));
        self.describe = format!("(i32.const {at})");
        self
    }

    /// The caches it finds: id and path.
    pub fn caches(mut self, caches: &[(&str, &str)]) -> Self {
        let memory = &mut self.memory;
        let mut row =
            |(id, path): &(&str, &str)| Record::new().text(memory, id).text(memory, "Title").text(memory, path);
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
        let [top, below] = [top, below].map(|entries| {
            let rows: Vec<Record> = entries.iter().map(|entry| entry.record(&mut self.memory)).collect();
            let list = self.memory.list(&rows);
            self.memory.record(&Record::new().word(0).pair(list).pair((0, 0)))
        });
        let choice = format!("(select (i32.const {below}) (i32.const {top}) (local.get $has-parent))");
        self.list = format!("(call $drop (local.get $root)) {choice}");
        self
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

    /// A place in its memory with these bytes.
    pub fn bytes_at(&mut self, bytes: &[u8]) -> u32 {
        self.memory.put(bytes)
    }

    /// Places of texts in its memory, as a list of them: place and number.
    pub fn texts_at(&mut self, texts: &[&str]) -> (u32, u32) {
        self.memory.texts(texts)
    }

    /// The place of an answer of `list-entries` that is an error with the text at that place.
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
              (call $drop (local.get $root)) (i32.const 0))
            (data (memory $memory) (i32.const {BASE}) "{data}")"#,
            module = self.module,
            describe = self.describe,
            discover = self.discover,
            list = self.list,
            data = self.memory.escaped(),
        );
        let [imports, lowered, passed] = &self.imports;
        let text = FRAME.replace("(;BODY;)", &body).replace("(;IMPORTS;)", imports);
        text.replace("(;LOWERED;)", lowered).replace("(;PASSED;)", passed)
    }

    pub fn build(&self) -> Vec<u8> {
        parse(&self.text())
    }
}

/// A component from its text.
pub fn parse(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}
