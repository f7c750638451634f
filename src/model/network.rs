//! The card networks that have rules of their own.

use super::words;

words! {
    /// A card network.
    Network {
        /// Visa.
        Visa = "visa",
        /// Mastercard.
        Mastercard = "mastercard",
        /// JCB.
        Jcb = "jcb",
        /// American Express.
        Amex = "amex",
        /// Discover.
        Discover = "discover",
        /// Diners Club.
        Diners = "diners",
        /// `UnionPay`.
        UnionPay = "unionpay",
    }
}

impl Network {
    /// The network of a card's brand as the provider writes it; `None` for one that we do not know, and for none.
    pub fn of_brand(brand: &str) -> Option<Self> {
        let letters = brand.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase());
        match letters.collect::<String>().as_str() {
            "americanexpress" => Some(Self::Amex),
            "dinersclub" => Some(Self::Diners),
            word => Self::from_word(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brands_are_read_however_they_are_written() {
        for (brand, network) in [
            ("Visa", Some(Network::Visa)),
            ("MasterCard", Some(Network::Mastercard)),
            ("American Express", Some(Network::Amex)),
            ("Diners Club", Some(Network::Diners)),
            ("UnionPay", Some(Network::UnionPay)),
            ("JCB", Some(Network::Jcb)),
            ("Discover", Some(Network::Discover)),
            ("", None),
            ("Elo", None),
        ] {
            assert_eq!(Network::of_brand(brand), network, "{brand}");
        }
    }
}
