//! Deflates one short object into one block (RFC 1951, sections 3.2.5 to 3.2.7).

use super::{
    huffman::Code,
    matches::{Matcher, Token},
};

/// Literals 0 to 255, the end of the block, and 29 classes of lengths.
const SYMBOLS: usize = 286;
const END: usize = 256;
const DISTANCES: usize = 30;
/// The order in which the lengths of the code for lengths are written.
const LENGTH_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Writes objects of at most [`super::matches::MAX_INPUT`] bytes as one deflate block each.
pub(super) struct BlockWriter {
    matcher: Matcher,
    tokens: Vec<Token>,
    fixed: (Code<288>, Code<DISTANCES>),
}

impl BlockWriter {
    /// Makes a writer for a deflate level of 1 to 9.
    pub(super) fn new(level: u8) -> Self {
        let fixed = std::array::from_fn(|symbol| match symbol {
            0..=143 => 8,
            144..=255 => 9,
            256..=279 => 7,
            _ => 8,
        });
        let fixed = (Code::from_lengths(fixed), Code::from_lengths([5; DISTANCES]));
        Self { matcher: Matcher::new(level), tokens: Vec::new(), fixed }
    }

    /// Appends `bytes` as the only block of a stream.
    pub(super) fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.matcher.split(bytes, &mut self.tokens);
        let (mut symbols, mut distances, mut extra) = ([0u16; SYMBOLS], [0u16; DISTANCES], 0u32);
        for &token in &self.tokens {
            match token {
                Token::Literal(byte) => symbols[usize::from(byte)] += 1,
                Token::Repeat { len, distance } => {
                    let (len, distance) = (length_class(len), distance_class(distance));
                    symbols[len.symbol] += 1;
                    distances[distance.symbol] += 1;
                    extra += len.bits + distance.bits;
                }
            }
        }
        symbols[END] = 1;
        let (fixed, fixed_distances) = &self.fixed;
        let fixed_cost = cost(&symbols, &fixed.lengths) + cost(&distances, &fixed_distances.lengths) + extra;

        let code = Code::new(&symbols, 15);
        let distance_code = Code::new(&distances, 15);
        let header = Header::new(&code.lengths, &distance_code.lengths);
        let own_cost = header.cost + cost(&symbols, &code.lengths) + cost(&distances, &distance_code.lengths) + extra;

        let mut bits = Bits { out, pending: 0, count: 0 };
        bits.push(1, 1);
        if fixed_cost <= own_cost {
            bits.push(1, 2);
            write_tokens(&mut bits, &self.tokens, fixed, fixed_distances);
        } else {
            bits.push(2, 2);
            header.write(&mut bits);
            write_tokens(&mut bits, &self.tokens, &code, &distance_code);
        }
        bits.end();
    }
}

fn write_tokens<const N: usize>(bits: &mut Bits<'_>, tokens: &[Token], code: &Code<N>, distances: &Code<DISTANCES>) {
    for &token in tokens {
        match token {
            Token::Literal(byte) => bits.push_symbol(code, usize::from(byte)),
            Token::Repeat { len, distance } => {
                for (class, is_len) in [(length_class(len), true), (distance_class(distance), false)] {
                    if is_len {
                        bits.push_symbol(code, class.symbol);
                    } else {
                        bits.push_symbol(distances, class.symbol);
                    }
                    bits.push(class.value, class.bits);
                }
            }
        }
    }
    bits.push_symbol(code, END);
}

fn cost(frequencies: &[u16], lengths: &[u8]) -> u32 {
    frequencies.iter().zip(lengths).map(|(&times, &length)| u32::from(times) * u32::from(length)).sum()
}

/// A length or a distance: its symbol, and what follows it to tell which one of its class it is.
struct Class {
    symbol: usize,
    bits: u32,
    value: u32,
}

/// The classes of lengths: eight of one length each, then four for each power of two; the longest has one of its own.
fn length_class(len: u16) -> Class {
    let over = u32::from(len) - 3;
    if over < 8 {
        return Class { symbol: 257 + over as usize, bits: 0, value: 0 };
    }
    if over == 255 {
        return Class { symbol: 285, bits: 0, value: 0 };
    }
    let bits = over.ilog2() - 2;
    Class { symbol: 257 + (4 * (bits + 1) + ((over >> bits) & 3)) as usize, bits, value: over & ((1 << bits) - 1) }
}

/// The classes of distances: four of one distance each, then two for each power of two.
fn distance_class(distance: u16) -> Class {
    let over = u32::from(distance) - 1;
    if over < 4 {
        return Class { symbol: over as usize, bits: 0, value: 0 };
    }
    let bits = over.ilog2() - 1;
    Class { symbol: (2 * (bits + 1) + ((over >> bits) & 1)) as usize, bits, value: over & ((1 << bits) - 1) }
}

/// The two codes of a block, told by their lengths, which are run-length encoded and have a code themselves.
struct Header {
    symbols: usize,
    distances: usize,
    /// Symbol (a length, or 16 to 18 for a run), bits of the run's length, the run's length.
    runs: Vec<(usize, u32, u32)>,
    code: Code<19>,
    /// How many of the 19 lengths are written.
    shown: usize,
    /// In bits.
    cost: u32,
}

impl Header {
    fn new(symbols: &[u8; SYMBOLS], distances: &[u8; DISTANCES]) -> Self {
        let used = |lengths: &[u8], least| {
            least + lengths[least..].iter().rposition(|&length| length > 0).map_or(0, |at| at + 1)
        };
        let (symbol_count, distance_count) = (used(symbols, 257), used(distances, 1));
        let mut lengths = [0; SYMBOLS + DISTANCES];
        let lengths = &mut lengths[..symbol_count + distance_count];
        lengths[..symbol_count].copy_from_slice(&symbols[..symbol_count]);
        lengths[symbol_count..].copy_from_slice(&distances[..distance_count]);

        let mut runs = Vec::with_capacity(lengths.len());
        for run in lengths.chunk_by(|left, right| left == right) {
            push_runs(&mut runs, usize::from(run[0]), run.len());
        }
        let mut frequencies = [0; 19];
        for &(symbol, ..) in &runs {
            frequencies[symbol] += 1;
        }
        let code = Code::new(&frequencies, 7);
        let shown = LENGTH_ORDER.iter().rposition(|&symbol| code.lengths[symbol] > 0).map_or(4, |at| (at + 1).max(4));
        let run_bits: u32 = runs.iter().map(|(_, bits, _)| bits).sum();
        let cost = 14 + 3 * shown as u32 + cost(&frequencies, &code.lengths) + run_bits;
        Self { symbols: symbol_count, distances: distance_count, runs, code, shown, cost }
    }

    fn write(&self, bits: &mut Bits<'_>) {
        bits.push(self.symbols as u32 - 257, 5);
        bits.push(self.distances as u32 - 1, 5);
        bits.push(self.shown as u32 - 4, 4);
        for &symbol in &LENGTH_ORDER[..self.shown] {
            bits.push(u32::from(self.code.lengths[symbol]), 3);
        }
        for &(symbol, count, value) in &self.runs {
            bits.push_symbol(&self.code, symbol);
            bits.push(value, count);
        }
    }
}

/// Tells `count` equal lengths: 17 and 18 stand for 3 to 10 and 11 to 138 zeros, 16 for 3 to 6 more of the last.
fn push_runs(runs: &mut Vec<(usize, u32, u32)>, length: usize, count: usize) {
    let mut left = count;
    if length > 0 {
        runs.push((length, 0, 0));
        left -= 1;
    }
    while left >= 3 {
        let (symbol, bits, least, most) = match (length, left) {
            (0, 11..) => (18, 7, 11, 138),
            (0, _) => (17, 3, 3, 10),
            _ => (16, 2, 3, 6),
        };
        let taken = left.min(most);
        runs.push((symbol, bits, (taken - least) as u32));
        left -= taken;
    }
    runs.extend(std::iter::repeat_n((length, 0, 0), left));
}

/// Bits on their way into bytes, the first one lowest.
struct Bits<'a> {
    out: &'a mut Vec<u8>,
    pending: u64,
    count: u32,
}

impl Bits<'_> {
    /// Appends at most 16 bits.
    fn push(&mut self, value: u32, count: u32) {
        self.pending |= u64::from(value) << self.count;
        self.count += count;
        if self.count >= 32 {
            self.out.extend_from_slice(&(self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.count -= 32;
        }
    }

    fn push_symbol<const N: usize>(&mut self, code: &Code<N>, symbol: usize) {
        self.push(u32::from(code.bits[symbol]), u32::from(code.lengths[symbol]));
    }

    /// Fills the last byte with zeros.
    fn end(self) {
        let bytes = self.count.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.pending.to_le_bytes()[..bytes]);
    }
}
