//! Prefix codes of bounded length for the symbols of one deflate block (RFC 1951, section 3.2.2).

/// A prefix code for up to `N` symbols; symbols that do not occur have length 0.
pub(super) struct Code<const N: usize> {
    /// Bits per symbol.
    pub(super) lengths: [u8; N],
    /// The bits themselves, first bit lowest, as they are written.
    pub(super) bits: [u16; N],
}

impl<const N: usize> Code<N> {
    /// Makes the best code for these frequencies in which no symbol has more than `max` bits (nearly the best if the best
    /// has longer ones). At least two symbols get a code, since some decoders refuse less.
    ///
    /// `max` bits must have room for all `N` symbols.
    pub(super) fn new(frequencies: &[u16; N], max: u8) -> Self {
        let mut weights = *frequencies;
        for symbol in 0..2 {
            if weights.iter().filter(|&&weight| weight > 0).count() < 2 {
                weights[symbol] = weights[symbol].max(1);
            }
        }
        let mut lengths = lengths(&weights);
        // Flatter weights make a flatter code; when all are 1 no code is longer than the logarithm of N, rounded up.
        while lengths.iter().any(|&length| length > max) {
            for weight in &mut weights {
                *weight = weight.div_ceil(2);
            }
            lengths = self::lengths(&weights);
        }
        Self::from_lengths(lengths)
    }

    /// Numbers the codes in the standard's order: by length, then by symbol.
    pub(super) fn from_lengths(lengths: [u8; N]) -> Self {
        let mut counts = [0u16; 17];
        for &length in &lengths {
            counts[usize::from(length)] += 1;
        }
        counts[0] = 0;
        let mut next = [0u16; 17];
        for length in 1..16 {
            next[length + 1] = (next[length] + counts[length]) << 1;
        }
        let mut bits = [0; N];
        for (bits, &length) in bits.iter_mut().zip(&lengths).filter(|(_, length)| **length > 0) {
            let code = &mut next[usize::from(length)];
            *bits = code.reverse_bits() >> (16 - length);
            *code += 1;
        }
        Self { lengths, bits }
    }
}

/// The lengths of the best code without a bound, by the two-queue way: leaves sorted by weight, and the nodes made of
/// them, which come out sorted by themselves.
fn lengths<const N: usize>(weights: &[u16; N]) -> [u8; N] {
    let mut leaves = [0u32; N];
    let mut count = 0;
    for (symbol, &weight) in (0u32..).zip(weights).filter(|(_, weight)| **weight > 0) {
        leaves[count] = u32::from(weight) << 16 | symbol;
        count += 1;
    }
    let leaves = &mut leaves[..count];
    leaves.sort_unstable();

    // Node numbers: leaves first, then inner nodes in the order in which they are made, the root last.
    let mut inner = [0u32; N];
    let mut parents = [[0u16; 2]; N];
    let (mut leaf, mut node) = (0, 0);
    for made in 0..count.saturating_sub(1) {
        let mut take = || {
            let lighter_leaf = leaf < count && (node >= made || leaves[leaf] >> 16 <= inner[node]);
            let (from, kind) = if lighter_leaf { (&mut leaf, 0) } else { (&mut node, 1) };
            let weight = if kind == 0 { leaves[*from] >> 16 } else { inner[*from] };
            // `parents[i]` holds the parent of leaf i and of inner node i.
            parents[*from][kind] = u16::try_from(made).expect("an alphabet has at most 288 symbols");
            *from += 1;
            weight
        };
        inner[made] = take() + take();
    }

    // The root, made last, is at depth 0; every other node is made before its parent.
    let mut depths = [0u8; N];
    for made in (0..count.saturating_sub(2)).rev() {
        depths[made] = depths[usize::from(parents[made][1])].saturating_add(1);
    }
    let mut lengths = [0; N];
    for (at, &leaf) in leaves.iter().enumerate().filter(|_| count > 1) {
        lengths[(leaf & 0xffff) as usize] = depths[usize::from(parents[at][0])].saturating_add(1);
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sum of 2^-length in units of 2^-15: a code is complete when it is one.
    fn kraft(lengths: &[u8]) -> u32 {
        lengths.iter().filter(|&&length| length > 0).map(|&length| 1 << (15 - length)).sum()
    }

    proptest! {
        #[test]
        fn codes_are_complete_and_bounded(weights in proptest::array::uniform19(prop_oneof![Just(0u16), any::<u16>(), 1u16..5])) {
            for max in [5, 7, 15] {
                let code = Code::new(&weights, max);
                prop_assert_eq!(kraft(&code.lengths), 1 << 15);
                prop_assert!(code.lengths.iter().all(|&length| length <= max));
                for (&weight, &length) in weights.iter().zip(&code.lengths) {
                    prop_assert!(weight == 0 || length > 0);
                }
            }
        }
    }

    #[test]
    fn fibonacci_weights_are_cut_to_the_bound() {
        let mut weights = [0u16; 22];
        let (mut low, mut high) = (1u16, 1u16);
        for weight in &mut weights {
            *weight = low;
            (low, high) = (high, low.saturating_add(high));
        }
        let code = Code::new(&weights, 15);
        assert_eq!(kraft(&code.lengths), 1 << 15);
        assert!(code.lengths.iter().all(|&length| length <= 15));
    }

    #[test]
    fn the_standard_s_example_gets_the_standard_s_codes() {
        // RFC 1951, section 3.2.2: lengths 3 3 3 3 3 2 4 4 give 010 011 100 101 110 00 1110 1111.
        let code = Code::from_lengths([3, 3, 3, 3, 3, 2, 4, 4]);
        let written: Vec<String> = (0..8)
            .map(|at| (0..code.lengths[at]).map(|bit| if code.bits[at] >> bit & 1 == 1 { '1' } else { '0' }).collect())
            .collect();
        assert_eq!(written, ["010", "011", "100", "101", "110", "00", "1110", "1111"]);
    }
}
