//! Days, months and periods as people of a language write them: Thai years are Buddhist, a period ends with its last
//! day, not with the first of the next.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::model::{BillingPeriod, Expiration, Language, Zone};

/// Between our era and the Buddhist one, in years.
const BUDDHIST: i32 = 543;

const ENGLISH: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const THAI: [&str; 12] = [
    "มกราคม",
    "กุมภาพันธ์",
    "มีนาคม",
    "เมษายน",
    "พฤษภาคม",
    "มิถุนายน",
    "กรกฎาคม",
    "สิงหาคม",
    "กันยายน",
    "ตุลาคม",
    "พฤศจิกายน",
    "ธันวาคม",
];

/// `21 November 2026`, `21 พฤศจิกายน 2569`, `2026年11月21日`.
pub(super) fn day(date: Date, language: Language) -> String {
    match language {
        Language::En | Language::Th => {
            format!("{} {}", date.day(), month(date.year(), date.month(), language))
        }
        Language::Ja => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
    }
}

/// The month through which a card works.
pub(super) fn valid_through(expiration: Expiration, language: Language) -> String {
    month(expiration.year(), expiration.month(), language)
}

/// From its first day to its last; one day alone where they are the same.
pub(super) fn period(period: BillingPeriod, zone: &Zone, language: Language) -> String {
    let (first, last) = (zone.date(period.start), last_day(period.end, zone));
    if last <= first {
        return day(first, language);
    }
    let end = day(last, language);
    let same_year = first.year() == last.year();
    let same_month = same_year && first.month() == last.month();
    match language {
        Language::Ja if same_year => {
            format!("{}〜{}月{}日", day(first, language), last.month(), last.day())
        }
        Language::Ja => format!("{}〜{end}", day(first, language)),
        _ if same_month => format!("{}–{end}", first.day()),
        _ if same_year => {
            format!("{} {} – {end}", first.day(), month_name(first.month(), language))
        }
        _ => format!("{} – {end}", day(first, language)),
    }
}

/// The last day that lies before an end: of a period that ends with a midnight, the day before.
pub(super) fn last_day(end: Timestamp, zone: &Zone) -> Date {
    zone.date(end.checked_sub(1.nanosecond()).unwrap_or(end))
}

fn month(year: i16, month: i8, language: Language) -> String {
    let name = month_name(month, language);
    match language {
        Language::En => format!("{name} {year}"),
        Language::Th => format!("{name} {}", i32::from(year) + BUDDHIST),
        Language::Ja => format!("{year}年{month}月"),
    }
}

/// Empty in Japanese, whose months have numbers.
fn month_name(month: i8, language: Language) -> &'static str {
    let names = match language {
        Language::En => &ENGLISH,
        Language::Th => &THAI,
        Language::Ja => return "",
    };
    usize::try_from(month)
        .ok()
        .and_then(|month| names.get(month.checked_sub(1)?))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn spans(start: Date, end: Date) -> Vec<String> {
        let zone = Zone::parse("Asia/Bangkok").unwrap();
        let (start, end) = (zone.start_of(start).unwrap(), zone.start_of(end).unwrap());
        let one = BillingPeriod { index: 0, start, end };
        Language::ALL.iter().map(|language| period(one, &zone, *language)).collect()
    }

    #[test]
    fn a_period_ends_with_its_last_day() {
        assert_eq!(
            spans(date(2026, 11, 1), date(2026, 12, 1)),
            ["1–30 November 2026", "1–30 พฤศจิกายน 2569", "2026年11月1日〜11月30日"]
        );
        assert_eq!(
            spans(date(2026, 11, 15), date(2026, 12, 15)),
            ["15 November – 14 December 2026", "15 พฤศจิกายน – 14 ธันวาคม 2569", "2026年11月15日〜12月14日"]
        );
        assert_eq!(
            spans(date(2026, 12, 15), date(2027, 1, 15)),
            [
                "15 December 2026 – 14 January 2027",
                "15 ธันวาคม 2569 – 14 มกราคม 2570",
                "2026年12月15日〜2027年1月14日"
            ]
        );
        assert_eq!(
            spans(date(2028, 2, 29), date(2028, 3, 1)),
            ["29 February 2028", "29 กุมภาพันธ์ 2571", "2028年2月29日"]
        );
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let (bangkok, utc) = (Zone::parse("Asia/Bangkok").unwrap(), Zone::UTC);
        let at: Timestamp = "2026-11-20T18:00:00Z".parse().unwrap();
        assert_eq!(day(bangkok.date(at), Language::En), "21 November 2026");
        assert_eq!(day(utc.date(at), Language::En), "20 November 2026");
        let midnight: Timestamp = "2026-11-30T17:00:00Z".parse().unwrap();
        assert_eq!(last_day(midnight, &bangkok), date(2026, 11, 30));
    }

    #[test]
    fn every_month_has_its_name() {
        for month in 1..=12 {
            let (english, thai) = (month_name(month, Language::En), month_name(month, Language::Th));
            assert!(!english.is_empty() && !thai.is_empty(), "{month}");
        }
        let december = Expiration::new(12, 2026).unwrap();
        let written: Vec<_> = Language::ALL.iter().map(|l| valid_through(december, *l)).collect();
        assert_eq!(written, ["December 2026", "ธันวาคม 2569", "2026年12月"]);
    }
}
