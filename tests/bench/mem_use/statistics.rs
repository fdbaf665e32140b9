//! Means, and how sure they are.

/// Returns the mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Returns the 95 % interval of the mean of paired differences, by the percentile bootstrap.
///
/// Differences with the same name are drawn together: several cuts of one trajectory are not independent.
pub fn interval(pairs: &[f64], names: &[&str], samples: usize, seed: u64) -> (f64, f64) {
    let mut groups: Vec<Vec<f64>> = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    for (pair, name) in pairs.iter().zip(names) {
        match known.iter().position(|known| known == name) {
            Some(at) => groups[at].push(*pair),
            None => {
                known.push(name);
                groups.push(vec![*pair]);
            }
        }
    }
    if groups.is_empty() {
        return (0.0, 0.0);
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut means: Vec<f64> = (0..samples)
        .map(|_| {
            let drawn = (0..groups.len()).map(|_| &groups[random.usize(..groups.len())]);
            let (sum, count) =
                drawn.fold((0.0, 0), |(sum, count), group| (sum + group.iter().sum::<f64>(), count + group.len()));
            sum / count as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    (means[samples * 25 / 1000], means[samples * 975 / 1000 - 1])
}
