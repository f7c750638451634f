//! Every letter in every language against its golden text, and what no letter may ever do.

mod golden;
mod html;
mod own_templates;
mod safety;

use std::sync::Arc;

use super::*;
use crate::model::{DeclineKind, Facts, MessageKind};

fn settings(language: Language) -> LetterSettings {
    LetterSettings::load(sample_merchant(language)).unwrap()
}

/// The least a merchant tells of themselves.
fn bare_settings() -> LetterSettings {
    let wishes = sample_merchant(Language::En);
    LetterSettings::load(Letters { cancel: None, card_update_url: None, ..wishes }).unwrap()
}

fn each() -> impl Iterator<Item = (Language, MessageKind)> {
    Language::ALL.iter().flat_map(|language| MessageKind::ALL.iter().map(|kind| (*language, *kind)))
}

fn with(kind: MessageKind, language: Language, change: impl FnOnce(&mut Facts)) -> Message {
    let mut message = sample(kind, language);
    change(&mut message.facts);
    message
}

#[test]
fn every_built_in_file_is_there_once_and_can_be_read() {
    let mut wanted: Vec<String> = File::all().map(|file| file.to_string()).collect();
    let mut found: Vec<String> =
        built_in::FILES.iter().copied().flatten().map(|(name, _)| (*name).into()).collect();
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted);
    assert!(found.iter().all(|name| built_in::text(name).is_some_and(|text| !text.trim().is_empty())));
    for file in File::all() {
        built_in_template(file).unwrap();
    }
}

#[test]
fn every_placeholder_has_a_value_somewhere_and_every_value_a_placeholder() {
    let known: Vec<&str> = placeholders::everywhere().map(|placeholder| placeholder.name).collect();
    let mut given = std::collections::BTreeSet::new();
    for (language, kind) in each() {
        let message = with(kind, language, |facts| {
            facts.recovered = true;
            facts.reason = Some(Arc::from("because"));
        });
        given.extend(facts::values(&message, language, &sample_merchant(language)).unwrap().into_keys());
    }
    for name in &given {
        assert!(known.contains(name), "{name} has a value that no template can use");
    }
    for name in known {
        assert!(given.contains(name), "{name} never has a value");
    }
}

#[test]
fn a_letter_without_facts_is_still_a_letter() {
    for (language, kind) in each() {
        for settings in [settings(language), bare_settings()] {
            let message = Message { customer: None, facts: Facts::default(), ..sample(kind, language) };
            let letter = render(&message, language, &settings).unwrap();
            let page = html::read(&letter.html).unwrap();
            for text in [&letter.subject, &letter.text, &page.text] {
                for hole in [
                    "()", "（）", "None", "null", "{{", "}}", "{%", "%}", "  ", " .", " ,", "::", "。。",
                    "：：",
                ] {
                    let text = text.replace("\n\n", "\n");
                    let lines = text.lines().filter(|line| !line.starts_with("http"));
                    for line in lines {
                        assert!(!line.contains(hole), "{language}/{kind}: {hole:?} in {line:?}");
                    }
                }
            }
            let ends_open = |line: &str| line.ends_with([':', '：']) && kind != MessageKind::DoubtNeedsPerson;
            let lines: Vec<&str> = letter.text.lines().collect();
            for pair in lines.windows(2) {
                assert!(!(ends_open(pair[0]) && pair[1].is_empty()), "{language}/{kind}: {:?}", pair[0]);
            }
            assert!(
                !letter.html.contains("<p></p>") && !letter.html.contains("<table>\n</table>"),
                "{language}/{kind}"
            );
        }
    }
}

#[test]
fn a_receipt_says_all_that_a_receipt_must() {
    for language in Language::ALL.iter().copied() {
        let letter =
            render(&sample(MessageKind::InvoicePaid, language), language, &settings(language)).unwrap();
        let amount = match language {
            Language::En => "฿990.00",
            Language::Th => "990.00 บาท",
            Language::Ja => "990円",
        };
        let page = html::read(&letter.html).unwrap();
        for text in [&letter.text, &page.text] {
            for wanted in [
                amount,
                "Visa •••• 4242",
                "sub_7k2m9qx4.2",
                "chrg_test_5xuy4w91xqz7d1w9u0t",
                "help@shop.example",
                "https://shop.example/account/cancel",
                "21",
            ] {
                assert!(text.contains(wanted), "{language}: no {wanted} in\n{text}");
            }
        }
        let links = ["mailto:help@shop.example", "https://shop.example/account/cancel"];
        assert_eq!(page.links, links, "{language}");
    }
}

#[test]
fn a_decline_is_told_in_plain_words() {
    let shameful = [
        "stolen",
        "lost",
        "fraud",
        "blocked",
        "_",
        "ขโมย",
        "สูญหาย",
        "ทุจริต",
        "อายัด",
        "盗難",
        "紛失",
        "不正",
        "停止",
    ];
    for language in Language::ALL.iter().copied() {
        let mut reasons = std::collections::BTreeSet::new();
        for kind in DeclineKind::ALL.iter().copied() {
            for again in [true, false] {
                let message = with(MessageKind::Declined, language, |facts| {
                    facts.decline = Some(kind);
                    facts.next_try_at = facts.next_try_at.filter(|_| again);
                    facts.charge = None;
                    facts.invoice = None;
                });
                let letter = render(&message, language, &settings(language)).unwrap();
                let why = words::why(kind, language);
                reasons.insert(why);
                let unbroken = |text: &str| text.replace(['\n', ' '], "");
                let said = unbroken(&letter.text);
                assert!(said.contains(&unbroken(why)), "{language}/{kind}: no {why:?} in\n{}", letter.text);
                assert!(said.contains(&unbroken(words::advice(kind, again, language))), "{language}/{kind}");
                let body = letter.text.split("\n--\n").next().unwrap();
                for word in shameful.iter().filter(|word| **word != "lost" || language == Language::En) {
                    assert!(!body.contains(word), "{language}/{kind}: {word:?} in\n{body}");
                }
            }
        }
        assert_eq!(reasons.len(), DeclineKind::ALL.len(), "{language}: two kinds are told alike");
    }
}

#[test]
fn the_same_message_gives_the_same_letter() {
    for (language, kind) in each() {
        let message = sample(kind, language);
        let once = render(&message, language, &settings(language)).unwrap();
        assert_eq!(once, render(&message, language, &settings(language)).unwrap());
    }
}
