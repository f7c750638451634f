//! Letters as the merchant sees them before any customer does, and own templates at the counter.

use super::Shop;

const NOTIFY: &str =
    "[notify]\nmerchant = \"Siam Coffee\"\nsupport = \"help@coffee.example\"\nlanguage = \"th\"\n";

fn shop_with_letters(more: &str) -> Shop {
    let shop = Shop::new();
    shop.config("[dunning.standard]", &format!("{NOTIFY}{more}\n[dunning.standard]"));
    shop
}

#[test]
fn a_letter_is_shown_in_the_language_of_the_config_or_another() {
    let shop = shop_with_letters("");
    let thai = shop.dues(&["notify", "preview", "invoice_paid"]).ok();
    assert!(thai.stdout.starts_with("Subject: ใบเสร็จรับเงินจาก Siam Coffee"), "{}", thai.stdout);
    assert!(thai.stdout.contains("help@coffee.example") && thai.stderr.is_empty(), "{}", thai.stderr);
    let english = shop.dues(&["notify", "preview", "invoice_paid", "--language", "en", "--text"]).ok().stdout;
    assert!(english.starts_with("Hello,") && english.contains("Amount: ฿990.00"), "{english}");
    let page = shop.dues(&["notify", "preview", "declined", "--language", "ja", "--html"]).ok().stdout;
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{page}");
    assert!(!shop.path("book").exists(), "a preview made a book");
}

#[test]
fn all_letters_are_shown_one_a_line_for_programs() {
    let shop = shop_with_letters("");
    let rows = shop.dues(&["notify", "preview", "--all", "--json"]).ok().rows();
    assert_eq!(rows.len(), 36);
    for row in &rows {
        for key in ["kind", "language", "subject", "text", "html"] {
            assert!(row[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {row}");
        }
    }
    let japanese = shop.dues(&["notify", "preview", "--all", "--language", "ja"]).ok().stdout;
    assert_eq!(japanese.matches("\nSubject: ").count(), 12, "{japanese}");
}

#[test]
fn without_a_merchant_a_made_up_one_writes() {
    let shop = Shop::new();
    let shown = shop.dues(&["notify", "preview", "no_card"]).ok();
    assert!(shown.stdout.contains("Example Shop"), "{}", shown.stdout);
    assert!(shown.stderr.contains("found no merchant in [notify]"), "{}", shown.stderr);
    let quiet = shop.dues(&["notify", "preview", "no_card", "--quiet"]).ok();
    assert_eq!((quiet.stdout, quiet.stderr.as_str()), (shown.stdout, ""));
}

#[test]
fn own_templates_are_used_and_wrong_ones_refused_by_every_command() {
    let shop = shop_with_letters("templates = \"letters\"\n");
    std::fs::create_dir_all(shop.path("letters/th")).unwrap();
    shop.write("letters/th/declined.subject", "{{ merchant }}: {{ plan }}\n");
    let shown = shop.dues(&["notify", "preview", "declined"]).ok().stdout;
    assert!(shown.starts_with("Subject: Siam Coffee: Pro\n"), "{shown}");
    let checked = shop.dues(&["check"]);
    assert!(checked.stdout.contains("from Siam Coffee, in th, 1 template of your own"), "{}", checked.stdout);

    shop.write("letters/th/declined.txt", "one\n  {% if amuont %}{% endif %}\n");
    shop.write("letters/th/declined.html", "{% if plan %}\n<p>{{ plan }}</p>\n");
    let places = [
        "declined.txt:2:3: found the unknown placeholder `amuont`, wanted one of the placeholders merchant,",
        "declined.html:1:1: found `{% if plan %}` without its end, wanted `{% endif %}`",
    ];
    for command in [&["check"][..], &["run-now"], &["list", "events"], &["notify", "preview", "declined"]] {
        let refused = shop.dues(command).fails(2, &places);
        assert!(refused.stdout.is_empty(), "{}", refused.stdout);
    }
    assert!(!shop.path("book").exists(), "a wrong template did not stop the run");
}

#[test]
fn words_that_name_no_letter_are_refused() {
    let shop = shop_with_letters("");
    shop.dues(&["notify", "preview"]).fails(2, &["KIND|--all"]);
    shop.dues(&["notify", "preview", "paid"]).fails(2, &["invalid value 'paid'", "invoice_paid"]);
    shop.dues(&["notify", "preview", "declined", "--language", "fr"])
        .fails(2, &["invalid value 'fr'", "en, th, ja"]);
    shop.dues(&["notify", "preview", "--all", "--html"]).fails(2, &["cannot be used with"]);
    shop.dues(&["notify", "preview", "declined", "--html", "--json"]).fails(2, &["cannot be used with"]);
}
