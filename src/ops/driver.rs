//! The drivers that the user configured.

use super::{OpError, Workspace};
use crate::drivers::{Driver, DriverError};

impl Workspace {
    /// Returns a driver by its name; `None` is the one that `trace.driver` names.
    ///
    /// # Errors
    /// When it is not configured, or wrongly.
    pub fn driver(&self, name: Option<&str>) -> Result<Box<dyn Driver>, OpError> {
        Err(DriverError::Unable { driver: name.unwrap_or("embedded").to_owned(), task: "reconcile" }.into())
    }
}
