//! Where hubs are: the folder of huggingface_hub itself, and those that other libraries hand to it in a variable of their
//! own. Each of those libraries had another layout in its folder before, or still has, so they are told by what is in them.

use dscc_sdk::{Context, Directory, Expansion, Filter, FsError, Location, Result, RootRule, path};

/// The rule for the hub's own folder.
pub const HUB: &str = "hub";

/// In the library's order of precedence.
const LOCATIONS: [&str; 5] = [
    "${HF_HUB_CACHE}",
    "${HUGGINGFACE_HUB_CACHE}",
    "${HF_HOME}/hub",
    "${XDG_CACHE_HOME}/huggingface/hub",
    "~/.cache/huggingface/hub",
];

/// Of Transformers 4.22 to 4.57, in its order of precedence and as they are; and the folder that they usually named.
const TRANSFORMERS: [&str; 3] =
    ["${TRANSFORMERS_CACHE}", "${PYTORCH_TRANSFORMERS_CACHE}", "${PYTORCH_PRETRAINED_BERT_CACHE}"];
const TRANSFORMERS_DEFAULT: [&str; 3] =
    ["${HF_HOME}/transformers", "${XDG_CACHE_HOME}/huggingface/transformers", "~/.cache/huggingface/transformers"];

/// What only a hub has.
const REPOSITORIES: [&str; 5] =
    ["models--*", "datasets--*", "spaces--*", "kernels--*", "blobs/.huggingface-shared-blobs"];

/// What a used hub has as well; one that was emptied keeps its tag.
const REMAINS: [&str; 2] = [".locks", "CACHEDIR.TAG"];

/// All rules.
pub fn all() -> Vec<RootRule> {
    let home = Expansion::HOME | Expansion::EMPTY;
    let hub = with(rule(HUB), &LOCATIONS, home | Expansion::VARIABLES);
    let transformers = with(rule("hub-transformers"), &TRANSFORMERS, Expansion::EMPTY);
    vec![
        REMAINS.iter().fold(hub, |rule, mark| rule.mark(mark)),
        with(transformers, &TRANSFORMERS_DEFAULT, home),
        // These two hand the value to huggingface_hub, which expands `~` in it. Older Kernels read the second name.
        with(rule("hub-sentence-transformers"), &["${SENTENCE_TRANSFORMERS_HOME}"], home),
        with(rule("hub-kernels"), &["${KERNELS_CACHE}", "${HF_KERNELS_CACHE}"], home),
    ]
}

/// Whether there is anything that only a hub has.
pub fn shows_repositories(root: &dyn Directory) -> Result<bool> {
    let any = |mark: &str| match root.walk(path::parent(mark), &Filter::direct().name(path::name(mark))) {
        Ok(mut found) => Ok(found.next().is_some()),
        Err(FsError::NotFound | FsError::WrongKind) => Ok(false),
        Err(error) => Err(error).context("the folder cannot be listed"),
    };
    REPOSITORIES.iter().try_fold(false, |found, mark| Ok(found || any(mark)?))
}

fn rule(id: &str) -> RootRule {
    REPOSITORIES.iter().fold(RootRule::new(id).index("blobs/*/*.refs"), |rule, mark| rule.mark(mark))
}

fn with(rule: RootRule, locations: &[&str], expand: Expansion) -> RootRule {
    locations.iter().fold(rule, |rule, path| rule.location(Location::new(path).expand(expand)))
}
