//! Writes the ready tables that `src/tokens` embeds, so that nothing is parsed when the program starts.

#![allow(clippy::disallowed_macros, reason = "cargo reads what a build script prints")]

mod classes;
#[path = "../hash.rs"]
mod hash;
mod vocabulary;

use std::path::PathBuf;

fn main() {
    for watched in ["src/tokens/build", "src/tokens/hash.rs"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts"));
    classes::write(&out);
    let o200k = tiktoken_rs::o200k_base().expect("the vocabulary inside tiktoken-rs is well formed");
    vocabulary::write(&out, "o200k", &o200k);
    let cl100k = tiktoken_rs::cl100k_base().expect("the vocabulary inside tiktoken-rs is well formed");
    vocabulary::write(&out, "cl100k", &cl100k);
}
