//! The protocol of programs: a JSON document in, a JSON document out.
//!
//! What a program reads on standard input, as one line:
//!
//! ```json
//! {"version":1,"task":"summarise","form":"summary","target_tokens":400,"must_keep":["port = \\d+"],
//!  "instructions":null,"prompt":"You shorten …",
//!  "passages":[{"id":"x51q8z9mf4","role":"user","text":"…","tokens":38,"body":"<object id>","stays":false}]}
//! {"version":1,"task":"reconcile","conflict":"both-edited","base":"…","ours":"…","theirs":"…",
//!  "instructions":null,"prompt":"Two branches …"}
//! ```
//!
//! What it answers on standard output, with exit code 0. Only `text` or `error` has to be there; other members are
//! passed over:
//!
//! ```json
//! {"text":"…","model":"some-model","usage":{"input":1200,"cache_read":0,"cache_write":0,"output":80,"reasoning":0}}
//! {"error":"why there is no text"}
//! ```

use serde::{Deserialize, Serialize};

use super::{Form, Task};
use crate::model::{EntryId, ObjectId, Usage};

/// The version of the protocol.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(tag = "task", rename_all = "lowercase")]
enum Request<'a> {
    Summarise {
        version: u32,
        form: Form,
        target_tokens: u64,
        must_keep: &'a [String],
        instructions: Option<&'a str>,
        prompt: &'a str,
        passages: Vec<Sent<'a>>,
    },
    Reconcile {
        version: u32,
        conflict: &'a str,
        base: Option<&'a str>,
        ours: &'a str,
        theirs: &'a str,
        instructions: Option<&'a str>,
        prompt: &'a str,
    },
}

#[derive(Serialize)]
struct Sent<'a> {
    id: EntryId,
    role: &'a str,
    text: &'a str,
    tokens: u64,
    body: ObjectId,
    stays: bool,
}

/// Is what a program answers.
#[derive(Deserialize)]
pub(super) struct Reply {
    version: Option<u32>,
    text: Option<String>,
    pub(super) model: Option<String>,
    usage: Option<Reported>,
    error: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Reported {
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
}

/// Writes a task as a program reads it.
pub(super) fn request(task: &Task, prompt: &str) -> Vec<u8> {
    let request = match task {
        Task::Summarise(task) => Request::Summarise {
            version: VERSION,
            form: task.form,
            target_tokens: task.target_tokens,
            must_keep: &task.must_keep,
            instructions: task.instructions.as_deref(),
            prompt,
            passages: task
                .passages
                .iter()
                .map(|passage| Sent {
                    id: passage.id,
                    role: passage.role.name(),
                    text: &passage.text,
                    tokens: passage.tokens,
                    body: passage.body,
                    stays: passage.stays,
                })
                .collect(),
        },
        Task::Reconcile(task) => Request::Reconcile {
            version: VERSION,
            conflict: &task.conflict,
            base: task.base.as_deref(),
            ours: &task.ours,
            theirs: &task.theirs,
            instructions: task.instructions.as_deref(),
            prompt,
        },
    };
    let mut line = serde_json::to_vec(&request).expect("strings and numbers can be written");
    line.push(b'\n');
    line
}

impl Reply {
    /// Reads what a program answered; the error says what is wrong with it.
    pub(super) fn read(bytes: &[u8]) -> Result<Reply, String> {
        if bytes.trim_ascii().is_empty() {
            return Err("it printed nothing".to_owned());
        }
        let reply: Reply = serde_json::from_slice(bytes).map_err(|error| format!("no JSON answer: {error}"))?;
        match reply.version {
            None | Some(VERSION) => Ok(reply),
            Some(version) => Err(format!("unknown version '{version}' of the protocol")),
        }
    }

    /// Returns the text, or what the program says about why there is none.
    pub(super) fn text(&self) -> Result<String, String> {
        match (&self.error, &self.text) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(text)) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            (None, _) => Err("the text is empty".to_owned()),
        }
    }

    /// Returns what the provider reported.
    pub(super) fn usage(&self) -> Option<Usage> {
        let Reported { input, cache_read, cache_write, output, reasoning } = *self.usage.as_ref()?;
        Some(Usage { input, cache_read, cache_write, output, reasoning })
    }
}
