//! Amounts as people of a language write them. Exact: digits are moved, nothing is calculated.

use crate::model::{Currency, Language, Money};

/// `฿1,290.00`, `1,290.00 บาท`, `1,290.00バーツ`; yen without decimals.
pub(super) fn amount(money: Money, language: Language) -> String {
    let number = grouped(&money.number());
    let name = name(money.currency(), language);
    match language {
        Language::En => format!("{name}{number}"),
        Language::Th => format!("{number} {name}"),
        Language::Ja => format!("{number}{name}"),
    }
}

/// Sums in several currencies, one after the other; empty for none.
pub(super) fn amounts(sums: &[Money], language: Language) -> String {
    let between = if language == Language::Ja { "、" } else { ", " };
    sums.iter().map(|sum| amount(*sum, language)).collect::<Vec<_>>().join(between)
}

/// A count with its thousands apart.
pub(super) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A comma between every three digits before the point.
fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(w, f)| (w, Some(f)));
    let mut text = String::with_capacity(number.len() + number.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// What stands beside the number: before it in English, after it elsewhere. No sign that two countries share.
const fn name(currency: Currency, language: Language) -> &'static str {
    let (english, thai, japanese) = match currency {
        Currency::Aud => ("A$", "ดอลลาร์ออสเตรเลีย", "豪ドル"),
        Currency::Cad => ("C$", "ดอลลาร์แคนาดา", "カナダドル"),
        Currency::Chf => ("CHF ", "ฟรังก์สวิส", "スイスフラン"),
        Currency::Cny => ("CN¥", "หยวน", "人民元"),
        Currency::Dkk => ("DKK ", "โครนเดนมาร์ก", "デンマーククローネ"),
        Currency::Eur => ("€", "ยูโร", "ユーロ"),
        Currency::Gbp => ("£", "ปอนด์", "ポンド"),
        Currency::Hkd => ("HK$", "ดอลลาร์ฮ่องกง", "香港ドル"),
        Currency::Idr => ("Rp ", "รูเปียห์", "ルピア"),
        Currency::Jpy => ("JP¥", "เยน", "円"),
        Currency::Myr => ("RM ", "ริงกิต", "リンギット"),
        Currency::Sgd => ("S$", "ดอลลาร์สิงคโปร์", "シンガポールドル"),
        Currency::Thb => ("฿", "บาท", "バーツ"),
        Currency::Usd => ("US$", "ดอลลาร์สหรัฐ", "米ドル"),
    };
    match language {
        Language::En => english,
        Language::Th => thai,
        Language::Ja => japanese,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_write_them() {
        let cases = [
            ("990.00 THB", "฿990.00", "990.00 บาท", "990.00バーツ"),
            ("1234567.05 THB", "฿1,234,567.05", "1,234,567.05 บาท", "1,234,567.05バーツ"),
            ("1480 JPY", "JP¥1,480", "1,480 เยน", "1,480円"),
            ("0.05 USD", "US$0.05", "0.05 ดอลลาร์สหรัฐ", "0.05米ドル"),
            ("100 MYR", "RM 100.00", "100.00 ริงกิต", "100.00リンギット"),
        ];
        for (text, english, thai, japanese) in cases {
            let money: Money = text.parse().unwrap();
            let written = Language::ALL.iter().map(|language| amount(money, *language)).collect::<Vec<_>>();
            assert_eq!(written, [english, thai, japanese], "{text}");
        }
    }

    #[test]
    fn the_largest_amount_and_count_are_exact() {
        let most = Money::new(i64::MAX, Currency::Thb).unwrap();
        assert_eq!(amount(most, Language::En), "฿92,233,720,368,547,758.07");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(count(0), "0");
    }

    #[test]
    fn no_two_currencies_look_alike() {
        for language in Language::ALL {
            let mut names: Vec<_> = Currency::ALL.iter().map(|currency| name(*currency, *language)).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), Currency::ALL.len(), "{language}");
        }
    }
}
