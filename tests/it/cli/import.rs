//! `dues import`: all or nothing, every bad line named.

use super::Shop;

#[test]
fn a_good_file_is_imported_whole() {
    let shop = Shop::new();
    shop.write(
        "in.csv",
        "customer,plan,id,starts,paid_through,quantity,card,zone,metadata.crm\n\
         cust_test_1,pro-monthly,a,2026-01-31,2026-03-15,2,card_test_1,Asia/Tokyo,c-1\n\
         cust_test_2,team-yearly,,2031-01-01,,,,,\n",
    );
    let dry = shop.dues(&["import", "in.csv", "--dry-run", "--json"]).ok().json();
    assert_eq!((dry["imported"].as_u64(), dry["lines"].as_u64()), (Some(0), Some(2)));
    assert!(!shop.path("book").exists(), "judging lines made a book");
    assert_eq!(shop.dues(&["import", "in.csv"]).ok().stdout, "2 subscriptions imported\n");
    let rows = shop.dues(&["list", "subscriptions", "--json"]).ok().rows();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["id"], "a");
    assert_eq!(rows[0]["anchor"], "2026-01-31T00:00:00+09:00");
    assert_eq!(rows[0]["metadata"]["crm"], "c-1");
    // 31 January and 28 February were billed elsewhere; 31 March is the first that is charged here.
    assert_eq!(rows[0]["next_due_at"], "2026-03-31T00:00:00+09:00");
    assert_eq!((&rows[1]["status"], rows[1]["quantity"].as_u64()), (&"trialing".into(), Some(1)));
    assert_eq!(rows[1]["next_due_at"], "2031-01-15T00:00:00+07:00");
    let why = shop.dues(&["why", "a", "--json"]).ok().json();
    assert_eq!(why["skipped"][0]["reason"], "billed_elsewhere");
}

#[test]
fn one_bad_line_stops_all_of_them() {
    let shop = Shop::new();
    shop.write(
        "in.csv",
        "customer,plan,id\ncust_test_1,pro-monthly,a\ncust_test_2,gold,b\nnobody,pro-monthly,c\ncust_test_4,pro-monthly,a\n",
    );
    for more in [&[][..], &["--dry-run"]] {
        let args = [&["import", "in.csv"], more].concat();
        shop.dues(&args).fails(
            2,
            &[
                "in.csv: line 3: plan: found \"gold\", wanted one of pro-monthly, team-yearly",
                "in.csv: line 4: customer id: found \"nobody\", wanted an Omise customer",
                "in.csv: line 5: id: found \"a\" a second time",
                "3 bad lines; nothing was imported",
            ],
        );
    }
    assert!(!shop.path("book").exists(), "a refused import made a book");
    shop.write("in.csv", "customer,plan,id\ncust_test_1,pro-monthly,a\n");
    shop.dues(&["import", "in.csv"]).ok();
    shop.dues(&["import", "in.csv"]).fails(2, &["line 2: id: found \"a\", which is in the book already"]);
    shop.write("in.csv", "customer,plan\n");
    shop.dues(&["import", "in.csv"]).fails(2, &["found no line below the heading"]);
}

#[test]
fn a_quote_that_is_never_closed_loses_nobody() {
    let shop = Shop::new();
    let heading = "id,customer,plan,metadata.name\n";
    let rest = "qb,cust_test_2,pro-monthly,Al\nqc,cust_test_3,pro-monthly,Cy\n";
    for (first, said) in [
        ("\"Bob", "in.csv: line 2: found a quote that is never closed"),
        ("\"Bob\" Smith", "in.csv: line 2: found text behind the closing quote"),
    ] {
        shop.write("in.csv", &format!("{heading}qa,cust_test_1,pro-monthly,{first}\n{rest}"));
        shop.dues(&["import", "in.csv", "--dry-run"]).fails(2, &[said, "1 bad line; nothing was imported"]);
        shop.dues(&["import", "in.csv"]).fails(2, &[said, "1 bad line; nothing was imported"]);
    }
    assert!(!shop.path("book").exists(), "a refused import made a book");
    shop.write("in.csv", &format!("{heading}qa,cust_test_1,pro-monthly,\"Bob\n\"\"Al\"\"\"\n{rest}"));
    assert_eq!(shop.dues(&["import", "in.csv"]).ok().stdout, "3 subscriptions imported\n");
    let rows = shop.dues(&["list", "subscriptions", "--json"]).ok().rows();
    assert_eq!(rows[0]["metadata"]["name"], "Bob\n\"Al\"");
}

#[test]
fn what_is_counted_agrees_with_its_number() {
    let shop = Shop::new();
    shop.write("in.csv", "customer,plan,starts\ncust_test_1,pro-monthly,2026-01-01\n");
    assert_eq!(
        shop.dues(&["import", "in.csv", "--dry-run"]).ok().stdout,
        "1 line is good; nothing was written\n"
    );
    assert_eq!(shop.dues(&["import", "in.csv"]).ok().stdout, "1 subscription imported\n");
    shop.write("in.csv", "customer,plan,starts\ncust_test_1\n");
    shop.dues(&["import", "in.csv"]).fails(2, &["line 2: found 1 field, wanted 3"]);
}

#[test]
fn one_period_that_has_ended_is_told_in_the_singular() {
    let shop = Shop::new();
    // Months have 28 to 31 days: one has ended, the second is under way.
    let starts = jiff::Zoned::now().date().checked_sub(jiff::Span::new().days(40)).unwrap();
    shop.write("in.csv", &format!("customer,plan,starts\ncust_test_1,pro-monthly,{starts}\n"));
    let told = shop.dues(&["import", "in.csv"]).ok().stderr;
    assert!(told.contains("1 period of 1 subscription has ended already and is invoiced"), "{told}");
    let date = starts.to_string();
    let words = ["subscribe", "--customer", "cust_test_2", "--plan", "pro-monthly", "--starts", &date];
    let done = shop.dues(&words).ok();
    let wanted =
        format!("1 period of {} has ended already: the next run invoices it; it is", done.stdout.trim());
    assert!(done.stderr.contains(&wanted), "{}", done.stderr);
}

#[test]
fn the_diary_says_of_an_imported_subscription_what_it_says_of_a_subscribed_one() {
    let shop = Shop::new();
    let subscribed = ["subscribe", "--customer", "cust_test_1", "--plan", "team-yearly", "--quantity", "12"];
    shop.dues(&subscribed).ok();
    shop.write("in.csv", "id,customer,plan,quantity\nmine,cust_test_2,team-yearly,12\n");
    shop.dues(&["import", "in.csv"]).ok();
    let rows = shop.dues(&["list", "events", "--status", "subscription_created", "--json"]).ok().rows();
    assert_eq!(rows[0]["data"]["plan"], "team-yearly", "{rows:?}");
    assert_eq!(rows[0]["data"], rows[1]["data"]);
    let why = shop.dues(&["why", "mine"]).ok().stdout;
    let created = why.lines().find(|line| line.contains("subscription_created")).unwrap();
    assert!(created.contains(r#""plan":"team-yearly""#) && created.contains(r#""quantity":12"#), "{created}");
}
