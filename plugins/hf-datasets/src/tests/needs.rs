//! Builds that hold paths of files instead of their content.

use dscc_url_files::digest;

use super::*;

const IMAGES: &str = r#""builder_name": "imagefolder", "features": {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["a"]}}"#;

fn table(paths: &[String]) -> String {
    format!("ARROW1\u{0}\u{0}{}\u{0}", paths.concat())
}

fn with_table(content: String) -> MemoryRoot {
    let at = format!("a___b/default/0.0.0/{OLD}");
    root().build(&at, IMAGES).file(&format!("{at}/x-train.arrow"), content)
}

#[test]
fn what_a_table_points_to_is_needed_and_nothing_else() {
    let used = digest("used");
    let root = with_table(table(&[format!("{HOME}/downloads/extracted/{used}/1.png")]));
    let root =
        root.file(&format!("downloads/extracted/{used}/1.png"), "1").file(&format!("downloads/extracted/{CODE}/2"), "");
    let [build] = below(&root, "a/b").try_into().unwrap();
    assert_eq!(build.needs, [format!("{HOME}/downloads/extracted/{used}")]);
    assert!(values(&build, "warning")[0].contains("holds paths"));
    assert_eq!(top(&root)[0].needs, build.needs);
}

#[test]
fn snapshots_of_the_hub_are_needed_where_they_are() {
    let snapshot = format!("datasets--Acme--Pictures/snapshots/{OLD}");
    let root = with_table(table(&[format!("/mnt/hub/{snapshot}/1.png"), format!("/mnt/hub/{snapshot}/2.png")]));
    let needs = below(&root, "a/b").remove(0).needs;
    assert!(needs.contains(&format!("/mnt/hub/{snapshot}")), "{needs:?}");
}

#[test]
fn tables_with_content_need_nothing() {
    let root = with_table(table(&["/home/me/pictures/1.png".into()]));
    assert!(below(&root, "a/b")[0].needs.is_empty());
    let parquet = IMAGES.replace("imagefolder", "parquet");
    let at = format!("a___b/default/0.0.0/{OLD}");
    let root = MemoryRoot::new().build(&at, &parquet).file(&format!("{at}/x-train.arrow"), format!("/{CODE}/"));
    assert!(below(&root, "a/b")[0].needs.is_empty());
}

#[test]
fn of_tables_too_large_to_look_through_the_worst_is_assumed() {
    let at = format!("a___b/default/0.0.0/{OLD}");
    let root = root().build(&at, IMAGES).sparse(&format!("{at}/x-train.arrow"), 9 << 20);
    let needs = below(&root, "a/b").remove(0).needs;
    let hub = format!("/home/me/.cache/huggingface/hub/datasets--a--b/snapshots/{OLD}");
    assert_eq!(needs, [format!("{HOME}/downloads/extracted"), hub]);

    let at = "imagefolder/default-0123456789abcdef/0.0.0/".to_owned() + CODE;
    let root = MemoryRoot::new().named(HOME).build(&at, IMAGES).sparse(&format!("{at}/x-train.arrow"), 9 << 20);
    let needs = below(&root, "imagefolder").remove(0).needs;
    assert_eq!(needs, [format!("{HOME}/downloads"), format!("{HOME}/downloads/extracted")]);
}

#[test]
fn paths_in_the_texts_of_a_script_are_paths_too() {
    let (at, used) = (format!("a___b/default/1.0.0/{CODE}"), digest("used"));
    for column in ["file", "anything"] {
        let text = format!(r#"{{"{column}": {{"dtype": "string", "_type": "Value"}}}}"#);
        let features = format!(r#""builder_name": "my_corpus", "features": {text}"#);
        let root = root().build(&at, &features).file(&format!("downloads/{used}"), "");
        let root = root.file(&format!("{at}/x-train.arrow"), table(&[format!("{HOME}/downloads/{used}")]));
        assert_eq!(below(&root, "a/b")[0].needs, [format!("{HOME}/downloads/{used}")]);
        // Of a large table only the name of the column tells.
        let root = root.sparse(&format!("{at}/x-train.arrow"), 9 << 20);
        assert_eq!(below(&root, "a/b")[0].needs.is_empty(), column == "anything");
    }
}

#[test]
fn of_very_many_places_the_folder_is_needed() {
    let names: Vec<String> = (0..300).map(|number| digest(&number.to_string())).collect();
    let paths: Vec<String> = names.iter().map(|name| format!("{HOME}/downloads/{name}")).collect();
    let root = names.iter().fold(with_table(table(&paths)), |root, name| root.file(&format!("downloads/{name}"), ""));
    assert_eq!(below(&root, "a/b")[0].needs, [format!("{HOME}/downloads")]);
}
