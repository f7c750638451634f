//! The small integers that stand for words in the book.
//!
//! Promises: a number means the same word for ever; the schema's CHECKs name the same pairs. Frequent words have
//! 0 and 1, which take no byte in a row.

use crate::model::{
    AttemptStatus, Channel, Currency, CustomerState, DeclineKind, EventKind, Hold, InvoiceStatus,
    MessageKind, MessageState, PausedBy, SubscriptionStatus,
};

/// A word of the model that the book keeps as a number.
pub(super) trait Coded: Copy + PartialEq + 'static {
    /// Every word, at the place of its number.
    const WORDS: &'static [Self];

    /// Its number; every word has one, which a test holds.
    fn code(self) -> i64 {
        let at = Self::WORDS.iter().position(|word| *word == self);
        at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)
    }

    /// The word of that number; `None`: no such word.
    fn of(code: i64) -> Option<Self> {
        usize::try_from(code).ok().and_then(|at| Self::WORDS.get(at)).copied()
    }
}

macro_rules! coded {
    ($($name:ident: $($word:ident),+;)+) => {$(
        impl Coded for $name {
            const WORDS: &'static [Self] = &[$(Self::$word),+];
        }
    )+};
}

coded! {
    SubscriptionStatus: Trialing, Active, PastDue, Paused, Unpaid, Canceled;
    PausedBy: Person, Dunning;
    InvoiceStatus: Open, Paid, Uncollectible, Void;
    Hold: CatchUp, Rejected, NewCard, Customer, Exhausted, Stopped, Incident;
    AttemptStatus: Intended, Succeeded, Declined, Rejected, NotSent, Absent, Pending, InDoubt, Manual;
    DeclineKind: Funds, Issuer, Technical, Limit, NewCard, Customer, Never, Ours;
    CustomerState: Unread, Present, Gone;
    Currency: Thb, Jpy, Usd, Sgd, Myr, Eur, Gbp, Aud, Cad, Chf, Cny, Dkk, Hkd, Idr;
    EventKind: InvoiceOpened, InvoicePaid, SubscriptionCreated, SubscriptionChanged, SubscriptionPaused,
        SubscriptionResumed, CancelScheduled, SubscriptionCanceled, SubscriptionUnpaid, TrialEnded, PeriodsSkipped,
        InvoiceVoided, InvoiceUncollectible, CatchUpHeld, RetryRequested, AttemptDeclined, AttemptRejected,
        AttemptNotSent, AttemptPending, AttemptInDoubt, AttemptAbsent, AttemptManual, AttemptResolved, Incident,
        FlagRaised, FlagCleared, PlanVersioned, BookAdopted, CardExpiring, CardChanged, ActionReminded,
        ChargeRefunded, ChargeDisputed;
    Channel: Email, Webhook, Command;
    MessageState: Waiting, Sent, GivenUp, Moot;
    MessageKind: InvoiceOpened, InvoicePaid, Declined, ActionNeeded, CardExpiring, NoCard, ExpiredCard, TrialEnding,
        SubscriptionPaused, SubscriptionCanceled, DoubtNeedsPerson, Digest;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every<T: Coded + std::fmt::Debug>(all: &[T]) {
        assert_eq!(all.len(), T::WORDS.len());
        for word in all {
            assert_eq!(T::of(word.code()), Some(*word));
        }
    }

    #[test]
    fn every_word_has_one_number() {
        every(SubscriptionStatus::ALL);
        every(PausedBy::ALL);
        every(InvoiceStatus::ALL);
        every(Hold::ALL);
        every(AttemptStatus::ALL);
        every(DeclineKind::ALL);
        every(CustomerState::ALL);
        every(Currency::ALL);
        every(EventKind::ALL);
        every(Channel::ALL);
        every(MessageState::ALL);
        every(MessageKind::ALL);
    }

    #[test]
    fn the_schema_names_the_same_numbers() {
        fn pairs<T: Coded + std::fmt::Display>() -> String {
            let pair = |word: &T| format!("{} {word}", word.code());
            T::WORDS.iter().map(pair).collect::<Vec<_>>().join(", ")
        }
        // Line breaks and indents of the SQL text do not matter.
        let schema =
            concat!(include_str!("migrations/001_book.sql"), include_str!("migrations/003_messages.sql"));
        let schema = schema.split_whitespace().collect::<Vec<_>>().join(" ");
        for wanted in [
            pairs::<SubscriptionStatus>(),
            pairs::<PausedBy>(),
            pairs::<InvoiceStatus>(),
            pairs::<Hold>(),
            pairs::<AttemptStatus>(),
            pairs::<DeclineKind>(),
            pairs::<CustomerState>(),
            pairs::<Currency>(),
            pairs::<Channel>(),
            pairs::<MessageState>(),
            pairs::<MessageKind>(),
        ] {
            assert!(schema.contains(&wanted), "{wanted}");
        }
        let schema = schema + include_str!("migrations/004_cards.sql");
        for kind in EventKind::ALL {
            assert!(schema.contains(&format!("({}, '{kind}')", kind.code())), "{kind}");
        }
    }
}
