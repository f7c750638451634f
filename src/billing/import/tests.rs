//! Import files, good and bad, line by line.

use super::{ImportFile, ImportLine};
use crate::model::{Quantity, SubscriptionId, Zone};

fn read(text: &str) -> Vec<Result<ImportLine, String>> {
    let mut file = ImportFile::open(text.as_bytes()).unwrap();
    std::iter::from_fn(|| file.next_line()).map(|line| line.map_err(|bad| bad.to_string())).collect()
}

#[test]
fn a_line_says_what_it_says() {
    let lines = read(
        "\u{feff}customer, plan ,id,starts,paid_through,quantity,card,zone,metadata.crm\n\
         cust_1,pro,s1,2026-01-31,2026-02-27,3,card_1,Asia/Tokyo,\"a \"\"b\"\", c\"\n\
         cust_2,pro,,,,,,,\n",
    );
    let first = lines[0].as_ref().unwrap();
    assert_eq!((first.line, first.id.as_ref().map(SubscriptionId::as_str)), (2, Some("s1")));
    assert_eq!(first.paid_through.map(|day| day.to_string()).as_deref(), Some("2026-02-27"));
    assert_eq!((first.quantity.get(), first.zone.as_ref().map(Zone::name)), (3, Some("Asia/Tokyo")));
    assert_eq!(first.metadata.as_deref(), Some(r#"{"crm":"a \"b\", c"}"#));
    let second = lines[1].as_ref().unwrap();
    assert_eq!((second.line, second.quantity), (3, Quantity::ONE));
    assert!(second.id.is_none() && second.starts.is_none() && second.metadata.is_none());
}

#[test]
fn every_bad_line_is_named_with_all_that_is_wrong() {
    let lines = read(
        "customer,plan,id,starts,quantity\n\
         cust_1,pro,a,2026-01-31,1\n\
         ,pro,b,,\n\
         card_1,p!,c,31.01.2026,0\n\
         cust_1,pro,a,,\n\
         cust_1,pro\n\
         cust_1,pro,d,2026-02-30,\n\
         cust_2,pro,e,,2\n",
    );
    let wanted = [
        None,
        Some("line 3: customer: found nothing, wanted a value"),
        Some(
            "line 4: customer id: found \"card_1\", wanted an Omise customer, such as \
             cust_test_5xuy4w91xqz7d1w9u0t; plan: found \"p!\", wanted 1 to 64 letters, digits, '_' or '-'; \
             starts: found \"31.01.2026\", wanted a date such as 2026-11-21; found quantity 0, wanted 1 to 1000000",
        ),
        Some("line 5: id: found a a second time, wanted each id once"),
        Some("line 6: found 2 fields, wanted 5 as in the heading"),
        Some("line 7: starts: found \"2026-02-30\", wanted a date such as 2026-11-21"),
        None,
    ];
    let said: Vec<Option<&str>> = lines.iter().map(|line| line.as_ref().err().map(String::as_str)).collect();
    assert_eq!(said, wanted);
}

#[test]
fn a_heading_has_known_columns_once() {
    for (heading, said) in [
        ("customer,name\n", "line 1: found unknown column \"name\", wanted customer, plan, and optionally"),
        ("plan\n", "line 1: found no column \"customer\""),
        ("customer,plan,plan\n", "line 1: found column \"plan\" a second time"),
        ("customer,plan,metadata.\n", "line 1: found unknown column \"metadata.\""),
        ("", "line 1: found no column \"customer\""),
    ] {
        let bad = ImportFile::open(heading.as_bytes()).map(|_| ()).unwrap_err().to_string();
        assert!(bad.starts_with(said), "{bad}");
    }
}

#[test]
fn bytes_that_are_no_text_are_a_bad_line() {
    let mut file = ImportFile::open(b"customer,plan\ncust_\xff,pro\ncust_1,pro\n").unwrap();
    assert!(file.next_line().unwrap().unwrap_err().to_string().contains("line 2: found bytes"));
    assert!(file.next_line().unwrap().is_ok());
    assert!(file.next_line().is_none());
}
