//! Promises of the importer.

mod fixtures;
mod hostile;
mod incremental;
mod replay;
mod shapes;
mod shared;
