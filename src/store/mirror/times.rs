//! When each state of a mirror was fetched.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Asked;
use crate::store::StoreError;

/// The file in a mirror's folder.
const FILE: &str = "trace-fetched.json";
/// The largest such file that is read, in bytes.
const FILE_MAX: u64 = 4 << 20;
/// Most states whose time is kept; the oldest go.
const STATES_MAX: usize = 1000;

/// Holds when each state was fetched, in seconds since 1970, by the ref in which it is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Times {
    version: u32,
    /// Where it was fetched from, for people.
    from: String,
    fetched: BTreeMap<String, i64>,
}

impl Times {
    /// Returns when a state was fetched.
    pub(super) fn of(&self, asked: &Asked) -> Option<i64> {
        self.fetched.get(&asked.kept_as()).copied()
    }
}

/// Reads the times of a mirror; what cannot be read is not known.
pub(super) fn read(folder: &Path) -> Times {
    let path = folder.join(FILE);
    let is_small = fs::metadata(&path).is_ok_and(|data| data.is_file() && data.len() <= FILE_MAX);
    let bytes = if is_small { fs::read(&path).unwrap_or_default() } else { Vec::new() };
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Notes that states were fetched now.
pub(super) fn note(folder: &Path, from: &str, asked: &[Asked], now: i64) -> Result<(), StoreError> {
    let mut times = read(folder);
    (times.version, times.from) = (1, from.to_owned());
    times.fetched.extend(asked.iter().map(|one| (one.kept_as(), now)));
    while times.fetched.len() > STATES_MAX {
        let oldest = times.fetched.iter().min_by_key(|(_, time)| **time).map(|(name, _)| name.clone());
        times.fetched.remove(&oldest.unwrap_or_default());
    }
    let bytes = serde_json::to_vec_pretty(&times).expect("it is made of texts and numbers");
    let path = folder.join(FILE);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(StoreError::io("create a file in", folder))?;
    file.write_all(&bytes).map_err(StoreError::io("write", &path))?;
    file.persist(&path).map(drop).map_err(|error| StoreError::io("write", &path)(error.error))
}
