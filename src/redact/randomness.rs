//! Telling a random string from a word: entropy, changes of character class, placeholders.

/// Shannon entropy of the bytes, in bits per byte: 0 to 8.
pub(super) fn entropy(value: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let total = value.len() as f32;
    counts
        .iter()
        .filter(|n| **n > 0)
        .map(|n| {
            let share = *n as f32 / total;
            -share * share.log2()
        })
        .sum()
}

/// Reports whether a value looks drawn at random rather than composed of words: it has letters and digits, and the
/// class of character (lower, upper, digit) changes often.
pub(super) fn looks_random(value: &[u8]) -> bool {
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    if digits == 0 || letters == 0 {
        return false;
    }
    let bits = entropy(value);
    let least = if value.len() <= 16 { 2.8 } else { 3.1 };
    bits >= least && changes(value) * 11 >= (digits + letters) * 3
}

/// Reports whether a value is hexadecimal in both cases. Machines print one case; both are in what was typed by hand
/// and in addresses with a checksum in their capitals (EIP-55), which are public.
pub(super) fn is_mixed_hex(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_hexdigit)
        && value.iter().any(u8::is_ascii_lowercase)
        && value.iter().any(u8::is_ascii_uppercase)
}

/// Counts the places where the class of character changes; a capital before a small letter does not count.
pub(super) fn changes(value: &[u8]) -> usize {
    let class = |b: u8| match b {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    let turns = |pair: &[u8]| match (class(pair[0]), class(pair[1])) {
        (Some(left), Some(right)) => left != right && (left, right) != (2, 1),
        _ => false,
    };
    value.windows(2).filter(|pair| turns(pair)).count()
}

/// Words that tell an example from a secret.
const EXAMPLES: [&[u8]; 16] = [
    b"example",
    b"sample",
    b"changeme",
    b"change_me",
    b"change-me",
    b"placeholder",
    b"your_",
    b"your-",
    b"yourt",
    b"yourp",
    b"yours",
    b"xxxx",
    b"****",
    b"redacted",
    b"dummy",
    b"insert",
];

/// Reports whether a value stands for a secret that is elsewhere: a variable, a template, an ellipsis, an example.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let Some(first) = value.first() else {
        return true;
    };
    matches!(first, b'$' | b'<' | b'[' | b'@' | b'(' | b'*')
        || value.starts_with(b"{{")
        || (*first == b'%' && value.ends_with(b"%"))
        || [&b"${"[..], b"$(", b"{{", b"}}", b"...", b"<%", b"%(", b"\xe2\x80\xa6"].iter().any(|s| find(value, s))
        || same_byte(value)
        || {
            let lower = value.to_ascii_lowercase();
            EXAMPLES.iter().any(|word| find(&lower, word)) || WEAK.contains(&lower.as_slice())
        }
}

/// Values that are no secrets even where one is expected.
const WEAK: [&[u8]; 24] = [
    b"password",
    b"passwd",
    b"passphrase",
    b"username",
    b"user",
    b"pass",
    b"pwd",
    b"secret",
    b"token",
    b"null",
    b"none",
    b"nil",
    b"true",
    b"false",
    b"undefined",
    b"string",
    b"test",
    b"foo",
    b"bar",
    b"yyy",
    b"xxx",
    b"hello",
    b"api_key",
    b"apikey",
];

/// Reports whether fewer than three different bytes make up the value.
fn same_byte(value: &[u8]) -> bool {
    let mut seen: Vec<u8> = Vec::with_capacity(3);
    for byte in value {
        if !seen.contains(byte) {
            seen.push(*byte);
            if seen.len() > 2 {
                return false;
            }
        }
    }
    value.len() > 4
}

/// Reports whether `needle` is in `haystack`.
fn find(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_random_and_keys_are() {
        for word in ["ultraPictureBox1", "NEXUS-GPT4-API-KEY", "sumOfValuesInRange2", "web21prodx", "HelloWorld2024"] {
            assert!(!looks_random(word.as_bytes()), "{word}");
        }
        for key in ["Zf3D0LXCM3EIMbgJpUNnkRtOfOueHznB", "6da89121079f83b2eb6acccf8219ea98", "3fea6af1349166ea"] {
            assert!(looks_random(key.as_bytes()), "{key}");
        }
    }
}
