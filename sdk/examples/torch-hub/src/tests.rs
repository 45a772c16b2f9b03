//! The promises of the plugin, on trees in memory.

use dscc_sdk::testing::MemoryRoot;

use super::*;

fn list(root: &MemoryRoot) -> Listing {
    TorchHub::list_entries(root, "torch-hub", None, Detail::Full).unwrap()
}

fn find(listing: &Listing, id: &str) -> Entry {
    let found = listing.entries.iter().find(|entry| entry.id == id);
    found.unwrap_or_else(|| panic!("{id} is not listed")).clone()
}

#[test]
fn repositories_are_named_by_their_owner_and_come_back_by_a_download() {
    let listing = list(&MemoryRoot::new().file("intel-isl_Mi_DaS_master/hubconf.py", "1"));
    let entry = find(&listing, "intel-isl_Mi_DaS_master");
    assert_eq!((&*entry.kind, &*entry.label), ("repository", "intel-isl/Mi_DaS_master"));
    assert_eq!((entry.state, entry.recovery, entry.reclaim), (State::Complete, Recovery::Download, None));
}

#[test]
fn folders_that_torch_did_not_make_are_never_reclaimable() {
    let root = MemoryRoot::new().file("notes/a.txt", "1").file("my_own_code/a.py", "1").unreadable("acme_locked_main");
    let listing = list(&root.file("plain/hubconf.py", "1"));
    assert_eq!(listing.entries.len(), 4);
    for entry in listing.entries {
        assert_eq!((entry.state, entry.recovery, entry.reclaim), (State::Broken, Recovery::Uncertain, None));
    }
}

#[test]
fn only_a_name_with_a_digest_promises_that_a_checkpoint_can_be_had_again() {
    let root = MemoryRoot::new().file("checkpoints/resnet50-11ad3fa6.pth", "1").modified(1_700_000_000);
    let listing = list(&root.file("checkpoints/mine.pth", "2").file("checkpoints/epoch-3.pth", "3"));
    let hashed = find(&listing, "checkpoints/resnet50-11ad3fa6.pth");
    assert_eq!((hashed.recovery, hashed.created.as_deref()), (Recovery::Download, Some("1700000000")));
    for mine in ["checkpoints/mine.pth", "checkpoints/epoch-3.pth"] {
        assert_eq!(find(&listing, mine).recovery, Recovery::Uncertain, "{mine}");
    }
}

#[test]
fn what_killed_downloads_leave_is_reclaimable_and_what_looks_alike_is_not() {
    let token = "0123456789abcdef0123456789abcdef";
    let paths = [
        &format!("main.zip.{token}.partial"),
        "main.zip",
        &format!("checkpoints/a-11ad3fa6.pth.{token}.partial"),
        "checkpoints/tmp0a_b1c2d",
        "pytorch-vision-0f3a9c1/hubconf.py",
        "checkpoints/b.partial",
        "checkpoints/tmpdir",
        "checkpoints/tmpa1b2c3d4/x",
    ];
    let listing = list(&paths.iter().fold(MemoryRoot::new(), |root, path| root.file(path, "1")));
    let reclaimed: Vec<bool> = paths
        .iter()
        .map(|path| path.strip_suffix("/x").or(path.strip_suffix("/hubconf.py")).unwrap_or(path))
        .map(|id| find(&listing, id).reclaim.is_some())
        .collect();
    assert_eq!(reclaimed, [true, true, true, true, true, false, false, false]);
}

#[test]
fn the_list_of_trusted_repositories_is_no_entry() {
    assert!(list(&MemoryRoot::new().file("trusted_list", "a_b\n")).entries.is_empty());
}

#[test]
fn a_second_name_of_a_checkpoint_keeps_it() {
    let root = MemoryRoot::new().link("checkpoints/a.pth", "b.pth").link("checkpoints/c.pth", "/elsewhere/c.pth");
    let listing = list(&root.link("checkpoints/d.pth", "../../up.pth"));
    assert_eq!(find(&listing, "checkpoints/a.pth").needs, ["checkpoints/b.pth"]);
    assert_eq!(find(&listing, "checkpoints/c.pth").needs, ["/elsewhere/c.pth"]);
    assert!(find(&listing, "checkpoints/d.pth").needs.is_empty());
}

#[test]
fn checkpoints_behind_a_link_are_said_and_not_listed() {
    let listing = list(&MemoryRoot::new().link("checkpoints", "/fast/checkpoints").file("a_b_c/hubconf.py", "1"));
    assert_eq!((listing.entries.len(), listing.warnings.len()), (1, 1));
    let unreadable = list(&MemoryRoot::new().unreadable("checkpoints"));
    assert_eq!(unreadable.warnings[0].message, "permission denied");
}
