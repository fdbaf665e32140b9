//! How a workflow or a plugin is asked for.

use std::fmt;

use super::source::{LOCAL, is_path};
use super::{Look, Name, PathKind, Requirement, RequirementError, Source, SourceError};

/// Longest reference, in bytes.
const MAX: usize = 4096;

/// Is what a person asks for.
///
/// | written | meant |
/// |---|---|
/// | `name` | the one of that name in the marketplaces that are known |
/// | `name@1.2.0`, `name@^1.2`, `name@latest` | such a version of it |
/// | `name@<source>` | the one of that name in this marketplace (see [`Source`]), known or not |
/// | `name@<source>@<version>` | such a version of it there |
/// | a path of a file or a folder | the workflow that lies there |
///
/// Where what stands before it holds an `@` that could be taken for that of a version, an `@` at the end says that no
/// version follows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// By its name.
    Named(Box<Named>),
    /// A workflow's file.
    File(String),
    /// A workflow's folder.
    Folder(String),
}

/// Asks by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Named {
    /// The name in the marketplace.
    pub name: Name,
    /// Which versions will do; any if none is said.
    pub requirement: Option<Requirement>,
    /// The marketplace; all that are known if none is said.
    pub source: Option<Source>,
}

/// Says why a reference is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It cannot name anything.
    #[error("not a reference: '{text}'")]
    Malformed {
        /// The text as given.
        text: String,
    },
    /// It is a path, and nothing lies there.
    #[error("'{path}' does not exist")]
    Missing {
        /// The path.
        path: String,
    },
    /// It is a marketplace without a name before it.
    #[error("'{text}' is a marketplace, not a workflow")]
    OnlySource {
        /// The text as given.
        text: String,
    },
    /// What follows the name is no source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What follows the name or the source is no version.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
}

impl Reference {
    /// Reads a reference. `look` tells what lies at a path.
    ///
    /// A file wins over a name only where it is written as a path or has an ending: a file `deploy` that lies about
    /// does not stand in for the workflow `deploy`.
    ///
    /// # Errors
    /// When it is none, or a path at which nothing lies.
    pub fn parse(text: &str, look: Look<'_>) -> Result<Self, ReferenceError> {
        let malformed = || ReferenceError::Malformed { text: text.chars().take(200).collect() };
        if text.is_empty() || text.starts_with('-') || text.len() > MAX || text.contains(char::is_control) {
            return Err(malformed());
        }
        let at = text.split_once('@').and_then(|(name, rest)| Some((name.parse::<Name>().ok()?, rest)));
        match at {
            Some((name, rest)) if rest.contains(['/', ':']) || rest == "~" => {
                return Named::with_source(name, rest).map(|named| Reference::Named(Box::new(named)));
            }
            _ => {}
        }
        if is_path(text) || text.contains(['/', '\\', '.']) {
            match look(text) {
                Some(PathKind::File) => return Ok(Reference::File(text.to_owned())),
                Some(PathKind::Folder) if is_path(text) || text.contains(['/', '\\']) => {
                    return Ok(Reference::Folder(text.to_owned()));
                }
                _ => {}
            }
        }
        if let Some((name, rest)) = at {
            let named = Named { name, requirement: Some(rest.parse()?), source: None };
            return Ok(Reference::Named(Box::new(named)));
        }
        if let Ok(name) = text.parse() {
            return Ok(Reference::Named(Box::new(Named { name, requirement: None, source: None })));
        }
        if is_path(text) {
            return Err(ReferenceError::Missing { path: text.to_owned() });
        }
        match Source::parse(text, &|_| None) {
            Ok(_) => Err(ReferenceError::OnlySource { text: text.to_owned() }),
            Err(SourceError::Url(error)) if text.contains("://") => Err(SourceError::Url(error).into()),
            Err(_) if text.contains(['/', '\\']) => Err(ReferenceError::Missing { path: text.to_owned() }),
            Err(_) => Err(malformed()),
        }
    }
}

impl Named {
    /// Reads a reference that is no path, as one stands in a file: `name`, `name@version` or `name@<source>`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        match Reference::parse(text, &|_| None)? {
            Reference::Named(named) => Ok(*named),
            Reference::File(path) | Reference::Folder(path) => Err(ReferenceError::Missing { path }),
        }
    }

    fn with_source(name: Name, rest: &str) -> Result<Self, ReferenceError> {
        let (source, requirement) = match rest.rsplit_once('@') {
            Some((source, "")) => (source, None),
            Some((source, version)) if !version.contains(['/', ':']) => (source, Some(version.parse()?)),
            _ => (rest, None),
        };
        Ok(Named { name, requirement, source: Some(Source::parse(source, &|_| None)?) })
    }

    /// Writes the reference exactly, with passwords that an address may have.
    pub fn exact(&self) -> String {
        self.written(Source::exact)
    }

    /// Writes the reference without passwords, as it may stand in a file of the repository.
    pub fn public(&self) -> String {
        self.written(Source::public)
    }

    fn written(&self, source: impl Fn(&Source) -> String) -> String {
        let mut text = self.name.to_string();
        if let Some(written) = self.source.as_ref().map(source) {
            // A source that could be taken for a version says that it is a path.
            let plain = !written.contains(['/', ':']);
            let written = if plain { format!("{LOCAL}{written}") } else { written };
            // Without an end the last `@` of the source would begin a version.
            let open = written.rsplit_once('@').is_some_and(|(_, last)| !last.contains(['/', ':']));
            text = format!("{text}@{written}{}", if open && self.requirement.is_none() { "@" } else { "" });
        }
        match &self.requirement {
            Some(requirement) => format!("{text}@{requirement}"),
            None => text,
        }
    }
}

/// Shows the reference as a person would write it; `***` stands for passwords in addresses.
impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written(Source::to_string))
    }
}

/// Shows the reference as a person would write it; `***` stands for passwords in addresses.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Named(named) => named.fmt(f),
            Reference::File(path) | Reference::Folder(path) => f.pad(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOTHING: Look<'static> = &|_| None;

    fn parts(text: &str) -> (String, Option<String>, Option<String>) {
        let named = Named::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (named.name.into(), named.source.map(|source| source.exact()), named.requirement.map(|one| one.to_string()))
    }

    #[test]
    fn references_name_a_version_and_a_source() {
        for (text, name, source, version) in [
            ("deploy", "deploy", None, None),
            ("deploy@1.2.0", "deploy", None, Some("1.2.0")),
            ("deploy@>=1,<2", "deploy", None, Some(">=1,<2")),
            ("deploy@latest", "deploy", None, Some("latest")),
            ("deploy@1.0.0@x", "deploy", None, Some("1.0.0@x")),
            ("deploy@acme/flows", "deploy", Some("acme/flows"), None),
            ("deploy@1.0.0/x", "deploy", Some("1.0.0/x"), None),
            ("deploy@acme/flows#main", "deploy", Some("acme/flows#main"), None),
            ("deploy@acme/flows@^1.2", "deploy", Some("acme/flows"), Some("^1.2")),
            ("deploy@acme/flows#main:sub@^1.2", "deploy", Some("acme/flows#main:sub"), Some("^1.2")),
            ("deploy@acme/flows#release@2@", "deploy", Some("acme/flows#release@2"), None),
            ("deploy@https://u:p@h/o/r.git#v1:sub@~1.2", "deploy", Some("https://u:p@h/o/r.git#v1:sub"), Some("~1.2")),
            ("deploy@git@h:o/r", "deploy", Some("git@h:o/r"), None),
            ("deploy@git@h:o/r@2", "deploy", Some("git@h:o/r"), Some("2")),
            ("deploy@local:/srv/x", "deploy", Some("/srv/x"), None),
            ("deploy@./x@y@", "deploy", Some("./x@y"), None),
            ("deploy@~/x", "deploy", Some("~/x"), None),
            ("deploy@local:.", "deploy", Some("."), None),
        ] {
            let expected = (name.to_owned(), source.map(str::to_owned), version.map(str::to_owned));
            assert_eq!(parts(text), expected, "{text}");
        }
        assert_eq!(Named::parse("d@local:.").expect("a reference").to_string(), "d@local:.");
        assert_eq!(Named::parse("d@https://u:p@h/o/r").expect("a reference").to_string(), "d@https://***@h/o/r");
    }

    #[test]
    fn what_lies_there_is_taken_only_where_it_is_meant() {
        let there: Look<'_> = &|path| match path {
            "deploy" | "w.json" | "a/w" | "x@acme/flows" | "x@1.0" => Some(PathKind::File),
            "./flow" | "flow" | "a/b" => Some(PathKind::Folder),
            _ => None,
        };
        let parse = |text: &str| Reference::parse(text, there).expect(text);
        assert!(matches!(parse("deploy"), Reference::Named(_)), "a name stays a name");
        assert!(matches!(parse("flow"), Reference::Named(_)));
        assert!(matches!(parse("x@acme/flows"), Reference::Named(_)));
        assert!(matches!(parse("nope.json"), Reference::Named(_)));
        assert_eq!(parse("w.json"), Reference::File("w.json".to_owned()));
        assert_eq!(parse("a/w"), Reference::File("a/w".to_owned()));
        assert_eq!(parse("./flow"), Reference::Folder("./flow".to_owned()));
        assert_eq!(parse("a/b"), Reference::Folder("a/b".to_owned()));
        assert_eq!(
            Reference::parse("./gone.json", there),
            Err(ReferenceError::Missing { path: "./gone.json".to_owned() })
        );
        for source in ["acme/flows", "https://h/o/r", "ssh://git@h/o/r"] {
            assert_eq!(Reference::parse(source, there), Err(ReferenceError::OnlySource { text: source.to_owned() }));
        }
    }

    #[test]
    fn what_could_hurt_is_refused() {
        for bad in [
            "",
            " deploy",
            "deploy ",
            "-x",
            "--upload-pack=x",
            "deploy@",
            "@deploy",
            "@scope/x@o/r",
            "deploy@-x",
            "deploy@..",
            "deploy@o/r#-x",
            "deploy@o/r#--upload-pack=x",
            "deploy@../..\n",
            "deploy@ext::sh -c x",
            "deploy@o/r#a:../b",
            "..@o/r",
            "a@o/r@a/b@-1",
            ".",
            "..",
            "a b",
            "a\\b",
            "/nope/workflow.json",
            "deploy@o/..",
            "deploy@-o/r",
        ] {
            assert!(Reference::parse(bad, NOTHING).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(
            text in prop_oneof![
                "\\PC{0,40}",
                "[a-z]{1,3}@[a-z@:/.#~^,-]{0,24}",
                "[a-z]{1,3}@(local:|https://h/|[a-z]/)[a-z@:/.#0-9]{0,20}",
            ],
        ) {
            if let Ok(Reference::Named(named)) = Reference::parse(&text, NOTHING) {
                let named = *named;
                prop_assert_eq!(Named::parse(&named.exact()), Ok(named.clone()), "{}", named.exact());
                if named.public() == named.exact() {
                    prop_assert_eq!(Named::parse(&named.to_string()), Ok(named));
                }
            }
        }
    }
}
