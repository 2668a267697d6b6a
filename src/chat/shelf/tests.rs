//! Tests of the shelf: conversations between people, the disk and the store.

mod bringing;
mod rights;
mod rules;
mod web;
