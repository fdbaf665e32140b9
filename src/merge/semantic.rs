//! What two sides say that cannot both hold, though no entry is in conflict: found by rules, without a model.
//!
//! The rules look for what people overlook: a decision taken twice, a setting with two values, one sentence with one
//! word changed, and long entries that say nearly the same. They know nothing of meaning, so that what they find is a
//! warning.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;
use similar::{ChangeTag, TextDiff};

use crate::model::EntryId;

/// Characters of an entry that are looked at.
const READ_MAX: usize = 4 << 10;

/// Most words of a sentence that is compared word by word.
const SENTENCE_MAX: usize = 12;

/// Fewest words of entries that can be nearly the same.
const NEAR_MIN: usize = 12;

/// Share of their words that two entries have in common when they are nearly the same.
const NEAR: f32 = 0.85;

/// Entries of one side that are looked at; of more, the newest.
pub const STATEMENTS_MAX: usize = 400;

/// Most words that are compared in all.
const WORDS_MAX: usize = 200_000;

/// Holds what one entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The entry.
    pub id: EntryId,
    /// The decision that it takes, as `key` or `key = value`.
    pub decision: Option<String>,
    /// Its words.
    pub text: String,
}

/// Says in what way two entries contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingKind {
    /// They take the same decision differently.
    Decision {
        /// What is decided.
        key: String,
    },
    /// They give a setting different values.
    Setting {
        /// The setting.
        key: String,
    },
    /// They say the same but for a few words.
    Sentence,
    /// They are long and nearly the same.
    NearDuplicate,
}

impl FindingKind {
    /// Returns the name that programs see.
    pub const fn name(&self) -> &'static str {
        match self {
            FindingKind::Decision { .. } => "decision",
            FindingKind::Setting { .. } => "setting",
            FindingKind::Sentence => "sentence",
            FindingKind::NearDuplicate => "near-duplicate",
        }
    }
}

/// Holds two entries that contradict each other, and what each says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In what way.
    pub kind: FindingKind,
    /// The entry on our side.
    pub ours: EntryId,
    /// The entry on their side.
    pub theirs: EntryId,
    /// What ours says of it.
    pub our_value: String,
    /// What theirs says of it.
    pub their_value: String,
}

/// Finds what entries of both sides contradict, of those that are new or changed on their side.
pub fn contradictions(ours: &[Statement], theirs: &[Statement]) -> Vec<Finding> {
    let [ours, theirs] = [ours, theirs].map(|side| {
        let newest = &side[side.len().saturating_sub(STATEMENTS_MAX)..];
        newest.iter().map(Said::of).collect::<Vec<Said<'_>>>()
    });
    let mut found = Vec::new();
    // Of several statements about one thing, a side means the last.
    compare(&last_values(&ours, Said::decided), &last_values(&theirs, Said::decided), &mut found, |key| {
        FindingKind::Decision { key }
    });
    compare(&last_values(&ours, Said::settings), &last_values(&theirs, Said::settings), &mut found, |key| {
        FindingKind::Setting { key }
    });
    let mut budget = WORDS_MAX;
    let told: HashSet<(EntryId, EntryId)> = found.iter().map(|finding| (finding.ours, finding.theirs)).collect();
    for our in &ours {
        // One entry with two wordings is a conflict of its own.
        for their in theirs.iter().filter(|their| our.id != their.id && !told.contains(&(our.id, their.id))) {
            found.extend(our.sentence_against(their).or_else(|| our.nearly(their, &mut budget)));
        }
    }
    found
}

type Values = BTreeMap<String, (EntryId, String)>;

fn last_values<'s>(side: &[Said<'s>], values: impl Fn(&Said<'s>) -> Vec<(String, String)>) -> Values {
    side.iter().flat_map(|said| values(said).into_iter().map(|(key, value)| (key, (said.id, value)))).collect()
}

fn compare(ours: &Values, theirs: &Values, found: &mut Vec<Finding>, kind: impl Fn(String) -> FindingKind) {
    for (key, (our_id, our_value)) in ours {
        let differs = |(id, value): &&(EntryId, String)| id != our_id && value != our_value;
        if let Some((their_id, their_value)) = theirs.get(key).filter(differs) {
            found.push(Finding {
                kind: kind(key.clone()),
                ours: *our_id,
                theirs: *their_id,
                our_value: our_value.clone(),
                their_value: their_value.clone(),
            });
        }
    }
}

/// A statement taken apart.
struct Said<'s> {
    id: EntryId,
    decision: Option<&'s str>,
    text: &'s str,
    words: Vec<&'s str>,
    distinct: HashSet<&'s str>,
}

impl<'s> Said<'s> {
    fn of(statement: &'s Statement) -> Self {
        let text = statement.text.trim();
        let end = text.char_indices().map(|(at, _)| at).nth(READ_MAX).unwrap_or(text.len());
        let words: Vec<&str> = text[..end].split_whitespace().collect();
        let distinct = words.iter().copied().collect();
        Said { id: statement.id, decision: statement.decision.as_deref(), text: &text[..end], words, distinct }
    }

    fn decided(&self) -> Vec<(String, String)> {
        let Some(decision) = self.decision else { return Vec::new() };
        let (key, value) = decision.split_once('=').unwrap_or((decision, self.text));
        vec![(key.trim().to_lowercase(), value.trim().to_owned())]
    }

    /// Finds `key = value`, `"key": value` and `key: value`, where the value is a number, a switch, a quoted text, or all
    /// that follows on a line of its own.
    fn settings(&self) -> Vec<(String, String)> {
        static SETTING: LazyLock<Regex> = LazyLock::new(|| {
            let key = r#"["'`]?(?P<key>[A-Za-z_][A-Za-z0-9_.\-]{1,48})["'`]?"#;
            let value = r#"(?P<value>"[^"\n]{1,80}"|'[^'\n]{1,80}'|`[^`\n]{1,80}`|[0-9][0-9A-Za-z_.:%]{0,24}|true\b|false\b|yes\b|no\b|on\b|off\b|null\b|none\b|[A-Za-z][\w./\-]{0,40}(?:[ \t]*[,;]?[ \t]*)(?m:$))"#;
            Regex::new(&format!(r#"{key}[ \t]*(?:=|:)[ \t]*{value}"#)).expect("well formed")
        });
        let clean = |text: &str| text.trim_matches(['"', '\'', '`', ' ', '\t', ',', ';', '.']).to_owned();
        let found = SETTING.captures_iter(self.text);
        found.map(|found| (found["key"].to_lowercase(), clean(&found["value"]))).collect()
    }

    /// Short statements with the same frame and something else in it: `use REST` and `use GraphQL`.
    fn sentence_against(&self, other: &Said<'_>) -> Option<Finding> {
        let short = |said: &Said<'_>| (2..=SENTENCE_MAX).contains(&said.words.len());
        if !short(self) || !short(other) {
            return None;
        }
        let same = |(one, two): &(&&str, &&str)| one.eq_ignore_ascii_case(two);
        let front = self.words.iter().zip(&other.words).take_while(same).count();
        let room = self.words.len().min(other.words.len()) - front;
        let back = self.words.iter().rev().zip(other.words.iter().rev()).take(room).take_while(same).count();
        let (ours, theirs) =
            (&self.words[front..self.words.len() - back], &other.words[front..other.words.len() - back]);
        // The frame must be at least half of what is said, and something must stand in it on both sides.
        let frame = front + back;
        let fits = |inner: &[&str]| !inner.is_empty() && inner.len() <= frame.min(3);
        (fits(ours) && fits(theirs)).then(|| Finding {
            kind: FindingKind::Sentence,
            ours: self.id,
            theirs: other.id,
            our_value: ours.join(" "),
            their_value: theirs.join(" "),
        })
    }

    fn nearly(&self, other: &Said<'_>, budget: &mut usize) -> Option<Finding> {
        if self.words.len().min(other.words.len()) < NEAR_MIN || self.words == other.words {
            return None;
        }
        // Cheap first: most pairs have few words in common.
        let common = self.distinct.intersection(&other.distinct).count() as f32;
        let all = self.distinct.len().max(other.distinct.len()) as f32;
        if common / all < NEAR - 0.15 {
            return None;
        }
        // What cannot be compared in the time is not told: it is a warning.
        *budget = budget.checked_sub(self.words.len() + other.words.len())?;
        let difference = TextDiff::from_slices(&self.words, &other.words);
        if difference.ratio() < NEAR {
            return None;
        }
        let only = |tag: ChangeTag| {
            let words = difference.iter_all_changes().filter(|change| change.tag() == tag).take(8);
            words.map(|change| change.value().to_owned()).collect::<Vec<String>>().join(" ")
        };
        Some(Finding {
            kind: FindingKind::NearDuplicate,
            ours: self.id,
            theirs: other.id,
            our_value: only(ChangeTag::Delete),
            their_value: only(ChangeTag::Insert),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(bits: u64, decision: Option<&str>, text: &str) -> Statement {
        Statement { id: EntryId::from_bits(bits), decision: decision.map(str::to_owned), text: text.to_owned() }
    }

    fn found(ours: &str, theirs: &str) -> Vec<(String, String, String)> {
        let findings = contradictions(&[statement(1, None, ours)], &[statement(2, None, theirs)]);
        let tell = |finding: Finding| {
            let key = match finding.kind {
                FindingKind::Setting { key } | FindingKind::Decision { key } => key,
                other => other.name().to_owned(),
            };
            (key, finding.our_value, finding.their_value)
        };
        findings.into_iter().map(tell).collect()
    }

    fn triple(key: &str, ours: &str, theirs: &str) -> Vec<(String, String, String)> {
        vec![(key.to_owned(), ours.to_owned(), theirs.to_owned())]
    }

    #[test]
    fn contradicting_settings_are_found() {
        assert_eq!(found("set port = 8080 there", "now port = 9090."), triple("port", "8080", "9090"));
        assert_eq!(found("{\"Debug\": true}", "debug: false"), triple("debug", "true", "false"));
        assert_eq!(found("name: \"a b\" and more", "name: 'c'"), triple("name", "a b", "c"));
        assert_eq!(
            found("engine: sqlite\nport: 1", "engine: postgres\nport: 1"),
            triple("engine", "sqlite", "postgres")
        );
        assert_eq!(found("port = 8080", "we use port = 8080"), vec![]);
        assert_eq!(found("Note: this is long", "Note: that is other"), vec![]);
    }

    #[test]
    fn one_changed_word_is_found() {
        assert_eq!(found("use REST", "use GraphQL"), triple("sentence", "REST", "GraphQL"));
        assert_eq!(found("we keep it in memory", "we keep it on disk"), triple("sentence", "in memory", "on disk"));
        assert_eq!(found("ok", "no"), vec![]);
        assert_eq!(found("fix the parser", "write tests now"), vec![]);
        assert_eq!(found("use REST", "use REST"), vec![]);
    }

    #[test]
    fn nearly_the_same_is_found() {
        let text =
            "The service reads its configuration at start, opens the database, and then listens on all interfaces";
        assert_eq!(found(text, &text.replace("all", "local")), triple("near-duplicate", "all", "local"));
        assert_eq!(found(text, text), vec![]);
    }

    #[test]
    fn the_last_decision_of_a_side_counts() {
        let ours = [statement(1, Some("api = REST"), "x"), statement(2, Some("api = gRPC"), "y")];
        let theirs = [statement(3, Some("API=GraphQL"), "z")];
        let findings = contradictions(&ours, &theirs);
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].ours, findings[0].our_value.as_str()), (EntryId::from_bits(2), "gRPC"));
        assert!(contradictions(&ours, &[statement(3, Some("api = gRPC"), "z")]).is_empty());
    }

    #[test]
    fn the_same_words_in_other_orders_end_soon() {
        let words: Vec<String> = (0..700).map(|word| format!("w{word}")).collect();
        let text = |turn: usize| [&words[turn..], &words[..turn]].concat().join(" ");
        let side = |first: u64| -> Vec<Statement> {
            (0..400).map(|nth| statement(first + nth, None, &text(nth as usize))).collect()
        };
        let _ = contradictions(&side(0), &side(1000));
    }

    #[test]
    fn much_text_ends_soon() {
        let long = "word ".repeat(100_000);
        let side: Vec<Statement> = (0..500).map(|bits| statement(bits, None, &long)).collect();
        assert!(contradictions(&side, &side).is_empty());
    }
}
