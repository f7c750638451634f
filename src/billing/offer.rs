//! What is sold: the plans that a subscription may be put on, and of every other one why not.
//!
//! Promises: nobody is put on a plan that is no longer wished, or on terms that are not the wished ones; who has such a
//! plan already keeps it. Must never know: where the wishes are written.

use std::collections::HashMap;

use crate::model::{PlanKey, PlanTerms, PlanVersion};

/// Names told beside a plan that was withdrawn.
const MOST_NAMES: usize = 5;

/// The plans that are sold, and why others are not.
#[derive(Clone, Debug)]
pub struct Offer {
    sold: Vec<PlanVersion>,
    refused: HashMap<PlanKey, String>,
}

impl Offer {
    /// Of the newest version of each plan in the book those that are wished in these terms.
    pub fn new(book: Vec<PlanVersion>, wished: &[(PlanKey, PlanTerms)]) -> Self {
        let wish = |key: &PlanKey| wished.iter().find(|(name, _)| name == key).map(|(_, terms)| terms);
        let (sold, rest): (Vec<_>, Vec<_>) =
            book.into_iter().partition(|plan| wish(&plan.key) == Some(&plan.terms));
        let is_sold = |key: &PlanKey| sold.iter().any(|plan| plan.key == *key);
        let waiting = wished.iter().map(|(key, _)| key).filter(|key| !is_sold(key));
        let mut refused: HashMap<_, _> = waiting.map(|key| (key.clone(), not_yet(key))).collect();
        let withdrawn = rest.iter().map(|plan| &plan.key).filter(|key| wish(key).is_none());
        refused.extend(withdrawn.map(|key| (key.clone(), withdrawn_one(key, &sold))));
        Self { sold, refused }
    }

    /// The plans that are sold.
    pub fn plans(&self) -> &[PlanVersion] {
        &self.sold
    }

    /// A sentence for each plan that is known and not sold.
    pub const fn refused(&self) -> &HashMap<PlanKey, String> {
        &self.refused
    }

    /// The plan of that name.
    ///
    /// # Errors
    /// Why it is not sold, as a sentence.
    pub fn find(&self, key: &PlanKey) -> Result<&PlanVersion, String> {
        let plan = self.sold.iter().find(|plan| plan.key == *key);
        plan.ok_or_else(|| self.refused.get(key).cloned().unwrap_or_else(|| unknown(key, &self.sold)))
    }
}

fn unknown(key: &PlanKey, sold: &[PlanVersion]) -> String {
    let known: Vec<&str> = sold.iter().map(|plan| plan.key.as_str()).collect();
    format!("plan: found {:?}, wanted one of {}", key.as_str(), known.join(", "))
}

/// The nearest names first: a plan is most often gone because it has another name now.
fn withdrawn_one(key: &PlanKey, sold: &[PlanVersion]) -> String {
    let mut names: Vec<&str> = sold.iter().map(|plan| plan.key.as_str()).collect();
    names.sort_by_cached_key(|name| strsim::damerau_levenshtein(key.as_str(), name));
    names.truncate(MOST_NAMES);
    format!(
        "plan: found {:?}, which is in the book but no longer in the config, so it is not sold: wanted one of the config's, \
         such as {}",
        key.as_str(),
        names.join(", ")
    )
}

fn not_yet(key: &PlanKey) -> String {
    format!(
        "plan: found {:?}, which the book does not have in the config's terms yet, and no key to hold its price against \
         the account's limits: `dues plans apply` with the key brings it, or a reload of the service",
        key.as_str()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        DunningPolicy, EndAction, Interval, PlanVersionId, RetrySchedule, Unit, Wait, WaitUnit,
    };

    fn key(name: &str) -> PlanKey {
        PlanKey::parse(name).unwrap()
    }

    fn terms(price: &str) -> PlanTerms {
        let retry = RetrySchedule::Ladder(vec![Wait::new(2, WaitUnit::Day).unwrap()]);
        PlanTerms {
            name: "Pro".into(),
            price: price.parse().unwrap(),
            every: Interval::new(1, Unit::Month).unwrap(),
            trial: None,
            description: None,
            dunning: DunningPolicy::plain("standard".into(), retry, None, EndAction::Pause),
        }
    }

    fn version(name: &str, price: &str) -> PlanVersion {
        PlanVersion { id: PlanVersionId(1), key: key(name), version: 1, terms: terms(price) }
    }

    #[test]
    fn what_is_in_book_and_config_alike_is_sold_and_nothing_else() {
        let book = vec![
            version("basic", "90.00 THB"),
            version("old-basic", "80.00 THB"),
            version("pro", "900.00 THB"),
        ];
        let wished = [
            (key("basic"), terms("90.00 THB")),
            (key("pro"), terms("950.00 THB")),
            (key("team"), terms("1.00 THB")),
        ];
        let offer = Offer::new(book, &wished);
        let sold: Vec<&str> = offer.plans().iter().map(|plan| plan.key.as_str()).collect();
        assert_eq!((sold, offer.refused().len()), (vec!["basic"], 3));
        assert_eq!(offer.find(&key("basic")).unwrap().terms.price.minor(), 9_000);
        let table = [
            (
                "old-basic",
                "in the book but no longer in the config, so it is not sold: wanted one of the config's, such as basic",
            ),
            ("pro", "which the book does not have in the config's terms yet, and no key"),
            ("team", "which the book does not have in the config's terms yet, and no key"),
            ("gold", "plan: found \"gold\", wanted one of basic"),
        ];
        for (name, said) in table {
            let why = offer.find(&key(name)).unwrap_err();
            assert!(why.contains(said) && why.contains(name), "{name}: {why}");
        }
    }

    #[test]
    fn the_nearest_names_come_first_and_few_of_them() {
        let names = ["aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd", "eeeeeeee", "pro-monthly"];
        let mut book: Vec<_> = names.iter().map(|name| version(name, "90.00 THB")).collect();
        let wished: Vec<_> = names.iter().map(|name| (key(name), terms("90.00 THB"))).collect();
        book.push(version("pro-month", "90.00 THB"));
        let why = Offer::new(book, &wished).find(&key("pro-month")).unwrap_err();
        assert!(why.contains("such as pro-monthly, ") && !why.contains("eeeeeeee"), "{why}");
    }
}
