//! What may lie in an entry: every kind of thing, and every kind of name.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::{By, KINDS, World, reasons};
use crate::privileges::{Mark, Need, can};

/// Names that mean something to a terminal, a shell or a careless program.
fn names() -> [Vec<u8>; 9] {
    [
        b"new\nline".to_vec(),
        b"-rf".to_vec(),
        vec![b'n'; 255],
        b"not\xff\xfeutf8".to_vec(),
        "\u{202e}gpj.exe".into(),
        b"\x1b[31mred\x1b[2J".to_vec(),
        b"..\\..\\etc".to_vec(),
        b"...".to_vec(),
        b"%5C \xf0\x9f\xa6\x80".to_vec(),
    ]
}

#[test]
fn things_of_every_kind_come_back_and_go() {
    for kind in KINDS {
        let world = World::new(kind);
        let at = |name: &str| world.folder().join(name);
        let outside = world.sandbox.outside();
        symlink(outside.join("precious"), at("to-file")).unwrap();
        symlink(outside.join("folder"), at("to-folder")).unwrap();
        symlink("../../../../../../../../../../etc/passwd", at("out")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        symlink("loop", at("loop")).unwrap();
        symlink(".", at("self")).unwrap();
        mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        // The name of a socket must be short, so it is made elsewhere and moved.
        drop(UnixListener::bind(world.sandbox.path("s")).unwrap());
        fs::rename(world.sandbox.path("s"), at("socket")).unwrap();
        fs::create_dir(at("empty")).unwrap();
        world.assert_goes(&[]);
    }
}

#[test]
fn a_device_is_not_opened_and_goes() {
    if !can("a_device_is_not_opened_and_goes", &[Need::Root]) {
        return;
    }
    for kind in KINDS {
        let world = World::new(kind);
        for (name, file_type, number) in
            // The console and the first RAM disk, where there are any; the last is none.
            [
                ("null", FileType::CharacterDevice, makedev(1, 3)),
                ("ram", FileType::BlockDevice, makedev(1, 0)),
                ("none", FileType::BlockDevice, makedev(0, 0)),
            ]
        {
            mknodat(CWD, world.folder().join(name), file_type, Mode::RWXU, number).unwrap();
        }
        world.assert_goes(&[]);
    }
}

#[test]
fn names_of_every_kind_come_back_and_go() {
    for kind in KINDS {
        let world = World::new(kind).by(By::Bound);
        for name in names() {
            let folder = world.folder().join(OsStr::from_bytes(&name));
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(OsStr::from_bytes(&name)), "content").unwrap();
            symlink(OsStr::from_bytes(&name), folder.join("link")).unwrap();
        }
        world.assert_goes(&[]);
    }
}

#[test]
fn a_reason_names_any_name_and_a_terminal_is_safe_from_it() {
    if !can("a_reason_names_any_name_and_a_terminal_is_safe_from_it", &[Need::Root, Need::Marks]) {
        return;
    }
    for (name, kind) in names().into_iter().zip(KINDS.into_iter().cycle()) {
        let world = World::new(kind);
        let file = world.folder().join(OsStr::from_bytes(&name));
        fs::write(&file, "content").unwrap();
        let _mark = Mark::new('i', &file);
        // Of a hub's folder for blobs, a revision goes without it.
        let args = ["clean", "-n", kind.id()];
        let written = dscc::model::escape_name(OsStr::from_bytes(&name)).into_owned();
        let why = reasons(&world.run(&[&args[..], &["--json"]].concat()).json(), kind.id());
        assert!(why.contains(&format!("/{written}`")), "{written:?}: {why}");
        let shown = world.run(&args).text();
        let is_strange = |char: char| char != '\n' && char.is_control() || ('\u{202a}'..='\u{202e}').contains(&char);
        assert!(!shown.contains(is_strange) && !shown.contains("new\nline"), "{shown:?}");
    }
}
