//! The shelf: which files there are, who may see, bring and remove them, and what the disk is asked to do. Names and sizes, never bytes or paths.

pub mod order;
pub mod web;
