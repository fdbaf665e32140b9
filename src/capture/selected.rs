//! One session of a file or folder that holds several: `<file>/<session's id>`, as though the file were a folder.

use std::path::{Path, PathBuf};

use super::{Agent, CaptureError};

/// Names a file or folder, and a session in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selected {
    pub(super) path: PathBuf,
    pub(super) session: Option<String>,
}

impl Selected {
    /// Takes a path apart. A name behind a file, or behind a folder that has nothing of that name, is a session's.
    pub(super) fn of(path: &Path) -> Self {
        let parts = path.parent().zip(path.file_name().and_then(|name| name.to_str()));
        let is_there = |path: &Path| std::fs::symlink_metadata(path).is_ok();
        match parts.filter(|(parent, _)| !is_there(path) && is_there(parent)) {
            Some((parent, session)) => Selected { path: parent.to_owned(), session: Some(session.to_owned()) },
            None => Selected { path: path.to_owned(), session: None },
        }
    }

    /// Says which of the sessions that there are is meant; `None` where there is none at all.
    pub(super) fn pick(&self, agent: Agent, there: &[String]) -> Result<Option<String>, CaptureError> {
        let refuse = |reason| Err(CaptureError::Format { agent, reason });
        match (&self.session, there) {
            (Some(session), _) if there.contains(session) => Ok(Some(session.clone())),
            (Some(session), _) => refuse(format!("no session '{session}' in it")),
            (None, []) => Ok(None),
            (None, [one]) => Ok(Some(one.clone())),
            (None, several) => {
                let name = self.path.join(&several[several.len() - 1]);
                refuse(format!("it holds {} sessions, name one of them: '{}'", several.len(), name.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_behind_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("all.db");
        std::fs::write(&file, "x").expect("written");
        let plain = Selected::of(&file);
        assert_eq!((plain.path.as_path(), &plain.session), (file.as_path(), &None));
        let one = Selected::of(&file.join("s1"));
        assert_eq!((one.path.as_path(), one.session.as_deref()), (file.as_path(), Some("s1")));
        let there = ["s1".to_owned(), "s2".to_owned()];
        assert_eq!(one.pick(Agent::Opencode, &there).expect("there").as_deref(), Some("s1"));
        assert!(plain.pick(Agent::Opencode, &there).expect_err("which?").to_string().contains("all.db/s2'"));
        assert_eq!(plain.pick(Agent::Opencode, &there[..1]).expect("one").as_deref(), Some("s1"));
        assert_eq!(plain.pick(Agent::Opencode, &[]).expect("none"), None);
        assert!(Selected::of(&file.join("s3")).pick(Agent::Opencode, &there).is_err());
    }
}
