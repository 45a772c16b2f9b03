//! What a component under construction says of itself.

use super::answer::{Memory, Record};

/// A manifest without rules.
#[derive(Clone)]
pub struct Manifest {
    name: String,
    version: String,
    pub title: String,
    pub summary: String,
    homepage: Option<String>,
    license: Option<String>,
    rules: Vec<Asked>,
    extra: Vec<(String, String)>,
}

/// A kind of directory that it asks for.
#[derive(Clone, Default)]
struct Asked {
    id: String,
    locations: Vec<String>,
    marks: Vec<String>,
    indexes: Vec<String>,
}

impl Manifest {
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            title: "A title".to_owned(),
            summary: "A sentence.".to_owned(),
            homepage: None,
            license: None,
            rules: Vec::new(),
            extra: Vec::new(),
        }
    }

    /// One more rule, with its locations in order.
    pub fn rule(mut self, id: &str, locations: &[&str]) -> Self {
        let locations = locations.iter().map(|it| (*it).to_owned()).collect();
        self.rules.push(Asked { id: id.to_owned(), locations, ..Asked::default() });
        self
    }

    /// A mark of the last rule.
    pub fn mark(mut self, pattern: &str) -> Self {
        self.rules.last_mut().unwrap().marks.push(pattern.to_owned());
        self
    }

    /// An index of the last rule.
    pub fn index(mut self, pattern: &str) -> Self {
        self.rules.last_mut().unwrap().indexes.push(pattern.to_owned());
        self
    }

    /// Title, summary, homepage, license and one extra pair.
    pub fn texts(self, text: &str) -> Self {
        let text = text.to_owned();
        let (homepage, license) = (Some(text.clone()), Some(text.clone()));
        Self {
            title: text.clone(),
            summary: text.clone(),
            homepage,
            license,
            extra: vec![(text.clone(), text)],
            ..self
        }
    }

    pub(super) fn record(&self, memory: &mut Memory) -> Record {
        let rules: Vec<Record> = self.rules.iter().map(|rule| rule.record(memory)).collect();
        let rules = memory.list(&rules);
        let extra: Vec<Record> =
            self.extra.iter().map(|(key, value)| Record::new().text(memory, key).text(memory, value)).collect();
        let extra = memory.list(&extra);
        let words = [&self.name, &self.version, &self.title, &self.summary];
        let record = words.iter().fold(Record::new(), |record, word| record.text(memory, word));
        let record = record.option(memory, self.homepage.as_deref()).option(memory, self.license.as_deref());
        record.pair(rules).pair(extra)
    }
}

impl Asked {
    fn record(&self, memory: &mut Memory) -> Record {
        // What becomes of a variable's value: nothing.
        let locations: Vec<Record> =
            self.locations.iter().map(|path| Record::new().text(memory, path).byte(0)).collect();
        let locations = memory.list(&locations);
        let (marks, indexes) = (memory.texts(&self.marks), memory.texts(&self.indexes));
        Record::new().text(memory, &self.id).pair(locations).pair(marks).pair(indexes)
    }
}
