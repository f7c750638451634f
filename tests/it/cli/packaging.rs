//! What the packager takes: manual pages, completions, help and version.

use super::Shop;

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
