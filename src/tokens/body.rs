//! What one message body costs the model that reads it.

use super::encoding::Encoding;
use super::image;
use super::source::{Kind, Source};

/// Tokens that one message adds around its body: start, role or name, end.
///
/// Source: OpenAI Cookbook, "How to count tokens with tiktoken": 3 for every chat model since `gpt-3.5-turbo-0613`.
/// The role's own token (1) is not in it, nor are the 3 tokens that open the reply, once a request.
pub const MESSAGE_FRAMING: u64 = 3;

/// Tokens that one tool call adds around its name and input. [`count_body`] includes it.
///
/// Source: the harmony format that OpenAI published with `gpt-oss`:
/// `<|start|>assistant<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>INPUT<|call|>`, in which
/// everything but NAME and INPUT is 5 special tokens and 9 tokens of text.
pub const TOOL_CALL_FRAMING: u64 = 14;

/// Deeper content is counted as its JSON text. No provider nests deeper than result, document, block.
const DEPTH: u32 = 16;

/// What the bytes of a body are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Body {
    /// Plain text.
    Text,
    /// The provider's message content as JSON: a string, an array of blocks, one block, or one whole message.
    Json,
}

/// Counts the tokens of plain text.
pub fn count_text(encoding: Encoding, text: &str) -> u64 {
    encoding.count(text)
}

/// Counts what a model sees of a body, without [`MESSAGE_FRAMING`].
///
/// Seen: text, thinking, a tool call's name and its input (JSON source without white space, plus
/// [`TOOL_CALL_FRAMING`]), tool results, the text of documents and search results, images by their size. Not seen, so
/// free: signatures, redacted or encrypted reasoning, ids, cache marks. The payload of a PDF, an audio file, or a
/// file given by id costs tokens that cannot be known here; it counts 0. A block of unknown type counts as its JSON
/// source without white space; bytes that are not JSON count as text; what is not UTF-8 counts as U+FFFD.
///
/// Blocks are those of Anthropic messages, OpenAI chat and responses, and Gemini parts.
pub fn count_body(encoding: Encoding, kind: Body, bytes: &[u8]) -> u64 {
    match (kind, Source::read(bytes)) {
        (Body::Json, Some(content)) => Counter { encoding }.content(content, DEPTH),
        _ => encoding.count_bytes(bytes),
    }
}

struct Counter {
    encoding: Encoding,
}

impl Counter {
    /// A string, a list of blocks, or one block.
    fn content(&self, content: Source<'_>, depth: u32) -> u64 {
        match content.kind() {
            Kind::Null => 0,
            Kind::Text => content.text().map_or(0, |text| self.encoding.count(&text)),
            Kind::Scalar => self.json(content),
            Kind::Array | Kind::Object if depth == 0 => self.json(content),
            Kind::Array => {
                let mut total = 0;
                content.for_each(|element| total += self.content(element, depth - 1));
                total
            }
            Kind::Object => self.block(content, depth - 1),
        }
    }

    fn block(&self, source: Source<'_>, depth: u32) -> u64 {
        let block = Block::of(source);
        let kind = block.get(Field::Type).and_then(Source::text);
        let sum = |fields: &[Field]| fields.iter().map(|field| self.field(&block, *field, depth)).sum();
        match kind.as_deref() {
            Some("text" | "input_text" | "output_text" | "summary_text" | "reasoning_text" | "refusal") => {
                sum(&[Field::Text, Field::Refusal])
            }
            Some("thinking") => sum(&[Field::Thinking]),
            Some("reasoning") => sum(&[Field::Summary, Field::Content]),
            Some("redacted_thinking") => 0,
            Some("tool_use" | "server_tool_use" | "mcp_tool_use" | "function_call" | "custom_tool_call") => {
                self.call(&block)
            }
            Some("function") => {
                block.get(Field::Function).map_or_else(|| self.json(source), |call| self.call(&Block::of(call)))
            }
            Some("function_call_output" | "custom_tool_call_output") => sum(&[Field::Output]),
            Some("image" | "image_url" | "input_image") => image_tokens(&block),
            Some("document") => {
                let outer: u64 = sum(&[Field::Title, Field::Context]);
                outer + block.get(Field::Source).map_or(0, |inner| self.document(inner, depth))
            }
            Some("search_result") => sum(&[Field::Source, Field::Title, Field::Content]),
            Some("web_search_result") => sum(&[Field::Title, Field::Url]),
            Some("web_fetch_result") => sum(&[Field::Url, Field::Content]),
            Some("file" | "input_file" | "input_audio" | "container_upload") => 0,
            Some(kind) if kind == "tool_result" || kind.ends_with("_tool_result") => sum(&[Field::Content]),
            None | Some("message") if block.has_any(&Field::OF_MESSAGE) => self.message(&block, depth),
            _ => self.json(source),
        }
    }

    /// A message of any provider, or a Gemini part.
    fn message(&self, message: &Block<'_>, depth: u32) -> u64 {
        let seen = [Field::Content, Field::Text, Field::Refusal, Field::Parts, Field::ToolCalls];
        let mut total = seen.iter().map(|field| self.field(message, *field, depth)).sum();
        if let Some(call) = message.get(Field::FunctionCall) {
            total += self.call(&Block::of(call));
        }
        if let Some(result) = message.get(Field::FunctionResponse) {
            total += Block::of(result).get(Field::Response).map_or(0, |response| self.json(response));
        }
        if message.get(Field::InlineData).is_some_and(|data| Block::of(data).is_image()) {
            total += image_tokens(message);
        }
        total
    }

    fn call(&self, call: &Block<'_>) -> u64 {
        let text_or_json = |field: Field| {
            call.get(field).map_or(0, |value| match value.text() {
                Some(text) => self.encoding.count(&text),
                None => self.json(value),
            })
        };
        let fields = [Field::Name, Field::Input, Field::Arguments, Field::Args];
        TOOL_CALL_FRAMING + fields.into_iter().map(text_or_json).sum::<u64>()
    }

    /// A document's source: only text and nested blocks can be counted.
    fn document(&self, source: Source<'_>, depth: u32) -> u64 {
        let inner = Block::of(source);
        match inner.get(Field::Type).and_then(Source::text).as_deref() {
            Some("text") => self.field(&inner, Field::Data, depth),
            Some("content") => self.field(&inner, Field::Content, depth),
            _ => 0,
        }
    }

    fn field(&self, block: &Block<'_>, field: Field, depth: u32) -> u64 {
        block.get(field).map_or(0, |value| self.content(value, depth))
    }

    fn json(&self, source: Source<'_>) -> u64 {
        self.encoding.count(&source.compact())
    }
}

/// An image in any provider's form: the payload is in the block, in its `source`, or in a data URL.
fn image_tokens(block: &Block<'_>) -> u64 {
    let holders = [Field::Source, Field::ImageUrl, Field::InlineData];
    let holder = holders.iter().find_map(|field| block.get(*field));
    let (direct, inner) = match holder {
        Some(holder) if holder.kind() == Kind::Object => (None, Block::of(holder)),
        other => (other, Block::default()),
    };
    let payload = inner.get(Field::Data).or(inner.get(Field::Url)).or(direct).or(block.get(Field::Data));
    let payload = payload.map_or(&b""[..], |payload| payload.text_prefix(image::HEADER));
    let comma = payload.iter().take(128).position(|byte| *byte == b',');
    let is_data_url = payload.starts_with(b"data:");
    image::tokens(match comma {
        Some(comma) if is_data_url => &payload[comma + 1..],
        _ => payload,
    })
}

macro_rules! fields {
    ($($field:ident $($name:literal)|+,)*) => {
        /// The members of blocks that matter for counting.
        #[derive(Debug, Clone, Copy)]
        enum Field { $($field,)* }

        impl Field {
            const COUNT: usize = [$(Field::$field,)*].len();

            fn named(name: &[u8]) -> Option<Field> {
                match std::str::from_utf8(name).ok()? {
                    $($($name)|+ => Some(Field::$field),)*
                    _ => None,
                }
            }
        }
    };
}

fields! {
    Type "type", Text "text", Refusal "refusal", Thinking "thinking", Summary "summary", Content "content",
    Name "name", Input "input", Arguments "arguments", Args "args", Function "function", Output "output",
    Source "source", Data "data", Url "url", ImageUrl "image_url", Title "title", Context "context",
    Role "role", Parts "parts", ToolCalls "tool_calls", FunctionCall "functionCall" | "function_call",
    FunctionResponse "functionResponse" | "function_response", Response "response",
    InlineData "inlineData" | "inline_data", MimeType "mimeType" | "mime_type",
}

impl Field {
    /// One of these tells that an object without type is a message or a part.
    const OF_MESSAGE: [Field; 8] = [
        Field::Role,
        Field::Content,
        Field::Text,
        Field::Parts,
        Field::ToolCalls,
        Field::FunctionCall,
        Field::FunctionResponse,
        Field::InlineData,
    ];
}

/// The known members of one object; of members with the same name the last counts.
#[derive(Default)]
struct Block<'a> {
    fields: [Option<Source<'a>>; Field::COUNT],
}

impl<'a> Block<'a> {
    fn of(object: Source<'a>) -> Self {
        let mut block = Block::default();
        object.for_each_member(|name, value| {
            if let Some(field) = Field::named(name) {
                block.fields[field as usize] = Some(value);
            }
        });
        block
    }

    fn get(&self, field: Field) -> Option<Source<'a>> {
        self.fields[field as usize].filter(|value| value.kind() != Kind::Null)
    }

    fn has_any(&self, fields: &[Field]) -> bool {
        fields.iter().any(|field| self.get(*field).is_some())
    }

    fn is_image(&self) -> bool {
        self.get(Field::MimeType).and_then(Source::text).is_some_and(|kind| kind.starts_with("image/"))
    }
}
