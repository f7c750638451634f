//! Copies of the book that somebody asks for: whole, or none.

use super::Shop;

/// Pages of a book whose damage only a look through all of it finds.
fn damage(shop: &Shop) {
    let path = shop.path("demo-book/dues.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let page = 4_096;
    let pages = bytes.len() / page;
    bytes[(pages - 8) * page..(pages - 2) * page].fill(0x5a);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_book_makes_no_backup() {
    let shop = Shop::demo();
    shop.dues(&["run-now", "--json"]).ok();
    let made = shop.dues(&["backup", "whole.db", "--json"]).ok().json();
    assert_eq!(made["bytes"], std::fs::metadata(shop.path("whole.db")).unwrap().len());
    damage(&shop);
    shop.dues(&["backup", "copy.db"])
        .fails(4, &["demo-book/dues.db: the book is damaged", "restore a backup"]);
    for name in ["copy.db", "copy.db.half", "whole.db.half"] {
        assert!(!shop.path(name).exists(), "{name} was left behind");
    }
    // What was made before puts the book back.
    shop.dues(&["restore", "whole.db"]).ok();
}

#[test]
fn a_backup_replaces_nothing() {
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    shop.write("copy.db", "precious");
    shop.dues(&["backup", "copy.db"]).fails(2, &["file copy.db exists already"]);
    shop.write("other.db.half", "under way");
    shop.dues(&["backup", "other.db"])
        .fails(4, &["other.db.half: found a copy under way, or one that was broken off: remove it"]);
    let text = |name: &str| std::fs::read_to_string(shop.path(name)).unwrap();
    assert_eq!([text("copy.db"), text("other.db.half")], ["precious", "under way"]);
    assert!(!shop.path("copy.db.half").exists() && !shop.path("other.db").exists());
    shop.dues(&["backup", "nowhere/copy.db"]).fails(4, &["found no such folder; make it first"]);
}
