//! The command line, from outside: what it refuses and how it says so, what it judges, and which stream and colour things have.
//! No cluster is started here.

// A test target is all test; the attributes say so to the lints, which know helpers only by them.
#[cfg(test)]
#[path = "command_line/bench.rs"]
mod bench;
#[cfg(test)]
#[path = "command_line/check.rs"]
mod check;
#[cfg(test)]
#[path = "command_line/explain.rs"]
mod explain;
#[cfg(test)]
#[path = "command_line/generate.rs"]
mod generate;
#[cfg(test)]
#[path = "command_line/histories.rs"]
mod histories;
#[cfg(test)]
#[path = "command_line/interrupted.rs"]
mod interrupted;
#[cfg(test)]
#[path = "command_line/models.rs"]
mod models;
#[cfg(test)]
#[path = "command_line/precedence.rs"]
mod precedence;
#[cfg(test)]
#[path = "command_line/profiles.rs"]
mod profiles;
#[cfg(test)]
#[path = "command_line/replay.rs"]
mod replay;
#[cfg(test)]
#[path = "command_line/search.rs"]
mod search;
#[cfg(test)]
#[path = "command_line/shrink.rs"]
mod shrink;
#[cfg(test)]
#[path = "command_line/simulated.rs"]
mod simulated;
#[cfg(test)]
#[path = "command_line/stream.rs"]
mod stream;
#[cfg(test)]
#[path = "command_line/terminal.rs"]
mod terminal;
#[cfg(test)]
#[path = "command_line/usage.rs"]
mod usage;
