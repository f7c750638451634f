//! Whatever bytes an answer holds, reading it as any object ends in a value or an error.

#![no_main]

use bytes::Bytes;
use dues::omise::{
    Account, ApiObject, Balance, Capability, Card, Charge, Customer, Event, List, Occurrence, Refund, Reply,
    Schedule, Search, Token,
};
use libfuzzer_sys::fuzz_target;

fn read<'a, T: serde::Deserialize<'a> + ApiObject>(reply: &'a Reply) {
    if let Err(error) = reply.parse::<T>() {
        assert!(!error.to_string().is_empty());
    }
}

fuzz_target!(|body: &[u8]| {
    let body = Bytes::copy_from_slice(body);
    let mut reply = Reply { status: 200, provider_date: None, request_id: None, retry_after: None, body };
    read::<Charge>(&reply);
    read::<Customer>(&reply);
    read::<Card>(&reply);
    read::<Refund>(&reply);
    read::<Token>(&reply);
    read::<Event>(&reply);
    read::<Schedule>(&reply);
    read::<Occurrence>(&reply);
    read::<Account>(&reply);
    read::<Balance>(&reply);
    read::<Capability>(&reply);
    read::<List<Charge>>(&reply);
    read::<List<Customer>>(&reply);
    read::<Search<Charge>>(&reply);
    reply.status = 404;
    read::<Charge>(&reply);
});
