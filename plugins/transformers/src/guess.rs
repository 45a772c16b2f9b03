//! Addresses of files that have no record. A file's name is the digest of its address, so an address that gives that
//! digest is the right one: those of the usual files of each repository that other records speak of are tried.

use std::collections::{BTreeMap, BTreeSet};

use dscc_url_files::digest;

use crate::address::{Address, Server, on_hub};

/// What repositories of models hold, as far as Transformers asked for it in those years.
const USUAL: [&str; 38] = [
    "config.json",
    "pytorch_model.bin",
    "tf_model.h5",
    "flax_model.msgpack",
    "rust_model.ot",
    "model.ckpt.index",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "vocab.bin",
    "merges.txt",
    "bpe.codes",
    "dict.txt",
    "prophetnet.tokenizer",
    "spiece.model",
    "spm.model",
    "sentencepiece.model",
    "sentencepiece.bpe.model",
    "source.spm",
    "target.spm",
    "vocab-src.json",
    "vocab-tgt.json",
    "entity_vocab.json",
    "preprocessor_config.json",
    "processor_config.json",
    "feature_extractor_config.json",
    "modelcard.json",
    "README.md",
    "pytorch_model.bin.index.json",
    "tf_model.h5.index.json",
    "flax_model.msgpack.index.json",
    "generation_config.json",
    "adapter_config.json",
    "modules.json",
];

/// So many addresses are tried; a digest takes about a microsecond.
const MOST: usize = 50_000;

/// Addresses by the digest that they have, of those digests that are looked for.
pub fn addresses<'a>(known: impl Iterator<Item = &'a Address>, wanted: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if wanted.is_empty() {
        return found;
    }
    let mut repositories: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut files: BTreeSet<&str> = USUAL.into();
    for address in known.filter(|address| address.server == Server::Hub) {
        repositories.extend(address.repository.as_deref().zip(address.revision.as_deref()));
        files.extend(address.file.as_deref());
    }
    let all = repositories
        .iter()
        .flat_map(|(repository, revision)| files.iter().map(move |file| (repository, revision, file)));
    for (repository, revision, file) in all.take(MOST) {
        let url = on_hub(repository, revision, file);
        let key = digest(&url);
        if wanted.contains(key.as_str()) {
            found.insert(key, url);
        }
    }
    found
}
