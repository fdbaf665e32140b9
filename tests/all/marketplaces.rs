//! Marketplaces of every kind, served and local, sound and hostile; workflows found in them, installed and kept.

mod hostile;
mod installs;
mod served;
mod shared;
mod shop;
mod sources;
mod strangers;
