//! What a decline and a card are called towards the customer: plain words, never a code, and nothing that would
//! shame or alarm the reader, such as why a card must never be tried again.

use crate::model::{DeclineKind, Language};

/// Why it was declined: one or two sentences.
pub(super) const fn why(decline: DeclineKind, language: Language) -> &'static str {
    let (english, thai, japanese) = match decline {
        DeclineKind::Funds => (
            "Your bank told us that the balance or credit available on the card was not enough at that moment.",
            "ธนาคารแจ้งว่ายอดเงินหรือวงเงินในบัตรไม่เพียงพอ ณ เวลานั้น",
            "カード会社より、その時点でのご利用可能額が不足していたとの連絡がありました。",
        ),
        DeclineKind::Issuer => (
            "Your bank did not approve the payment and did not tell us why.",
            "ธนาคารผู้ออกบัตรไม่อนุมัติรายการ โดยไม่ได้แจ้งเหตุผลให้เราทราบ",
            "カード会社の承認を得られませんでした。理由は当方には知らされていません。",
        ),
        DeclineKind::Technical => (
            "A technical problem on the way stopped the payment. As far as we can tell, your card is fine.",
            "เกิดปัญหาทางเทคนิคระหว่างทำรายการ เท่าที่เราทราบ บัตรของคุณไม่มีปัญหาใด",
            "通信経路の技術的な問題により、お手続きが完了しませんでした。お客様のカードに問題はないと思われます。",
        ),
        DeclineKind::Limit => (
            "The card had reached a limit that your bank sets for payments.",
            "บัตรถึงเพดานการใช้จ่ายที่ธนาคารกำหนดไว้",
            "カード会社が定めるご利用の上限に達していました。",
        ),
        DeclineKind::NewCard => (
            "Your bank told us that this card can no longer be used for this payment.",
            "ธนาคารแจ้งว่าบัตรใบนี้ไม่สามารถใช้ชำระรายการนี้ได้แล้ว",
            "カード会社より、このカードは今回のお支払いにはご利用いただけないとの連絡がありました。",
        ),
        DeclineKind::Customer => (
            "Your bank wants you to allow this payment yourself.",
            "ธนาคารต้องการให้คุณอนุญาตรายการนี้ด้วยตนเอง",
            "カード会社が、お客様ご自身によるお支払いの承認を求めています。",
        ),
        DeclineKind::Never => (
            "Your bank did not accept this card, so we will not use it again.",
            "ธนาคารไม่รับบัตรใบนี้ เราจึงจะไม่ใช้บัตรใบนี้อีก",
            "このカードではカード会社の承認を得られないため、今後は使用いたしません。",
        ),
        DeclineKind::Ours => (
            "The problem was on our side. There is nothing wrong with your card.",
            "ปัญหานี้เกิดจากฝั่งของเรา บัตรของคุณไม่มีปัญหาใด",
            "原因は当方にあり、お客様のカードに問題はございません。",
        ),
    };
    pick(language, english, thai, japanese)
}

/// What the customer can do, depending on whether a try follows by itself.
pub(super) const fn advice(decline: DeclineKind, again: bool, language: Language) -> &'static str {
    let (english, thai, japanese) = match (decline, again) {
        (DeclineKind::Funds, true) => (
            "Please make sure that enough is available on the card by then, or use another card.",
            "กรุณาเตรียมยอดเงินหรือวงเงินให้เพียงพอก่อนวันดังกล่าว หรือเปลี่ยนไปใช้บัตรใบอื่น",
            "それまでにご利用可能額をご確認いただくか、別のカードをご登録ください。",
        ),
        (DeclineKind::Limit, true) => (
            "Your bank can raise the limit for you, or you can use another card.",
            "คุณสามารถขอให้ธนาคารเพิ่มวงเงิน หรือเปลี่ยนไปใช้บัตรใบอื่นได้",
            "カード会社に上限の変更をご相談いただくか、別のカードをご登録ください。",
        ),
        (DeclineKind::Issuer, true) => (
            "Your bank can tell you more. You can also use another card.",
            "คุณสามารถสอบถามรายละเอียดจากธนาคาร หรือเปลี่ยนไปใช้บัตรใบอื่นได้",
            "詳しくはカード会社にお問い合わせいただくか、別のカードをご登録ください。",
        ),
        (DeclineKind::Customer, _) => (
            "Please allow the payment in your bank's app or ask your bank, or use another card.",
            "กรุณาอนุญาตรายการในแอปของธนาคารหรือติดต่อธนาคาร หรือเปลี่ยนไปใช้บัตรใบอื่น",
            "カード会社のアプリで承認していただくか、カード会社にお問い合わせください。別のカードもご利用いただけます。",
        ),
        (DeclineKind::Technical | DeclineKind::Ours, true) => (
            "You do not need to do anything.",
            "คุณไม่ต้องดำเนินการใด ๆ",
            "お客様にお手続きいただくことはございません。",
        ),
        (DeclineKind::Ours, false) => (
            "We are looking into it, and you do not need to do anything.",
            "เรากำลังตรวจสอบ คุณไม่ต้องดำเนินการใด ๆ",
            "当方で確認しておりますので、お客様にお手続きいただくことはございません。",
        ),
        (DeclineKind::Technical, false) => (
            "Please contact us, and we will settle it together.",
            "กรุณาติดต่อเรา เพื่อช่วยกันดำเนินการให้เรียบร้อย",
            "お手数ですが、お支払い方法についてご連絡ください。",
        ),
        (DeclineKind::NewCard | DeclineKind::Never, _)
        | (DeclineKind::Funds | DeclineKind::Issuer | DeclineKind::Limit, false) => (
            "To continue, please use another card.",
            "กรุณาใช้บัตรใบอื่นเพื่อดำเนินการต่อ",
            "お手数ですが、別のカードをご登録ください。",
        ),
    };
    pick(language, english, thai, japanese)
}

/// A card in the middle of a sentence; empty when nothing is known of it.
pub(super) fn card(brand: &str, last_digits: &str, language: Language) -> String {
    match (language, brand, last_digits) {
        (_, "", "") => String::new(),
        (Language::En, "", digits) => format!("card ending in {digits}"),
        (Language::En, brand, "") => format!("{brand} card"),
        (Language::En, brand, digits) => format!("{brand} card ending in {digits}"),
        (Language::Th, "", digits) => format!("บัตรที่ลงท้ายด้วย {digits}"),
        (Language::Th, brand, "") => format!("บัตร {brand}"),
        (Language::Th, brand, digits) => format!("บัตร {brand} ที่ลงท้ายด้วย {digits}"),
        (Language::Ja, brand, "") => format!("{brand}カード"),
        (Language::Ja, brand, digits) => format!("{brand}カード（末尾{digits}）"),
    }
}

const fn pick(
    language: Language,
    english: &'static str,
    thai: &'static str,
    japanese: &'static str,
) -> &'static str {
    match language {
        Language::En => english,
        Language::Th => thai,
        Language::Ja => japanese,
    }
}
