//! Bodies: counted, previewed and searched for tool calls without a panic, whatever they hold.
#![no_main]

use git_trace::codec::tool_ids;
use git_trace::export::plain_text;
use git_trace::model::BodyKind;
use git_trace::ops::parse_messages;
use git_trace::tokens::{Body, Encoding, count_body};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = count_body(Encoding::O200kBase, Body::Json, bytes);
    let _ = count_body(Encoding::Cl100kBase, Body::Text, bytes);
    let _ = plain_text(&BodyKind::Json, bytes);
    let _ = tool_ids(bytes);
    let _ = parse_messages(bytes);
});
