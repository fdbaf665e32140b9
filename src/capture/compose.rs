//! Bodies composed of pieces of a source, in its own bytes, in the shape of Anthropic's content blocks.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::claude::json::{elements, is_true, text};
use super::members::Members;
use crate::model::BodyKind;

/// Gathers the blocks of one message.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    bytes: Vec<u8>,
    number: usize,
    /// The only block's text, where it is one.
    words: Option<String>,
    /// Ids of the calls made.
    pub(super) calls: Vec<String>,
    /// Ids of the calls answered.
    pub(super) results: Vec<String>,
    /// Number of results that report a fault.
    pub(super) errors: u64,
    /// Number of pictures.
    pub(super) images: u64,
}

impl Blocks {
    /// Tells whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.number == 0
    }

    /// Adds text; none where it is empty or no string.
    pub(super) fn text(&mut self, words: Option<&RawValue>) {
        let Some(raw) = words.filter(|raw| raw.get().starts_with('"') && raw.get() != "\"\"") else { return };
        let plain = text(Some(raw)).map(Cow::into_owned);
        self.add(&[r#"{"type":"text","text":"#, raw.get(), "}"]);
        self.words = plain.filter(|_| self.number == 1);
    }

    /// Adds text that the source does not have as JSON.
    pub(super) fn words(&mut self, words: &str) {
        if !words.is_empty() {
            self.add(&[r#"{"type":"text","text":"#, &quoted(words), "}"]);
            self.words = (self.number == 1).then(|| words.to_owned());
        }
    }

    /// Adds thinking, with what its provider signed it with; none where it is empty or no string.
    pub(super) fn thinking(&mut self, words: Option<&RawValue>, signature: Option<&RawValue>) {
        let Some(raw) = words.filter(|raw| raw.get().starts_with('"') && raw.get() != "\"\"") else { return };
        match signature.filter(|signature| signature.get().starts_with('"')) {
            Some(signature) => {
                let signature = signature.get();
                self.add(&[r#"{"type":"thinking","thinking":"#, raw.get(), r#","signature":"#, signature, "}"]);
            }
            None => self.add(&[r#"{"type":"thinking","thinking":"#, raw.get(), "}"]),
        }
    }

    /// Adds a tool call. `input` may be an object, or a string that holds one; anything else stands in `arguments`.
    pub(super) fn call(&mut self, id: &str, name: &str, input: Option<&RawValue>) {
        let input = input.map_or(Cow::Borrowed("{}"), object_of);
        self.add(&[
            r#"{"type":"tool_use","id":"#,
            &quoted(id),
            r#","name":"#,
            &quoted(name),
            r#","input":"#,
            &input,
            "}",
        ]);
        self.calls.push(id.to_owned());
    }

    /// Adds a tool's result; content that is neither text nor blocks becomes the text of its JSON.
    pub(super) fn result(&mut self, id: &str, content: Option<&RawValue>, is_error: bool) {
        let content = content.map_or(Cow::Borrowed("\"\""), content_of);
        self.quoted_result(id, &content, is_error);
    }

    /// Adds a tool's result whose content is JSON already: a string, or a list of blocks.
    pub(super) fn quoted_result(&mut self, id: &str, content: &str, is_error: bool) {
        let end = if is_error { r#","is_error":true}"# } else { "}" };
        self.add(&[r#"{"type":"tool_result","tool_use_id":"#, &quoted(id), r#","content":"#, content, end]);
        self.results.push(id.to_owned());
        self.errors += u64::from(is_error);
    }

    /// Adds a picture: its media type, and a JSON string of its bytes in base 64.
    pub(super) fn image(&mut self, media: &str, data: &str) {
        let media = quoted(media);
        self.add(&[r#"{"type":"image","source":{"type":"base64","media_type":"#, &media, r#","data":"#, data, "}}"]);
        self.images += 1;
    }

    /// Adds a picture that stands in a `data:` URL; false where the value is none.
    pub(super) fn data_url(&mut self, url: Option<&RawValue>) -> bool {
        let parts = url.and_then(|url| url.get().strip_prefix("\"data:")?.split_once(";base64,"));
        match parts.filter(|(media, _)| media.starts_with("image/") && !media.contains(['\\', ','])) {
            Some((media, data)) => self.image(media, &format!("\"{data}")),
            None => return false,
        }
        true
    }

    /// Adds something that no provider has, under a type that none of them uses.
    pub(super) fn other(&mut self, kind: &str, raw: &RawValue) {
        self.add(&[r#"{"type":"#, &quoted(&format!("agent.{kind}")), r#","value":"#, raw.get(), "}"]);
    }

    /// Adds a content block of Anthropic's as it stands, or the message's whole content: text, or a list of blocks.
    /// A block without what its type asks for is kept as `other`.
    pub(super) fn content(&mut self, raw: &RawValue) {
        match (raw.get().as_bytes().first(), elements(raw.get())) {
            (Some(b'"'), _) => self.text(Some(raw)),
            (_, Some(blocks)) => blocks.into_iter().for_each(|block| self.block(block)),
            _ => self.block(raw),
        }
    }

    fn block(&mut self, raw: &RawValue) {
        let Some(block) = Members::of(raw) else { return self.other("value", raw) };
        let kind = block.text("type").unwrap_or(Cow::Borrowed("block"));
        match &*kind {
            // Other members (citations, cache marks) are the provider's too.
            "text" if block.text("text").is_some_and(|text| text.is_empty()) => {}
            "text" if block.iter().count() == 2 => self.text(block.quoted("text")),
            _ if !is_whole(&kind, &block) => self.other(&kind, raw),
            _ => {
                self.add(&[raw.get()]);
                match &*kind {
                    "tool_use" => self.calls.extend(block.text("id").map(Cow::into_owned)),
                    "tool_result" => {
                        self.results.extend(block.text("tool_use_id").map(Cow::into_owned));
                        self.errors += u64::from(is_true(block.get("is_error")));
                    }
                    "image" => self.images += 1,
                    _ => {}
                }
            }
        }
    }

    fn add(&mut self, pieces: &[&str]) {
        self.bytes.push(if self.number == 0 { b'[' } else { b',' });
        pieces.iter().for_each(|piece| self.bytes.extend_from_slice(piece.as_bytes()));
        self.number += 1;
        self.words = None;
    }

    /// Writes the blocks as what a tool's result may hold: a string where text is all, else a list.
    pub(super) fn json(&mut self) -> String {
        match (self.number, self.body()) {
            (0, _) => "\"\"".to_owned(),
            (_, (BodyKind::Text, words)) => quoted(&String::from_utf8_lossy(&words)),
            (_, (_, bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Returns the body: text where that is all, else a list of blocks.
    pub(super) fn body(&mut self) -> (BodyKind, Vec<u8>) {
        if let Some(words) = self.words.take() {
            return (BodyKind::Text, words.into_bytes());
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.extend_from_slice(if self.number == 0 { b"[]" } else { b"]" });
        (BodyKind::Json, bytes)
    }
}

/// Tells whether a block is one of Anthropic's and has what its type asks for.
fn is_whole(kind: &str, block: &Members<'_>) -> bool {
    let begins = |name: &str, with: char| block.get(name).is_some_and(|value| value.get().starts_with(with));
    match kind {
        "text" => begins("text", '"'),
        "thinking" => begins("thinking", '"'),
        "redacted_thinking" => begins("data", '"'),
        "tool_use" => begins("id", '"') && begins("name", '"') && begins("input", '{'),
        "tool_result" => {
            let content = block.get("content");
            begins("tool_use_id", '"') && content.is_none_or(is_content)
        }
        "image" | "document" => begins("source", '{'),
        _ => false,
    }
}

/// Tells whether a value is content as a tool's result may have it.
fn is_content(raw: &RawValue) -> bool {
    let is_block = |raw: &&RawValue| {
        let block = Members::of(raw);
        block.is_some_and(|block| {
            let kind = block.text("type").unwrap_or_default();
            matches!(&*kind, "text" | "image") && is_whole(&kind, &block)
        })
    };
    raw.get().starts_with('"') || elements(raw.get()).is_some_and(|blocks| blocks.iter().all(is_block))
}

fn content_of(raw: &RawValue) -> Cow<'_, str> {
    if is_content(raw) { Cow::Borrowed(raw.get()) } else { Cow::Owned(quoted(raw.get())) }
}

fn object_of(raw: &RawValue) -> Cow<'_, str> {
    let source = raw.get();
    if source.starts_with('{') {
        return Cow::Borrowed(source);
    }
    let inner = text(Some(raw)).map(|inner| inner.trim_ascii().to_owned());
    match inner {
        Some(inner) if inner.is_empty() => Cow::Borrowed("{}"),
        Some(inner) if Members::parse(&inner).is_some() => Cow::Owned(inner),
        _ => Cow::Owned(format!(r#"{{"arguments":{source}}}"#)),
    }
}

/// Writes pieces of text, each a JSON string, as what a tool's result may hold: one as it is, several as a list.
pub(super) fn joined(pieces: &[&str]) -> String {
    match pieces {
        [] => "\"\"".to_owned(),
        [one] => (*one).to_owned(),
        several => {
            let several = several.iter().map(|piece| format!(r#"{{"type":"text","text":{piece}}}"#));
            format!("[{}]", several.collect::<Vec<_>>().join(","))
        }
    }
}

/// Writes text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text always is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    fn body(fill: impl FnOnce(&mut Blocks)) -> (BodyKind, String) {
        let mut blocks = Blocks::default();
        fill(&mut blocks);
        let (kind, bytes) = blocks.body();
        (kind, String::from_utf8(bytes).expect("UTF-8"))
    }

    #[test]
    fn text_alone_is_text_and_everything_else_blocks() {
        assert_eq!(body(|blocks| blocks.text(Some(&raw(r#""a\nb""#)))), (BodyKind::Text, "a\nb".to_owned()));
        assert_eq!(body(|blocks| blocks.words("x")), (BodyKind::Text, "x".to_owned()));
        let lone = body(|blocks| blocks.text(Some(&raw(r#""\ud800""#))));
        assert_eq!(lone, (BodyKind::Json, r#"[{"type":"text","text":"\ud800"}]"#.to_owned()));
        let two = body(|blocks| {
            blocks.thinking(Some(&raw(r#""hm""#)), Some(&raw(r#""s""#)));
            blocks.text(Some(&raw(r#""\u00e9""#)));
            blocks.text(Some(&raw(r#""""#)));
        });
        let expected = r#"[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"\u00e9"}]"#;
        assert_eq!(two.1, expected);
        assert!(Blocks::default().is_empty());
        assert_eq!(body(|_| {}).1, "[]");
    }

    #[test]
    fn input_is_an_object_in_the_sources_bytes() {
        let input = |text: &str| object_of(&raw(text)).into_owned();
        assert_eq!(input(r#"{"n":1.50}"#), r#"{"n":1.50}"#);
        assert_eq!(input(r#""{\"n\":1.50,\"s\":\"\\n\"}""#), r#"{"n":1.50,"s":"\n"}"#);
        assert_eq!(input(r#""""#), "{}");
        assert_eq!(input(r#""ls -l""#), r#"{"arguments":"ls -l"}"#);
        assert_eq!(input(r#""{\"cut""#), r#"{"arguments":"{\"cut"}"#);
        assert_eq!(input("[1]"), r#"{"arguments":[1]}"#);
    }

    #[test]
    fn results_hold_text_or_blocks() {
        let content = |text: &str| content_of(&raw(text)).into_owned();
        assert_eq!(content(r#""ok""#), r#""ok""#);
        assert_eq!(content(r#"[{"type":"text","text":"ok"}]"#), r#"[{"type":"text","text":"ok"}]"#);
        assert_eq!(content(r#"{"a":"\n"}"#), r#""{\"a\":\"\\n\"}""#);
        assert_eq!(content(r#"[{"type":"text"}]"#), r#""[{\"type\":\"text\"}]""#);
    }

    #[test]
    fn blocks_of_the_provider_pass_and_broken_ones_are_kept_apart() {
        let mut blocks = Blocks::default();
        let source = r#"[{"type":"tool_use","id":"a","name":"ls","input":{}},{"type":"tool_use","id":"b"},
            {"type":"tool_result","tool_use_id":"c","content":"no","is_error":true},{"type":"image"},7]"#;
        blocks.content(&raw(source));
        assert_eq!((blocks.calls.join(","), blocks.results.join(",")), ("a".to_owned(), "c".to_owned()));
        assert_eq!((blocks.errors, blocks.images, blocks.number), (1, 0, 5));
        let (_, bytes) = blocks.body();
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(text.contains(r#"{"type":"agent.tool_use","value":{"type":"tool_use","id":"b"}}"#), "{text}");
        assert!(text.contains(r#"{"type":"agent.value","value":7}"#), "{text}");
    }

    #[test]
    fn pictures_come_out_of_data_urls() {
        let image = body(|blocks| assert!(blocks.data_url(Some(&raw(r#""data:image/png;base64,QUJD""#)))));
        let expected = r#"[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}}]"#;
        assert_eq!(image.1, expected);
        for url in [r#""https://x""#, r#""data:text/plain;base64,QUJD""#, r#""data:image/\u0070ng;base64,QUJD""#, "7"] {
            body(|blocks| assert!(!blocks.data_url(Some(&raw(url))), "{url}"));
        }
    }
}
