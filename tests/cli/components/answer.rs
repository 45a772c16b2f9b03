//! Records, lists and texts in a component's memory: little-endian, each field at a multiple of its own size.

/// Where the data begin. What is before stays zero, which reads as an empty list and as `ok`.
pub const BASE: u32 = 1024;

/// Places in `types.recovery`.
const DOWNLOAD: u8 = 1;
const UNCERTAIN: u8 = 2;
const IRREPLACEABLE: u8 = 3;

/// What is put into a component's memory.
#[derive(Default)]
pub struct Memory {
    bytes: Vec<u8>,
}

/// The fields of one record, one after the other.
#[derive(Clone, Default)]
pub struct Record(Vec<u8>);

impl Memory {
    /// Puts bytes somewhere, and says where.
    pub fn put(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let at = BASE + u32::try_from(self.bytes.len()).unwrap();
        self.bytes.extend_from_slice(bytes);
        at
    }

    pub fn record(&mut self, record: &Record) -> u32 {
        self.put(&record.0)
    }

    /// A list as its place and length.
    pub fn list(&mut self, items: &[Record]) -> (u32, u32) {
        let bytes: Vec<u8> = items.iter().flat_map(|item| item.padded()).collect();
        (self.put(&bytes), u32::try_from(items.len()).unwrap())
    }

    pub fn texts<T: AsRef<[u8]>>(&mut self, texts: &[T]) -> (u32, u32) {
        let items: Vec<Record> = texts.iter().map(|text| Record::new().text(self, text)).collect();
        self.list(&items)
    }

    /// As the text format writes it.
    pub fn escaped(&self) -> String {
        self.bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
    }
}

impl Record {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub fn word(mut self, word: u32) -> Self {
        self.0 = self.padded();
        self.0.extend(word.to_le_bytes());
        self
    }

    /// A list or a text: place and length.
    pub fn pair(self, (at, length): (u32, u32)) -> Self {
        self.word(at).word(length)
    }

    pub fn text(self, memory: &mut Memory, text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let at = memory.put(text);
        self.pair((at, u32::try_from(text.len()).unwrap()))
    }

    /// An option of a text.
    pub fn option(self, memory: &mut Memory, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.word(1).text(memory, text),
            None => self.word(0).pair((0, 0)),
        }
    }

    fn padded(&self) -> Vec<u8> {
        let mut bytes = self.0.clone();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }
}

/// An entry of a listing: complete, to be downloaded again.
#[derive(Clone)]
pub struct Entry {
    id: Vec<u8>,
    kind: String,
    label: String,
    owns: Vec<String>,
    shares: Vec<String>,
    needs: Vec<String>,
    locks: Vec<String>,
    attributes: Vec<(String, String)>,
    reclaim: Option<String>,
    has_children: bool,
    recovery: u8,
    created: Option<String>,
    last_used: Option<String>,
}

impl Entry {
    pub fn new(id: impl AsRef<[u8]>) -> Self {
        let (id, kind, label) = (id.as_ref().to_owned(), "thing".to_owned(), "label".to_owned());
        let (owns, shares, needs, locks, attributes) = Default::default();
        let (reclaim, has_children, created, last_used) = Default::default();
        let recovery = DOWNLOAD;
        Self {
            id,
            kind,
            label,
            owns,
            shares,
            needs,
            locks,
            attributes,
            reclaim,
            has_children,
            recovery,
            created,
            last_used,
        }
    }

    /// What it is and what it is called.
    pub fn called(mut self, kind: &str, label: &str) -> Self {
        (self.kind, self.label) = (kind.to_owned(), label.to_owned());
        self
    }

    /// Why its library would not miss it.
    pub fn reclaim(mut self, reason: &str) -> Self {
        self.reclaim = Some(reason.to_owned());
        self
    }

    pub fn owns(mut self, path: &str) -> Self {
        self.owns.push(path.to_owned());
        self
    }

    pub fn shares(mut self, path: &str) -> Self {
        self.shares.push(path.to_owned());
        self
    }

    pub fn needs(mut self, place: &str) -> Self {
        self.needs.push(place.to_owned());
        self
    }

    pub fn lock(mut self, path: &str) -> Self {
        self.locks.push(path.to_owned());
        self
    }

    pub fn attribute(mut self, key: &str, value: &str) -> Self {
        self.attributes.push((key.to_owned(), value.to_owned()));
        self
    }

    pub fn created(mut self, time: &str) -> Self {
        self.created = Some(time.to_owned());
        self
    }

    /// When its library used it last, by the library's records.
    pub fn last_used(mut self, time: &str) -> Self {
        self.last_used = Some(time.to_owned());
        self
    }

    /// It can perhaps not be had back.
    pub fn uncertain(mut self) -> Self {
        self.recovery = UNCERTAIN;
        self
    }

    /// It cannot be had back.
    pub fn irreplaceable(mut self) -> Self {
        self.recovery = IRREPLACEABLE;
        self
    }

    pub fn with_children(mut self) -> Self {
        self.has_children = true;
        self
    }

    pub(super) fn record(&self, memory: &mut Memory) -> Record {
        let (owns, shares, needs) = (memory.texts(&self.owns), memory.texts(&self.shares), memory.texts(&self.needs));
        let locks: Vec<Record> = self.locks.iter().map(|path| Record::new().byte(0).text(memory, path)).collect();
        let locks = memory.list(&locks);
        let pair = |(key, value): &(String, String)| (key.clone(), value.clone());
        let attributes: Vec<(String, String)> = self.attributes.iter().map(pair).collect();
        let attributes: Vec<Record> =
            attributes.iter().map(|(key, value)| Record::new().text(memory, key).text(memory, value)).collect();
        let attributes = memory.list(&attributes);
        let record = Record::new().text(memory, &self.id).text(memory, &self.kind).text(memory, &self.label);
        let record = record.pair(owns).pair(shares).pair(needs).pair(locks);
        // State `complete`; then `has-children`, not `keeps-parent`, two times.
        let record = record.byte(0).byte(self.recovery).option(memory, self.reclaim.as_deref());
        let record = record.byte(u8::from(self.has_children)).byte(0);
        let record = record.option(memory, self.created.as_deref()).option(memory, self.last_used.as_deref());
        record.pair(attributes)
    }
}
