//! What the processes of this machine have open, mapped, run or stand in, by device and inode: a name may lead elsewhere
//! by now, and a file may have several. Only Linux tells it without asking each process.

use std::collections::HashMap;

/// A process that uses something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// What it is called, as the system shortens it.
    pub name: String,
}

/// What is in use, as far as it can be seen.
#[derive(Clone, Debug, Default)]
pub struct OpenFiles {
    by: HashMap<(u64, u64), Vec<Process>>,
    inodes: hashbrown::HashSet<u64>,
    /// Processes, mostly of other users, that may not be looked at.
    pub unseen: u64,
    /// Whether this platform cannot tell at all.
    pub unknown: bool,
}

impl OpenFiles {
    /// Nothing is in use: for those who lift the protection.
    pub fn none() -> Self {
        Self::default()
    }

    /// Looks at every process but this one.
    pub fn look() -> Self {
        let mut open = Self::default();
        #[cfg(target_os = "linux")]
        linux::look(&mut open);
        #[cfg(not(target_os = "linux"))]
        {
            open.unknown = true;
        }
        open
    }

    /// A file beneath a folder that a process has open or mapped, and the process. Files are found by the names that the
    /// system tells, which is enough for what was moved there a moment ago, and quick.
    pub fn one_beneath(folder: &std::path::Path) -> Option<(std::path::PathBuf, Process)> {
        #[cfg(target_os = "linux")]
        return linux::one_beneath(folder);
        #[cfg(not(target_os = "linux"))]
        {
            let _ = folder;
            None
        }
    }

    /// Whether something with this inode, on whichever file system, is in use.
    #[cfg(unix)]
    pub(super) fn may_use(&self, ino: u64) -> bool {
        self.inodes.contains(&ino)
    }

    /// Who uses this file or folder.
    #[cfg(unix)]
    pub(super) fn users(&self, dev: u64, ino: u64) -> &[Process] {
        self.by.get(&(dev, ino)).map_or(&[], Vec::as_slice)
    }

    /// Who uses an open file, besides us.
    pub fn users_of(&self, file: &std::fs::File) -> &[Process] {
        #[cfg(unix)]
        if let Ok(stat) = super::dir::stat_open(file) {
            return self.users(stat.identity.dev, stat.identity.ino);
        }
        let _ = file;
        &[]
    }

    #[cfg(target_os = "linux")]
    fn add(&mut self, dev: u64, ino: u64, process: &Process) {
        self.inodes.insert(ino);
        let users = self.by.entry((dev, ino)).or_default();
        if users.last() != Some(process) {
            users.push(process.clone());
        }
    }
}

/// The files of the `proc` file system are described in proc(5).
#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};

    use super::{OpenFiles, Process};

    pub(super) fn look(open: &mut OpenFiles) {
        let Ok(processes) = fs::read_dir("/proc") else {
            open.unknown = true;
            return;
        };
        let own = std::process::id();
        for folder in processes.flatten() {
            let Some(pid) = folder.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if pid != own && look_at(open, &folder.path(), pid).is_none() {
                open.unseen += 1;
            }
        }
    }

    pub(super) fn one_beneath(folder: &Path) -> Option<(PathBuf, Process)> {
        let own = std::process::id();
        for process in fs::read_dir("/proc").ok()?.flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if pid == own {
                continue;
            }
            if let Some(path) =
                opened_beneath(folder, &process.path()).or_else(|| mapped_beneath(folder, &process.path()))
            {
                let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                return Some((path, Process { pid, name: name.trim_end().to_owned() }));
            }
        }
        None
    }

    fn opened_beneath(folder: &Path, process: &Path) -> Option<PathBuf> {
        let descriptors = fs::read_dir(process.join("fd")).ok()?.flatten().map(|descriptor| descriptor.path());
        let beneath = |link: PathBuf| {
            let path = fs::read_link(&link).ok().filter(|path| path.starts_with(folder))?;
            fs::metadata(&link).is_ok_and(|it| it.is_file()).then_some(path)
        };
        descriptors.filter_map(beneath).next()
    }

    fn mapped_beneath(folder: &Path, process: &Path) -> Option<PathBuf> {
        let maps = fs::read(process.join("maps")).ok()?;
        let names = maps.split(|byte| *byte == b'\n').filter_map(|line| mapped(line)?.2.map(PathBuf::from));
        names.into_iter().find(|name| name.starts_with(folder))
    }

    /// None if we may not see what the process has open.
    fn look_at(open: &mut OpenFiles, folder: &Path, pid: u32) -> Option<()> {
        let name = fs::read_to_string(folder.join("comm")).unwrap_or_default();
        let process = Process { pid, name: name.trim_end().to_owned() };
        for link in ["cwd", "exe"] {
            add(open, &folder.join(link), &process);
        }
        let descriptors = match fs::read_dir(folder.join("fd")) {
            Ok(descriptors) => descriptors,
            // It ended meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(()),
            Err(_) => return None,
        };
        for descriptor in descriptors.flatten() {
            add(open, &descriptor.path(), &process);
        }
        add_maps(open, folder, &process);
        Some(())
    }

    /// What a link of the `proc` file system leads to; it is followed to the very file, whatever its name is by now.
    fn add(open: &mut OpenFiles, link: &Path, process: &Process) {
        if let Ok(file) = fs::metadata(link)
            && (file.is_file() || file.is_dir())
        {
            open.add(file.dev(), file.ino(), process);
        }
    }

    /// `map_files` asks for privileges; `maps` says on some file systems another device than `stat`, so that there the
    /// name is asked, too.
    fn add_maps(open: &mut OpenFiles, folder: &Path, process: &Process) {
        let Ok(maps) = fs::read(folder.join("maps")) else { return };
        let mut before = None;
        for line in maps.split(|byte| *byte == b'\n') {
            let Some((dev, ino, name)) = mapped(line).filter(|(_, ino, _)| *ino != 0) else { continue };
            if before.replace((dev, ino)) == Some((dev, ino)) {
                continue;
            }
            open.add(dev, ino, process);
            if let Some(file) = name.and_then(|name| fs::metadata(name).ok()).filter(|file| file.ino() == ino) {
                open.add(file.dev(), ino, process);
            }
        }
    }

    /// Device, inode and name of a line of `maps`: `address perms offset major:minor inode name`.
    fn mapped(line: &[u8]) -> Option<(u64, u64, Option<&str>)> {
        let line = std::str::from_utf8(line).ok()?;
        let mut words = line.split_ascii_whitespace();
        let (major, minor) = words.nth(3)?.split_once(':')?;
        let dev = rustix::fs::makedev(u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?);
        let ino = words.next()?.parse().ok()?;
        Some((dev, ino, line.find('/').map(|at| &line[at..])))
    }

    #[cfg(test)]
    mod tests {
        use super::mapped;

        #[test]
        fn a_line_of_maps_names_a_file_also_with_blanks_in_its_name() {
            let line = b"7f1c2-7f1c3 r--s 00000000 fe:01 1835050                    /home/me/a b.safetensors";
            let dev = rustix::fs::makedev(0xfe, 1);
            assert_eq!(mapped(line), Some((dev, 1_835_050, Some("/home/me/a b.safetensors"))));
            assert_eq!(mapped(b"7f1c2-7f1c3 rw-p 00000000 00:00 0 [heap]"), Some((0, 0, None)));
            assert_eq!(mapped(b""), None);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A process that holds a file open, stands in a folder, and ends with the test.
    struct Holding(Child);

    impl Drop for Holding {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn an_open_file_and_a_working_folder_of_another_process_are_seen_and_our_own_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let (theirs, ours) = (dir.path().join("theirs"), dir.path().join("ours"));
        fs::write(&theirs, "x").unwrap();
        fs::write(&ours, "x").unwrap();
        let own = fs::File::open(&ours).unwrap();
        let mut sleeping = Command::new("sleep");
        sleeping.arg("60").stdin(fs::File::open(&theirs).unwrap()).stdout(Stdio::null()).current_dir(dir.path());
        let holding = Holding(sleeping.spawn().unwrap());
        let open = OpenFiles::look();
        let users = |path: &std::path::Path| {
            let file = fs::metadata(path).unwrap();
            open.users(file.dev(), file.ino()).iter().map(|it| it.pid).collect::<Vec<_>>()
        };
        assert_eq!((users(&theirs), users(dir.path())), (vec![holding.0.id()], vec![holding.0.id()]));
        assert_eq!(users(&ours), [0; 0]);
        assert!(open.users(0, 0).is_empty() && !open.unknown);
        drop(own);
    }
}
