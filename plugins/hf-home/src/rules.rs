//! Where each library looks. They read the same variables and do not expand them alike: see each rule.

use dscc_sdk::{Expansion, Location, RootRule};

/// What of the variables' values each library expands; a variable that is set and empty counts as set for all of them.
struct Expand(Expansion);

impl Expand {
    /// huggingface_hub, and Transformers and Diffusers, which take its HF_HOME.
    fn hub() -> Self {
        Self(Expansion::HOME | Expansion::VARIABLES | Expansion::EMPTY)
    }

    /// Datasets, Evaluate and older Transformers read HF_HOME by themselves; hf_xet does, too.
    fn home() -> Self {
        Self(Expansion::HOME | Expansion::EMPTY)
    }

    /// Not expanded.
    fn literal() -> Self {
        Self(Expansion::EMPTY)
    }

    fn of(&self, path: &str) -> Location {
        Location::new(path).expand(self.0)
    }

    /// The folder in the Hugging Face home.
    fn default(&self, rule: RootRule, folder: &str) -> RootRule {
        rule.location(self.of(&format!("${{HF_HOME}}/{folder}")))
            .location(self.of(&format!("${{XDG_CACHE_HOME}}/huggingface/{folder}")))
            .location(self.of(&format!("~/.cache/huggingface/{folder}")))
    }
}

/// The rules, and which cache each leads to. Where versions disagree on HF_HOME there are two rules; the same folder found
/// twice is one root.
pub fn all() -> Vec<RootRule> {
    let (hub, home, literal) = (Expand::hub(), Expand::home(), Expand::literal());
    let assets = RootRule::new("assets").location(hub.of("${HF_ASSETS_CACHE}"));
    let assets = assets.location(hub.of("${HUGGINGFACE_ASSETS_CACHE}"));
    let xet = RootRule::new("xet").location(home.of("${HF_XET_CACHE}"));
    let xet = marked(xet, &["logs", "*/staging", "*/shard-cache", "*/chunk-cache"]);
    let modules = |rule| marked(RootRule::new(rule).location(literal.of("${HF_MODULES_CACHE}")), &MODULES);
    let evaluate = RootRule::new("evaluate").location(literal.of("${HF_EVALUATE_CACHE}"));
    let downloads = RootRule::new("evaluate-downloads");
    let metrics = RootRule::new("metrics").location(home.of("${HF_METRICS_CACHE}"));
    vec![
        hub.default(assets, "assets"),
        home.default(xet, "xet"),
        hub.default(modules("modules"), "modules"),
        home.default(modules("modules-datasets"), "modules"),
        home.default(evaluate, "evaluate"),
        downloads.location(literal.of("${HF_DATASETS_DOWNLOADED_EVALUATE_PATH}")),
        home.default(metrics, "metrics"),
    ]
}

/// A folder of remote code always has one of these; another one may be a user's own packages.
const MODULES: [&str; 5] =
    ["__init__.py", "transformers_modules", "datasets_modules", "evaluate_modules", "diffusers_modules"];

fn marked(rule: RootRule, marks: &[&str]) -> RootRule {
    marks.iter().fold(rule, |rule, mark| rule.mark(mark))
}

/// Id and title of the cache that a rule leads to.
pub fn cache(rule: &str) -> Option<(&'static str, &'static str)> {
    Some(match rule {
        "assets" => ("assets", "Hugging Face assets"),
        "xet" => ("xet", "Hugging Face Xet"),
        "modules" | "modules-datasets" => ("modules", "Hugging Face remote code"),
        "evaluate" | "evaluate-downloads" => ("evaluate", "Hugging Face Evaluate"),
        "metrics" => ("metrics", "Hugging Face metrics"),
        _ => return None,
    })
}
