//! Indexes of links: each row names commits of contexts that brought what it says.

use std::collections::HashMap;

use super::Note;
use super::commit::Report;
use super::objects::{Objects, Trouble};
use crate::codec::{RowKind, strict_rows};
use crate::link::{LinkError, LinkRecord};
use crate::model::{EntryId, ObjectId};
use crate::ops::Finding;
use crate::store::{ObjectKind, StoreError};

/// Checks every row of an index as it is now.
pub(super) fn check(objects: &mut Objects<'_>, tip: &ObjectId) -> Result<Report, Trouble> {
    let mut index = Index { report: Report::default(), touched: HashMap::new() };
    objects.read(tip, ObjectKind::Commit)?;
    let commit = objects.repo.read_code_commit(tip)?;
    index.folder(objects, &commit.tree, "")?;
    Ok(index.report)
}

struct Index {
    report: Report,
    /// Entries that a commit touched; `None` for a commit that is not here.
    touched: HashMap<ObjectId, Option<Vec<EntryId>>>,
}

impl Index {
    fn folder(&mut self, objects: &mut Objects<'_>, id: &ObjectId, path: &str) -> Result<(), Trouble> {
        let bytes = objects.read(id, ObjectKind::Tree)?;
        let wrong = |reason: String| Trouble::Found(Finding::Link { path: path.to_owned(), reason });
        for row in strict_rows(&bytes, id.kind()).map_err(|error| wrong(error.to_string()))? {
            let below = format!("{path}{}", row.name.escape_ascii());
            let looked = match row.kind {
                // Two folders deep; what is deeper was not made by a git trace.
                RowKind::Tree if path.matches('/').count() < 2 => self.folder(objects, &row.id, &format!("{below}/")),
                RowKind::Tree => Err(wrong(format!("a folder: '{below}'"))),
                RowKind::Blob => self.file(objects, &row.id, &below),
            };
            looked.or_else(|trouble| self.report.trouble(trouble))?;
        }
        Ok(())
    }

    fn file(&mut self, objects: &mut Objects<'_>, id: &ObjectId, path: &str) -> Result<(), Trouble> {
        let bytes = objects.read(id, ObjectKind::Blob)?;
        let wrong = |reason: String| Finding::Link { path: path.to_owned(), reason };
        let record = match LinkRecord::decode(&bytes) {
            Ok(record) => record,
            // What a newer program wrote is for that one to check.
            Err(LinkError::Newer { .. }) => return Ok(()),
            Err(error) => return Err(Trouble::Found(wrong(error.to_string()))),
        };
        let name = path.split('/').skip(1).collect::<String>();
        let named = match path.split('/').next() {
            Some("code") => record.commit.to_string() == name,
            Some("patch") => record.patch.as_ref().is_some_and(|patch| patch.to_string() == name),
            _ => true,
        };
        if !named {
            self.report.findings.push(wrong("it is about something else than its name says".to_owned()));
        }
        for link in &record.links {
            match self.touched(objects, &link.trace)? {
                None => self.report.notes.push(Note::TraceNotHere { commit: link.trace }),
                Some(entries) if entries.contains(&link.entry) => {}
                Some(_) => {
                    let reason = format!("commit {} did not touch entry '{}'", link.trace.short(12), link.entry);
                    self.report.findings.push(wrong(reason));
                }
            }
        }
        Ok(())
    }

    fn touched(&mut self, objects: &mut Objects<'_>, id: &ObjectId) -> Result<Option<&Vec<EntryId>>, Trouble> {
        if !self.touched.contains_key(id) {
            let entries = match objects.repo.read_commit(id) {
                Ok(commit) => Some(commit.facts.entries.iter().map(|touch| touch.id).collect()),
                Err(StoreError::Missing { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            self.touched.insert(*id, entries);
        }
        Ok(self.touched[id].as_ref())
    }
}
