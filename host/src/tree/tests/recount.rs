//! The measuring pass against a plain recount that has no cleverness at all.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Recount {
    usage: BTreeMap<String, (u64, u64)>,
    /// By inode: links, size, names by bucket.
    linked: BTreeMap<u64, (u64, u64, BTreeMap<String, u64>)>,
}

fn recount(
    dir: &Path,
    prefix: &str,
    bucket: &str,
    buckets: &[String],
    starts: &[String],
    within: bool,
    sums: &mut Recount,
) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        let is = |list: &[String]| list.contains(&name);
        let (within, top) = (within || is(starts), !within && is(starts));
        let bucket = if is(buckets) || (top && bucket.is_empty()) { &name } else { bucket };
        let meta = entry.metadata().unwrap();
        if meta.is_dir() {
            recount(&entry.path(), &format!("{name}/"), bucket, buckets, starts, within, sums);
        } else if meta.is_file() && within && meta.nlink() == 1 {
            let sum = sums.usage.entry(bucket.to_owned()).or_default();
            *sum = (sum.0 + 1, sum.1 + meta.len());
        } else if meta.is_file() && within {
            let inode = sums.linked.entry(meta.ino()).or_default();
            (inode.0, inode.1) = (meta.nlink(), meta.len());
            *inode.2.entry(bucket.to_owned()).or_default() += 1;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_pass_counts_what_a_recount_counts(
        files in proptest::collection::vec(("[ab](/[abc]){0,4}", 0usize..5, 0usize..5000), 1..40),
        buckets in proptest::collection::vec("[ab](/[abcd]){0,4}", 0..8),
        starts in proptest::collection::vec("[ab](/[abc]){0,2}", 1..4),
    ) {
        let sandbox = Sandbox::new();
        let mut made: Vec<PathBuf> = Vec::new();
        for (name, kind, size) in &files {
            let target = sandbox.root_path().join(name);
            if fs::create_dir_all(target.parent().unwrap()).is_err() || target.symlink_metadata().is_ok() {
                continue;
            }
            match kind {
                0 => fs::create_dir(&target).unwrap(),
                1 => symlink("..", &target).unwrap(),
                2 if !made.is_empty() => fs::hard_link(&made[size % made.len()], &target).unwrap(),
                _ => {
                    fs::write(&target, vec![0; *size]).unwrap();
                    made.push(target);
                }
            }
        }
        let mut expected = Recount::default();
        recount(&sandbox.root_path(), "", "", &buckets, &starts, false, &mut expected);

        let mut claims = PathTree::default();
        let ids: Vec<PathId> = buckets.iter().map(|text| claims.insert(&path(text))).collect();
        let start_ids: Vec<PathId> = starts.iter().map(|text| claims.insert(&path(text))).collect();
        let mut flags = vec![false; claims.len()];
        ids.iter().for_each(|id| flags[id.index()] = true);
        for way in ways() {
            let measured = sandbox.root(way).measure(&claims, &flags, &start_ids, &Progress::default());
            let text = |id: PathId| claims.path(id).as_str().to_owned();
            let usage: BTreeMap<_, _> = claims.ids()
                .map(|id| (text(id), measured.usage[id.index()]))
                .filter(|(_, usage)| usage.files > 0)
                .map(|(name, usage)| (name, (usage.files, usage.size)))
                .collect();
            let linked: BTreeMap<_, _> = measured.linked.iter()
                .map(|inode| (inode.ino, (inode.links, inode.size, inode.at.iter().map(|(id, count)| (text(*id), *count)).collect())))
                .collect();
            prop_assert_eq!(&usage, &expected.usage);
            prop_assert_eq!(&linked, &expected.linked);
            // A start that lies behind a link is not reached, and that is told.
            prop_assert!(measured.unreadable.iter().all(|(at, error)| starts.contains(&at.as_str().to_owned()) && *error == FsError::WrongKind));
        }
    }
}
