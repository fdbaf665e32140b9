//! Which method counts for which model.

use super::encoding::Encoding;
use super::method::Method;

const O200K: Method = Method::Exact { encoding: Encoding::O200kBase };
const CL100K: Method = Method::Exact { encoding: Encoding::Cl100kBase };

/// Claude 3 to 4.6. Sources: `sammcj/ingest` (fitted to Anthropic's `count_tokens`): 1.18; coder's `ai-tokenizer`: 1.14 to
/// 1.20 for Latin text, 1.32 for CJK.
const CLAUDE: Method = estimated(1.18, 1.10, 1.35);
/// Claude 4.7 and later. Sources: `sammcj/ingest`: 1.53; Anthropic: the new tokenizer makes 1.0 to 1.35 times as many.
const CLAUDE_NEW: Method = estimated(1.53, 1.15, 1.75);
/// Gemini and Gemma share a vocabulary. Sources: `ai-tokenizer`: 1.08; Gemma 3 measured on text, code and JSON.
const GEMINI: Method = estimated(1.10, 0.93, 1.20);
/// Llama 3, measured on text, code, JSON and base64.
const LLAMA_3: Method = estimated(1.00, 0.96, 1.05);
/// Everything else, from the spread of Qwen, DeepSeek, Mistral and Kimi.
const REST: Method = estimated(1.05, 0.86, 1.20);

/// The first Claude version with the newer tokenizer.
const CLAUDE_NEW_FROM: (u32, u32) = (4, 7);

/// What an OpenAI model name begins with, once `ft:`, `chat` and a vendor are taken away. The first match decides.
const OPENAI: &[(&str, Method)] = &[
    ("gpt-4o", O200K),
    ("gpt-4.1", O200K),
    ("gpt-4.5", O200K),
    ("gpt-5", O200K),
    ("gpt-oss", O200K),
    ("gpt-4", CL100K),
    ("gpt-3.5", CL100K),
    ("gpt-35", CL100K),
];

const fn estimated(factor: f32, low: f32, high: f32) -> Method {
    Method::Estimated { basis: Encoding::O200kBase, factor, low, high }
}

/// Returns how tokens of `model` are counted; an unknown name gives the widest estimate.
///
/// Names may carry a provider, region, date or version: `claude-opus-4-5-20251101`, `anthropic/claude-sonnet-4.5`,
/// `us.anthropic.claude-sonnet-4-20250514-v1:0`, `openai/gpt-4o-mini`. A Claude name without version (`opus`) means the
/// newest.
pub fn method_for(model: &str) -> Method {
    let name = model.trim().to_ascii_lowercase();
    let name = name.rsplit('/').next().unwrap_or_default();
    if let Some((_, rest)) = name.split_once("claude") {
        return if claude_version(rest).is_none_or(|version| version >= CLAUDE_NEW_FROM) { CLAUDE_NEW } else { CLAUDE };
    }
    if name.split_once("gemini").or_else(|| name.split_once("gemma")).is_some() {
        return GEMINI;
    }
    if name.contains("llama3") || name.contains("llama-3") || name.contains("llama_3") {
        return LLAMA_3;
    }
    if matches!(name, "opus" | "sonnet" | "haiku" | "fable") {
        return CLAUDE_NEW;
    }
    openai(name).unwrap_or(REST)
}

/// Reads the version from what follows `claude`: the first one or two groups of one or two digits, so never a date.
fn claude_version(rest: &str) -> Option<(u32, u32)> {
    let number = |group: &str| if group.len() <= 2 { group.parse::<u32>().ok() } else { None };
    let mut groups = rest.split(|character: char| !character.is_ascii_alphanumeric());
    let major = groups.find_map(number)?;
    Some((major, groups.next().and_then(number).unwrap_or(0)))
}

fn openai(name: &str) -> Option<Method> {
    // `openai.gpt-oss-120b`, `ft:gpt-4o:org`, `chatgpt-4o-latest`; but not `mygpt-4`.
    let name = ["openai.", "ft:", "chat"].iter().fold(name, |name, lead| name.strip_prefix(lead).unwrap_or(name));
    let series = name.strip_prefix('o').and_then(|rest| rest.as_bytes().split_first());
    if series.is_some_and(|(digit, rest)| digit.is_ascii_digit() && matches!(rest.first(), None | Some(b'-' | b':'))) {
        return Some(O200K);
    }
    OPENAI.iter().find(|(lead, _)| starts_with_name(name, lead)).map(|(_, method)| *method)
}

/// `gpt-4` begins `gpt-4-turbo`, but not `gpt-4x` or `gpt-4.2`; versions of a generation (`gpt-5.1`) belong to it.
fn starts_with_name(name: &str, lead: &str) -> bool {
    match name.strip_prefix(lead).map(|rest| rest.as_bytes().first()) {
        Some(None | Some(b'-' | b':' | b'@')) => true,
        Some(Some(b'.')) => lead == "gpt-5",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_providers_write_them_find_their_family() {
        let expected: &[(&[&str], Method)] = &[
            (
                &[
                    "gpt-4o",
                    "openai/gpt-4o-mini",
                    "chatgpt-4o-latest",
                    "gpt-4.1-nano",
                    "gpt-5",
                    "GPT-5.1-codex",
                    "gpt-5-mini",
                ],
                O200K,
            ),
            (
                &[
                    "o1",
                    "o3-mini",
                    "o4-mini-2025-04-16",
                    "openai/o3",
                    "openai.gpt-oss-120b-1:0",
                    "ft:gpt-4o:acme",
                    "gpt-4.5-preview",
                ],
                O200K,
            ),
            (
                &["gpt-4", "gpt-4-turbo-2024-04-09", "gpt-3.5-turbo", "gpt-35-turbo-16k", "ft:gpt-3.5-turbo:acme"],
                CL100K,
            ),
            (
                &[
                    "claude-opus-4-5-20251101",
                    "claude-sonnet-4-20250514",
                    "claude-3-5-sonnet-20241022",
                    "anthropic/claude-sonnet-4.5",
                    "us.anthropic.claude-sonnet-4-20250514-v1:0",
                    "anthropic.claude-3-haiku-20240307-v1:0",
                    "claude-opus-4-5@20251101",
                    "claude-opus-4-6[1m]",
                    "claude-2.1",
                ],
                CLAUDE,
            ),
            (
                &[
                    "claude-opus-4-7",
                    "claude-opus-5",
                    "claude-fable-5-1",
                    "claude-opus-5-5-20260901",
                    "global.anthropic.claude-opus-4-8-v1:0",
                    "opus",
                ],
                CLAUDE_NEW,
            ),
            (&["gemini-2.5-pro", "google/gemini-3-pro-preview", "gemma-3-27b-it"], GEMINI),
            (&["llama-3.3-70b-versatile", "meta.llama3-1-8b-instruct-v1:0", "meta-llama/Llama-3-8B"], LLAMA_3),
            (
                &[
                    "",
                    "qwen3-coder",
                    "deepseek-v3",
                    "gpt-6-astra",
                    "gpt-j-6b",
                    "mygpt-4",
                    "gpt-4x",
                    "olmo-3",
                    "o200k",
                    "llama-2",
                ],
                REST,
            ),
        ];
        for (names, method) in expected {
            for name in *names {
                assert_eq!(method_for(name), *method, "{name}");
            }
        }
    }
}
