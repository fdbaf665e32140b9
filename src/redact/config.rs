//! A repository's own rules, in the format of gitleaks (`.gitleaks.toml`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;

use super::allow::{Allowlist, Pattern, Target};
use super::randomness::entropy;

/// Largest configuration read, bytes.
const LARGEST: usize = 1024 * 1024;

/// Most rules taken from a configuration.
const RULES: usize = 400;

/// Most large patterns compiled for a configuration: each costs milliseconds.
const LARGE: usize = 100;

/// A repository's own rules and allow lists, to be merged with the built-in rules.
///
/// The format is that of gitleaks: <https://github.com/gitleaks/gitleaks#configuration>. The built-in rules always
/// stay; `disabledRules` switches single ones off.
#[derive(Debug, Default)]
pub struct Config {
    pub(super) rules: Vec<OwnRule>,
    pub(super) allow: Vec<Arc<Allowlist>>,
    /// Allow lists for one rule, built-in or own.
    pub(super) allow_for: BTreeMap<String, Vec<Arc<Allowlist>>>,
    pub(super) disabled: BTreeSet<String>,
    warnings: Vec<ConfigWarning>,
}

/// A part of a configuration that could not be used; the rest is in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unusable {part} in rule '{rule}': {reason}")]
pub struct ConfigWarning {
    /// Id of the rule, or `allowlist` for a global allow list, or `extend`.
    pub rule: String,
    /// What could not be used, such as `regex`.
    pub part: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// A configuration that cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is larger than what is read.
    #[error("configuration of {size} bytes is too large: at most {limit} bytes are read")]
    TooLarge {
        /// Its size, bytes.
        size: usize,
        /// Largest size read, bytes.
        limit: usize,
    },
    /// It is no TOML, or not of this format.
    #[error("malformed gitleaks configuration: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
}

/// A rule of the repository.
#[derive(Debug)]
pub(super) struct OwnRule {
    pub id: String,
    pub pattern: Pattern,
    pub group: usize,
    pub entropy: f32,
    /// Lower case; none means that the rule is always tried.
    pub words: Vec<String>,
    pub path: Option<Pattern>,
}

/// What an own rule found: the secret and all that was matched.
pub(super) struct OwnHit {
    pub secret: Range<usize>,
    pub whole: Range<usize>,
}

impl OwnRule {
    /// Finds every secret of this rule. `path` names the file that the text comes from, where there is one.
    pub(super) fn find(&self, text: &[u8], lower: &[u8], path: Option<&str>) -> Vec<OwnHit> {
        let elsewhere = self.path.as_ref().is_some_and(|own| {
            !path.is_some_and(|path| own.get().is_some_and(|regex| regex.is_match(path.as_bytes())))
        });
        let woken =
            self.words.is_empty() || self.words.iter().any(|w| memchr::memmem::find(lower, w.as_bytes()).is_some());
        let Some(regex) = (if elsewhere || !woken { None } else { self.pattern.get() }) else {
            return Vec::new();
        };
        let mut hits = Vec::new();
        for groups in regex.captures_iter(text) {
            let Some(whole) = groups.get(0) else { continue };
            // Like gitleaks: the named group, else the first one, else all of it.
            let group = if self.group > 0 { groups.get(self.group) } else { groups.get(1).filter(|g| !g.is_empty()) };
            let secret = group.unwrap_or(whole).range();
            if !secret.is_empty() && (self.entropy == 0.0 || entropy(&text[secret.clone()]) > self.entropy) {
                hits.push(OwnHit { secret: whole_characters(text, secret), whole: whole.range() });
            }
        }
        hits
    }
}

/// Widens a range so that it cuts no UTF-8 character.
fn whole_characters(text: &[u8], range: Range<usize>) -> Range<usize> {
    let inside = |at: usize| text.get(at).is_some_and(|b| b & 0xc0 == 0x80);
    let start = (range.start.saturating_sub(3)..=range.start).rev().find(|at| !inside(*at)).unwrap_or(range.start);
    let end = (range.end..=range.end + 3).find(|at| !inside(*at)).unwrap_or(range.end);
    start..end.min(text.len())
}

impl Config {
    /// Reads a `.gitleaks.toml`.
    ///
    /// A rule whose pattern cannot be used is left out and reported by [`warnings`](Self::warnings): one with
    /// look-around or back references, or one that compiles to more than 512 KiB.
    ///
    /// # Errors
    ///
    /// When the text is larger than 1 MiB, no TOML, or not of this format.
    pub fn from_gitleaks_toml(text: &str) -> Result<Self, ConfigError> {
        if text.len() > LARGEST {
            return Err(ConfigError::TooLarge { size: text.len(), limit: LARGEST });
        }
        let file: File =
            toml::from_str(text).map_err(|error| ConfigError::Malformed { reason: error.message().to_owned() })?;
        let mut config = Self::default();
        let mut large = LARGE;
        config.disabled.extend(file.extend.disabled_rules);
        if file.extend.path.is_some() || file.extend.url.is_some() {
            config.warn("extend", "path", "other configurations are not read".to_owned());
        }
        for list in file.allowlist.into_iter().chain(file.allowlists) {
            let rules = list.target_rules.clone();
            let list = Arc::new(config.allowlist("allowlist", list, &mut large));
            if rules.is_empty() {
                config.allow.push(list);
            } else {
                for rule in rules {
                    config.allow_for.entry(rule).or_default().push(Arc::clone(&list));
                }
            }
        }
        for rule in file.rules {
            config.rule(rule, &mut large);
        }
        Ok(config)
    }

    /// What could not be used.
    pub fn warnings(&self) -> &[ConfigWarning] {
        &self.warnings
    }

    fn warn(&mut self, rule: &str, part: &'static str, reason: String) {
        self.warnings.push(ConfigWarning { rule: rule.to_owned(), part, reason });
    }

    /// Adds a rule, or what it adds to a built-in rule.
    fn rule(&mut self, rule: RuleTable, large: &mut usize) {
        let Some(id) = rule.id.filter(|id| is_id(id)) else {
            self.warn("?", "id", "a rule needs an id of letters, digits, '-', '_' and '.', at most 64".to_owned());
            return;
        };
        for list in rule.allowlist.into_iter().chain(rule.allowlists) {
            let list = Arc::new(self.allowlist(&id, list, large));
            self.allow_for.entry(id.clone()).or_default().push(list);
        }
        let path = rule.path.as_deref().map(|path| Pattern::new(path, large));
        let path = match path.transpose() {
            Ok(path) => path,
            Err(reason) => return self.warn(&id, "path", reason),
        };
        let Some(regex) = rule.regex else {
            if path.is_some() {
                self.warn(&id, "path", "a rule for paths alone finds nothing in a context".to_owned());
            }
            return;
        };
        if self.rules.len() >= RULES {
            return self.warn(&id, "regex", format!("more than {RULES} rules"));
        }
        match Pattern::new(&regex, large) {
            Ok(pattern) => {
                let words =
                    rule.keywords.iter().map(|word| word.to_ascii_lowercase()).filter(|w| !w.is_empty()).collect();
                let (group, entropy) = (rule.secret_group, rule.entropy);
                self.rules.push(OwnRule { id, pattern, group, entropy, words, path });
            }
            Err(reason) => self.warn(&id, "regex", reason),
        }
    }

    /// Reads an allow list of the rule `id`.
    fn allowlist(&mut self, id: &str, table: AllowTable, large: &mut usize) -> Allowlist {
        let mut patterns = |part: &'static str, texts: &[String]| -> Vec<Pattern> {
            let mut good = Vec::new();
            for text in texts {
                match Pattern::new(text, large) {
                    Ok(pattern) => good.push(pattern),
                    Err(reason) => self.warn(id, part, reason),
                }
            }
            good
        };
        let target = match table.regex_target.as_deref() {
            Some("match") => Target::Match,
            Some("line") => Target::Line,
            _ => Target::Secret,
        };
        let secrets = patterns("allowlist regex", &table.regexes);
        let paths = patterns("allowlist path", &table.paths);
        let unusable = |texts: &[String], good: &[Pattern]| !texts.is_empty() && good.is_empty();
        Allowlist {
            never: !table.commits.is_empty() || unusable(&table.regexes, &secrets) || unusable(&table.paths, &paths),
            patterns: secrets,
            target,
            paths,
            stopwords: table.stopwords.iter().map(|word| word.to_lowercase()).filter(|w| !w.is_empty()).collect(),
            every: table.condition.is_some_and(|c| matches!(c.to_ascii_uppercase().as_str(), "AND" | "&&")),
        }
    }
}

/// Reports whether an id can stand in a marker.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    extend: ExtendTable,
    allowlist: Option<AllowTable>,
    #[serde(default)]
    allowlists: Vec<AllowTable>,
    #[serde(default)]
    rules: Vec<RuleTable>,
}

#[derive(Deserialize, Default)]
struct ExtendTable {
    #[serde(default, rename = "disabledRules")]
    disabled_rules: Vec<String>,
    path: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct RuleTable {
    id: Option<String>,
    regex: Option<String>,
    path: Option<String>,
    #[serde(default, rename = "secretGroup")]
    secret_group: usize,
    #[serde(default)]
    entropy: f32,
    #[serde(default)]
    keywords: Vec<String>,
    allowlist: Option<AllowTable>,
    #[serde(default)]
    allowlists: Vec<AllowTable>,
}

#[derive(Deserialize)]
struct AllowTable {
    #[serde(default)]
    regexes: Vec<String>,
    #[serde(rename = "regexTarget")]
    regex_target: Option<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    stopwords: Vec<String>,
    #[serde(default)]
    commits: Vec<String>,
    condition: Option<String>,
    #[serde(default, rename = "targetRules")]
    target_rules: Vec<String>,
}
