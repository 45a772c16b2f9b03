//! Answers that are not as large as they say, or larger than anyone could take: refused before they cost the host memory
//! or time.

use std::time::Duration;

use dscc::runtime::Limits;

use crate::components::{Entry, Plugin};
use crate::hostile_components::fails_by;

#[test]
fn an_answer_that_lies_outside_of_its_memory_is_an_error() {
    for at in ["0x7ffffff0", "-8", "2"] {
        let plugin = Plugin::new().listing(&format!("(call $drop (local.get $root)) (i32.const {at})"));
        fails_by(&plugin.build(), Limits::default(), "plugin-crash", "");
    }
}

#[test]
fn a_list_longer_than_the_memory_is_refused() {
    // Ten million entries take a gigabyte; the list is somewhere, in part, or nowhere at all.
    for place in ["0x400", "0x7ffffff0", "-0x1000"] {
        let body = format!(
            "(i32.store (i32.const 0x204) (i32.const {place})) (i32.store (i32.const 0x208) (i32.const 10000000))
            (call $drop (local.get $root)) (i32.const 0x200)"
        );
        fails_by(&Plugin::new().listing(&body).build(), Limits::default(), "plugin-crash", "out of bounds");
    }
}

#[test]
fn a_text_longer_than_the_memory_is_refused() {
    for place in [0, 0x3f_ffff, 0xffff_ffff] {
        let mut plugin = Plugin::new();
        let answer = plugin.error_at(place, 1 << 30);
        let body = format!("(call $drop (local.get $root)) (i32.const {answer})");
        fails_by(&plugin.listing(&body).build(), Limits::default(), "plugin-crash", "out of bounds");
    }
}

#[test]
fn two_million_empty_entries_are_refused() {
    // 216 MB of zeroes, which read as entries without anything in them.
    let body = "(drop (memory.grow (i32.const 3700)))
        (i32.store (i32.const 0x204) (i32.const 0x210000)) (i32.store (i32.const 0x208) (i32.const 2000000))
        (call $drop (local.get $root)) (i32.const 0x200)";
    let outcome =
        fails_by(&Plugin::new().listing(body).build(), Limits::default(), "plugin-data", "128 MiB in one call");
    assert!(outcome.took < Duration::from_secs(20), "{:?}", outcome.took);
}

#[test]
fn many_lists_in_one_place_are_refused() {
    // A thousand entries, each of which owns the same hundred thousand paths, all of which are the same bytes.
    let body = "(local $at i32)
        (drop (memory.grow (i32.const 100)))
        (local.set $at (i32.const 0x300000))
        (loop $next
          (i32.store offset=24 (local.get $at) (i32.const 0x400000))
          (i32.store offset=28 (local.get $at) (i32.const 100000))
          (local.set $at (i32.add (local.get $at) (i32.const 108)))
          (br_if $next (i32.lt_u (local.get $at) (i32.const 0x31a5e0))))
        (i32.store (i32.const 0x204) (i32.const 0x300000)) (i32.store (i32.const 0x208) (i32.const 1000))
        (call $drop (local.get $root)) (i32.const 0x200)";
    let outcome =
        fails_by(&Plugin::new().listing(body).build(), Limits::default(), "plugin-data", "128 MiB in one call");
    assert!(outcome.took < Duration::from_secs(20), "{:?}", outcome.took);
}

#[test]
fn one_huge_text_is_refused() {
    // 150 MB of it, within the limit of memory.
    let mut plugin = Plugin::new();
    let answer = plugin.error_at(0, 150_000_000);
    let body = format!("(drop (memory.grow (i32.const 2500))) (call $drop (local.get $root)) (i32.const {answer})");
    fails_by(&plugin.listing(&body).build(), Limits::default(), "plugin-data", "128 MiB in one call");
}

#[test]
fn a_hundred_thousand_texts_in_one_place_are_refused() {
    // 100,000 attributes of one entry, each value the same megabyte: 100 GB, were it copied.
    let entry = Entry::new("thing").owns("thing");
    let plugin = Plugin::new().entries(&[entry]);
    // An entry's 108 bytes begin with its id and end with its attributes; the frame's free memory holds the list.
    let fill = "(local $at i32)
        (drop (memory.grow (i32.const 100)))
        (local.set $at (i32.const 0x300000))
        (loop $next
          (i32.store offset=8 (local.get $at) (i32.const 0x100000))
          (i32.store offset=12 (local.get $at) (i32.const 0x100000))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $next (i32.lt_u (local.get $at) (i32.const 0x486a00))))
        (i32.store (i32.const 0x204) (i32.const 0x2f0000))
        (i32.store (i32.const 0x208) (i32.const 1))
        (i32.store (i32.const 0x2f0064) (i32.const 0x300000))
        (i32.store (i32.const 0x2f0068) (i32.const 100000))
        (call $drop (local.get $root)) (i32.const 0x200)";
    let outcome = fails_by(&plugin.listing(fill).build(), Limits::default(), "plugin-data", "128 MiB in one call");
    assert!(outcome.took < Duration::from_secs(20), "{:?}", outcome.took);
}
