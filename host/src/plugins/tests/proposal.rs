//! What adding and updating come to, case by case.

use super::super::propose::{Proposal, ProposalError, Wish};
use super::*;

fn wish(update: Option<&str>, replace: bool, limits: &[(&str, u64)]) -> Wish {
    let limits = limits.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Wish { update: update.map(str::to_owned), replace, limits }
}

/// One installed plugin, `lib` 1.1.0.
fn installed() -> LockFile {
    let mut file = LockFile::default();
    file.put(record("lib", "1.1.0"));
    file
}

/// What it comes to, in a word.
fn outcome(facts: &Facts, wish: &Wish) -> String {
    let proposal = match Proposal::new(&installed(), facts, wish) {
        Err(ProposalError::NotInstalled(_)) => return "not installed".into(),
        Err(ProposalError::OtherName { .. }) => return "other name".into(),
        Err(ProposalError::Installed { .. }) => return "another version is there".into(),
        Err(ProposalError::Downgrade { .. }) => return "downgrade".into(),
        Err(ProposalError::Taken { other, kind, .. }) => return format!("taken by {kind} {other}"),
        Ok(proposal) => proposal,
    };
    let mut words = vec![if proposal.before.is_none() { "new" } else { "update" }];
    if proposal.is_done(facts) {
        words = vec!["nothing"];
    }
    words.extend(proposal.widens().then_some("asks"));
    words.extend((!proposal.request.overrides.is_empty()).then_some("overrides"));
    words.extend((!proposal.removes.is_empty()).then_some("removes"));
    words.join(", ")
}

fn with_rule(mut facts: Facts, id: &str, locations: &[&str]) -> Facts {
    facts.manifest.roots.push(rule(id, locations));
    facts
}

#[test]
fn every_case_of_add_and_update_comes_to_what_is_promised() {
    let lib = |version: &str| facts("lib", version);
    let narrower = || {
        let mut facts = lib("1.2.0");
        facts.manifest.roots.clear();
        facts
    };
    let raised: &[(&str, u64)] = &[("memory", 1 << 30)];
    let lowered: &[(&str, u64)] = &[("memory", 1 << 20)];
    type Limits = [(&'static str, u64)];
    let none: &Limits = &[];
    let update = Some("lib");
    let table: Vec<(Facts, Option<&str>, &Limits, &str, &str)> = vec![
        // The component, `update`, limits; then without and with --replace.
        (facts("new", "1.0.0"), None, none, "new, asks", "new, asks"),
        (lib("1.1.0"), None, none, "nothing", "nothing"),
        (lib("1.1.0"), update, none, "nothing", "nothing"),
        (lib("1.1.0"), None, raised, "update, asks", "update, asks"),
        (lib("1.1.0"), update, lowered, "update", "update"),
        (lib("1.2.0"), None, none, "another version is there", "update"),
        (lib("1.2.0"), update, none, "update", "update"),
        (lib("1.2.0"), update, raised, "update, asks", "update, asks"),
        (lib("1.1.1-rc.1"), update, none, "update", "update"),
        (narrower(), update, none, "update", "update"),
        (with_rule(lib("1.2.0"), "more", &["~/more"]), update, none, "update, asks", "update, asks"),
        (with_rule(lib("1.2.0"), "more", &[]), update, none, "update, asks", "update, asks"),
        (lib("1.0.9"), None, none, "another version is there", "update"),
        (lib("1.0.9"), update, none, "downgrade", "update"),
        (lib("1.1.0-rc.1"), update, none, "downgrade", "update"),
        (facts("other", "1.0.0"), update, none, "other name", "other name"),
        (lib("1.0.0"), Some("ghost"), none, "other name", "other name"),
        (facts("ghost", "1.0.0"), Some("ghost"), none, "not installed", "not installed"),
        (with_rule(facts("new", "1.0.0"), "lib", &["~/x"]), None, none, "taken by installed lib", "new, asks, removes"),
        (facts("hf-hub", "9.0.0"), None, none, "taken by built-in hf-hub", "new, asks, overrides"),
        (facts("hub", "1.0.0"), None, none, "taken by built-in hf-hub", "new, asks, overrides"),
        (
            with_rule(lib("1.2.0"), "hub", &["~/hub"]),
            update,
            none,
            "taken by built-in hf-hub",
            "update, asks, overrides",
        ),
    ];
    for (at, (facts, update, limits, plain, replacing)) in table.into_iter().enumerate() {
        assert_eq!(outcome(&facts, &wish(update, false, limits)), plain, "row {at}");
        assert_eq!(outcome(&facts, &wish(update, true, limits)), replacing, "row {at} with --replace");
    }
}

#[test]
fn an_approved_override_stays_approved_for_later_versions_of_the_same_plugin() {
    let file = three(); // `beta` may run instead of the built-in hub, and has no word of it.
    let later = with_rule(facts("beta", "3.0.0"), "hub", &["~/beta"]);
    let proposal = Proposal::new(&file, &later, &wish(Some("beta"), false, &[])).unwrap();
    assert!(!proposal.changes.iter().any(|change| change.text.contains("hf-hub")), "{:?}", proposal.changes);
    let limits: Vec<&String> = proposal.request.limits.keys().collect();
    assert_eq!(limits, ["memory", "time"], "the limits that were set stay");
}

/// Two plugins with one word cannot come about by `add`; whoever wrote the file so is asked before one of them goes.
#[test]
fn another_plugins_removal_is_a_question_also_where_no_right_is_new() {
    let mut file = installed();
    file.put(record_of(with_rule(facts("twin", "1.0.0"), "lib", &["~/lib"])));
    let later = facts("lib", "1.2.0");
    assert!(Proposal::new(&file, &later, &wish(Some("lib"), false, &[])).is_err());
    let proposal = Proposal::new(&file, &later, &wish(Some("lib"), true, &[])).unwrap();
    assert!(proposal.removes.contains("twin") && proposal.changes.is_empty() && proposal.widens(), "{proposal:?}");
}

#[test]
fn a_refusal_says_what_to_do() {
    for (facts, wish) in [
        (facts("ghost", "1.0.0"), wish(Some("ghost"), false, &[])),
        (facts("other", "1.0.0"), wish(Some("lib"), false, &[])),
        (facts("lib", "1.2.0"), wish(None, false, &[])),
        (facts("lib", "1.0.0"), wish(Some("lib"), false, &[])),
        (facts("hub", "1.0.0"), wish(None, false, &[])),
        (with_rule(facts("new", "1.0.0"), "lib", &[]), wish(None, false, &[])),
    ] {
        let error = Proposal::new(&installed(), &facts, &wish).unwrap_err();
        assert!(error.hint().contains("dscc plugin") || error.hint().contains("--replace"), "{error}");
    }
}
