//! What no library makes.

use dscc_sdk::{Recovery, State};

use super::*;

#[test]
fn a_record_of_another_address_names_nothing() {
    let (url, other) = (format!("{BERT}/config.json"), format!("{BERT}/vocab.txt"));
    let name = name(&url, "\"1\"");
    let record = |url: &str, etag: &str| serde_json::json!({ "url": url, "etag": etag }).to_string();
    for record in [
        record(&other, "\"1\""),
        record(&url, "1"),
        String::new(),
        "[]".into(),
        "{".into(),
        "{\"url\": 3}".into(),
        "{\"url\": null, \"etag\": null}".into(),
    ] {
        let root = MemoryRoot::new().nameless(&url, "\"1\"").file(&format!("{name}.json"), &record);
        let [entry] = top(&root).entries.try_into().unwrap();
        assert_eq!(entry.id, digits(&url, "\"1\""), "{record}");
        assert_eq!((entry.state, entry.recovery), (State::Broken, Recovery::Uncertain), "{record}");
        assert_eq!((entry.owns.len(), entry.label.as_str(), entry.reclaim), (3, "", None), "{record}");
    }
}

#[test]
fn a_file_that_is_only_called_like_a_record_may_be_somebodys() {
    let url = format!("{BERT}/config.json");
    for record in [r#"{"answer": 42}"#, "[]", "", r#"{"url": "https://example.org/x", "etag": null}"#] {
        let place = format!("{}.json", name(&url, "\"1\""));
        let [entry] = top(&MemoryRoot::new().file(&place, record)).entries.try_into().unwrap();
        assert_eq!((entry.state, entry.recovery), (State::Broken, Recovery::Uncertain), "{record}");
        assert_eq!((entry.reclaim, entry.owns), (None, vec![place]), "{record}");
    }
}

#[test]
fn an_address_that_is_none_is_no_name() {
    for url in
        ["", "\u{1b}[2J", "https://huggingface.co/a b/resolve/main/x", &format!("https://h/{}", "a".repeat(60_000))]
    {
        let [entry] = top(&MemoryRoot::new().download(url, "\"1\"", 1)).entries.try_into().unwrap();
        assert!(entry.id.len() < 40 && entry.label.is_empty(), "{url:.20}");
        assert_eq!(entry.recovery, Recovery::Uncertain, "{url:.20}");
        assert!(entry.attributes.iter().all(|(_, value)| value.len() < 100), "{url:.20}");
    }
    let etag = "x".repeat(30_000);
    let [entry] = top(&MemoryRoot::new().download("https://h/x", &etag, 1)).entries.try_into().unwrap();
    assert_eq!(values(&entry, "etag"), Vec::<&str>::new());
}

#[test]
fn ids_differ_even_where_all_they_show_is_the_same() {
    // The same content under two addresses that are written alike.
    let (one, two) = ("https://huggingface.co/h/a/resolve/main/x", "https://h/a/resolve/main/x");
    let listing = top(&MemoryRoot::new().download(one, "\"1\"", 1).download(two, "\"1\"", 1));
    let expected = [one, two].map(|url| format!("h/a/x@{}", digits(url, "\"1\"")));
    assert!(expected.iter().all(|id| find(&listing, id).label == "h/a/x"));
    // No library makes both of these. Each keeps the folder that was extracted from it.
    let name = name("https://h/x.zip", "\"1\"");
    let root = MemoryRoot::new().file(&name, "x").file(&format!("{name}.h5"), "x");
    let root = root.file(&format!("{}-extracted/x", name.replace('.', "-")), "");
    let root = root.file(&format!("{}-h5-extracted/x", name.replace('.', "-")), "");
    let listing = top(&root);
    assert_eq!(listing.entries.len(), 2);
    for entry in &listing.entries {
        assert!(entry.id.starts_with(&format!("{}~", digits("https://h/x.zip", "\"1\""))), "{}", entry.id);
        let [child] = children(&root, &entry.id).try_into().unwrap();
        assert!(entry.owns.contains(&child.owns[0]));
    }
}

#[test]
fn a_link_is_somebodys_and_keeps_what_it_leads_to() {
    let (kept, linked) = (format!("{BERT}/config.json"), format!("{BERT}/vocab.txt"));
    for (target, needs, state) in [
        (name(&kept, "\"1\""), name(&kept, "\"1\""), State::Complete),
        ("/data/weights.bin".into(), "/data/weights.bin".into(), State::Complete),
        ("nothing".into(), "nothing".into(), State::Broken),
    ] {
        let place = name(&linked, "\"2\"");
        let root = MemoryRoot::new().download(&kept, "\"1\"", 1).download(&linked, "\"2\"", 1);
        let root = root.without(&place).link(&place, &target);
        let entry = find(&top(&root), &format!("bert-base-uncased/vocab.txt@{}", digits(&linked, "\"2\"")));
        assert_eq!((entry.kind.as_str(), entry.recovery), ("link", Recovery::Irreplaceable), "{target}");
        assert_eq!((entry.needs, entry.state), (vec![needs], state), "{target}");
        assert_eq!(entry.attributes.iter().filter(|(key, _)| key == "target").count(), 1);
    }
}

#[test]
fn folders_and_links_in_the_place_of_other_things_are_not_claimed() {
    let key = digest("x");
    let root = MemoryRoot::new().file(&format!("{key}/x"), "x").directory(&format!("{key}.json"));
    let root = root.link(&format!("{key}-extracted"), "/data").link("tmpabcdefgh", "/data").directory("version.txt");
    let root = root.unreadable(&format!("a__b.{}", &key[..40])).file("tmpabcdefg", "").file("tmpABCDEFGH", "");
    assert_eq!(ids(&top(&root).entries), Vec::<&str>::new());
}

#[test]
fn a_large_folder_is_listed_in_one_go() {
    let mut root = MemoryRoot::new();
    for number in 0..3000 {
        root = root.download(&format!("https://huggingface.co/acme/m{number}/resolve/main/c{number}"), "\"1\"", 1);
    }
    assert_eq!(top(&root).entries.len(), 3000);
}
