//! Numbers out of many numbers.

/// Value below which this share of the values lies (nearest rank); none of none.
pub(super) fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Middle value; none of none.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    percentile(values, 50)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], percent: usize, expect: Option<f64>) {
        assert_eq!(percentile(values, percent), expect);
    }

    #[test]
    fn ranks_are_the_nearest() {
        let ten: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        check(&ten, 50, Some(5.0));
        check(&ten, 99, Some(10.0));
        check(&ten, 100, Some(10.0));
        check(&ten, 0, Some(1.0));
        check(&[7.0], 50, Some(7.0));
        check(&[], 50, None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    }
}
