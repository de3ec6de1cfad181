//! The scenarios themselves, by theme.

pub(super) mod burden;
pub(super) mod centres;
pub(super) mod clocks;
pub(super) mod entropy;
pub(super) mod handoff;
pub(super) mod known;
pub(super) mod leaders;
pub(super) mod levels;
pub(super) mod monitors;
pub(super) mod outages;
pub(super) mod quorums;
pub(super) mod races;
pub(super) mod repair;
pub(super) mod siblings;
