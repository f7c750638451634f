//! What every measurement needs: the program under measurement, room on disk, the sizes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Fallible;
use crate::scale::Scale;

/// The switch of the test-suite's own binary; a shipped one does not even hold its name.
const HOOK: &[u8] = b"DUES_PLANT";

/// The program under measurement and where to work.
#[derive(Debug)]
pub struct Bench {
    /// This very program, which is the floor too.
    pub me: PathBuf,
    /// The shipped program.
    pub dues: PathBuf,
    /// How much is measured.
    pub scale: Scale,
    room: Scratch,
}

/// A folder that goes when its owner does.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Bench {
    /// Builds the shipped program into the target directory that this one lies in, and makes room there.
    pub fn new(scale: Scale) -> Fallible<Self> {
        let me = std::env::current_exe()?;
        // target/<profile>/deps/<this program>
        let target =
            me.ancestors().nth(3).ok_or("this program does not lie in a target directory")?.to_owned();
        let dues = build(&target)?;
        let room = target.join("tmp").join(format!("bench-run-{}", std::process::id()));
        std::fs::create_dir_all(&room)?;
        Ok(Self { me, dues, scale, room: Scratch(room) })
    }

    /// A new, empty folder.
    pub fn scratch(&self, name: &str) -> Fallible<Scratch> {
        let dir = self.room.path().join(name);
        std::fs::create_dir_all(&dir)?;
        Ok(Scratch(dir))
    }

    /// Where all the folders are.
    pub fn room(&self) -> &Path {
        self.room.path()
    }

    /// Says what is going on.
    pub fn say(&self, what: &str) {
        let _ = self;
        eprintln!("… {what}");
    }
}

fn build(target: &Path) -> Fallible<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--profile", "dist", "--bin", "dues", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .status()?;
    if !built.success() {
        return Err(format!("the shipped program could not be built: {built}").into());
    }
    let dues = target.join("dist").join("dues");
    if std::fs::read(&dues)?.windows(HOOK.len()).any(|bytes| bytes == HOOK) {
        return Err(
            format!("{} holds the test-suite's switches: it is not what ships", dues.display()).into()
        );
    }
    Ok(dues)
}
