//! From a plugin's answers to checked data. Everything a component returns is hostile until it has passed here: each
//! rule that is broken is an error naming the rule and the place, and the whole answer is refused with it.

use hashbrown::HashSet;
use jiff::Timestamp;

use crate::model::check::{self, Checked, at_most, slug, unique};
use crate::model::{
    self, Cache, Edit, Entry, Expansion, Listing, Location, Lock, LockKind, Manifest, Moment, Pattern, Recovery,
    RelPath, RootRule, State, Warning, parse_timestamp,
};
use crate::roots::check_manifest;

use super::interfaces::newest as wit;
use super::limits::Limits;

const MAX_CACHES: usize = 256;
const MAX_ATTRIBUTES: usize = 100_000;
/// Bytes of a time.
const MAX_TIME: usize = 100;

pub(super) fn manifest(manifest: wit::Manifest, limits: &Limits) -> Checked<Manifest> {
    let manifest = Manifest {
        name: manifest.name,
        version: manifest.version,
        title: manifest.title,
        summary: manifest.summary,
        homepage: manifest.homepage,
        license: manifest.license,
        roots: manifest.roots.into_iter().map(root_rule).collect::<Checked<_>>()?,
        extra: manifest.extra,
    };
    check_manifest(&manifest, limits.text)?;
    Ok(manifest)
}

fn root_rule(rule: wit::RootRule) -> Checked<RootRule> {
    let id = rule.id;
    slug("a root rule's id", &id)?; // First, because the messages below name it.
    let patterns = |what: &str, texts: Vec<String>| {
        let parse = |text: String| Pattern::parse(&text).map_err(|e| format!("{what} of root rule `{id}`: {e}"));
        texts.into_iter().map(parse).collect::<Checked<Vec<_>>>()
    };
    let (marks, indexes) = (patterns("a mark", rule.marks)?, patterns("an index", rule.indexes)?);
    let locations = rule.locations.into_iter().map(location).collect();
    Ok(RootRule { id, locations, marks, indexes })
}

fn location(location: wit::Location) -> Location {
    let has = |flag| location.expand.contains(flag);
    let expand = Expansion {
        home: has(wit::Expansion::HOME),
        variables: has(wit::Expansion::VARIABLES),
        empty: has(wit::Expansion::EMPTY),
    };
    Location { path: location.path, expand }
}

pub(super) fn caches(caches: Vec<wit::Cache>, limits: &Limits) -> Checked<Vec<Cache>> {
    at_most("caches in one root", caches.len(), MAX_CACHES)?;
    let convert = |cache: wit::Cache| {
        slug("a cache's id", &cache.id)?;
        Ok(Cache {
            id: cache.id,
            title: bounded("a cache's title", cache.title, limits.text)?,
            path: path("a cache's path", &cache.path)?,
        })
    };
    let caches = caches.into_iter().map(convert).collect::<Checked<Vec<_>>>()?;
    unique("cache", caches.iter().map(|cache| cache.id.as_str()))?;
    Ok(caches)
}

pub(super) fn listing(
    listing: wit::Listing,
    cache: &Cache,
    parent: Option<&str>,
    incomplete: bool,
    limits: &Limits,
) -> Checked<Listing> {
    at_most("entries in one level", listing.entries.len(), limits.entries)?;
    let mut entries = Vec::with_capacity(listing.entries.len());
    for it in listing.entries {
        let mut entry = entry(it, cache, limits)?;
        if parent.is_some_and(|parent| !entry.id.starts_with(parent) || entry.id == parent) {
            return Err(format!("the id of child `{}` does not start with its parent's", entry.id));
        }
        if incomplete {
            entry.reclaim = None;
        }
        entries.push(entry);
    }
    unique("entry", entries.iter().map(|entry| entry.id.as_str()))?;
    claims_of_siblings(&entries)?;
    let warnings = listing.warnings.into_iter().take(1000).map(|it| warning(it, limits)).collect::<Checked<_>>()?;
    Ok(Listing { entries, warnings, incomplete })
}

/// No two siblings own one path, and what one owns no other shares.
fn claims_of_siblings(entries: &[Entry]) -> Checked<()> {
    unique("owned path", entries.iter().flat_map(|entry| entry.owns.iter().map(RelPath::as_str)))?;
    let owned: HashSet<&str> = entries.iter().flat_map(|entry| entry.owns.iter().map(RelPath::as_str)).collect();
    match entries.iter().flat_map(|entry| &entry.shares).find(|path| owned.contains(path.as_str())) {
        Some(both) => Err(format!("`{both}` is owned by one entry and shared by another or the same")),
        None => Ok(()),
    }
}

fn entry(entry: wit::Entry, cache: &Cache, limits: &Limits) -> Checked<Entry> {
    let id = bounded("an entry's id", entry.id, 4096)?;
    if id.is_empty() {
        return Err("an entry's id is empty".to_owned());
    }
    let few = |what: &str, number: usize| at_most(&format!("{what} of `{id}`"), number, limits.references);
    few("owned paths", entry.owns.len())?;
    few("shared paths", entry.shares.len())?;
    few("needs", entry.needs.len())?;
    few("locks", entry.locks.len())?;
    let claims = |what: &str, texts: Vec<String>| {
        let one = |text: String| claim(what, &id, &text, cache);
        let claims = texts.into_iter().map(one).collect::<Checked<Vec<_>>>()?;
        unique(&format!("path that `{id}` {what}"), claims.iter().map(RelPath::as_str))?;
        Ok::<_, String>(claims)
    };
    let (owns, shares) = (claims("owns", entry.owns)?, claims("shares", entry.shares)?);
    let text = |what: &str, it: String| bounded(what, it, limits.text);
    check::pairs("attributes", &entry.attributes, MAX_ATTRIBUTES, limits.text)?;
    let lock = |it: wit::Lock| Ok(Lock { kind: lock_kind(it.kind), path: path("a lock", &it.path)? });
    Ok(Entry {
        kind: text("a kind", entry.kind)?,
        label: text("a label", entry.label)?,
        owns,
        shares,
        needs: entry.needs.into_iter().map(|it| need(it, &id)).collect::<Checked<_>>()?,
        locks: entry.locks.into_iter().map(lock).collect::<Checked<_>>()?,
        state: state(entry.state),
        recovery: recovery(entry.recovery),
        reclaim: entry.reclaim.map(|it| text("a reclaim reason", it)).transpose()?,
        has_children: entry.has_children,
        keeps_parent: entry.keeps_parent,
        created: time("created", &id, entry.created)?,
        last_used: time("last-used", &id, entry.last_used)?,
        attributes: entry.attributes,
        id,
    })
}

fn time(what: &str, id: &str, text: Option<String>) -> Checked<Option<Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    check::bounded(&format!("the time `{what}` of `{id}`"), &text, MAX_TIME)?;
    let unreadable = || format!("the time `{what}` of `{id}` is `{text}`, which is no time that can be read");
    parse_timestamp(&text).map(Some).ok_or_else(unreadable)
}

fn claim(what: &str, id: &str, text: &str, cache: &Cache) -> Checked<RelPath> {
    let claim = path(&format!("a path that `{id}` {what}"), text)?;
    if claim == cache.path || !claim.starts_with(&cache.path) {
        return Err(format!("`{id}` {what} `{claim}`, which is not beneath the cache's own path"));
    }
    Ok(claim)
}

fn need(text: String, id: &str) -> Checked<String> {
    let text = bounded("a need", text, 16 << 10)?;
    let absolute = text.starts_with('/') || std::path::Path::new(&text).is_absolute();
    if !absolute {
        path(&format!("a need of `{id}`"), &text)?;
    }
    Ok(text)
}

fn warning(warning: wit::Warning, limits: &Limits) -> Checked<Warning> {
    Ok(Warning {
        path: path("a warning's path", &warning.path)?,
        message: bounded("a warning", warning.message, limits.text)?,
    })
}

pub(super) fn edits(edits: Vec<wit::Edit>, limits: &Limits) -> Checked<Vec<Edit>> {
    at_most("edits in one answer", edits.len(), limits.records)?;
    let records = |edit: &wit::Edit| match &edit.drop {
        wit::Records::Lines(lines) => lines.len(),
    };
    at_most("records to drop in one answer", edits.iter().map(records).sum(), limits.records)?;
    let convert = |edit: wit::Edit| {
        let wit::Records::Lines(drop_lines) = edit.drop;
        let at = match edit.at {
            wit::Moment::Before => Moment::Before,
            wit::Moment::After => Moment::After,
        };
        Ok(Edit { file: path("an edited file", &edit.file)?, at, drop_lines })
    };
    let edits = edits.into_iter().map(convert).collect::<Checked<Vec<_>>>()?;
    unique("edit of", edits.iter().map(|edit| edit.file.as_str()))?;
    Ok(edits)
}

fn lock_kind(kind: wit::LockKind) -> LockKind {
    match kind {
        wit::LockKind::Flock => LockKind::Flock,
        wit::LockKind::Posix => LockKind::Posix,
        wit::LockKind::Existence => LockKind::Existence,
    }
}

fn state(state: wit::State) -> State {
    match state {
        wit::State::Complete => State::Complete,
        wit::State::Partial => State::Partial,
        wit::State::Detached => State::Detached,
        wit::State::Stale => State::Stale,
        wit::State::Broken => State::Broken,
    }
}

fn recovery(recovery: wit::Recovery) -> Recovery {
    match recovery {
        wit::Recovery::Rebuild => Recovery::Rebuild,
        wit::Recovery::Download => Recovery::Download,
        wit::Recovery::Uncertain => Recovery::Uncertain,
        wit::Recovery::Irreplaceable => Recovery::Irreplaceable,
    }
}

fn path(what: &str, text: &str) -> Checked<RelPath> {
    RelPath::parse(text).map_err(|e: model::PathError| format!("{what}: {e}"))
}

fn bounded(what: &str, text: String, limit: usize) -> Checked<String> {
    check::bounded(what, &text, limit)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_that_break_a_rule_are_refused_with_its_name() {
        let edit = |file: &str, lines: usize| wit::Edit {
            file: file.into(),
            at: wit::Moment::After,
            drop: wit::Records::Lines(vec!["line".into(); lines]),
        };
        let limits = Limits { records: 3, ..Limits::default() };
        let refusal = |answer: Vec<wit::Edit>| edits(answer, &limits).unwrap_err();
        assert!(refusal(vec![edit("../index", 1)]).contains("an edited file"));
        assert!(refusal(vec![edit("index", 1), edit("index", 1)]).contains("`index` appears twice"));
        assert!(refusal(vec![edit("a", 2), edit("b", 2)]).contains("4 records to drop in one answer; the limit is 3"));
        assert!(refusal(vec![edit("a", 0); 4]).contains("4 edits in one answer; the limit is 3"));
        assert_eq!(edits(vec![edit("a", 2), edit("b", 1)], &limits).map(|edits| edits.len()), Ok(2));
    }
}
