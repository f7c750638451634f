//! What a charge says to people: the plan's own words, with the period filled in.

use jiff::civil::Date;

use crate::model::{OpenInvoice, Zone};

/// Used where a plan brings no words of its own.
const DEFAULT: &str = "{plan}, {period_start} to {period_end}";

/// The description of an invoice. Days are those of the subscription's zone; `{period_end}` is the day on which
/// the next period starts, as everywhere else.
pub(super) fn of(open: &OpenInvoice, zone: &Zone) -> String {
    let terms = &open.plan.terms;
    let day = |instant| -> Date { zone.date(instant) };
    let template = terms.description.as_deref().unwrap_or(DEFAULT);
    fill(template, |word| match word {
        "period_start" => Some(day(open.invoice.period.start).to_string()),
        "period_end" => Some(day(open.invoice.period.end).to_string()),
        "plan" => Some(terms.name.clone()),
        "quantity" => Some(open.invoice.quantity.to_string()),
        _ => None,
    })
}

/// Replaces each `{word}` that has a value; what is filled in is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, from_brace)) = rest.split_once('{') {
        text.push_str(before);
        let filled = from_brace.split_once('}').and_then(|(word, after)| Some((value(word)?, after)));
        let (piece, after) = filled.unwrap_or_else(|| ("{".to_owned(), from_brace));
        text.push_str(&piece);
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn words_are_filled_in_once_and_unknown_ones_are_left() {
        let value = |word: &str| (word == "plan").then(|| "{plan} A".to_owned());
        assert_eq!(fill("{plan}: {other} {", value), "{plan} A: {other} {");
        assert_eq!(fill("{{plan}}", value), "{{plan} A}");
    }
}
