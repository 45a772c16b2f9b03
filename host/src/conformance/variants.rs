//! The trees that a plugin is looked at with: those of the cases, each of them damaged in many ways, and a few that
//! every plugin meets.

use crate::model::RelPath;

use super::case::Case;
use super::home::{Home, HomeError, link_outside};
use super::look::Subject;
use super::text::Setting;
use super::tree::{Item, Tree, What};

/// The tree of very many files.
const HUGE: &str = "generated-huge";
/// Its files.
const MANY: usize = 20_000;
/// Damaged places of one case, of each kind.
const MOST: usize = 100;
/// Bytes of a file that is broken in the middle.
const SMALL: usize = 64 << 10;

/// A tree to look at.
pub(super) struct Trial {
    /// The case's name, or that of a tree that every plugin meets.
    pub(super) case: String,
    /// What was done to the case's tree; empty for the tree itself.
    pub(super) variant: String,
    /// Whether it is no author's case.
    pub(super) generated: bool,
    pub(super) setting: Setting,
    pub(super) tree: Tree,
    pub(super) extent: Extent,
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Everything: each entry is removed once.
    Whole,
    /// What takes one look; everything is removed at once.
    Short,
    /// The look alone: writing so many files takes long enough.
    Look,
}

impl Trial {
    /// The case, and what was done to it.
    pub(super) fn name(&self) -> String {
        let what = if self.generated { "the generated tree" } else { "the case" };
        let variant = if self.variant.is_empty() { String::new() } else { format!(", {}", self.variant) };
        format!("{what} `{}`{variant}", self.case)
    }

    /// A fresh home with the tree in it.
    pub(super) fn home(&self, subject: Subject<'_>, name: &str) -> Result<Home, HomeError> {
        Home::new(name, subject.rules(), &self.setting, &self.tree)
    }
}

/// The trees of the cases, and what was made of them; `unreadable` tells whether a folder can be made that cannot be
/// read.
pub(super) fn of_cases(cases: &[&Case], unreadable: bool) -> Vec<Trial> {
    let of_case = |case: &&Case| {
        let whole = (String::new(), case.tree.clone());
        let trial = |(variant, tree): (String, Tree)| Trial {
            case: case.name.clone(),
            extent: if variant.is_empty() { Extent::Whole } else { Extent::Short },
            variant,
            generated: false,
            setting: case.setting.clone(),
            tree,
        };
        std::iter::once(whole).chain(damaged(&case.tree, unreadable)).map(trial).collect::<Vec<_>>()
    };
    cases.iter().flat_map(of_case).collect()
}

/// What every plugin meets, where the first case is.
pub(super) fn general(cases: &[&Case], unreadable: bool) -> Vec<Trial> {
    let one = |name: &str, item: Item| Tree { items: [(RelPath::from_components([name]), item)].into() };
    let first = cases.iter().map(|case| &case.tree).find(|tree| tree.is_readable() && tree.leaves().next().is_some());
    let mut trees = vec![
        ("generated-empty", Tree::default()),
        ("generated-link", one("link", What::Link(link_outside()).into())),
        (HUGE, huge(first)),
    ];
    if unreadable {
        trees.push(("generated-unreadable", one("locked", Item { mode: Some(0), ..What::Folder.into() })));
    }
    let setting = cases.first().map(|case| case.setting.clone()).unwrap_or_default();
    let trial = |(name, tree): (&str, Tree)| Trial {
        case: name.to_owned(),
        variant: String::new(),
        generated: true,
        setting: setting.clone(),
        extent: if name == HUGE { Extent::Look } else { Extent::Short },
        tree,
    };
    trees.into_iter().map(trial).collect()
}

/// What disks, killed downloads and users do to a tree.
fn damaged(tree: &Tree, unreadable: bool) -> Vec<(String, Tree)> {
    let mut trees = Vec::new();
    trees.extend(tree.leaves().take(MOST).map(|path| (format!("without `{path}`"), tree.without(path))));
    for (path, item) in tree.items.iter().filter(|(_, item)| item.what.is_file()).take(MOST) {
        trees.push((format!("with an empty `{path}`"), tree.with(path, What::Bytes(Vec::new()))));
        if let What::Bytes(content) | What::Text(content) = &item.what
            && (2..SMALL).contains(&content.len())
        {
            let broken = [&content[..content.len() / 2], b"\xff{"].concat();
            trees.push((format!("with a broken `{path}`"), tree.with(path, What::Bytes(broken))));
        }
    }
    let is_folder = |top: &RelPath| tree.items.get(top).is_some_and(|item| item.what == What::Folder);
    for (top, _) in tree.tops().into_iter().filter(|(top, _)| is_folder(top)).take(MOST) {
        trees.push((format!("with `{top}` a link out of the root"), tree.with(&top, What::Link(link_outside()))));
        if unreadable {
            let mut locked = tree.clone();
            locked.items.insert(top.clone(), Item { mode: Some(0), ..What::Folder.into() });
            trees.push((format!("with an unreadable `{top}`"), locked));
        }
    }
    trees
}

/// A tree many times over: every name in the root under further names. Without one, folders of files.
fn huge(first: Option<&Tree>) -> Tree {
    let mut tree = first.cloned().unwrap_or_default();
    let tops = match first {
        Some(first) => first.tops(),
        None => {
            let file = |at: usize| (RelPath::from_components(["folder", &format!("file-{at}")]), What::Zeros(1).into());
            vec![(RelPath::from_components(["folder"]), Tree { items: (0..100).map(file).collect() })]
        }
    };
    let leaves: usize = tops.iter().map(|(_, tree)| tree.leaves().count()).sum();
    for number in 1..=MANY / leaves.max(1) {
        for (top, below) in &tops {
            let name = format!("{top}-{number}");
            for (path, item) in &below.items {
                let components = std::iter::once(name.as_str()).chain(path.components().skip(1));
                tree.items.insert(RelPath::from_components(components), item.clone());
            }
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::text::parse;

    #[test]
    fn a_case_is_damaged_at_every_place_and_nowhere_else() {
        let mut tree = Tree::default();
        parse("a/b 10 bytes\na/i.json = {\"x\": 1}\nl -> a", &mut tree).unwrap();
        let damaged = damaged(&tree, true);
        let names: Vec<&str> = damaged.iter().map(|it| it.0.as_str()).collect();
        let expected = [
            "without `a/b`",
            "without `a/i.json`",
            "without `l`",
            "with an empty `a/b`",
            "with an empty `a/i.json`",
            "with a broken `a/i.json`",
            "with `a` a link out of the root",
            "with an unreadable `a`",
        ];
        assert_eq!(names, expected);
        assert!(damaged.iter().all(|(_, it)| *it != tree));
        let paths: Vec<&str> = damaged[0].1.items.keys().map(RelPath::as_str).collect();
        assert_eq!(paths, ["a", "a/i.json", "l"]);
    }

    #[test]
    fn the_huge_tree_is_the_first_case_many_times_over() {
        let mut tree = Tree::default();
        parse("a/b 10 bytes\nl -> a", &mut tree).unwrap();
        let huge = huge(Some(&tree));
        assert!((MANY..=MANY + 10).contains(&huge.leaves().count()));
        assert!(huge.items.contains_key(&RelPath::parse("a-7/b").unwrap()));
    }
}
