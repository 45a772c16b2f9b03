//! `dataset_info.json`: what the library wrote of a build, read leniently.

use std::collections::BTreeSet;

use dscc_sdk::Directory;
use serde_json::Value;

use crate::dataset::INFO;
use crate::split_names;

/// Records name each source and each class label; one that is longer than this describes nothing that is worth the time.
const LIMIT: u32 = 8 << 20;
/// So many records are read at a time.
const AT_ONCE: usize = 8;

/// Features that hold no file's content.
const PLAIN: [&str; 15] = [
    "Value",
    "ClassLabel",
    "Sequence",
    "List",
    "LargeList",
    "Array2D",
    "Array3D",
    "Array4D",
    "Array5D",
    "Translation",
    "TranslationVariableLanguages",
    "Json",
    "BioSequence",
    "Dict",
    "",
];

/// Columns of loading scripts that hold paths, although they are mere texts.
const PATHS: [&str; 10] = [
    "file",
    "path",
    "filename",
    "file_path",
    "filepath",
    "image_path",
    "image_file",
    "audio_path",
    "audio_file",
    "video_path",
];

/// The builders that come with the library, over all versions. Another one is a loading script.
const PACKAGED: [&str; 31] = [
    "arrow",
    "audiofolder",
    "cache",
    "conll",
    "csv",
    "eval",
    "fasta",
    "fastq",
    "genbank",
    "generator",
    "harbor",
    "hdf5",
    "iceberg",
    "imagefolder",
    "json",
    "lance",
    "meshfolder",
    "mmcif",
    "niftifolder",
    "pandas",
    "parquet",
    "pdb",
    "pdffolder",
    "spark",
    "sql",
    "text",
    "tsfile",
    "videofolder",
    "vortex",
    "webdataset",
    "xml",
];

/// Builders whose tables hold the content of files, because their sources do.
const EMBEDDING: [&str; 7] = ["arrow", "parquet", "webdataset", "lance", "hdf5", "iceberg", "vortex"];

/// A build's record.
pub struct Info {
    record: Value,
    /// The names of the splits in the library's order, which readers expect and a map does not keep.
    splits: Vec<String>,
}

/// Why a build has no record that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl Info {
    /// The records of these builds' folders.
    pub fn read(root: &dyn Directory, folders: &[&str]) -> Vec<Result<Self, Unreadable>> {
        let mut all = Vec::with_capacity(folders.len());
        for some in folders.chunks(AT_ONCE) {
            let files: Vec<String> = some.iter().map(|folder| format!("{folder}/{INFO}")).collect();
            all.extend(root.read(&files, LIMIT).into_iter().map(|content| {
                let content = content.map_err(|error| Unreadable(format!("{INFO}: {}", error.text())))?;
                let record = serde_json::from_slice(&content).ok().filter(Value::is_object);
                let record = record.ok_or_else(|| Unreadable(format!("{INFO} is not what the library writes")))?;
                let splits = split_names::read(&content);
                Ok(Self { record, splits })
            }));
        }
        all
    }

    /// A text of the record, if there is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.record[key].as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The version as it was written.
    pub fn version(&self) -> Option<&str> {
        self.record["version"]["version_str"].as_str().or(self.record["version"].as_str())
    }

    /// The splits: name, number of rows, bytes in memory, number of tables if there are several.
    pub fn splits(&self) -> impl Iterator<Item = (&str, Option<u64>, Option<u64>, usize)> {
        self.splits.iter().map(|name| {
            let split = &self.record["splits"][name];
            let tables = split["shard_lengths"].as_array().map_or(1, |lengths| lengths.len().max(1));
            (name.as_str(), split["num_examples"].as_u64(), split["num_bytes"].as_u64(), tables)
        })
    }

    /// Where the data came from; versions from 3 on do not record it.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.record["download_checksums"].as_object().into_iter().flat_map(|sources| sources.keys()).map(String::as_str)
    }

    /// What file names begin with, by the versions.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        [self.text("dataset_name"), self.text("builder_name")].into_iter().flatten()
    }

    /// Whether a loading script made it, which versions from 4 on do not run.
    pub fn is_of_script(&self) -> bool {
        self.text("builder_name").is_some_and(|builder| !PACKAGED.contains(&builder))
    }

    /// Whether the tables hold paths of files in place of their content, by what is in them.
    pub fn stores_paths(&self) -> Guess {
        if self.text("builder_name").is_some_and(|builder| EMBEDDING.contains(&builder)) {
            return Guess::No;
        }
        let mut seen = Features::default();
        seen.look(&self.record["features"], "");
        let (rows, bytes) = self.splits().fold((0, 0), |(rows, bytes), (_, more_rows, more_bytes, _)| {
            (rows + more_rows.unwrap_or(0), bytes + more_bytes.unwrap_or(0))
        });
        let holds_content = !seen.has_text && rows > 0 && bytes / rows > 8192;
        if (seen.has_files && !holds_content) || (self.is_of_script() && seen.has_paths) {
            Guess::Probably
        } else if self.is_of_script() && seen.has_text {
            Guess::Perhaps
        } else {
            Guess::No
        }
    }
}

/// Whether tables hold paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// They do not.
    No,
    /// Any text of a loading script may be one, so it is worth a look.
    Perhaps,
    /// They do, as far as can be told without a look.
    Probably,
}

#[derive(Default)]
struct Features {
    has_files: bool,
    has_paths: bool,
    /// Of any length, so that the size of a row says nothing.
    has_text: bool,
}

impl Features {
    fn look(&mut self, feature: &Value, name: &str) {
        match feature {
            Value::Object(fields) => {
                let kind = fields.get("_type").and_then(Value::as_str);
                self.has_files |= kind.is_some_and(|kind| !PLAIN.contains(&kind));
                let dtype = fields.get("dtype").and_then(Value::as_str).unwrap_or_default();
                let is_text = kind == Some("Value") && (dtype.contains("string") || dtype.contains("binary"));
                self.has_text |= is_text
                    || kind.is_some_and(|kind| !matches!(kind, "Value" | "ClassLabel") && PLAIN.contains(&kind));
                self.has_paths |= is_text && PATHS.contains(&name);
                if kind != Some("ClassLabel") {
                    for (name, inner) in fields.iter().filter(|(_, inner)| inner.is_object() || inner.is_array()) {
                        self.look(inner, name);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.look(item, name)),
            _ => {}
        }
    }
}

/// Whether an address names a server, not a place of this machine. Of a chain such as `zip://a::http://b` the last counts.
pub fn is_remote(source: &str) -> bool {
    let last = source.rsplit("::").next().unwrap_or(source);
    last.split_once("://").is_some_and(|(scheme, _)| !matches!(scheme, "file" | "local" | ""))
}

/// The splits whose tables are not there.
pub fn missing_splits<'a>(info: &'a Info, files: &BTreeSet<String>) -> Vec<&'a str> {
    if !files.iter().any(|file| file.ends_with(".arrow")) && files.iter().any(|file| file.ends_with(".parquet")) {
        return vec![]; // Prepared as Parquet, under names of its own.
    }
    let is_there = |name: &str, tables: usize| {
        if tables == 1 {
            let ending = format!("-{name}.arrow");
            return files.iter().any(|file| file.ends_with(&ending));
        }
        let all = |prefix: &str| {
            (0..tables).all(|table| files.contains(&format!("{prefix}-{name}-{table:05}-of-{tables:05}.arrow")))
        };
        info.prefixes().any(all)
    };
    let expected = info.splits().filter(|(_, rows, ..)| *rows != Some(0));
    expected.filter(|(name, _, _, tables)| !is_there(name, *tables)).map(|(name, ..)| name).collect()
}
