//! Files that may not grow, and folders that may not be written. What takes a disk of its own is in `full_disk.rs`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

use super::full_disk::{SUBSCRIPTIONS, many};
use crate::harness::{AT, Book, PLANS, Scene, Setting, judge};

/// In blocks of 512 bytes: less than the book grows to.
const SMALL_FILES: u32 = 600;
const NOBODY: u32 = 65_534;

#[test]
fn a_run_whose_files_may_not_grow_loses_nothing() {
    let scene = Scene::new(Setting { customers: SUBSCRIPTIONS, ..Setting::default() });
    let expected = many(&scene);
    scene.dues(&["import", "many.csv"]).expect(0);
    let words = format!(
        "trap '' XFSZ; ulimit -f {SMALL_FILES}; exec '{}' run-now --json --at {AT} --config dues.toml",
        env!("CARGO_BIN_EXE_dues")
    );
    let output =
        Command::new("sh").args(["-c", &words]).current_dir(scene.folder()).output().expect("a shell");
    assert!(!output.status.success(), "a write beyond the limit went unnoticed: {output:?}");
    assert!(scene.ledger().len() < SUBSCRIPTIONS as usize, "all charges were made: the limit was too high");
    for _ in 0..4 {
        scene.provider_time_passes(15);
        let _ = scene.run_at(AT);
    }
    let faults = judge(&scene.ledger(), &Book::of_money(&scene), &expected);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_folder_that_cannot_be_made_is_told_by_a_check_as_by_a_run() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let config = fs::read_to_string(scene.path("dues.toml")).expect("the config");
    scene.write("dues.toml", &config.replace("\"dues.db\"", "\"deep/er/book/dues.db\""));
    fs::create_dir(scene.path("deep")).expect("a folder");
    let somebody = Somebody::of(&scene);
    fs::set_permissions(scene.path("deep"), fs::Permissions::from_mode(0o500)).expect("a mode");
    for words in ["check", "run-now", "run-now --dry-run", "plans apply"] {
        let output = somebody.dues(&words.split(' ').collect::<Vec<_>>());
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(4), "{words}: {said}");
        assert!(
            said.contains("deep: cannot be written (Permission denied (os error 13), as user"),
            "{words}: {said}"
        );
    }
    fs::set_permissions(scene.path("deep"), fs::Permissions::from_mode(0o700)).expect("a mode");
}

#[test]
fn what_lies_beside_a_book_and_may_not_be_written_is_the_stores_refusal() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let own = "zone = \"Asia/Bangkok\"\n[store]\npath = \"own.db\"\n[omise]\nsandbox = true\n";
    scene.write("own.toml", &format!("{own}{PLANS}"));
    let somebody = Somebody::of(&scene);
    let on = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let output = somebody.dues_on("own.toml", &words);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), said)
    };
    assert_eq!(on("run-now").0, Some(0), "{:?}", on("run-now"));
    assert_eq!(on("list flags").0, Some(0));
    for name in ["own.db.sandbox", "own.db.access"] {
        fs::set_permissions(scene.path(name), fs::Permissions::from_mode(0o400)).expect("a mode");
    }
    for (words, file) in [
        ("run-now --dry-run", "own.db.sandbox"),
        ("run-now", "own.db.sandbox"),
        ("check", "own.db.sandbox"),
        ("list flags", "own.db.access"),
        ("why may", "own.db.access"),
    ] {
        let (code, said) = on(words);
        assert_eq!(code, Some(4), "{words}: {said}");
        assert!(said.contains(&format!("{file}: cannot be written (Permission denied")), "{words}: {said}");
        assert!(said.contains("give the dues user write access"), "{words}: {said}");
    }
}

#[test]
fn what_root_leaves_beside_a_book_is_its_owners_to_use() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let own = "zone = \"Asia/Bangkok\"\n[store]\npath = \"own.db\"\n[omise]\nsandbox = true\n";
    scene.write("own.toml", &format!("{own}{PLANS}"));
    let somebody = Somebody::of(&scene);
    let theirs = |words: &[&str]| {
        let output = somebody.dues_on("own.toml", words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {output:?}");
    };
    theirs(&["run-now"]);
    // A hand that is not theirs where this is root, and their own elsewhere.
    for words in [&["list", "flags"][..], &["run-now"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dues"));
        let output = command.args(words).args(["--config", "own.toml"]).current_dir(scene.folder()).output();
        assert_eq!(output.expect("the binary starts").status.code(), Some(0), "{words:?}");
    }
    for words in [&["check"][..], &["list", "flags"], &["run-now"], &["run-now", "--dry-run"]] {
        theirs(words);
    }
}

#[test]
fn what_may_not_be_read_or_written_beside_a_book_is_told_once_and_with_what_to_do() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let own = "zone = \"Asia/Bangkok\"\n[store]\npath = \"own.db\"\n[omise]\nsandbox = true\n";
    scene.write("own.toml", &format!("{own}{PLANS}"));
    let somebody = Somebody::of(&scene);
    let on = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let output = somebody.dues_on("own.toml", &words);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), said)
    };
    for words in ["run-now", "list flags"] {
        assert_eq!(on(words).0, Some(0), "{words}");
    }
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(scene.path(name), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode("own.db.witness", 0o000);
    for words in ["check", "run-now", "run-now --dry-run"] {
        let (code, said) = on(words);
        assert_eq!(code, Some(4), "{words}: {said}");
        assert!(
            said.contains("own.db.witness: the book's witness cannot be read (Permission denied"),
            "{said}"
        );
        assert!(said.contains("give the file to the owner of the book"), "{words}: {said}");
    }
    let (_, said) = on("check");
    let of = |what: &str| said.lines().filter(|line| line.split_whitespace().nth(1) == Some(what)).count();
    assert_eq!((of("rights"), of("host")), (1, 1), "{said}");
    assert!(said.contains("BAD   rights") && said.contains("BAD   host"), "{said}");
    mode("own.db.witness", 0o600);
    mode("own.db.access", 0o400);
    let (code, said) = on("check");
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("BAD   rights    own.db.access: cannot be written (Permission denied"), "{said}");
    assert_eq!(on("run-now").0, Some(0), "a run needs no access record");
}

#[test]
fn a_folder_that_may_not_be_written_is_named() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let customer = &scene.customers()[0];
    scene.import(&format!("id,customer,plan,starts\nmay,{customer},monthly,2030-11-15\n"));
    let output = read_only(&scene);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("dues.db") && said.contains("cannot be written"), "{said}");
    assert!(output.stdout.is_empty() && scene.ledger().is_empty(), "{output:?}");
    fs::set_permissions(scene.folder(), fs::Permissions::from_mode(0o700)).expect("a mode");
    scene.run_at(AT).expect(0);
    assert_eq!(scene.ledger().len(), 1);
}

/// A run by somebody who may read everything and write nothing: for root, who may write anywhere, it is nobody.
fn read_only(scene: &Scene) -> Output {
    let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let program = scene.path("program");
    fs::copy(env!("CARGO_BIN_EXE_dues"), &program).expect("a copy of the binary that anybody can reach");
    let mut command = Command::new(&program);
    command.args(["run-now", "--json", "--at", AT, "--config", "dues.toml"]).current_dir(scene.folder());
    for entry in fs::read_dir(scene.folder()).expect("listed") {
        let entry = entry.expect("listed");
        let name = entry.file_name().to_string_lossy().into_owned();
        let mode = if name == "program" { 0o555 } else { 0o400 };
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode)).expect("a mode");
        if root {
            chown(entry.path(), Some(NOBODY), Some(NOBODY)).expect("given away");
        }
    }
    fs::set_permissions(scene.folder(), fs::Permissions::from_mode(0o555)).expect("a mode");
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().expect("the binary starts");
    for entry in fs::read_dir(scene.folder()).expect("listed") {
        let entry = entry.expect("listed");
        if root {
            chown(entry.path(), Some(0), Some(0)).expect("taken back");
        }
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600)).expect("a mode");
    }
    output
}

/// Modes that keep somebody else from charging: of the book's folder, and of the book.
const CLOSED: &[(&str, u32, u32)] =
    &[("the book", 0o700, 0o400), ("its folder", 0o500, 0o600), ("all of its folder", 0o000, 0o600)];

#[test]
fn a_check_finds_what_a_run_would_stumble_over() {
    for (what, folder_mode, book_mode) in CLOSED {
        let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
        let config = fs::read_to_string(scene.path("dues.toml")).expect("the config");
        scene.write("dues.toml", &config.replace("\"dues.db\"", "\"kept/dues.db\""));
        let customer = &scene.customers()[0];
        scene.import(&format!("id,customer,plan,starts\nmay,{customer},monthly,2030-11-15\n"));
        let somebody = Somebody::of(&scene);
        let ready = somebody.dues(&["check", "--json"]);
        assert_eq!(ready.status.code(), Some(0), "{ready:?}");
        let mode = |name: &str, mode: u32| {
            fs::set_permissions(scene.path(name), fs::Permissions::from_mode(mode)).expect("a mode");
        };
        mode("kept/dues.db", *book_mode);
        mode("kept", *folder_mode);
        let done = ["check", "run-now", "run-now --dry-run"].map(|words| {
            let words: Vec<&str> = words.split(' ').collect();
            (words.join(" "), somebody.dues(&words))
        });
        mode("kept", 0o700);
        for (words, output) in done {
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert_eq!(output.status.code(), Some(4), "{what}: {words}: {said}");
            assert!(said.contains("cannot be written"), "{what}: {words}: {said}");
            assert!(said.contains("give the dues user write access"), "{what}: {words}: {said}");
            assert!(!said.contains("Ready."), "{what}: {words}: {said}");
        }
        assert!(scene.ledger().is_empty());
    }
}

/// Somebody who is held to the modes of files: for root, who is not, nobody.
struct Somebody<'a> {
    scene: &'a Scene,
    is_root: bool,
}

impl<'a> Somebody<'a> {
    /// Everything of the scene is theirs.
    fn of(scene: &'a Scene) -> Self {
        let is_root =
            fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        fs::copy(env!("CARGO_BIN_EXE_dues"), scene.path("program")).expect("a copy that anybody can reach");
        if is_root {
            Self::give(scene.folder());
        }
        Self { scene, is_root }
    }

    fn give(what: &Path) {
        chown(what, Some(NOBODY), Some(NOBODY)).expect("given away");
        if what.is_dir() {
            fs::read_dir(what).expect("listed").for_each(|entry| Self::give(&entry.expect("listed").path()));
        }
    }

    fn dues(&self, words: &[&str]) -> Output {
        self.dues_on("dues.toml", words)
    }

    fn dues_on(&self, config: &str, words: &[&str]) -> Output {
        let mut command = Command::new(self.scene.path("program"));
        command.args(words).args(["--config", config]).current_dir(self.scene.folder());
        if self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.output().expect("the binary starts")
    }
}
