//! The letters that come with the program: their text is in the folders beside this file.

/// The files of one language, by their names.
macro_rules! language {
    ($language:literal) => {
        files!(
            $language:
            "layout.txt", "layout.html", "details.txt", "details.html",
            "invoice_opened.subject", "invoice_opened.txt", "invoice_opened.html",
            "invoice_paid.subject", "invoice_paid.txt", "invoice_paid.html",
            "declined.subject", "declined.txt", "declined.html",
            "action_needed.subject", "action_needed.txt", "action_needed.html",
            "card_expiring.subject", "card_expiring.txt", "card_expiring.html",
            "no_card.subject", "no_card.txt", "no_card.html",
            "expired_card.subject", "expired_card.txt", "expired_card.html",
            "trial_ending.subject", "trial_ending.txt", "trial_ending.html",
            "subscription_paused.subject", "subscription_paused.txt", "subscription_paused.html",
            "subscription_canceled.subject", "subscription_canceled.txt", "subscription_canceled.html",
            "doubt_needs_person.subject", "doubt_needs_person.txt", "doubt_needs_person.html",
            "digest.subject", "digest.txt", "digest.html"
        )
    };
}

macro_rules! files {
    ($language:literal: $($name:literal),+) => {
        &[$((concat!($language, "/", $name), include_str!(concat!($language, "/", $name)))),+]
    };
}

/// Name and text of every file, a list a language.
pub(super) const FILES: [&[(&str, &str)]; 3] = [language!("en"), language!("th"), language!("ja")];

/// The text of that file; `None`: there is none of that name.
pub(super) fn text(name: &str) -> Option<&'static str> {
    FILES.iter().copied().flatten().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
