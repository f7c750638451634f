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
        Some("line 5: id: found \"a\" a second time, wanted each id once"),
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
fn a_quote_out_of_place_is_a_bad_line_among_the_others() {
    let lines = read(
        "customer,plan,id,metadata.n\r\n\
         cust_1,pro,a,\"two\r\nlines, \"\"here\"\"\"\r\n\
         \r\n\
         cust_2,pro,b,\"Bob\" Smith\r\n\
         nobody,pro,c,5\" pipe\r\n\
         cust_4,pro,d, \"x, y\"\r\n\
         cust_5,pro,e,5\" pipe\r\n\
         cust_6,pro,f,\"Al\r\n\
         cust_7,pro,g,Cy\r\n",
    );
    let metadata = |place: usize| lines[place].as_ref().unwrap().metadata.clone();
    assert_eq!(metadata(0).as_deref(), Some(r#"{"n":"two\r\nlines, \"here\""}"#));
    assert_eq!(metadata(4).as_deref(), Some(r#"{"n":"5\" pipe"}"#));
    assert_eq!((lines[0].as_ref().unwrap().line, lines[4].as_ref().unwrap().line), (2, 8));
    let wanted = [
        "line 5: found text behind the closing quote of a field, wanted",
        "line 6: customer id: found \"nobody\", wanted",
        "line 7: found blanks before the opening quote of a field",
        "line 9: found a quote that is never closed",
    ];
    let said: Vec<&String> = lines.iter().filter_map(|line| line.as_ref().err()).collect();
    assert_eq!((lines.len(), said.len()), (6, 4), "{said:?}");
    for (said, wanted) in said.iter().zip(wanted) {
        assert!(said.starts_with(wanted), "{said}");
    }
}

#[test]
fn a_heading_that_is_never_closed_is_the_bad_line() {
    let bad = ImportFile::open(b"customer,plan,\"metadata.n\ncust_1,pro,x\n").map(|_| ()).unwrap_err();
    assert!(bad.to_string().starts_with("line 1: found a quote that is never closed"), "{bad}");
}

/// The reader and what follows it must agree on where records end, else a fault would be told of another line.
#[test]
fn any_text_is_cut_into_lines_alike() {
    let pieces = ["\"", "\"\"", ",", "\r", "\n", "\r\n", " ", "x", "\n\n"];
    let texts = (0..9_usize.pow(4)).map(|n| {
        let picks = (0..4).map(|place| pieces[n / 9_usize.pow(place) % 9]);
        picks.collect::<String>()
    });
    for text in texts {
        let text = format!("customer,plan\n{text}\ncust_1,pro\n");
        let mut file = ImportFile::open(text.as_bytes()).unwrap();
        let lines: Vec<_> = std::iter::from_fn(|| file.next_line()).collect();
        let swallowed =
            lines.iter().any(|line| matches!(line, Err(bad) if bad.reason.contains("never closed")));
        let last = text.matches('\n').count() as u64;
        let read = matches!(lines.last(), Some(Ok(line)) if line.line == last);
        assert!(swallowed != read, "{text:?}: {lines:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_a_bad_line() {
    let mut file = ImportFile::open(b"customer,plan\ncust_\xff,pro\ncust_1,pro\n").unwrap();
    assert!(file.next_line().unwrap().unwrap_err().to_string().contains("line 2: found bytes"));
    assert!(file.next_line().unwrap().is_ok());
    assert!(file.next_line().is_none());
}
