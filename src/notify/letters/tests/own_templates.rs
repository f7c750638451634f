//! The operator's own templates: which are taken, and how each wrong one is refused.

use std::path::Path;

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn load(folder: &Path) -> Result<LetterSettings, OverrideErrors> {
    let wishes = sample_merchant(Language::En);
    LetterSettings::load(Letters { templates: Some(folder.into()), ..wishes })
}

fn refused(files: &[(&str, &str)]) -> Vec<String> {
    let folder = folder(files);
    let OverrideErrors(errors) = load(folder.path()).unwrap_err();
    let place = format!("{}/", folder.path().display());
    errors.iter().map(|error| error.to_string().replace(&place, "")).collect()
}

#[test]
fn one_file_replaces_one_part_of_one_letter() {
    let folder = folder(&[
        ("en/declined.subject", "Oh dear, {{ amount }}\n"),
        ("en/layout.txt", "Hi!\r\n\r\n{{ body }}\r\n"),
        ("th/declined.txt", "{% if decline == \"funds\" %}เงินไม่พอ{% else %}อื่น ๆ{% endif %}"),
        ("README.md", "Ours."),
        ("en/.declined.txt.swp", "x"),
    ]);
    let (own, plain) = (load(folder.path()).unwrap(), settings(Language::En));
    let declined = |language| sample(MessageKind::Declined, language);
    let letter = render(&declined(Language::En), Language::En, &own).unwrap();
    assert_eq!(letter.subject, "Oh dear, ฿990.00");
    assert!(letter.text.starts_with("Hi!\n\nWe tried to charge ฿990.00"), "{}", letter.text);
    let untouched = render(&declined(Language::En), Language::En, &plain).unwrap();
    let title = |html: &str| html.replace(&letter.subject, &untouched.subject);
    assert_eq!(title(&letter.html), untouched.html);
    let thai = render(&declined(Language::Th), Language::Th, &own).unwrap();
    assert!(thai.text.contains("เงินไม่พอ") && !thai.text.contains("อื่น ๆ"), "{}", thai.text);
    let paid = sample(MessageKind::InvoicePaid, Language::Ja);
    assert_eq!(render(&paid, Language::Ja, &own), render(&paid, Language::Ja, &plain));
}

#[test]
fn every_mistake_is_named_with_its_file_line_and_column() {
    let said = refused(&[
        ("en/declined.html", "<p>\n  {{ amuont }}</p>"),
        ("en/declined.subject", "{{ details }}"),
        ("ja/layout.txt", "{{ body }}\n{% if cancel %}\n"),
        ("th/declined.txt", "{% if decline == \"stolen\" %}{% endif %}"),
    ]);
    let starts = [
        "en/declined.html:2:3: found the unknown placeholder `amuont`, wanted one of the placeholders merchant, ",
        "en/declined.subject:1:1: found the unknown placeholder `details`, wanted one of ",
        "ja/layout.txt:2:1: found `{% if cancel %}` without its end, wanted `{% endif %}`",
        "th/declined.txt:1:1: found `decline == \"stolen\"`, wanted one of \"funds\", \"issuer\", ",
    ];
    assert_eq!(said.len(), starts.len(), "{said:#?}");
    for (said, start) in said.iter().zip(starts) {
        assert!(said.starts_with(start), "{said}");
    }
}

#[test]
fn a_file_that_nobody_would_read_is_refused() {
    let said = refused(&[("en/payed.txt", "x"), ("fr/declined.txt", "x"), ("declined.txt", "x")]);
    assert_eq!(said[0], "declined.txt: found something else, wanted folders of the names en, th, ja");
    assert!(
        said[1].starts_with("en/payed.txt: found a file that no letter uses, wanted one of layout.txt, ")
    );
    assert_eq!(said[2], "fr: found something else, wanted folders of the names en, th, ja");
    let gone = tempfile::tempdir().unwrap().path().join("gone");
    assert!(load(&gone).unwrap_err().to_string().contains("wanted a folder with templates"));
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let folder = folder(&[("en/no_card.html", &"x".repeat(300 * 1024))]);
    std::fs::write(folder.path().join("en/no_card.txt"), b"one\n\xff").unwrap();
    std::fs::create_dir(folder.path().join("en/digest.txt")).unwrap();
    let said = load(folder.path()).unwrap_err().to_string();
    assert!(said.contains("no_card.html: found 307200 bytes, wanted a template of at most 262144"), "{said}");
    assert!(
        said.contains("no_card.txt: found a byte that is not UTF-8 in line 2, wanted a text in UTF-8"),
        "{said}"
    );
    assert!(said.contains("digest.txt: found "), "{said}");
}

#[test]
fn a_subject_that_says_nothing_is_told_when_it_is_due() {
    let folder = folder(&[("en/declined.subject", "{% if reason %}x{% endif %}")]);
    let settings = load(folder.path()).unwrap();
    let refused = render(&sample(MessageKind::Declined, Language::En), Language::En, &settings).unwrap_err();
    assert_eq!(refused, LetterError::NoSubject { file: "en/declined.subject".into() });
}
