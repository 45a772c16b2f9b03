//! Where a link in the root leads, as text. Nothing is followed.

use dscc_sdk::Directory;

/// The place that a link directly in the root names: beneath the root, or an absolute path. None if it names the root.
pub fn place(root: &dyn Directory, target: &str) -> Option<String> {
    let mut inside: Vec<&str> = vec![];
    if !target.starts_with('/') && descend(&mut inside, target) {
        return (!inside.is_empty()).then(|| inside.join("/"));
    }
    let base = root.names().pop().unwrap_or_default();
    let mut absolute: Vec<&str> = vec![];
    if !target.starts_with('/') {
        descend(&mut absolute, &base);
    }
    descend(&mut absolute, target);
    Some(format!("/{}", absolute.join("/")))
}

/// Follows the components of a path; false, with what was reached, if they climb above the start.
fn descend<'a>(place: &mut Vec<&'a str>, target: &'a str) -> bool {
    let mut within = true;
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => within &= place.pop().is_some(),
            name => place.push(name),
        }
    }
    within
}

#[cfg(test)]
mod tests {
    use dscc_sdk::path;
    use dscc_sdk::testing::MemoryRoot;

    use super::*;

    #[test]
    fn a_place_is_beneath_the_root_or_absolute() {
        let root = MemoryRoot::new();
        let base = root.names().pop().unwrap();
        let above = path::parent(&base).to_owned();
        for (target, expected) in [
            ("a", Some("a".into())),
            ("./a//b/../c", Some("a/c".into())),
            (".", None),
            ("a/..", None),
            ("/data/x", Some("/data/x".into())),
            ("/../x", Some("/x".into())),
            ("../x", Some(format!("{above}/x"))),
            ("../../../../../../../../x", Some("/x".into())),
        ] {
            assert_eq!(place(&root, target), expected, "{target}");
        }
    }
}
