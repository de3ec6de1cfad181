//! The whole binary on real processes: what it leaves behind when it ends well, and that it leaves nobody behind when it does not.

// A test target is all test; the attributes say so to the lints, which know helpers only by them.
#[cfg(test)]
#[path = "command_line/bench.rs"]
mod bench;
#[cfg(test)]
#[path = "end_to_end/by_hand.rs"]
mod by_hand;
#[cfg(test)]
#[path = "end_to_end/deaths.rs"]
mod deaths;
#[cfg(test)]
#[path = "end_to_end/gates.rs"]
mod gates;
#[cfg(test)]
#[path = "end_to_end/interrupts.rs"]
mod interrupts;
#[cfg(test)]
#[path = "end_to_end/record.rs"]
mod record;
#[cfg(test)]
#[path = "end_to_end/replays.rs"]
mod replays;
#[cfg(test)]
#[path = "end_to_end/running.rs"]
mod running;
#[cfg(test)]
#[path = "end_to_end/shrinking.rs"]
mod shrinking;
#[cfg(test)]
#[path = "end_to_end/stale_reads.rs"]
mod stale_reads;
#[cfg(test)]
#[path = "end_to_end/stopping.rs"]
mod stopping;
#[cfg(test)]
#[path = "end_to_end/whole_runs.rs"]
mod whole_runs;
