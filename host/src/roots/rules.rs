//! The rules that a manifest keeps, whether a component told it or a file holds it: what it is called, and that each of
//! its locations can be evaluated in any environment.

use std::str::FromStr as _;

use crate::model::check::{Checked, at_most, bounded, pairs, slug, unique};
use crate::model::{Location, Manifest, RootRule};

use super::Template;

/// Names that could be mistaken for a word of the command line.
const RESERVED: &[&str] = &["all", "dscc", "none", "help"];
/// All of what a plugin asks for is shown before it is approved, so it must be little enough to be read.
const MAX_ROOTS: usize = 32;
/// Locations, marks and indexes of one rule, each.
const MAX_LOCATIONS: usize = 16;
const MAX_EXTRA: usize = 256;
/// Bytes of a location.
const MAX_LOCATION: usize = 512;
/// Bytes of a version.
const MAX_VERSION: usize = 256;

/// Checks what a manifest says; `text_limit` bounds each of its texts for people, in bytes.
///
/// # Errors
/// The first rule that is broken, with the place.
pub fn check_manifest(manifest: &Manifest, text_limit: usize) -> Result<(), String> {
    word("the plugin's name", &manifest.name)?;
    bounded("the version", &manifest.version, MAX_VERSION)?;
    semver::Version::parse(&manifest.version)
        .map_err(|e| format!("the version `{}` is not of the form 1.2.3 ({e})", manifest.version))?;
    if manifest.title.trim().is_empty() {
        return Err("the title is empty".into());
    }
    bounded("the title", &manifest.title, text_limit)?;
    bounded("the summary", &manifest.summary, text_limit)?;
    bounded("the homepage", manifest.homepage.as_deref().unwrap_or_default(), text_limit)?;
    bounded("the license", manifest.license.as_deref().unwrap_or_default(), text_limit)?;
    at_most("root rules", manifest.roots.len(), MAX_ROOTS)?;
    manifest.roots.iter().try_for_each(check_rule)?;
    unique("root rule", manifest.roots.iter().map(|rule| rule.id.as_str()))?;
    pairs("extra", &manifest.extra, MAX_EXTRA, text_limit)
}

/// A word of `-c` and `--root`.
fn word(what: &str, text: &str) -> Checked {
    slug(what, text)?;
    if RESERVED.contains(&text) { Err(format!("the name `{text}` is reserved")) } else { Ok(()) }
}

fn check_rule(rule: &RootRule) -> Checked {
    let id = &rule.id;
    word("a root rule's id", id)?;
    at_most("locations", rule.locations.len(), MAX_LOCATIONS)?;
    at_most("marks", rule.marks.len(), MAX_LOCATIONS)?;
    at_most("indexes", rule.indexes.len(), MAX_LOCATIONS)?;
    if rule.marks.is_empty() && rule.locations.iter().any(|location| location.path.contains('*')) {
        return Err(format!("root rule `{id}` has a location with `*` and no marks to tell its folders by"));
    }
    for (place, location) in rule.locations.iter().enumerate() {
        check_location(id, location)?;
        if rule.locations[..place].contains(location) {
            return Err(format!("root rule `{id}` has the location `{}` twice", location.path));
        }
    }
    Ok(())
}

fn check_location(rule: &str, location: &Location) -> Checked {
    let path = &location.path;
    bounded("a location", path, MAX_LOCATION)?;
    Template::from_str(path).map_err(|e| format!("the location `{path}` of root rule `{rule}`: {e}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Expansion, Pattern};

    fn manifest() -> Manifest {
        let location = |path: &str| Location { path: path.into(), expand: Expansion::default() };
        Manifest {
            name: "thing".into(),
            version: "1.0.0".into(),
            title: "Thing".into(),
            summary: String::new(),
            homepage: None,
            license: None,
            roots: vec![RootRule {
                id: "thing".into(),
                locations: vec![location("${THING}"), location("~/.cache/*")],
                marks: vec![Pattern::parse("*.thing").unwrap()],
                indexes: vec![],
            }],
            extra: vec![("since".into(), "2020".into())],
        }
    }

    #[test]
    fn each_rule_is_named_when_it_is_broken() {
        type Change = fn(&mut Manifest);
        let refusal = |change: Change| {
            let mut manifest = manifest();
            change(&mut manifest);
            check_manifest(&manifest, 100).unwrap_err()
        };
        let cases: [(Change, &str); 13] = [
            (|it| it.name = "Thing".into(), "the plugin's name"),
            (|it| it.name = "all".into(), "reserved"),
            (|it| it.roots[0].id = "all".into(), "reserved"),
            (|it| it.version = "1".into(), "1.2.3"),
            (|it| it.title = " ".into(), "the title is empty"),
            (|it| it.title = "x".repeat(101), "the title has 101 bytes"),
            (|it| it.homepage = Some("x".repeat(101)), "the homepage"),
            (|it| it.license = Some("x".repeat(101)), "the license"),
            (|it| it.extra[0].0 = "dscc.since".into(), "reserved"),
            (|it| it.extra = vec![(String::new(), String::new()); 257], "257 extra"),
            (|it| it.roots.push(it.roots[0].clone()), "root rule `thing` appears twice"),
            (|it| it.roots[0].locations[1] = it.roots[0].locations[0].clone(), "`${THING}` twice"),
            (|it| it.roots[0].marks.clear(), "no marks"),
        ];
        for (change, words) in cases {
            let message = refusal(change);
            assert!(message.contains(words), "{message} lacks {words}");
        }
        assert_eq!(check_manifest(&manifest(), 100), Ok(()));
    }

    #[test]
    fn a_manifest_in_a_file_reads_back_and_a_bad_pattern_in_it_is_an_error() {
        let text = serde_json::to_string(&manifest()).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest());
        for (good, bad) in [("\"*.thing\"", "\"../thing\""), ("\"marks\"", "\"marked\""), ("\"home\"", "\"house\"")] {
            assert!(text.contains(good), "{text}");
            assert!(serde_json::from_str::<Manifest>(&text.replace(good, bad)).is_err(), "{bad}");
        }
    }
}
