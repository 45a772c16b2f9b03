//! Servers' folders and logs.

use dscc_sdk::testing::MemoryRoot;
use dscc_sdk::{LockKind, Recovery, State};

use super::{attribute, find, ids, level};

const SERVER: &str = "https___cas_serv-tGqkUaZf_CBPHQ6h";

fn server(parts: &[&str]) -> MemoryRoot {
    parts.iter().fold(MemoryRoot::new(), |root, part| root.file(&format!("{SERVER}/{part}"), "1"))
}

#[test]
fn chunks_are_dead_weight_and_shards_are_not() {
    let root = server(&["chunk-cache/ab/key/item", "shard-cache/x.mdb", "something/else"]);
    let listing = level(&root, "xet", None);
    assert_eq!(ids(&listing), [format!("{SERVER}/chunk-cache"), format!("{SERVER}/shard-cache")]);
    let [chunks, shards] = listing.entries.try_into().unwrap();
    assert!(chunks.reclaim.is_some() && shards.reclaim.is_none());
    assert_eq!((chunks.recovery, shards.recovery), (Recovery::Download, Recovery::Rebuild));
    assert_eq!(attribute(&chunks, "server"), Some("https://cas-server.xethub.hf.co"));
}

#[test]
fn what_an_upload_has_staged_goes_when_it_is_named() {
    let id = format!("{SERVER}/staging");
    for staged in ["staging/shard-session/xorb_metadata/x.mdb", "staging/shard-session/.tmpAbCdEf/x.mdb"] {
        let entry = find(&level(&server(&[staged]), "xet", None), &id);
        assert_eq!((entry.state, entry.recovery, entry.reclaim), (State::Partial, Recovery::Uncertain, None));
    }
    let running = MemoryRoot::new().directory(&format!("{id}/shard-session/.tmpAbCdEf"));
    assert_eq!(find(&level(&running, "xet", None), &id).recovery, Recovery::Uncertain);
    let empty = MemoryRoot::new().directory(&format!("{id}/shard-session/xorb_metadata"));
    let entry = find(&level(&empty, "xet", None), &id);
    assert_eq!((entry.state, entry.recovery, entry.reclaim.is_some()), (State::Complete, Recovery::Rebuild, true));
}

#[test]
fn each_log_says_when_and_by_which_process() {
    let name = "logs/xet_20261120T085938933+0000_2248.log";
    let root = MemoryRoot::new().file(name, "1").file("logs/xet_odd.log", "1");
    assert_eq!(find(&level(&root, "xet", None), "logs").owns, ["logs"]);
    let logs = level(&root, "xet", Some("logs"));
    let log = find(&logs, name);
    assert_eq!(log.created.as_deref(), Some("2026-11-20T08:59:38.933+00:00"));
    assert_eq!(attribute(&log, "process"), Some("2248"));
    assert_eq!(find(&logs, "logs/xet_odd.log").created, None);
}

#[test]
fn another_file_among_the_logs_and_another_folder_stay() {
    let root = MemoryRoot::new().file("logs/xet_1_2.log", "1").file("logs/notes", "1").file("memory/x", "1");
    let root = root.file("short-name/chunk-cache/x", "1").file(&format!("{SERVER}x/chunk-cache/x"), "1");
    let listing = level(&root, "xet", None);
    assert_eq!(ids(&listing), ["logs"]);
    assert_eq!(listing.entries[0].owns, ["logs/xet_1_2.log"]);
}

#[test]
fn links_are_the_user_s_wherever_they_are() {
    let root = MemoryRoot::new().link("logs", "/data/logs").link(&format!("{SERVER}/chunk-cache"), "/data/chunks");
    let root = root.link("https___cas_serv-0123456789abcdef", "/data/server");
    let listing = level(&root, "xet", None);
    assert_eq!(listing.entries.len(), 3);
    for entry in listing.entries {
        assert_eq!((entry.kind.as_str(), entry.recovery, entry.reclaim), ("link", Recovery::Irreplaceable, None));
        assert!(entry.locks.iter().all(|lock| lock.kind == LockKind::Flock));
    }
}

#[test]
fn a_server_of_a_short_address_is_one_too() {
    let root = MemoryRoot::new().file("https___x_y-9PJV5WCdJOW3qA-X/shard-cache/x.mdb", "1");
    let listing = level(&root, "xet", None);
    assert_eq!(attribute(&listing.entries[0], "server"), Some("https://x_y…"));
}
