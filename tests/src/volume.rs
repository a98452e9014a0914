//! A small file system of its own, in a mount namespace that ends with the test: what a full disk does is
//! seen on a disk that is full.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The volume, held by a process that waits.
pub struct Volume {
    keeper: Child,
    root: bool,
    at: PathBuf,
}

impl Volume {
    /// Mounts so many megabytes at a folder, for processes that start [`Volume::within`]. None where neither
    /// root nor user namespaces are to be had.
    pub fn mount(at: &Path, megabytes: u64) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let root = nix::unistd::geteuid().is_root();
        let script = r#"mount -t tmpfs -o "size=$2m" volume "$1" && echo mounted && exec sleep infinity"#;
        let mut command = Command::new("unshare");
        if !root {
            command.args(["--user", "--map-root-user"]);
        }
        let mut keeper = command
            .args(["--mount", "sh", "-c", script, "volume"])
            .arg(at)
            .arg(megabytes.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        let told = BufReader::new(keeper.stdout.take()?).read_line(&mut line);
        if told.is_ok() && line.trim() == "mounted" {
            return Some(Self { keeper, root, at: at.to_path_buf() });
        }
        let _ = keeper.kill();
        let _ = keeper.wait();
        None
    }
    /// The words of the command that runs a program where the volume is mounted.
    pub fn within(&self) -> Vec<String> {
        let mut words = vec!["nsenter".to_owned(), "--target".to_owned(), self.keeper.id().to_string()];
        if !self.root {
            words.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
        }
        words.extend(["--mount".to_owned(), "--".to_owned()]);
        words
    }
    /// A file of the volume, as this process reaches it.
    pub fn file(&self, name: &str) -> PathBuf {
        let inside = self.at.strip_prefix("/").unwrap();
        PathBuf::from(format!("/proc/{}/root", self.keeper.id())).join(inside).join(name)
    }
    /// Free bytes.
    pub fn free(&self) -> u64 {
        let told = nix::sys::statvfs::statvfs(&self.file("")).unwrap();
        told.blocks_available() * told.fragment_size()
    }
    /// Fills it until at most so many bytes are free.
    pub fn fill_to(&self, free: u64) {
        let mut file = std::fs::File::options().append(true).create(true).open(self.file("filler")).unwrap();
        while self.free() > free {
            let part = usize::try_from((self.free() - free).min(64 << 10)).unwrap();
            if file.write_all(&vec![0x5a; part]).is_err() {
                return;
            }
        }
    }
    /// Gives the room of [`Volume::fill_to`] back.
    pub fn empty(&self) {
        std::fs::remove_file(self.file("filler")).unwrap();
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
