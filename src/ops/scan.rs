//! The second look: what is about to leave the machine is searched for secrets once more, with today's rules.

use serde::Serialize;

use super::{OpError, Workspace};
use crate::codec::{Named, decode_name, one_line};
use crate::model::{EntryId, ObjectId, Role};
use crate::redact::{Finding, Redactor};
use crate::store::Reached;

/// Characters around a secret that are shown.
const AROUND: usize = 30;

/// Names a secret that stands in an object, without its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The first commit that has it.
    pub commit: ObjectId,
    /// The entry whose body or metadata it is in.
    pub entry: Option<EntryId>,
    /// The file's path in the commit's tree; empty for the commit's message.
    pub path: String,
    /// The rule that found it.
    pub rule: String,
    /// What stands around it; a marker stands in its own place.
    pub preview: String,
}

/// Searches the messages, files and names that `tips` reach and `known` do not, each once; one file is in memory at a
/// time. It searches whether or not redaction is on.
///
/// # Errors
/// When an object cannot be read.
pub(crate) fn scan_commits(workspace: &Workspace, tips: &[ObjectId], known: &[ObjectId]) -> Result<Vec<Leak>, OpError> {
    let redactor = workspace.scanner()?;
    let mut leaks = Vec::new();
    workspace.repo.visit_new(tips, known, &mut |reached| {
        match reached {
            Reached::Message { commit, text } => {
                let place = Place { commit, entry: None, path: String::new() };
                place.tell(redactor, text, redactor.scan(text), &mut leaks);
            }
            Reached::Name { commit, folder, name } => {
                // What our own names can hold is no secret.
                if !is_plain(name) {
                    let place = Place { commit, entry: None, path: format!("{folder}…") };
                    place.tell(redactor, name, redactor.scan(name), &mut leaks);
                }
            }
            Reached::Blob { commit, folder, name, id } => {
                let bytes = workspace.repo.read_blob(&id)?;
                let entry = match decode_name(name, id) {
                    Ok(Named::Entry(entry)) => Some(entry.id),
                    Ok(Named::Meta { id, .. }) => Some(id),
                    Err(_) => None,
                };
                let path = format!("{folder}{}", String::from_utf8_lossy(name));
                Place { commit, entry, path }.tell(redactor, &bytes, find(redactor, name, &bytes), &mut leaks);
            }
        }
        Ok::<(), OpError>(())
    })?;
    Ok(leaks)
}

/// Searches the names of refs.
///
/// # Errors
/// When the rules cannot be read.
pub(crate) fn scan_names(workspace: &Workspace, names: &[&str]) -> Result<Vec<Leak>, OpError> {
    let redactor = workspace.scanner()?;
    let mut leaks = Vec::new();
    for name in names {
        let place = Place { commit: ObjectId::Sha1([0; 20]), entry: None, path: "the name of a ref".to_owned() };
        place.tell(redactor, name.as_bytes(), redactor.scan(name.as_bytes()), &mut leaks);
    }
    Ok(leaks)
}

/// Searches a file as it was searched when it was stored.
fn find(redactor: &Redactor, name: &[u8], bytes: &[u8]) -> Vec<Finding> {
    match decode_name(name, ObjectId::Sha1([0; 20])) {
        Ok(_) if name.ends_with(b".json") => redactor.json(bytes).findings().to_vec(),
        Ok(_) => redactor.text(bytes).findings().to_vec(),
        Err(_) => redactor.scan(bytes),
    }
}

/// Tells whether a name is one that this program gives: nobody can put words of their own into it.
fn is_plain(name: &[u8]) -> bool {
    match decode_name(name, ObjectId::Sha1([0; 20])) {
        Ok(Named::Entry(entry)) => !matches!(entry.role, Role::Other(_)) && entry.flags.other.is_empty(),
        Ok(Named::Meta { .. }) => true,
        Err(_) => name.len() < 8 || name.iter().all(u8::is_ascii_hexdigit),
    }
}

/// Where something was found.
struct Place {
    commit: ObjectId,
    entry: Option<EntryId>,
    path: String,
}

impl Place {
    fn tell(&self, redactor: &Redactor, bytes: &[u8], findings: Vec<Finding>, leaks: &mut Vec<Leak>) {
        for finding in &findings {
            leaks.push(Leak {
                commit: self.commit,
                entry: self.entry,
                path: self.path.clone(),
                rule: finding.rule.to_string(),
                preview: preview(redactor, bytes, &findings, finding),
            });
        }
    }
}

/// Returns what stands around a finding, without its words or those of any other.
fn preview(redactor: &Redactor, bytes: &[u8], findings: &[Finding], finding: &Finding) -> String {
    let window = finding.start.saturating_sub(AROUND)..(finding.end + AROUND).min(bytes.len());
    let near = findings.iter().filter(|other| other.end > window.start && other.start < window.end);
    let mut pieces: Vec<&Finding> = near.collect();
    pieces.sort_by_key(|other| other.start);
    let (mut text, mut at) = (String::new(), window.start);
    for other in pieces {
        if at < other.start {
            text += &String::from_utf8_lossy(&bytes[at..other.start]);
        }
        text += &format!("[{}]", other.rule);
        at = at.max(other.end);
    }
    if at < window.end {
        text += &String::from_utf8_lossy(&bytes[at..window.end]);
    }
    // What two cuts lay bare is taken out too.
    redactor.line(&one_line(&text, 200)).into_inner()
}
