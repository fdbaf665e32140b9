//! Tokens: exact counts, what a message costs a model, how a count was made, and what usage costs in money.
//!
//! * [`Encoding`] counts `o200k_base` and `cl100k_base` exactly. The build script turns the vocabularies of crate
//!   `tiktoken-rs` into perfect hash tables that are read in place: nothing is parsed or allocated at start.
//! * [`count_body`] counts what a model sees of a message in its provider's form.
//! * [`method_for`] says how a model's tokens are counted; a [`Count`] never shows an estimate as exact.
//! * [`cost`] prices what a provider reported.
//!
//! *Architecture invariant:* this room reads no file, no clock and no environment, and of the other rooms only `model`.

mod body;
mod class;
mod count;
mod encoding;
mod hash;
mod image;
mod merge;
mod method;
mod models;
mod price;
mod scanner;
mod source;
mod vocabulary;

pub use body::{Body, MESSAGE_FRAMING, TOOL_CALL_FRAMING, count_body, count_text};
pub use count::Count;
pub use encoding::{Encoding, UnknownEncoding};
pub use image::IMAGE_TOKENS_MAX;
pub use method::{Method, calibrate};
pub use models::method_for;
pub use price::{PriceError, cost};
