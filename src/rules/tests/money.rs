//! Money is counted exactly or refused.

use proptest::prelude::*;

use crate::model::{Currency, Money, Quantity};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sums_of_money_are_exact_or_refused(a in 0_i64..i64::MAX, b in 0_i64..i64::MAX, n in 1_u32..=Quantity::MAX) {
        let thb = Currency::Thb;
        let (left, right) = (Money::new(a, thb).unwrap(), Money::new(b, thb).unwrap());
        let sum = i128::from(a) + i128::from(b);
        prop_assert_eq!(left.checked_add(right).ok().map(|m| i128::from(m.minor())), (sum <= i128::from(i64::MAX)).then_some(sum));
        let product = i128::from(a) * i128::from(n);
        let found = left.checked_mul(Quantity::new(n).unwrap()).ok().map(|m| i128::from(m.minor()));
        prop_assert_eq!(found, (product <= i128::from(i64::MAX)).then_some(product));
        prop_assert_eq!(left.to_string().parse::<Money>().unwrap(), left);
        prop_assert!(left.checked_add(Money::zero(Currency::Jpy)).is_err());
    }
}
