//! Where links lead, as text. Nothing is followed: a corpus of the user's is outside, and another dataset is a place that
//! is needed.

use dscc_sdk::{Directory, Kind, Kinds, Node, path};

/// The root's names.
pub struct Names(Vec<String>);

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Beneath the root.
    Inside(String),
    /// An absolute path, which may be in another root.
    Outside(String),
}

/// A link and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it is.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Where it leads.
    pub target: Target,
}

impl Names {
    /// Asks the host for the names once.
    pub fn of(root: &dyn Directory) -> Self {
        Self(root.names())
    }

    /// Where a link leads, seen from the folder that it is in.
    pub fn link(&self, node: &Node) -> Link {
        let mut components = vec![];
        if !node.target.starts_with('/') {
            // The system starts where the folder really is, which is the last name.
            follow(&mut components, self.0.last().map_or("", String::as_str));
            follow(&mut components, path::parent(&node.path));
        }
        follow(&mut components, &node.target);
        let target = self.0.iter().find_map(|name| beneath(&components, name)).filter(|place| !place.is_empty());
        let target = target.map_or_else(|| Target::Outside(format!("/{}", components.join("/"))), Target::Inside);
        Link { path: node.path.clone(), text: node.target.clone(), target }
    }

    /// All links in the root, by one walk.
    pub fn links(&self, root: &dyn Directory) -> dscc_sdk::Result<Vec<Link>> {
        let nodes = root.walk("", &dscc_sdk::Filter::all().kinds(Kinds::LINK))?;
        let mut links: Vec<Link> = nodes.filter(|node| node.kind == Kind::Link).map(|node| self.link(&node)).collect();
        links.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(links)
    }
}

fn follow<'a>(components: &mut Vec<&'a str>, text: &'a str) {
    for component in text.split('/') {
        match component {
            "" | "." => {}
            ".." => drop(components.pop()),
            name => components.push(name),
        }
    }
}

/// What remains beneath the root of this name.
fn beneath(components: &[&str], name: &str) -> Option<String> {
    let mut above = vec![];
    follow(&mut above, name);
    components.strip_prefix(above.as_slice()).map(|rest| rest.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dscc_sdk::testing::MemoryRoot;

    #[test]
    fn links_are_resolved_as_text_by_every_name_of_the_root() {
        let root = MemoryRoot::new().named("/home/me/datamaestro/data").named("/disk/data");
        let names = Names::of(&root);
        let inside = |place: &str| Target::Inside(place.into());
        let outside = |place: &str| Target::Outside(place.into());
        for (text, target) in [
            ("/home/me/datamaestro/data/text/a", inside("text/a")),
            ("/disk/./data//text/a/", inside("text/a")),
            ("../b", inside("text/b")),
            ("../../../data/text/b", inside("text/b")),
            ("../../../corpora/b", outside("/disk/corpora/b")),
            ("/home/me/datamaestro/database", outside("/home/me/datamaestro/database")),
            ("/disk/data", outside("/disk/data")),
            ("../../../../../..", outside("/")),
        ] {
            let node = MemoryRoot::new().link("text/a/l", text);
            let node = (&node as &dyn Directory).node("text/a/l").unwrap().unwrap();
            assert_eq!(names.link(&node).target, target, "{text}");
        }
    }
}
