//! What a plan's name, a card's brand or a reason may hold, and what never comes of it.

use super::*;
use crate::model::CardLook;

const EVIL: &str =
    "Pro</p><script>alert('x')</script>\r\nBcc: all@shop.example\n\n\u{202e}{{ merchant }} & <b class=\"y\">";

fn evil(kind: MessageKind, language: Language) -> Message {
    with(kind, language, |facts| {
        facts.plan = Some(Arc::from(EVIL));
        facts.reason = Some(Arc::from(EVIL));
        facts.card =
            facts.card.take().map(|card| CardLook { brand: EVIL.into(), last_digits: EVIL.into(), ..card });
    })
}

#[test]
fn no_value_becomes_html_or_a_placeholder() {
    let told = Letters {
        merchant: EVIL.into(),
        support: EVIL.into(),
        cancel: Some(EVIL.into()),
        ..sample_merchant(Language::En)
    };
    let settings = LetterSettings::load(told).unwrap();
    for (language, kind) in each() {
        let letter = render(&evil(kind, language), language, &settings).unwrap();
        let page = html::read(&letter.html).unwrap_or_else(|why| panic!("{language}/{kind}: {why}"));
        assert!(!letter.html.contains("<script") && !letter.html.contains("<b "), "{language}/{kind}");
        assert!(page.text.contains("<script>alert('x')</script>"), "{language}/{kind}: not shown as it is");
        assert!(letter.text.contains("{{ merchant }}"), "{language}/{kind}: a value was read as a template");
        assert!(page.links.iter().all(|link| !link.contains("alert")), "{language}/{kind}");
    }
}

#[test]
fn no_value_becomes_a_header_or_a_line_of_its_own() {
    let told = Letters { merchant: EVIL.into(), ..sample_merchant(Language::En) };
    let settings = LetterSettings::load(told).unwrap();
    for (language, kind) in each() {
        let letter = render(&evil(kind, language), language, &settings).unwrap();
        assert!(!letter.subject.contains(char::is_control), "{language}/{kind}: {:?}", letter.subject);
        assert!(letter.subject.chars().count() <= 201, "{language}/{kind}");
        assert!(!letter.text.contains(['\r', '\u{202e}']), "{language}/{kind}");
    }
}

#[test]
fn a_value_is_one_line_of_bounded_length() {
    assert_eq!(facts::one_line(" a\tb\r\nc\u{2028}d\u{85}e\u{0}f\u{1b}[31m "), "a b c d e f [31m");
    assert_eq!(facts::one_line("a\u{202e}b\u{2066}c"), "abc");
    assert_eq!(facts::one_line(&"ก".repeat(300)), format!("{}…", "ก".repeat(200)));
}

#[test]
fn a_link_leads_to_a_web_page_or_nowhere() {
    for bad in [
        "javascript:alert(1)",
        "data:text/html,x",
        "https//pay.example",
        "https://pay.example/ x",
        "https://pay.example/\"onclick=",
        "",
        &format!("https://pay.example/{}", "a".repeat(3_000)),
    ] {
        let message =
            with(MessageKind::ActionNeeded, Language::En, |facts| facts.action_url = Some(Arc::from(bad)));
        let refused = render(&message, Language::En, &settings(Language::En)).unwrap_err();
        assert!(refused.to_string().starts_with("action_url: found "), "{refused}");
    }
    for (support, link) in [
        ("help@shop.example", Some("mailto:help@shop.example")),
        ("https://shop.example/help", Some("https://shop.example/help")),
        ("02 123 4567, every day until six", None),
        ("javascript:alert('a@b')", None),
        ("a@b?bcc=c@d", None),
    ] {
        let told = Letters { support: support.into(), cancel: None, ..sample_merchant(Language::En) };
        let settings = LetterSettings::load(told).unwrap();
        let letter =
            render(&sample(MessageKind::InvoicePaid, Language::En), Language::En, &settings).unwrap();
        let links = html::read(&letter.html).unwrap().links;
        assert_eq!(links.first().map(String::as_str), link, "{support}");
        assert!(letter.text.contains(support), "{support}");
    }
}

#[test]
fn days_are_the_customers_own() {
    let mut message = sample(MessageKind::InvoicePaid, Language::En);
    message.at = "2026-12-31T20:00:00Z".parse().unwrap();
    let letter = render(&message, Language::En, &settings(Language::En)).unwrap();
    assert!(letter.text.contains("Paid on: 1 January 2027"), "{}", letter.text);
}
