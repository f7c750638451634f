//! A disk with little room: a file system of its own, which takes the right to mount one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system, gone with this value.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// With so much room. Whoever may not mount one cannot make the test, and must not count it as passed.
    #[track_caller]
    pub fn mount(at: &Path, kib: u32) -> Self {
        fs::create_dir(at).expect("a folder");
        let size = format!("size={kib}k,mode=0700");
        let mut mount = Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output().expect("mount runs");
        assert!(done.status.success(), "nobody here may mount a small disk: {done:?}");
        Self(at.to_owned())
    }

    /// Gives it so much room in all.
    pub fn grow(&self, kib: u32) {
        let size = format!("remount,size={kib}k");
        let done = Command::new("mount").args(["-o", &size]).arg(&self.0).output().expect("mount runs");
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
