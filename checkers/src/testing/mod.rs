//! What the tests share: histories drawn as timelines, random histories, and brute-force twins of every checker.

mod metamorphic;
mod random;
mod timeline;
mod twin;

pub(crate) use timeline::{draw, draw_with, header};
