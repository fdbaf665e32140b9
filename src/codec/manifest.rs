//! The `.trace` file: format version, tokenizer, budget.

use super::CodecError;

/// The format version that this program writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Name of the manifest in the root of a context's tree.
pub const MANIFEST_NAME: &[u8] = b".trace";

/// First word of a manifest.
const MAGIC: &str = "git-trace";

/// Describes a context as a whole. The file is the same in every commit unless the budget changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Name of the encoding in which the entries' tokens are counted.
    pub tokenizer: String,
    /// The most tokens that the context should have.
    pub budget: Option<u64>,
    /// Lines that this version does not know, in their order.
    pub other: Vec<String>,
}

impl Manifest {
    /// Makes the manifest of a new context.
    pub fn new(tokenizer: &str, budget: Option<u64>) -> Self {
        Manifest { tokenizer: tokenizer.to_owned(), budget, other: Vec::new() }
    }

    /// Returns the bytes of the file: `git-trace 1`, then one `name value` a line.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = format!("{MAGIC} {FORMAT_VERSION}\ntokenizer {}\n", self.tokenizer);
        if let Some(budget) = self.budget {
            text += &format!("budget {budget}\n");
        }
        for line in &self.other {
            text += line;
            text.push('\n');
        }
        text.into_bytes()
    }

    /// Reads the file; the version is looked at before anything else.
    ///
    /// # Errors
    /// [`CodecError::NewerFormat`] for a newer version, [`CodecError::NotAContext`] for what is no manifest.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let error = |reason| CodecError::NotAContext { reason };
        let end = bytes.iter().take(64).position(|byte| *byte == b'\n').ok_or_else(|| error("no format version"))?;
        let first = std::str::from_utf8(&bytes[..end]).map_err(|_| error("no format version"))?;
        let version = first.strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(' '));
        let version: u32 = version.and_then(|text| text.parse().ok()).ok_or_else(|| error("no format version"))?;
        if version > FORMAT_VERSION {
            return Err(CodecError::NewerFormat { version, known: FORMAT_VERSION });
        }
        if version == 0 {
            return Err(error("format version 0 was never written"));
        }

        let rest = std::str::from_utf8(&bytes[end + 1..]).map_err(|_| error("the manifest is not UTF-8"))?;
        let mut manifest = Manifest::new("", None);
        for line in rest.lines() {
            match line.split_once(' ') {
                Some(("tokenizer", name)) if manifest.tokenizer.is_empty() => name.clone_into(&mut manifest.tokenizer),
                Some(("budget", value)) if manifest.budget.is_none() => {
                    manifest.budget = Some(value.parse().map_err(|_| error("the budget is not a number"))?);
                }
                _ => manifest.other.push(line.to_owned()),
            }
        }
        if manifest.tokenizer.is_empty() {
            return Err(error("no tokenizer"));
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_never_changes() {
        let bytes = b"git-trace 1\ntokenizer o200k_base\n";
        assert_eq!(Manifest::new("o200k_base", None).encode(), bytes);
        assert_eq!(Manifest::decode(bytes), Ok(Manifest::new("o200k_base", None)));
    }

    #[test]
    fn a_newer_version_is_refused_by_name_whatever_follows() {
        let error = Manifest::decode(b"git-trace 2\n\xff\xfe").expect_err("newer");
        assert_eq!(error.to_string(), "the context has format version 2; this git-trace reads up to 1");
    }

    #[test]
    fn unknown_lines_are_kept() {
        let bytes = b"git-trace 1\ntokenizer o200k_base\nbudget 5\ncolour blue\n";
        assert_eq!(Manifest::decode(bytes).expect("fine").encode(), bytes);
        for bad in [&b""[..], b"git-trace\n", b"git-trace x\n", b"tree 1\n", b"git-trace 1\n", b"git-trace 0\n"] {
            assert!(Manifest::decode(bad).is_err());
        }
    }
}
