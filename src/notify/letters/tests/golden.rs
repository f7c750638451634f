//! `tests/golden/letters/LANGUAGE/NAME.txt` has subject and text, `NAME.html` the page; `DUES_WRITE_GOLDEN=1` writes
//! them anew and passes nothing. Read them aloud before they are committed: customers will.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

/// Letters that differ from a sample in what they tell.
fn variants(language: Language) -> Vec<(&'static str, Message)> {
    use MessageKind::{ActionNeeded, Declined, InvoicePaid, SubscriptionCanceled, SubscriptionPaused};
    let of = |kind, change: fn(&mut Facts)| with(kind, language, change);
    vec![
        ("invoice_paid.recovered", of(InvoicePaid, |facts| facts.recovered = true)),
        (
            "declined.last",
            of(Declined, |facts| {
                facts.decline = Some(DeclineKind::NewCard);
                facts.next_try_at = None;
            }),
        ),
        ("declined.technical", of(Declined, |facts| facts.decline = Some(DeclineKind::Technical))),
        ("declined.unknown", of(Declined, |facts| facts.decline = None)),
        ("action_needed.no_page", of(ActionNeeded, |facts| facts.action_url = None)),
        (
            "action_needed.declined",
            of(ActionNeeded, |facts| {
                facts.action_url = None;
                facts.decline = Some(DeclineKind::Customer);
            }),
        ),
        ("subscription_paused.wish", of(SubscriptionPaused, |facts| facts.decline = None)),
        (
            "subscription_paused.until",
            of(SubscriptionPaused, |facts| {
                facts.decline = None;
                facts.ends_at = sample(MessageKind::SubscriptionCanceled, Language::En).facts.ends_at;
            }),
        ),
        ("subscription_canceled.now", of(SubscriptionCanceled, |facts| facts.ends_at = None)),
        (
            "subscription_canceled.unpaid",
            of(SubscriptionCanceled, |facts| {
                facts.ends_at = None;
                facts.decline = Some(DeclineKind::Funds);
            }),
        ),
    ]
}

#[test]
fn every_letter_is_its_golden_text() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/letters");
    let mut different = Vec::new();
    for language in Language::ALL.iter().copied() {
        let mut expected = BTreeSet::new();
        let plain = MessageKind::ALL.iter().map(|kind| (kind.word(), sample(*kind, language)));
        for (name, message) in plain.chain(variants(language)) {
            let letter = render(&message, language, &settings(language)).unwrap();
            let text = format!("Subject: {}\n\n{}", letter.subject, letter.text);
            for (ending, said) in [("txt", text), ("html", letter.html)] {
                let path = folder.join(language.word()).join(format!("{name}.{ending}"));
                different.extend(compare(&path, &said));
                expected.insert(path);
            }
        }
        let there: BTreeSet<PathBuf> = std::fs::read_dir(folder.join(language.word()))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(there, expected, "{language}: a golden text of no letter");
    }
    assert!(
        std::env::var_os("DUES_WRITE_GOLDEN").is_none(),
        "written anew; read what changed, then without it"
    );
    assert!(different.is_empty(), "DUES_WRITE_GOLDEN=1 writes them anew:\n{}", different.join("\n"));
}

fn compare(path: &Path, said: &str) -> Option<String> {
    if std::env::var_os("DUES_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, said).unwrap();
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    (wanted != said).then(|| format!("{}:\n{said}", path.display()))
}

#[test]
fn every_page_is_sound_and_says_what_its_text_says() {
    for language in Language::ALL.iter().copied() {
        let plain = MessageKind::ALL.iter().map(|kind| (kind.word(), sample(*kind, language)));
        for (name, message) in plain.chain(variants(language)) {
            let letter = render(&message, language, &settings(language)).unwrap();
            let page = html::read(&letter.html).unwrap_or_else(|why| panic!("{language}/{name}: {why}"));
            assert!(!letter.html.contains("url("), "{language}/{name}");
            assert!(letter.html.contains(&format!("<html lang=\"{language}\">")), "{language}/{name}");
            // The page's links are in the text too, and the text's words on the page.
            for link in page.links.iter().map(|link| link.trim_start_matches("mailto:")) {
                assert!(letter.text.contains(link), "{language}/{name}: {link}");
            }
            let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let shown = bare(&page.text);
            let body = letter.text.split("\n--\n").next().unwrap();
            for line in
                body.lines().filter(|line| !line.starts_with("https://") && !line.ends_with([':', '：']))
            {
                let words = line.split([':', '：']).map(bare);
                for word in words {
                    assert!(shown.contains(&word), "{language}/{name}: {word:?} is not on the page");
                }
            }
        }
    }
}
