//! The table of secrets that are known, by group of vendor.
//!
//! Prefixes, alphabets and lengths are those that the vendors publish or that their clients check.

use super::rule::Rule;

mod ai;
mod cloud;
mod code_hosts;
mod data;
mod delivery;
mod general;
mod messaging;
mod payments;
mod services;

/// Every built-in rule. Where two find the same bytes, the earlier one names them.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    [
        code_hosts::RULES,
        cloud::RULES,
        ai::RULES,
        messaging::RULES,
        payments::RULES,
        delivery::RULES,
        data::RULES,
        services::RULES,
        general::RULES,
    ]
    .into_iter()
    .flatten()
}
