//! The provider's doorbell: whether who rings is the provider, and what the news are about.
//!
//! Promises: a signature is compared in constant time, over the very bytes that came; of a body only ids are taken, since
//! it is rendered in whatever version the account has, and may be old by the time it is read. Must never know: what
//! follows from the news.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use super::words::{ATTEMPT, INSTALLATION};
use crate::model::{ChargeId, CustomerId};
use crate::omise::Event;

/// An older signature proves who signed, but not that it is not being played again.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// Signatures in one header that are looked at: two while a secret is being changed, and room.
const MOST_SIGNATURES: usize = 4;
/// Bytes of a SHA-256.
const TAG_BYTES: usize = 32;
/// An event's id is no longer.
const LONGEST_ID: usize = 100;

/// A signing secret that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("found something else, wanted a signing secret in base64")]
pub struct NoSecret;

/// The secrets that a signature may be made with: one, or several while it is being changed.
#[derive(Clone)]
pub struct Secrets(Vec<Zeroizing<Vec<u8>>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({} hidden)", self.0.len())
    }
}

/// What a good signature proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The provider signed it just now.
    Fresh,
    /// The provider signed it, at another time: it is proved by asking for the event.
    Stale,
}

impl Secrets {
    /// The secrets as the provider's dashboard shows them.
    ///
    /// # Errors
    /// One of them is no base64, or empty.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, NoSecret> {
        let key = |text: &str| {
            let key = STANDARD.decode(text.trim()).map(Zeroizing::new).map_err(|_| NoSecret)?;
            if key.is_empty() { Err(NoSecret) } else { Ok(key) }
        };
        texts.into_iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// What the signature proves of these bytes; `None`: nothing. `signature` and `stamp` are the headers
    /// `Omise-Signature` and `Omise-Signature-Timestamp`.
    pub fn proof(&self, signature: &str, stamp: &str, body: &[u8], now: Timestamp) -> Option<Proof> {
        let signed_at = read_stamp(stamp)?;
        let tags: Vec<_> = signature.split(',').take(MOST_SIGNATURES).filter_map(read_tag).collect();
        // Every pair is compared, so that the time it takes does not tell which secret is in use.
        let mut good = false;
        for key in &self.0 {
            for tag in &tags {
                good |= is_signed(key, stamp, body, tag);
            }
        }
        let age = now.duration_since(signed_at).abs();
        good.then_some(if age <= FRESH { Proof::Fresh } else { Proof::Stale })
    }
}

fn is_signed(key: &[u8], stamp: &str, body: &[u8], tag: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    mac.update(stamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.verify_slice(tag).is_ok()
}

/// Unix seconds, in digits alone.
fn read_stamp(text: &str) -> Option<Timestamp> {
    let digits = !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    Timestamp::from_second(text.parse().ok().filter(|_| digits)?).ok()
}

/// A tag in hex.
fn read_tag(text: &str) -> Option<[u8; TAG_BYTES]> {
    let text = text.trim().as_bytes();
    let mut tag = [0; TAG_BYTES];
    if text.len() != TAG_BYTES * 2 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, pair) in tag.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(tag)
}

/// What an event is about. Only ids: whoever acts asks for the object itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A charge, with the marks that its metadata carries.
    Charge {
        /// Which.
        charge: ChargeId,
        /// The book that made it; `None`: no mark of any dues.
        installation: Option<Arc<str>>,
        /// The attempt; `None`: no mark.
        attempt: Option<Arc<str>>,
        /// Whether it may have changed after it was first answered: everything but its making and its completion.
        changed: bool,
    },
    /// Money of a charge that was given back, or is disputed.
    Money(ChargeId),
    /// A customer or their cards.
    Customer(CustomerId),
    /// Nothing that concerns us, or nothing that we know.
    Other,
}

/// An event that rang.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// `evnt_…`.
    pub event: Arc<str>,
    /// What it is about.
    pub news: News,
}

/// Reads the body of a webhook; `None`: it holds no event.
pub fn read(body: &[u8]) -> Option<Rung> {
    let event: Event = serde_json::from_slice(body).ok()?;
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let id = event.id.strip_prefix("evnt_").filter(|rest| !rest.is_empty() && rest.bytes().all(sound));
    if event.object != "event" || id.is_none() || event.id.len() > LONGEST_ID {
        return None;
    }
    Some(Rung { news: news(&event), event: event.id.into() })
}

/// What that event is about.
pub(super) fn news(event: &Event) -> News {
    let Some(data) = &event.data else { return News::Other };
    let text = |key: &str| data.get(key).and_then(Value::as_str);
    let charge = |key: &str| text(key).and_then(|id| ChargeId::parse(id).ok());
    let customer = |id: &str| CustomerId::parse(id).map_or(News::Other, News::Customer);
    let mark = |key: &str| data.pointer(&format!("/metadata/{key}")).and_then(Value::as_str).map(Into::into);
    match text("object") {
        Some("charge") => charge("id").map_or(News::Other, |charge| News::Charge {
            charge,
            installation: mark(INSTALLATION),
            attempt: mark(ATTEMPT),
            changed: !matches!(event.key.as_str(), "charge.create" | "charge.complete"),
        }),
        Some("refund" | "dispute") => charge("charge").map_or(News::Other, News::Money),
        Some("customer") => text("id").map_or(News::Other, customer),
        // A card says whose it is by its path alone: /customers/ID/cards/ID.
        Some("card") => {
            let path = text("location").and_then(|path| path.strip_prefix("/customers/"));
            path.and_then(|rest| rest.split('/').next()).map_or(News::Other, customer)
        }
        _ => News::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAMP: &str = "1795320000";
    const BODY: &[u8] = b"{\"object\":\"event\"}";

    fn now(after: i64) -> Timestamp {
        Timestamp::from_second(1_795_320_000 + after).unwrap()
    }

    fn secrets(texts: &[&str]) -> Secrets {
        Secrets::parse(texts.iter().copied()).unwrap()
    }

    fn sign(secret: &str, stamp: &str, body: &[u8]) -> String {
        let key = STANDARD.decode(secret).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(&[stamp.as_bytes(), b".", body].concat());
        let digits: Vec<_> = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    }

    #[test]
    fn a_signature_agrees_with_one_that_another_program_made() {
        // printf '1795320000.{"object":"event"}' | openssl dgst -sha256 -hmac secret
        let wanted = "e2afdc55b53faae754fdf8081488e57e63655a6facefbc5617ec7dcd17e67fd1";
        assert_eq!(secrets(&["c2VjcmV0"]).proof(wanted, STAMP, BODY, now(0)), Some(Proof::Fresh));
        let other = wanted.replace('e', "d");
        assert_eq!(secrets(&["c2VjcmV0"]).proof(&other, STAMP, BODY, now(0)), None);
    }

    #[test]
    fn any_secret_of_a_roll_and_any_value_of_the_header_will_do() {
        let (old, new) = ("b2xkIHNlY3JldA==", "bmV3IHNlY3JldA==");
        let both = secrets(&[old, new]);
        for header in [
            sign(old, STAMP, BODY),
            sign(new, STAMP, BODY),
            format!("{},{}", sign("b3RoZXI=", STAMP, BODY), sign(new, STAMP, BODY)),
            format!("{} , {}", sign(old, STAMP, BODY), "garbage"),
            sign(old, STAMP, BODY).to_uppercase(),
        ] {
            assert_eq!(both.proof(&header, STAMP, BODY, now(0)), Some(Proof::Fresh), "{header}");
        }
        assert_eq!(secrets(&[new]).proof(&sign(old, STAMP, BODY), STAMP, BODY, now(0)), None);
        assert_eq!(secrets(&[]).proof(&sign(old, STAMP, BODY), STAMP, BODY, now(0)), None);
        assert_eq!(Secrets::parse(["not base64!"]).unwrap_err(), NoSecret);
        assert_eq!(Secrets::parse([""]).unwrap_err(), NoSecret);
        assert!(!format!("{both:?}").contains("111"));
    }

    #[test]
    fn five_minutes_make_a_signature_stale() {
        let (all, header) = (secrets(&["c2VjcmV0"]), sign("c2VjcmV0", STAMP, BODY));
        for (after, proof) in
            [(300, Proof::Fresh), (-300, Proof::Fresh), (301, Proof::Stale), (-301, Proof::Stale)]
        {
            assert_eq!(all.proof(&header, STAMP, BODY, now(after)), Some(proof), "{after}");
        }
        for stamp in ["", "-1", "1795320000.0", " 1795320000", "99999999999999999999", "+1795320000"] {
            assert_eq!(all.proof(&sign("c2VjcmV0", stamp, BODY), stamp, BODY, now(0)), None, "{stamp:?}");
        }
    }

    #[test]
    fn an_event_is_read_for_its_ids_alone() {
        let event = |key: &str, data: Value| {
            let body = serde_json::json!({"object": "event", "id": "evnt_test_1", "key": key, "data": data});
            read(body.to_string().as_bytes()).unwrap().news
        };
        let charge = ChargeId::parse("chrg_test_5xyz").unwrap();
        let marks = serde_json::json!({"dues_installation": "abc", "dues_attempt": "sub_1.0.1"});
        let made = event(
            "charge.complete",
            serde_json::json!({"object": "charge", "id": charge, "metadata": marks}),
        );
        let ours = News::Charge {
            charge: charge.clone(),
            installation: Some("abc".into()),
            attempt: Some("sub_1.0.1".into()),
            changed: false,
        };
        assert_eq!(made, ours);
        let refund = serde_json::json!({"object": "refund", "id": "rfnd_test_1", "charge": charge});
        assert_eq!(event("refund.create", refund), News::Money(charge));
        let customer = CustomerId::parse("cust_test_5abc").unwrap();
        let whole = serde_json::json!({"object": "customer", "id": customer});
        assert_eq!(event("customer.update", whole), News::Customer(customer.clone()));
        let card = serde_json::json!({"object": "card", "id": "card_test_1",
            "location": "/customers/cust_test_5abc/cards/card_test_1"});
        assert_eq!(event("card.update", card), News::Customer(customer));
        for other in [serde_json::json!({"object": "transfer"}), Value::Null, serde_json::json!([1])] {
            assert_eq!(event("transfer.create", other), News::Other);
        }
        for id in ["", "evnt_", "evnt_../x", "chrg_test_1"] {
            let body = serde_json::json!({"object": "event", "id": id, "key": "charge.create"});
            assert_eq!(read(body.to_string().as_bytes()), None, "{id}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_at_all_bring_it_down(body in proptest::collection::vec(any::<u8>(), 0..512),
                                         signature in "\\PC{0,200}", stamp in "\\PC{0,20}") {
            let _ = read(&body);
            prop_assert_eq!(secrets(&["c2VjcmV0"]).proof(&signature, &stamp, &body, now(0)), None);
        }

        #[test]
        fn a_signed_body_that_was_touched_is_not_signed(body in proptest::collection::vec(any::<u8>(), 1..256),
                                                        at in any::<prop::sample::Index>(), by in 1u8..) {
            let (all, header) = (secrets(&["c2VjcmV0"]), sign("c2VjcmV0", STAMP, &body));
            prop_assert_eq!(all.proof(&header, STAMP, &body, now(0)), Some(Proof::Fresh));
            let mut other = body.clone();
            let place = at.index(body.len());
            other[place] = other[place].wrapping_add(by);
            prop_assert_eq!(all.proof(&header, STAMP, &other, now(0)), None);
        }

        #[test]
        fn an_event_with_anything_in_it_is_read_or_refused(key in "[a-z.]{0,20}", object in "[a-z]{0,9}",
                                                           id in "\\PC{0,40}", location in "\\PC{0,60}") {
            let data = serde_json::json!({"object": object, "id": id, "location": location, "charge": id});
            let body = serde_json::json!({"object": "event", "id": "evnt_test_1", "key": key, "data": data});
            prop_assert!(read(body.to_string().as_bytes()).is_some());
        }
    }
}
