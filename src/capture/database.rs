//! Databases of SQLite that belong to someone else: read without a trace.
//!
//! SQLite leaves files beside a database that it opens (`-wal`, `-shm`), waits for locks and holds up whoever writes.
//! So nothing is ever opened in place but as an *immutable* file, for which SQLite neither locks nor writes anything; and
//! that only where no log or journal stands beside it, since an immutable database is read without them. Otherwise the
//! database and its log are copied to a folder of ours, and SQLite puts them together there. Either way the files are
//! looked at before and after: what was written meanwhile is read again, what never rests is refused.

/// What a database's file begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Tells whether a database's first bytes show that it has tables with these names.
///
/// Their definitions stand in its first page, unless there are very many.
pub(super) fn has_tables(head: &[u8], names: &[&str]) -> bool {
    let is_there = |name: &&str| {
        let quotes = ["", "\"", "`", "["].iter();
        let mut found = quotes.map(|quote| format!("CREATE TABLE {quote}{name}"));
        found.any(|text| memchr::memmem::find(head, text.as_bytes()).is_some())
    };
    head.starts_with(MAGIC) && names.iter().all(is_there)
}

/// Tells whether a file is a database, by its first bytes.
pub(super) fn is_database(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Says that databases are not read by this build.
#[cfg(not(feature = "sqlite"))]
pub(super) fn not_built_in(agent: super::Agent) -> super::CaptureError {
    super::CaptureError::Format { agent, reason: "a database of SQLite, which is not built in".to_owned() }
}

#[cfg(feature = "sqlite")]
pub(super) use open::read;

#[cfg(feature = "sqlite")]
mod open {
    use std::ffi::OsString;
    use std::fmt::Write as _;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::time::SystemTime;

    use rusqlite::config::DbConfig;
    use rusqlite::limits::Limit;
    use rusqlite::{Connection, OpenFlags, types::ValueRef};

    use crate::capture::bounded::FILE_BYTES;
    use crate::capture::{Agent, CaptureError};

    /// A database that has to be copied has no more bytes than this.
    const COPY_BYTES: u64 = 8 << 30;
    /// One value has no more bytes than this.
    const VALUE_BYTES: i32 = 128 << 20;
    /// How often a database that changes is read again.
    const TRIES: usize = 4;
    /// Steps of SQLite's machine between two looks at how many there were, and how often we look: hours of work.
    const STEPS: i32 = 1_000_000;
    const LOOKS: u32 = 100_000;

    /// Gives out the rows of one reading, and keeps count of what they hold.
    pub(in crate::capture) struct Rows<'c> {
        connection: &'c Connection,
        agent: Agent,
        bytes: u64,
        /// Rows that have something else in them than text and numbers where those belong.
        pub(in crate::capture) broken: u64,
    }

    /// Reads a database. `take` may be called again with the same database, and is to begin anew then.
    pub(in crate::capture) fn read<T>(
        agent: Agent,
        path: &Path,
        take: &mut dyn FnMut(&mut Rows<'_>) -> Result<T, CaptureError>,
    ) -> Result<T, CaptureError> {
        let path = std::fs::canonicalize(path)?;
        let mut found = Err(io::Error::new(io::ErrorKind::WouldBlock, "the database is being written").into());
        for _ in 0..TRIES {
            let before = state(&path)?;
            found = if before.iter().skip(1).any(|side| side.is_some_and(|(bytes, _)| bytes > 0)) {
                read_copy(agent, &path, take)
            } else {
                let connection = open(agent, &immutable(&path), OpenFlags::SQLITE_OPEN_READ_ONLY);
                connection
                    .and_then(|connection| take(&mut Rows { connection: &connection, agent, bytes: 0, broken: 0 }))
            };
            if before == state(&path)? {
                return found;
            }
        }
        found.and_then(|_| Err(io::Error::new(io::ErrorKind::WouldBlock, "the database is being written").into()))
    }

    /// Describes the database, its log and its journal: length, and when it was written.
    fn state(path: &Path) -> Result<[Option<(u64, SystemTime)>; 3], CaptureError> {
        let of = |path: PathBuf| match std::fs::symlink_metadata(path) {
            Ok(data) if data.is_file() => Ok(Some((data.len(), data.modified()?))),
            Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        Ok([of(path.to_owned())?, of(beside(path, "-wal"))?, of(beside(path, "-journal"))?])
    }

    fn beside(path: &Path, ending: &str) -> PathBuf {
        let mut name: OsString = path.as_os_str().to_owned();
        name.push(ending);
        name.into()
    }

    fn read_copy<T>(
        agent: Agent,
        path: &Path,
        take: &mut dyn FnMut(&mut Rows<'_>) -> Result<T, CaptureError>,
    ) -> Result<T, CaptureError> {
        let folder = tempfile::tempdir()?;
        let copy = folder.path().join("copy.db");
        for ending in ["", "-wal", "-journal"] {
            let from = beside(path, ending);
            let Ok(data) = std::fs::symlink_metadata(&from) else { continue };
            if data.len() > COPY_BYTES {
                return Err(CaptureError::TooLarge { max: COPY_BYTES });
            }
            std::fs::copy(&from, beside(&copy, ending))?;
        }
        let uri = format!("file:{}", encoded(&copy));
        let connection = open(agent, &uri, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        take(&mut Rows { connection: &connection, agent, bytes: 0, broken: 0 })
    }

    fn immutable(path: &Path) -> String {
        format!("file:{}?mode=ro&immutable=1", encoded(path))
    }

    /// Writes a path as a URI has it: every byte that could mean something there is escaped.
    fn encoded(path: &Path) -> String {
        let mut out = String::new();
        for byte in path.as_os_str().as_encoded_bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => out.push(char::from(*byte)),
                byte => write!(out, "%{byte:02X}").expect("a string takes every write"),
            }
        }
        out
    }

    fn open(agent: Agent, uri: &str, mode: OpenFlags) -> Result<Connection, CaptureError> {
        let flags = mode | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(uri, flags).map_err(|error| refuse(agent, &error))?;
        // What a hostile schema could make SQLite do, beside giving out rows.
        let prepared = connection
            .set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES)
            .and_then(|_| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false))
            .and_then(|_| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true));
        let mut looks = 0;
        let handler = move || {
            looks += 1;
            looks > LOOKS
        };
        let prepared = prepared.and_then(|_| connection.progress_handler(STEPS, Some(handler)));
        prepared.map_err(|error| refuse(agent, &error))?;
        Ok(connection)
    }

    fn refuse(agent: Agent, error: &rusqlite::Error) -> CaptureError {
        CaptureError::Format { agent, reason: error.to_string() }
    }

    impl Rows<'_> {
        /// Tells whether there is a table of this name: a table, nothing that computes its rows.
        pub(in crate::capture) fn has(&mut self, name: &str) -> Result<bool, CaptureError> {
            let text = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1";
            let mut is_there = false;
            self.each(text, &[name], &mut |row| {
                is_there |= row[0].as_deref().is_some_and(|text| text.to_ascii_uppercase().starts_with("CREATE TABLE"));
            })?;
            Ok(is_there)
        }

        /// Hands out the rows that a query has: text and numbers as text, all else as `None`.
        pub(in crate::capture) fn each(
            &mut self,
            query: &str,
            values: &[&str],
            take: &mut dyn FnMut(&[Option<String>]),
        ) -> Result<(), CaptureError> {
            let refuse = |error: &rusqlite::Error| refuse(self.agent, error);
            let mut statement = self.connection.prepare(query).map_err(|error| refuse(&error))?;
            let columns = statement.column_count();
            let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(|error| refuse(&error))?;
            while let Some(row) = rows.next().map_err(|error| refuse(&error))? {
                let mut out = Vec::with_capacity(columns);
                for place in 0..columns {
                    out.push(match row.get_ref(place).map_err(|error| refuse(&error))? {
                        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                            Ok(text) => Some(text.to_owned()),
                            Err(_) => {
                                self.broken += 1;
                                None
                            }
                        },
                        ValueRef::Integer(number) => Some(number.to_string()),
                        ValueRef::Real(number) => Some(number.to_string()),
                        ValueRef::Null | ValueRef::Blob(_) => None,
                    });
                }
                self.bytes += out.iter().flatten().map(|text| text.len() as u64 + 16).sum::<u64>();
                if self.bytes > FILE_BYTES {
                    return Err(CaptureError::TooLarge { max: FILE_BYTES });
                }
                take(&out);
            }
            Ok(())
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::capture::{Agent, CaptureError};
    use rusqlite::Connection;
    use std::path::Path;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn values(path: &Path) -> Result<Vec<String>, CaptureError> {
        read(Agent::Opencode, path, &mut |rows| {
            let mut found = Vec::new();
            assert!(rows.has("t")? && !rows.has("v")?);
            rows.each("SELECT a FROM t ORDER BY a", &[], &mut |row| found.extend(row[0].clone()))?;
            Ok(found)
        })
    }

    #[test]
    fn a_database_is_read_as_it_is_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a b%3f?.db");
        let writer = Connection::open(&path).expect("a database");
        writer
            .execute_batch("CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; INSERT INTO t VALUES ('x'), (7)")
            .expect("written");
        drop(writer);
        let bytes = std::fs::read(&path).expect("there");
        assert!(has_tables(&bytes, &["t"]) && !has_tables(&bytes, &["t", "u"]) && is_database(&bytes));
        assert_eq!(values(&path).expect("read"), ["7", "x"]);
        assert_eq!(names(folder.path()), ["a b%3f?.db"]);
        assert_eq!(std::fs::read(&path).expect("there"), bytes);
    }

    #[test]
    fn what_is_in_the_log_is_read_too_while_its_writer_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wal.db");
        let writer = Connection::open(&path).expect("a database");
        writer
            .execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (a)")
            .expect("written");
        writer.execute_batch("INSERT INTO t VALUES ('in the log')").expect("written");
        let state =
            || names(folder.path()).into_iter().map(|name| std::fs::read(folder.path().join(name)).expect("there"));
        let before: Vec<_> = state().collect();
        assert_eq!(values(&path).expect("read"), ["in the log"]);
        assert!(before == state().collect::<Vec<_>>(), "not a byte of it was touched");
        // A log that its writer left behind, without the file of its index.
        let left = folder.path().join("left.db");
        for ending in ["", "-wal"] {
            std::fs::copy(
                folder.path().join(format!("wal.db{ending}")),
                folder.path().join(format!("left.db{ending}")),
            )
            .expect("copied");
        }
        drop(writer);
        let before = names(folder.path());
        assert_eq!(values(&left).expect("read"), ["in the log"]);
        assert_eq!(names(folder.path()), before);
        writer_is_undone(folder.path());
    }

    /// A transaction that its writer did not finish is not read.
    fn writer_is_undone(folder: &Path) {
        let path = folder.join("hot.db");
        let writer = Connection::open(&path).expect("a database");
        writer.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES ('whole')").expect("written");
        writer.execute_batch("PRAGMA cache_size=1; BEGIN; INSERT INTO t VALUES ('half')").expect("begun");
        assert_eq!(values(&path).expect("read"), ["whole"]);
    }

    #[test]
    fn what_is_no_database_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let writer = Connection::open(&path).expect("a database");
        writer.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(9000)), ('x')").expect("written");
        drop(writer);
        let bytes = std::fs::read(&path).expect("there");
        for end in (0..bytes.len()).step_by(97) {
            std::fs::write(&path, &bytes[..end]).expect("written");
            let _ = read(Agent::Opencode, &path, &mut |rows| rows.each("SELECT a FROM t", &[], &mut |_| {}));
        }
        assert!(matches!(values(folder.path()), Err(CaptureError::Read { .. })));
    }
}
