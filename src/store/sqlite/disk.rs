//! The file system under the book: local and one that keeps files, or refused.
//!
//! SQLite's locks do not hold over a network, and two hosts that both believe to hold one would both charge.

use std::fs;
use std::path::Path;

use super::super::StoreError;

/// File systems that several hosts can share, by the number that the kernel gives them.
const SHARED: &[(u64, &str)] = &[
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0x564c, "NCP"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0bd0_0bd0, "Lustre"),
    (0x1983_0326, "BeeGFS"),
    (0x4750_4653, "GPFS"),
    (0x2003_0528, "OrangeFS"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x786f_4256, "VirtualBox shared folder"),
    (0xbacb_acbc, "VMware shared folder"),
];
const FUSE: u64 = 0x6573_5546;
/// File systems that show the kernel's own things: what is made in them, if anything can be, is no file.
const KERNELS: &[(u64, &str)] = &[
    (0x9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x0027_e0eb, "cgroup"),
    (0x6367_7270, "cgroup2"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x7363_6673, "securityfs"),
    (0xf97c_ff8c, "selinuxfs"),
    (0x1cd1, "devpts"),
    (0xcafe_4a11, "bpf"),
    (0x6265_6570, "configfs"),
    (0xde5e_81e4, "efivarfs"),
    (0x1980_0202, "mqueue"),
    (0x6573_5543, "fusectl"),
];
/// What is known to be local of all that FUSE mounts.
const LOCAL_FUSE: &[&str] = &[
    "fuseblk",
    "fuse.fuse-overlayfs",
    "fuse.ntfs-3g",
    "fuse.exfat",
    "fuse.bindfs",
    "fuse.gocryptfs",
    "fuse.encfs",
    "fuse.cryfs",
    "fuse.mergerfs",
];

/// Refuses a book in a folder that other hosts may share.
pub(super) fn refuse_shared(book: &Path) -> Result<(), StoreError> {
    let folder = super::folder_of(book);
    // A folder that cannot be asked cannot be opened either: that error says more.
    let Some(magic) = magic(folder) else { return Ok(()) };
    shared_kind(magic, || mounted_as(folder))
        .map_or(Ok(()), |kind| Err(StoreError::NetworkFileSystem { path: book.into(), kind }))
}

/// Says of a folder in which nobody can make a book what it is; `None`: books can be made there, or nobody knows.
pub(in crate::store) fn keeps_no_files(folder: &Path) -> Option<String> {
    let magic = magic(folder)?;
    let (_, kind) = KERNELS.iter().find(|(number, _)| *number == magic)?;
    Some(format!("a {kind} file system, which keeps no files of ours"))
}

/// The kernel's number of the file system under a folder; `None`: it cannot be asked.
fn magic(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statfs(folder).ok()?;
    // The numbers have 32 bits, whatever the width and sign of the field on this platform.
    Some(u64::from(found.f_type.to_ne_bytes().first_chunk::<4>().map_or(0, |b| u32::from_ne_bytes(*b))))
}

/// Which shared kind that number is; `None`: a local one.
fn shared_kind(magic: u64, mounted_as: impl FnOnce() -> Option<String>) -> Option<String> {
    if magic == FUSE {
        let kind = mounted_as().unwrap_or_else(|| "fuse".into());
        return (!LOCAL_FUSE.contains(&kind.as_str())).then_some(kind);
    }
    SHARED.iter().find(|(number, _)| *number == magic).map(|(_, name)| (*name).to_owned())
}

/// The kind of the mount that holds this folder, as the kernel lists it.
fn mounted_as(folder: &Path) -> Option<String> {
    let folder = fs::canonicalize(folder).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    kind_in(&mounts, &folder)
}

/// Lines read `id parent major:minor root MOUNT options… - KIND source …`; the longest mount above the folder wins,
/// the last of equals lying on top.
fn kind_in(mounts: &str, folder: &Path) -> Option<String> {
    let mount = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let at = left.split(' ').nth(4)?.replace("\\040", " ");
        let kind = right.split(' ').next()?.to_owned();
        folder.starts_with(&at).then_some((at.len(), kind))
    };
    mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_file_systems_are_named() {
        assert_eq!(shared_kind(0x6969, || None), Some("NFS".into()));
        assert_eq!(shared_kind(0xff53_4d42, || None), Some("CIFS".into()));
        assert_eq!(shared_kind(0xef53, || None), None, "ext4");
        assert_eq!(shared_kind(FUSE, || Some("fuse.sshfs".into())), Some("fuse.sshfs".into()));
        assert_eq!(shared_kind(FUSE, || Some("fuseblk".into())), None);
        assert_eq!(shared_kind(FUSE, || None), Some("fuse".into()));
    }

    #[test]
    fn the_nearest_mount_counts() {
        let mounts = "22 1 0:1 / / rw - ext4 /dev/a rw\n\
            30 22 0:2 / /srv rw,noatime shared:5 - xfs /dev/b rw\n\
            31 30 0:3 / /srv/our\\040books rw - fuse.sshfs host: rw\n";
        let kind = |folder: &str| kind_in(mounts, Path::new(folder)).unwrap();
        assert_eq!(kind("/srv/our books/a"), "fuse.sshfs");
        assert_eq!(kind("/srv/our"), "xfs");
        assert_eq!(kind("/srvx"), "ext4");
    }

    #[test]
    fn this_machine_has_a_local_disk() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(refuse_shared(&folder.path().join("book.db")), Ok(()));
    }
}
