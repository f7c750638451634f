//! A disk with little room: a file system of its own, which takes the right to mount one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system, gone with this value.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// With so much room; `None`: nobody here may mount one.
    pub fn mount(at: &Path, kib: u32) -> Option<Self> {
        fs::create_dir(at).expect("a folder");
        let size = format!("size={kib}k,mode=0700");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        done.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
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
