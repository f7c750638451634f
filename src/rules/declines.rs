//! How a bank's "no" is read: the table's rows held against what the provider said.
//!
//! The set of codes is open: one that is in no row is a technical failure that is tried once more, and the event says
//! that the code is unknown. Of several rows that apply the hardest meaning stands, the fewest retries and the longest
//! wait; among meanings equally hard the advice overrules the code, and a row of the card's own network the others.
//! Where nobody told us the card's network, rows of any network apply: what may be forbidden is taken for forbidden.
//! Must never know: the dunning policy, and where the table is written.

use crate::model::{
    Decline, DeclineClass, DeclineKind, DeclineRow, DeclineTable, DeclineWords, Network, Wait,
};

/// What one decline means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// For the next step.
    pub kind: DeclineKind,
    /// Retries of one invoice after this code, whatever the policy would allow; `None`: the policy alone decides.
    pub most_retries: Option<u32>,
    /// Whether a bank answered at all, so that it counts towards the card's budget.
    pub counts: bool,
    /// Whether the code is in the table.
    pub known: bool,
    /// No retry sooner after the decline; `None`: the policy alone decides.
    pub not_before: Option<Wait>,
}

/// A code that nobody has told us about.
const UNKNOWN: Reading = Reading {
    kind: DeclineKind::Technical,
    most_retries: Some(1),
    counts: true,
    known: false,
    not_before: None,
};

/// Reads a decline of a card of that network; `None`: nobody told us which.
pub fn read(table: &DeclineTable, decline: &Decline, network: Option<Network>) -> Reading {
    let advice = decline.advice.as_deref().map(DeclineWords::plain);
    let mut rows: Vec<&DeclineRow> =
        table.rows().iter().filter(|row| applies(row, decline, advice.as_deref(), network)).collect();
    // The code first, then what is said beside it; the network's own word after everyone's.
    rows.sort_by_key(|row| (by_advice(row), row.words.network.is_some()));
    let known = rows.iter().any(|row| !by_advice(row));
    let start = Reading { known, most_retries: if known { None } else { UNKNOWN.most_retries }, ..UNKNOWN };
    let own = if network.is_some() { own_network(&rows) } else { Vec::new() };
    let read = rows.into_iter().filter(|row| !is_overruled(row, &own)).fold((start, false), add).0;
    let hard = read.kind.class() != DeclineClass::Soft;
    Reading { most_retries: if hard { Some(0) } else { read.most_retries }, ..read }
}

const fn by_advice(row: &DeclineRow) -> bool {
    row.words.advice.is_some() || row.words.advice_code.is_some()
}

fn applies(row: &DeclineRow, decline: &Decline, advice: Option<&str>, network: Option<Network>) -> bool {
    let words = &row.words;
    let of_network = match (words.network, network) {
        (Some(wanted), Some(found)) => wanted == found,
        (None, _) | (_, None) => true,
    };
    let of_code = words.code.as_ref().is_none_or(|code| *code == decline.code);
    let of_advice_code = words.advice_code.is_none() || words.advice_code == decline.advice_code;
    let of_advice =
        words.advice.as_ref().is_none_or(|wanted| advice.is_some_and(|text| text.contains(&**wanted)));
    of_network && of_code && of_advice_code && of_advice
}

/// Codes that a network has its own word for.
fn own_network<'r>(rows: &[&'r DeclineRow]) -> Vec<&'r DeclineWords> {
    rows.iter().filter(|row| row.words.network.is_some()).map(|row| &row.words).collect()
}

/// Whether the same words have a row of the card's own network.
fn is_overruled(row: &DeclineRow, own: &[&DeclineWords]) -> bool {
    let words = &row.words;
    words.network.is_none()
        && own.iter().any(|other| {
            (&other.code, &other.advice_code, &other.advice)
                == (&words.code, &words.advice_code, &words.advice)
        })
}

/// Lays one row over what the rows before it said. Whether a meaning was given is told beside.
fn add((read, given): (Reading, bool), row: &DeclineRow) -> (Reading, bool) {
    let kind = row.kind.filter(|kind| !given || hardness(*kind) >= hardness(read.kind));
    let fewest = read.most_retries.into_iter().chain(row.most_retries).min();
    let longest = read.not_before.into_iter().chain(row.not_before).max_by_key(|wait| wait.seconds());
    let reading = Reading {
        kind: kind.unwrap_or(read.kind),
        most_retries: fewest,
        counts: read.counts && row.counts,
        known: read.known,
        not_before: longest,
    };
    (reading, given || row.kind.is_some())
}

/// What forbids more stands against what forbids less.
const fn hardness(kind: DeclineKind) -> u8 {
    match kind {
        DeclineKind::Never => 4,
        DeclineKind::NewCard => 3,
        DeclineKind::Customer => 2,
        DeclineKind::Ours => 1,
        DeclineKind::Funds | DeclineKind::Issuer | DeclineKind::Technical | DeclineKind::Limit => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::shipped_declines;

    fn decline(code: &str, advice: Option<&str>, advice_code: Option<&str>) -> Decline {
        Decline {
            charge: None,
            card: None,
            code: code.into(),
            message: None,
            advice: advice.map(Into::into),
            advice_code: advice_code.map(Into::into),
        }
    }

    fn of_code(code: &str) -> Reading {
        read(&shipped_declines().unwrap(), &decline(code, None, None), Some(Network::Jcb))
    }

    fn advised(code: &str, advice_code: &str, network: Option<Network>) -> Reading {
        read(&shipped_declines().unwrap(), &decline(code, None, Some(advice_code)), network)
    }

    #[test]
    fn codes_are_read_by_the_table() {
        for (code, class) in [
            ("insufficient_fund", DeclineClass::Soft),
            ("timeout", DeclineClass::Soft),
            ("stolen_or_lost_card", DeclineClass::Hard),
            ("expired_card", DeclineClass::Hard),
            ("failed_fraud_check", DeclineClass::Hard),
            ("payment_cancelled", DeclineClass::Customer),
            ("reversed", DeclineClass::Ours),
        ] {
            let reading = of_code(code);
            assert!(reading.known, "{code}");
            assert_eq!(reading.kind.class(), class, "{code}");
            assert_eq!(reading.most_retries == Some(0), class != DeclineClass::Soft, "{code}");
        }
        assert_eq!(of_code("payment_rejected").most_retries, Some(2));
        assert!(!of_code("expired").counts && of_code("timeout").counts);
    }

    #[test]
    fn an_unknown_code_is_tried_once_more_and_says_so() {
        let reading = of_code("moon_phase");
        assert_eq!((reading.kind, reading.most_retries), (DeclineKind::Technical, Some(1)));
        assert!(!reading.known);
    }

    #[test]
    fn advice_overrules_the_code() {
        let advised =
            |text| read(&shipped_declines().unwrap(), &decline("payment_rejected", Some(text), None), None);
        let stop = advised("Do not retry with the same card.");
        assert_eq!((stop.kind, stop.most_retries), (DeclineKind::Never, Some(0)));
        assert_eq!(advised("additional_customer-authentication required").kind, DeclineKind::Customer);
        assert_eq!(advised("try again later").kind, DeclineKind::Issuer);
    }

    #[test]
    fn a_softer_word_never_lifts_a_harder_one() {
        let reading = advised("stolen_or_lost_card", "02", Some(Network::Mastercard));
        assert_eq!((reading.kind, reading.most_retries), (DeclineKind::Never, Some(0)));
        let text = Some("additional authentication required");
        let both = read(&shipped_declines().unwrap(), &decline("invalid_account", text, None), None);
        assert_eq!(both.kind, DeclineKind::Never);
    }

    #[test]
    fn mastercard_advice_is_read_for_its_own_cards_and_for_cards_of_nobody() {
        let mastercard = Some(Network::Mastercard);
        for (code, kind) in [
            ("01", DeclineKind::NewCard),
            ("03", DeclineKind::Never),
            ("21", DeclineKind::Never),
            ("40", DeclineKind::NewCard),
            ("43", DeclineKind::NewCard),
        ] {
            assert_eq!(advised("payment_rejected", code, mastercard).kind, kind, "{code}");
            let told_by_nobody = advised("payment_rejected", code, None).kind;
            assert!(hardness(told_by_nobody) >= hardness(kind), "{code}, network not told");
            assert_eq!(advised("payment_rejected", code, Some(Network::Jcb)).kind, DeclineKind::Issuer);
        }
    }

    #[test]
    fn mastercard_advice_says_how_long_to_wait_and_leaves_the_kind() {
        for (code, wait) in [
            ("02", "72 hours"),
            ("24", "1 hour"),
            ("25", "24 hours"),
            ("26", "48 hours"),
            ("27", "96 hours"),
            ("28", "144 hours"),
            ("29", "192 hours"),
            ("30", "240 hours"),
        ] {
            let reading = advised("insufficient_fund", code, Some(Network::Mastercard));
            assert_eq!(reading.kind, DeclineKind::Funds, "{code}");
            assert_eq!(reading.not_before, Some(wait.parse().unwrap()), "{code}");
        }
    }

    #[test]
    fn visa_categories_are_read() {
        let visa = |code| advised(code, "", Some(Network::Visa));
        for code in ["04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"] {
            assert_eq!(visa(code).kind, DeclineKind::Never, "{code}");
            assert_eq!(advised("payment_rejected", code, Some(Network::Visa)).kind, DeclineKind::Never);
        }
        assert_eq!(visa("51").kind, DeclineKind::Funds);
        assert_eq!(visa("61").kind, DeclineKind::Limit);
        assert_eq!(visa("91").kind, DeclineKind::Technical);
        assert_eq!(visa("54").kind, DeclineKind::NewCard);
        assert_eq!(visa("05").kind, DeclineKind::Issuer);
        assert!(!advised("51", "", Some(Network::Jcb)).known, "another network's codes are not its own");
    }

    #[test]
    fn a_row_of_the_cards_network_overrules_the_one_of_all() {
        let row = |network, kind| DeclineRow {
            words: DeclineWords { network, code: Some("x".into()), ..DeclineWords::default() },
            kind: Some(kind),
            most_retries: None,
            counts: true,
            not_before: None,
        };
        let rows = vec![row(None, DeclineKind::Never), row(Some(Network::Visa), DeclineKind::Funds)];
        let table = DeclineTable::default().with(rows);
        let of = |network| read(&table, &decline("x", None, None), network).kind;
        assert_eq!(of(Some(Network::Visa)), DeclineKind::Funds, "the network's own word");
        assert_eq!(of(Some(Network::Jcb)), DeclineKind::Never);
    }
}
