//! The database: tables `session`, `message` and `part`, each row with its JSON in `data`.

use std::collections::HashMap;
use std::path::PathBuf;

use super::{Session, Store, Stored};
use crate::capture::{Agent, CaptureError, database};

const SESSIONS: &str = "SELECT id, parent_id FROM session ORDER BY time_created, id";
const OWNERS: &str = "SELECT session_id FROM message GROUP BY session_id ORDER BY min(time_created), session_id";
const SESSION: &str = "SELECT title, directory, parent_id FROM session WHERE id = ?1";
const MESSAGES: &str = "SELECT id, data FROM message WHERE session_id = ?1 ORDER BY time_created, id";
const PARTS: &str = "SELECT message_id, id, data FROM part WHERE session_id = ?1 ORDER BY message_id, id";

/// The database.
pub(super) struct Tables {
    pub(super) path: PathBuf,
}

impl Store for Tables {
    fn list(&self) -> Result<Vec<(String, Option<String>)>, CaptureError> {
        database::read(Agent::Opencode, &self.path, &mut |rows| {
            let mut found = Vec::new();
            if rows.has("session")? {
                rows.each(SESSIONS, &[], &mut |row| found.extend(row[0].clone().map(|id| (id, row[1].clone()))))?;
            } else if rows.has("message")? {
                rows.each(OWNERS, &[], &mut |row| found.extend(row[0].clone().map(|id| (id, None))))?;
            }
            Ok(found)
        })
    }

    fn session(&self, id: &str) -> Result<Session, CaptureError> {
        database::read(Agent::Opencode, &self.path, &mut |rows| {
            let mut session = Session::default();
            if rows.has("session")? {
                rows.each(SESSION, &[id], &mut |row| {
                    [session.title, session.folder, session.parent] = [row[0].clone(), row[1].clone(), row[2].clone()];
                })?;
            }
            if !rows.has("message")? || !rows.has("part")? {
                return Ok(session);
            }
            let mut parts: HashMap<String, Vec<Stored>> = HashMap::new();
            let mut broken = 0;
            rows.each(PARTS, &[id], &mut |row| match row {
                [Some(message), Some(id), Some(json)] => {
                    let stored = Stored { id: id.clone(), json: json.clone() };
                    parts.entry(message.clone()).or_default().push(stored);
                }
                _ => broken += 1,
            })?;
            rows.each(MESSAGES, &[id], &mut |row| match row {
                [Some(id), Some(json)] => {
                    let own = parts.remove(id).unwrap_or_default();
                    session.messages.push((Stored { id: id.clone(), json: json.clone() }, own));
                }
                _ => broken += 1,
            })?;
            // Parts of messages that are not there.
            session.broken = broken + parts.values().map(|parts| parts.len() as u64).sum::<u64>();
            Ok(session)
        })
    }
}
