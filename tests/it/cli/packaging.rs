//! What the packager takes: manual pages, completions, help and version; and the edits that the README's installation
//! makes to the config that comes with the program.

use std::path::Path;
use std::process::Command;

use super::Shop;
use crate::systemd::install_commands;

#[test]
fn the_config_as_installed_keeps_its_book_with_the_unit_and_names_no_key() {
    let shop = Shop::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/dues.toml");
    let installed = shop.path("installed.toml");
    std::fs::copy(shipped, &installed).unwrap();
    let edits: Vec<_> = install_commands().into_iter().filter(|line| line.starts_with("sed -i ")).collect();
    assert!(!edits.is_empty(), "nothing edits the config");
    for edit in edits {
        let here = edit.replace("/etc/dues/dues.toml", installed.to_str().unwrap());
        assert_ne!(here, edit, "it edits something else");
        assert!(Command::new("sh").args(["-c", &here]).status().unwrap().success(), "{here}");
    }
    let loaded = dues::config::load(&installed).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(loaded.settings.store.path, Path::new("/var/lib/dues/dues.db"));
    let text = std::fs::read_to_string(&installed).unwrap();
    let keys: Vec<_> = text.lines().filter(|line| line.trim_start().starts_with("secret_key")).collect();
    assert!(keys.is_empty(), "{keys:?}");
}

#[test]
fn the_manual_renders_for_every_command() {
    let shop = Shop::new();
    let page = Shop::done(&mut shop.command(&["man"])).ok().stdout;
    assert!(page.contains(".TH dues 1") && page.contains("Exit codes"), "{page}");
    std::fs::create_dir(shop.path("man1")).unwrap();
    Shop::done(&mut shop.command(&["man", "--dir", "man1"])).ok();
    for name in ["dues-run-now.1", "dues-import.1", "dues-invoice-void.1", "dues-check.1"] {
        let text = std::fs::read_to_string(shop.path("man1").join(name)).unwrap();
        assert!(text.contains("Example"), "{name} shows no example");
    }
    Shop::done(&mut shop.command(&["man", "--dir", "nowhere"]))
        .fails(2, &["nowhere: the pages cannot be written"]);
}

#[test]
fn completions_know_the_commands() {
    let shop = Shop::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = Shop::done(&mut shop.command(&["completions", shell])).ok().stdout;
        assert!(text.contains("run-now") && text.contains("subscribe"), "{shell}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let shop = Shop::new();
    let help = Shop::done(&mut shop.command(&["--help"])).ok();
    assert!(help.stdout.contains("Exit codes:") && help.stderr.is_empty());
    let version = Shop::done(&mut shop.command(&["--version"])).ok().stdout;
    assert_eq!(version, format!("dues {}\n", env!("CARGO_PKG_VERSION")));
    let sub = Shop::done(&mut shop.command(&["import", "--help"])).ok().stdout;
    assert!(sub.contains("paid_through") && sub.contains("dues import customers.csv"), "{sub}");
}
