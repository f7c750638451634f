//! The table of declines: the one that is built in, and the operator's rows that are laid over it.
//!
//! Promises: rows are judged like any other wish, in whichever file they stand. Must never know: how a decline is read
//! by them.

use super::problem::{ConfigErrors, Place, Problems};
use super::section::{Found, Section};
use super::sources::Sources;
use super::top::{Top, rows_of};
use crate::model::{DeclineClass, DeclineKind, DeclineRow, DeclineTable, DeclineWords, Network, Wait};

/// The built-in table, as it lies beside the example config.
const SHIPPED: &str = include_str!("../../config/declines.toml");
const SHIPPED_NAME: &str = "config/declines.toml (built in)";

/// More retries of one invoice than any network allows in a month are no limit.
const MOST_RETRIES: u64 = 20;
const KNOWN: &[&str] =
    &["code", "advice", "advice_code", "network", "kind", "retries", "counts", "not_before"];

/// The built-in table.
///
/// # Errors
/// Its mistakes, of which it has none: a test holds it against this.
pub fn shipped_declines() -> Result<DeclineTable, ConfigErrors> {
    let sources = Sources::built_in(SHIPPED_NAME, SHIPPED);
    let problems = Problems::new(&sources);
    let rows = sources.parse(&problems).map(|files| {
        let lists: Vec<_> = files.iter().filter_map(|parsed| rows_of(parsed, &problems)).collect();
        lists.iter().flat_map(|list| rows(list, &problems)).collect::<Vec<_>>()
    });
    let errors = problems.into_errors();
    match rows {
        Some(rows) if errors.is_empty() => Ok(DeclineTable::default().with(rows)),
        _ => Err(errors),
    }
}

/// The built-in table with the config's rows laid over it. Mistakes were noted.
pub(super) fn read(top: &Top<'_>, problems: &Problems<'_>) -> DeclineTable {
    let mut own = top.one("declines").map(|found| section(found, problems)).unwrap_or_default();
    for list in top.declines() {
        own.extend(rows(list, problems));
    }
    match shipped_declines() {
        Ok(shipped) => shipped.with(own),
        Err(wrong) => {
            problems.note(Place::new(0, 0..0), format!("the built-in table of declines is wrong: {wrong}"));
            DeclineTable::default()
        }
    }
}

/// `declines = "FILE"`, whose rows come with the file itself, or `[[declines.rows]]`.
fn section(found: &Found<'_>, problems: &Problems<'_>) -> Vec<DeclineRow> {
    if found.is_text() {
        found.text("a file's path");
        return Vec::new();
    }
    found
        .section(&["rows"], "a file's path, or rows such as [[declines.rows]]")
        .and_then(|section| section.need("rows", "rows such as [[declines.rows]]"))
        .map(|list| rows(&list, problems))
        .unwrap_or_default()
}

/// The rows of a list; each may stand for several codes.
fn rows(list: &Found<'_>, problems: &Problems<'_>) -> Vec<DeclineRow> {
    let mut all: Vec<DeclineRow> = Vec::new();
    for found in list.list("rows such as [[rows]]").unwrap_or_default() {
        let Some(section) = found.section(KNOWN, "a row with `code`, `advice` or `advice_code`") else {
            continue;
        };
        for row in row(&section) {
            if all.iter().any(|other| other.words == row.words) {
                problems.note(
                    found.place.clone(),
                    format!("{}: found {} a second time", found.key, told(&row.words)),
                );
            } else {
                all.push(row);
            }
        }
    }
    all
}

fn told(words: &DeclineWords) -> String {
    let texts = [&words.code, &words.advice_code, &words.advice];
    let texts: Vec<String> = texts.into_iter().flatten().map(|text| format!("{text:?}")).collect();
    let network = words.network.map_or_else(String::new, |network| format!(" of {network}"));
    format!("{}{network}", texts.join(" with "))
}

fn row(section: &Section<'_>) -> Vec<DeclineRow> {
    let network = section.get("network").map(|v| v.word(Network::ALL, Network::word));
    let kind = section.get("kind").map(|v| v.word(DeclineKind::ALL, DeclineKind::word));
    let words = all_words(section, network.flatten());
    let retries = section.get("retries").map(|v| (v.whole(0..=MOST_RETRIES), v));
    let counts = section.get("counts").map_or(Some(true), |v| v.flag());
    let not_before =
        section.get("not_before").map(|v| v.parse("a wait such as \"24 hours\"", str::parse::<Wait>));
    let soft = kind.flatten().is_none_or(|kind| kind.class() == DeclineClass::Soft);
    match &retries {
        Some((Some(1..), place)) if !soft => {
            place.wrong(
                "found retries, wanted none: only what is funds, issuer, technical or limit is tried again",
            );
        }
        _ => {}
    }
    let by_code = words.first().is_some_and(|words| words.advice.is_none() && words.advice_code.is_none());
    if by_code && kind.is_none() {
        section.wrong("found no `kind`, wanted what the code means, such as kind = \"funds\"");
    }
    let says_nothing = kind.is_none() && retries.is_none() && not_before.is_none() && counts != Some(false);
    if !words.is_empty() && !by_code && says_nothing {
        section.wrong("found words and no meaning, wanted `kind`, `retries`, `not_before` or `counts`");
    }
    let most_retries = retries.and_then(|(n, _)| u32::try_from(n?).ok());
    let of_words = |words| DeclineRow {
        words,
        kind: kind.flatten(),
        most_retries,
        counts: counts.unwrap_or(true),
        not_before: not_before.flatten(),
    };
    words.into_iter().map(of_words).collect()
}

/// What must be there, once for each of the codes that a list names.
fn all_words(section: &Section<'_>, network: Option<Network>) -> Vec<DeclineWords> {
    let (code, advice_code) = (section.get("code"), section.get("advice_code"));
    let advice = section.get("advice");
    if code.is_none() && advice_code.is_none() && advice.is_none() {
        section.wrong("found none of them, wanted `code`, `advice_code` or `advice`");
        return Vec::new();
    }
    let advice = match advice.map(|v| v.text("words of advice").map(DeclineWords::plain)) {
        Some(None) => return Vec::new(),
        Some(Some(text)) => Some(text.into()),
        None => None,
    };
    let each = |found: Option<Found<'_>>| found.map_or_else(|| vec![None], |v| one_or_many(&v));
    let (codes, advice_codes) = (each(code), each(advice_code));
    let pairs = codes.iter().flat_map(|code| advice_codes.iter().map(move |advice| (code, advice)));
    pairs
        .map(|(code, advice_code)| DeclineWords {
            network,
            code: code.as_deref().map(Into::into),
            advice_code: advice_code.as_deref().map(Into::into),
            advice: advice.clone(),
        })
        .collect()
}

fn one_or_many(found: &Found<'_>) -> Vec<Option<String>> {
    let wanted = "a code such as \"insufficient_fund\", or a list of them";
    let text = |v: &Found<'_>| v.text(wanted).map(|text| Some(text.to_owned()));
    if found.is_text() {
        return text(found).into_iter().collect();
    }
    found.list(wanted).unwrap_or_default().iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_sound() {
        let table = shipped_declines().unwrap();
        assert!(table.rows().len() > 80, "{}", table.rows().len());
        for row in table.rows() {
            let soft = row.kind.is_none_or(|kind| kind.class() == DeclineClass::Soft);
            assert!(soft || row.most_retries.is_none(), "{row:?}");
        }
    }
}
