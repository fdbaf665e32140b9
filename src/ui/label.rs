//! What a piece of output is, so that it can be coloured.

use std::str::FromStr;

use anstyle::{AnsiColor, Color, Style};

use crate::model::Role;

/// Declares the labels once: variant, name, default colour, meaning.
macro_rules! labels {
    ($($variant:ident $name:literal $color:literal $meaning:literal;)*) => {
        /// Says what a piece of output is; `color.trace.<name>` sets its colour.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Label {
            $(#[doc = $meaning] $variant,)*
        }

        impl Label {
            /// Lists every label.
            pub const ALL: [Label; 0 $(+ { let _ = Label::$variant; 1 })*] = [$(Label::$variant,)*];

            /// Returns the name by which the configuration knows the label.
            pub const fn name(self) -> &'static str {
                match self { $(Label::$variant => $name,)* }
            }

            /// Returns the colour, in git's syntax, that the label has unless it is configured.
            pub const fn default_color(self) -> &'static str {
                match self { $(Label::$variant => $color,)* }
            }
        }
    };
}

labels! {
    Plain "plain" "" "Text without a meaning of its own.";
    Heading "heading" "bold" "A heading, or the head of a column.";
    Muted "muted" "dim" "Something of little interest.";
    Commit "commit" "yellow" "The id of a commit or another object.";
    Head "head" "bold cyan" "HEAD.";
    Branch "branch" "bold green" "A branch of contexts.";
    Remote "remote" "bold red" "A branch of a remote.";
    Tag "tag" "bold yellow" "A tag.";
    Entry "entry" "magenta" "The id of an entry.";
    Position "position" "dim" "The position of an entry.";
    Tokens "tokens" "cyan" "A number of tokens.";
    Cost "cost" "cyan" "An amount of money.";
    Time "time" "blue" "A moment.";
    Actor "actor" "green" "A person or an agent.";
    Model "model" "blue" "A model.";
    Pin "pin" "bold yellow" "A pin.";
    System "system" "bold magenta" "The role `system`.";
    User "user" "bold green" "The role `user`.";
    Assistant "assistant" "bold blue" "The role `assistant`.";
    Tool "tool" "yellow" "The role `tool`.";
    Summary "summary" "bold cyan" "The role `summary`.";
    Record "record" "dim" "A role that no model sees.";
    Meta "meta" "bold" "The head of a difference.";
    Hunk "hunk" "cyan" "The place of a difference.";
    Added "added" "green" "What a difference adds.";
    Removed "removed" "red" "What a difference takes away.";
    Changed "changed" "yellow" "What a difference changes.";
    Conflict "conflict" "bold red" "A conflict.";
    Good "good" "green" "Something in order.";
    Warning "warning" "bold yellow" "A warning, or something that nears its limit.";
    Error "error" "bold red" "An error, or something over its limit.";
    Hint "hint" "yellow" "A hint.";
}

impl Label {
    /// Returns the label of a role.
    pub const fn of_role(role: &Role) -> Self {
        match role {
            Role::System => Label::System,
            Role::User => Label::User,
            Role::Assistant => Label::Assistant,
            Role::Tool => Label::Tool,
            Role::Summary => Label::Summary,
            _ => Label::Record,
        }
    }
}

/// Holds the colour of every label.
#[derive(Debug, Clone)]
pub(super) struct Palette {
    styles: [Style; Label::ALL.len()],
}

/// Colours nothing.
impl Default for Palette {
    fn default() -> Self {
        Palette { styles: [Style::new(); Label::ALL.len()] }
    }
}

impl Palette {
    /// Makes the palette from `color.trace.<label>` values; names that are no label are passed over, as git does.
    ///
    /// Values that cannot be read keep the default and are returned as errors.
    pub(super) fn new(colors: &[(String, String)]) -> (Self, Vec<ColorError>) {
        let mut errors = Vec::new();
        let default = |label: Label| label.default_color().parse().map(|GitColor(style)| style).unwrap_or_default();
        let mut styles = Label::ALL.map(default);
        for (name, value) in colors {
            let Some(label) = Label::ALL.into_iter().find(|label| label.name().eq_ignore_ascii_case(name)) else {
                continue;
            };
            match value.parse::<GitColor>() {
                Ok(GitColor(style)) => styles[label as usize] = style,
                Err(error) => errors.push(error),
            }
        }
        (Palette { styles }, errors)
    }

    /// Returns the colour of a label.
    pub(super) fn style(&self, label: Label) -> Style {
        self.styles[label as usize]
    }
}

/// Holds a colour as git's configuration writes it: `bold red`, `#ff8800 ul`, `normal blue`, `brightred`, `208`.
///
/// The syntax is that of git-config(1), "color". `reset` clears what came before it, which for us is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GitColor(pub Style);

/// Says that a text is no colour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid color value: '{value}'")]
pub struct ColorError {
    /// The text as given.
    pub value: String,
}

impl FromStr for GitColor {
    type Err = ColorError;

    fn from_str(value: &str) -> Result<Self, ColorError> {
        let wrong = || ColorError { value: value.to_owned() };
        let mut style = Style::new();
        let mut colors = 0;
        for word in value.split_ascii_whitespace() {
            let word = word.to_ascii_lowercase();
            if word == "reset" {
                continue;
            }
            if let Some((effect, on)) = effect(&word) {
                let effects = style.get_effects();
                style = style.effects(if on { effects | effect } else { effects.remove(effect) });
                continue;
            }
            let color = color(&word).ok_or_else(wrong)?;
            style = match colors {
                0 => style.fg_color(color),
                1 => style.bg_color(color),
                _ => return Err(wrong()),
            };
            colors += 1;
        }
        Ok(GitColor(style))
    }
}

fn effect(word: &str) -> Option<(anstyle::Effects, bool)> {
    use anstyle::Effects;
    let (name, on) = match word.strip_prefix("no") {
        Some(rest) => (rest.strip_prefix('-').unwrap_or(rest), false),
        None => (word, true),
    };
    let effect = match name {
        "bold" => Effects::BOLD,
        "dim" => Effects::DIMMED,
        "ul" => Effects::UNDERLINE,
        "blink" => Effects::BLINK,
        "reverse" => Effects::INVERT,
        "italic" => Effects::ITALIC,
        "strike" => Effects::STRIKETHROUGH,
        _ => return None,
    };
    Some((effect, on))
}

/// Reads one colour; `Some(None)` is the terminal's own.
fn color(word: &str) -> Option<Option<Color>> {
    if matches!(word, "normal" | "default" | "-1") {
        return Some(None);
    }
    let color = match word.strip_prefix('#') {
        Some(digits) => hexadecimal(digits)?,
        None => match word.parse::<u8>() {
            Ok(number) => Color::from(number),
            Err(_) => named(word)?,
        },
    };
    Some(Some(color))
}

fn named(word: &str) -> Option<Color> {
    let (name, bright) = match word.strip_prefix("bright") {
        Some(rest) => (rest, true),
        None => (word, false),
    };
    let color = match name {
        "black" => AnsiColor::Black,
        "red" => AnsiColor::Red,
        "green" => AnsiColor::Green,
        "yellow" => AnsiColor::Yellow,
        "blue" => AnsiColor::Blue,
        "magenta" => AnsiColor::Magenta,
        "cyan" => AnsiColor::Cyan,
        "white" => AnsiColor::White,
        _ => return None,
    };
    Some(Color::Ansi(color.bright(bright)))
}

/// Reads `rgb` or `rrggbb`.
fn hexadecimal(digits: &str) -> Option<Color> {
    let digits = digits.bytes().map(|byte| char::from(byte).to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let channel = |high: u32, low: u32| u8::try_from(high * 16 + low).ok();
    match *digits.as_slice() {
        [r, g, b] => Some(Color::from((channel(r, r)?, channel(g, g)?, channel(b, b)?))),
        [r, s, g, h, b, c] => Some(Color::from((channel(r, s)?, channel(g, h)?, channel(b, c)?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// Asks git for the escape sequence of a colour.
    fn gits(value: &str) -> Option<String> {
        let mut git = Command::new("git");
        git.args(["-c", &format!("x.y={value}"), "config", "--type=color", "--get", "x.y"]);
        let output = git.output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Sorts the parameters of SGR sequences, so that two ways of writing one style are equal.
    fn parameters(sequences: &str) -> BTreeSet<String> {
        let bodies = sequences.trim_end().split("\u{1b}[").filter(|body| !body.is_empty());
        let mut all = BTreeSet::new();
        for body in bodies {
            let body = body.trim_end_matches('m');
            let parts: Vec<&str> = body.split(';').collect();
            let extended = parts.iter().position(|part| matches!(*part, "38" | "48")).unwrap_or(parts.len());
            all.extend(parts[..extended].iter().map(|part| (*part).to_owned()));
            for chunk in parts[extended..].chunk_by(|_, next| !matches!(*next, "38" | "48")) {
                all.insert(chunk.join(";"));
            }
        }
        all
    }

    #[test]
    fn colours_are_what_git_makes_of_them() {
        for value in [
            "red",
            "bold red",
            "red blue",
            "#ff8800",
            "#f80 ul",
            "208",
            "brightred",
            "bold dim italic strike reverse",
            "normal blue",
            "dim",
            "blink white brightblack",
            "255 17",
        ] {
            let Some(expected) = gits(value) else { panic!("git refuses '{value}'") };
            let GitColor(ours) = value.parse().expect(value);
            let ours: BTreeSet<String> = parameters(&ours.render().to_string());
            let expected = parameters(&expected);
            assert_eq!(ours, expected, "{value}");
        }
        for value in ["rouge", "red blue green", "#12", "#xyzxyz", "256", "#é1", "bright", "no"] {
            assert!(value.parse::<GitColor>().is_err(), "{value}");
            assert_eq!(gits(value), None, "{value}");
        }
    }

    #[test]
    fn labels_have_distinct_names_that_git_takes_as_keys() {
        let names: BTreeSet<&str> = Label::ALL.map(Label::name).into();
        assert_eq!(names.len(), Label::ALL.len());
        for label in Label::ALL {
            assert!(label.name().bytes().all(|byte| byte.is_ascii_lowercase()), "{}", label.name());
            assert!(label.default_color().parse::<GitColor>().is_ok(), "{}", label.name());
        }
    }

    #[test]
    fn a_palette_takes_the_users_colours_and_reports_bad_ones() {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let (palette, errors) = Palette::new(&[set("Pin", "blue"), set("newer", "x"), set("user", "rouge")]);
        assert_eq!(palette.style(Label::Pin), AnsiColor::Blue.on_default());
        assert_eq!(palette.style(Label::User), AnsiColor::Green.on_default().bold());
        assert_eq!(errors, [ColorError { value: "rouge".to_owned() }]);
    }

    proptest! {
        #[test]
        fn any_value_is_read_or_refused(value in "\\PC{0,40}") {
            let _ = value.parse::<GitColor>();
        }
    }
}
