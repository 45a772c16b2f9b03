//! Where a link leads, as text. Nothing is followed; what it leads to must stay as long as the link does, if some plugin
//! has an entry there.

use dscc_sdk::{Directory, path};

use crate::known::is_in;

/// The place that a link needs: beneath the root, or an absolute path. None if it leads to the link itself or above it.
pub fn place(root: &dyn Directory, link: &str, target: &str) -> Option<String> {
    let names = root.names();
    let mut way: Vec<&str> = vec![];
    let mut is_absolute = target.starts_with('/');
    if !is_absolute {
        way.extend(path::parent(link).split('/').filter(|part| !part.is_empty()));
        if !descend(&mut way, target) {
            // It climbs out of the root, from where that really is.
            way =
                names.last()?.split('/').chain(path::parent(link).split('/')).filter(|part| !part.is_empty()).collect();
            is_absolute = true;
            descend(&mut way, target);
        }
    } else {
        descend(&mut way, target);
    }
    let place = if is_absolute { format!("/{}", way.join("/")) } else { way.join("/") };
    let leads_up = |own: &str| place == own || is_in(own, &place);
    let is_nowhere = way.is_empty() || leads_up(link) || names.iter().any(|name| leads_up(&path::join(name, link)));
    (!is_nowhere).then_some(place)
}

/// Goes on from a place; false if that led above where it began, from where it goes on all the same.
fn descend<'a>(way: &mut Vec<&'a str>, text: &'a str) -> bool {
    let mut within = true;
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => within &= way.pop().is_some(),
            part => way.push(part),
        }
    }
    within
}

#[cfg(test)]
mod tests {
    use super::*;
    use dscc_sdk::testing::MemoryRoot;

    #[test]
    fn a_link_leads_beneath_the_root_or_to_an_absolute_place() {
        let root = MemoryRoot::new().named("/home/me/.ir_datasets");
        for (link, target, expected) in [
            ("antique/a", "../downloads/x", Some("downloads/x")),
            ("antique/a", "b", Some("antique/b")),
            ("cord19", "../../big/cord19", Some("/home/big/cord19")),
            ("antique/a", "/big/./x/../a", Some("/big/a")),
            ("antique/a", "/home/me/.ir_datasets/downloads/x", Some("/home/me/.ir_datasets/downloads/x")),
            ("antique/a", ".", None),
            ("antique/a", "a", None),
            ("antique/a", "..", None),
            ("antique/a", "/", None),
            ("antique/a", "/home/me", None),
            ("antique/a", "../../../../../..", None),
        ] {
            assert_eq!(place(&root, link, target).as_deref(), expected, "{link} -> {target}");
        }
    }

    #[test]
    fn a_link_that_climbs_out_starts_where_the_root_really_is() {
        let root = MemoryRoot::new().named("/home/me/.ir_datasets").named("/disk/ir");
        assert_eq!(place(&root, "antique/a", "../../big").as_deref(), Some("/disk/big"));
        assert_eq!(place(&root, "antique/a", "/disk").as_deref(), None);
        assert_eq!(place(&root, "antique/a", "/home/me").as_deref(), None);
    }
}
