//! Where to look: the folder of each generation of the libraries, in the precedence of that generation. Where two of them
//! give one folder, it is one root.

use dscc_sdk::{Expansion, Location, RootRule};

/// The rule for the hub's folder, where `cached_download` of huggingface_hub wrote.
pub const IN_HUB: &str = "transformers-hub";

/// Transformers takes its own variables as they are. Set to nothing, they are set.
const OLD_VARIABLES: [&str; 3] =
    ["${TRANSFORMERS_CACHE}", "${PYTORCH_TRANSFORMERS_CACHE}", "${PYTORCH_PRETRAINED_BERT_CACHE}"];

/// Of Transformers 4.0 to 4.21, if no variable is set.
const DEFAULT: [&str; 3] =
    ["${HF_HOME}/transformers", "${XDG_CACHE_HOME}/huggingface/transformers", "~/.cache/huggingface/transformers"];

/// Of Transformers up to 3.5, if no variable is set: torch's home.
const TORCH: [&str; 3] =
    ["${TORCH_HOME}/transformers", "${XDG_CACHE_HOME}/torch/transformers", "~/.cache/torch/transformers"];

/// As huggingface_hub finds it.
const HUB: [&str; 5] = [
    "${HF_HUB_CACHE}",
    "${HUGGINGFACE_HUB_CACHE}",
    "${HF_HOME}/hub",
    "${XDG_CACHE_HOME}/huggingface/hub",
    "~/.cache/huggingface/hub",
];

/// Of Sentence Transformers up to 2.2.
const SENTENCES: [&str; 3] = [
    "${TORCH_HOME}/sentence_transformers",
    "${XDG_CACHE_HOME}/torch/sentence_transformers",
    "~/.cache/torch/sentence_transformers",
];

/// What a folder of downloads or of old snapshots shows, as far as a pattern can tell. `discover` looks closer.
const MARKS: [&str; 7] =
    ["*.json", "*.lock", "*.incomplete", "*-extracted", "tmp*", "*/config.json", "*/.gitattributes"];

/// All rules.
pub fn all() -> Vec<RootRule> {
    let (literal, home) = (Expansion::EMPTY, Expansion::HOME | Expansion::EMPTY);
    let everything = Expansion::HOME | Expansion::VARIABLES | Expansion::EMPTY;
    let flat = |id: &str| MARKS.iter().fold(RootRule::new(id), |rule, mark| rule.mark(mark));
    let sentences =
        RootRule::new(crate::SENTENCES).mark("*/modules.json").mark("*/config.json").mark("*/.gitattributes");
    vec![
        with(with(flat("transformers"), &OLD_VARIABLES, literal), &DEFAULT, home),
        with(with(flat("transformers-torch"), &OLD_VARIABLES, literal), &TORCH, home),
        with(flat(IN_HUB), &HUB, everything),
        with(with(sentences, &["${SENTENCE_TRANSFORMERS_HOME}"], literal), &SENTENCES, home),
    ]
}

fn with(rule: RootRule, locations: &[&str], expand: Expansion) -> RootRule {
    locations.iter().fold(rule, |rule, path| rule.location(Location::new(path).expand(expand)))
}
