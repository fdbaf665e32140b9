//! Marketplaces: which are known, and what they hold.

mod add;
mod blobs;
mod configured;
mod error;
mod list;
mod local;
mod market;
mod reach;
mod refresh;
mod tree_files;

pub use add::{AddMarketplace, ChangedMarketplace, RemoveMarketplace, add_marketplace, remove_marketplace};
pub(in crate::ops) use configured::{Configured, base, configured, look_from, masked, parse_written, settle};
pub use error::{MarketError, Why};
pub use list::{ListedMarketplace, list_marketplaces};
pub(in crate::ops) use local::expand;
pub(in crate::ops) use market::LazyMarket;
pub(in crate::ops) use reach::{Reach, Reached};
pub use refresh::{RefreshMarketplaces, RefreshedMarketplace, refresh_marketplaces};
pub(in crate::ops) use tree_files::TreeFiles;
