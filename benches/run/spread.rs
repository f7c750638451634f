//! Some measurements of one thing: their median, the lowest, the highest.

/// One or more measurements, in any unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread(Vec<f64>);

impl Spread {
    /// Of these; nothing is left out.
    pub fn new(measured: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measured.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self(sorted)
    }

    /// Each of the first by the one at its place in the second: turns are compared with their neighbours.
    pub fn ratios(ours: &[f64], theirs: &[f64]) -> Self {
        Self::new(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs))
    }

    /// All of them so many times as large; `factor` is positive.
    pub fn times(&self, factor: f64) -> Self {
        Self(self.0.iter().map(|one| one * factor).collect())
    }

    /// The middle one, or between the middle two; 0 of nothing.
    pub fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        match (self.0.len() % 2, self.0.get(middle.wrapping_sub(1)), self.0.get(middle)) {
            (0, Some(below), Some(above)) => f64::midpoint(*below, *above),
            (1, _, Some(middle)) => *middle,
            _ => 0.0,
        }
    }

    /// The lowest.
    pub fn low(&self) -> f64 {
        self.0.first().copied().unwrap_or(0.0)
    }

    /// The highest.
    pub fn high(&self) -> f64 {
        self.0.last().copied().unwrap_or(0.0)
    }
}
