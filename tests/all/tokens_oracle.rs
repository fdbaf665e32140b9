//! Counts equal those of `tiktoken-rs`, which carries OpenAI's vocabularies and patterns.
//!
//! `GITTRACE_FUZZ=100000 cargo test --release --test oracle` runs more cases.

use git_trace::tokens::Encoding;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tiktoken_rs::CoreBPE;

static O200K: LazyLock<CoreBPE> = LazyLock::new(|| tiktoken_rs::o200k_base().expect("the embedded vocabulary loads"));
static CL100K: LazyLock<CoreBPE> = LazyLock::new(|| tiktoken_rs::cl100k_base().expect("the embedded vocabulary loads"));

const ENCODINGS: [Encoding; 2] = [Encoding::O200kBase, Encoding::Cl100kBase];

fn oracle(encoding: Encoding, text: &str) -> u64 {
    let bpe = match encoding {
        Encoding::O200kBase => &*O200K,
        Encoding::Cl100kBase => &*CL100K,
    };
    bpe.encode_ordinary(text).len() as u64
}

fn agree(text: &str) -> Result<(), String> {
    for encoding in ENCODINGS {
        let (own, theirs) = (encoding.count(text), oracle(encoding, text));
        if own != theirs {
            let shown: String = text.chars().take(200).collect();
            return Err(format!("{encoding}: {own} here, {theirs} by tiktoken-rs, for {shown:?}"));
        }
    }
    Ok(())
}

#[rustfmt::skip]
const EDGES: &[&str] = &[
    " ", "  ", "\t", "\n", "\r", "\r\n", "\n\n", "\u{85}", "\u{a0}", "\u{2028}", "\u{3000}", "\u{200b}", "\u{b}",
    "'", "'s", "'S", "'ſ", "'t", "'re", "'RE", "'Ve", "'ll", "'lL", "'m", "'d", "'l", "'r", "’s", "ſ", "K",
    "a", "b", "A", "Z", "é", "É", "ß", "ǅ", "ʰ", "ª", "ⅷ", "²", "½", "٣", "1", "23", "456", "7890",
    "\u{301}", "\u{300}\u{301}", "\u{fe0f}", "\u{20e3}", "\u{93e}", "क", "中", "文", "日本", "ー", "한", "ᄒ", "ไ", "ท",
    "Ж", "ж", "об", "Ω", "ώ", "א", "ب", "მა", "😀", "👨‍👩‍👧", "🇩🇪", "\u{200d}", ".", ",", "!", "/", "//", "-", "_", "==",
    "<|endoftext|>", "{", "}", "\"", "\\", "，", "。", "word", "Word", "WORD", "camelCase", "HTTPServer", "\u{0}",
    "\u{7f}", "\u{10ffff}", "\u{e000}", "\u{feff}", "the", " of", "123456", "0x1F", "https://", "€", "½",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        10 => proptest::sample::select(EDGES).prop_map(str::to_owned),
        3 => any::<char>().prop_map(String::from),
        2 => proptest::char::range('\u{0}', '\u{7f}').prop_map(String::from),
        2 => proptest::char::range('\u{80}', '\u{7ff}').prop_map(String::from),
        2 => proptest::char::range('\u{800}', '\u{ffff}').prop_map(String::from),
        1 => proptest::char::range('\u{4e00}', '\u{9fff}').prop_map(String::from),
        1 => "[ \t\r\n]{1,6}",
        1 => "[a-zA-Z]{1,12}",
        1 => "[\u{400}-\u{4ff}]{1,12}",
        1 => "[\u{4e00}-\u{5fff}\u{3000}-\u{30ff}]{1,100}",
        1 => (any::<char>(), 1..200_usize).prop_map(|(character, n)| std::iter::repeat_n(character, n).collect()),
        1 => (proptest::sample::select(EDGES), 1..200_usize).prop_map(|(edge, n)| edge.repeat(n)),
    ]
}

fn cases() -> u32 {
    std::env::var("GITTRACE_FUZZ").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_counts_as_tiktoken_counts_it(parts in proptest::collection::vec(piece(), 0..24)) {
        agree(&parts.concat()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn any_bytes_count_as_their_lossy_text(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let lossy = String::from_utf8_lossy(&bytes);
        for encoding in ENCODINGS {
            prop_assert_eq!(encoding.count_bytes(&bytes), oracle(encoding, &lossy));
        }
    }
}

#[test]
fn every_pair_and_triple_of_edges_counts_as_tiktoken_counts_it() -> Result<(), String> {
    for first in EDGES {
        for second in EDGES {
            agree(&format!("{first}{second}"))?;
            agree(&format!("x{first}{second} y"))?;
            agree(&format!("{first}{first}{second}'s"))?;
            agree(&format!("\u{301}{first}{second}\n"))?;
        }
    }
    Ok(())
}

#[test]
fn every_assigned_scalar_value_counts_as_tiktoken_counts_it() -> Result<(), String> {
    // The letters around each character show its class; the line ends keep the pieces apart.
    let mut text = String::new();
    let unassigned = |scalar: u32| (0x3_4000..0xE_0000).contains(&scalar) || scalar > 0xE_0FFF;
    for character in '\0'..=char::MAX {
        let scalar = character as u32;
        if unassigned(scalar) && !scalar.is_multiple_of(997) {
            continue;
        }
        text.push_str("aB");
        text.push(character);
        text.push_str("Ab\n");
        if text.len() > 40_000 {
            agree(&text)?;
            text.clear();
        }
    }
    agree(&text)
}

#[test]
fn tricky_texts_count_as_tiktoken_counts_them() -> Result<(), String> {
    let texts = [
        "",
        "Hello, world!",
        "It'ſ I'M we'LL they've o'clock 'tis ''s '\u{17f}x",
        "\r\n\r\n  indented\t\ttabs \n \n\n   ",
        "trailing spaces   ",
        "   \u{3000} \u{a0}x",
        "1234567890 12.5e-7 ²³½ ٣٤٥٦",
        "//////\n////\n / /\r\n/",
        "HTTPServerXMLParser getHTTPResponseCode ABCʰDEFʰ ǅǆ",
        "\u{301}ABC \u{301}abc !\u{301}x !!\u{301}x",
        "<|endoftext|><|fim_prefix|><|start|>",
        "的中国人民共和国，在一九四九年。",
        "Привет, как дела? объект",
        "\u{0}\u{1}\u{2}\u{7f}\u{80}\u{feff}",
        "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪1️⃣",
        "fn main() {\n\tlet x = vec![0u8; 1_000];\n}\n",
        "{\"a\":[1,2,{\"b\":null}],\"c\":\"\\u00e9\"}",
    ];
    texts.into_iter().try_for_each(agree)
}

#[test]
fn long_runs_count_as_tiktoken_counts_them() -> Result<(), String> {
    // Around the limit between the two ways of merging; and long white space, which tiktoken-rs survives up to 700,000.
    for unit in ["a", "A", " ", "\n", "-", "=", "é", "中", "ж", "\u{301}", "ab", "的中", "0", "\t ", "😀"] {
        for length in [1, 63, 64, 65, 126, 127, 128, 129, 130, 131, 255, 256, 257, 1_000, 20_000] {
            agree(&unit.repeat(length))?;
            agree(&format!("x{}y", unit.repeat(length)))?;
        }
    }
    Ok(())
}

#[test]
fn a_run_of_megabytes_is_counted() {
    // 4 MB, or a tenth without optimisation. tiktoken-rs agrees on the first two, and overflows a stack on the third.
    let bytes = if cfg!(debug_assertions) { 400_000 } else { 4_000_000 };
    for (character, bytes_per_token) in [('a', 8), ('中', 3), (' ', 128)] {
        let text: String = std::iter::repeat_n(character, bytes / character.len_utf8()).collect();
        assert_eq!(Encoding::O200kBase.count(&text), bytes as u64 / bytes_per_token, "{character:?}");
    }
}

#[test]
fn a_run_above_the_window_is_counted_within_a_few_tokens() {
    let text = "中".repeat(3_000_000);
    assert!(Encoding::O200kBase.count(&text).abs_diff(3_000_000) <= 8);
}

#[test]
fn real_transcripts_count_as_tiktoken_counts_them() -> Result<(), String> {
    let root = std::env::var_os("GITTRACE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from)
        .join("transcripts");
    let mut lines = 0;
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "jsonl") {
                let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                for line in String::from_utf8_lossy(&bytes).lines() {
                    lines += 1;
                    agree(line)?;
                }
            }
        }
    }
    println!("{}", if lines == 0 { "skipped: no transcripts".to_owned() } else { format!("{lines} lines") });
    Ok(())
}
