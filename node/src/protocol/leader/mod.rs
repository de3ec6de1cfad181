//! The single-leader store as a state machine: what a leaderless store is compared with.
//!
//! One node leads, the others follow: the leader puts writes into a log, followers copy it, and when the leader is not heard any more one
//! of them takes its place. Settings decide what an acknowledgement is worth (none, `k` or a majority of copies), who may be promoted,
//! and whether leases and fencing keep an old leader from believing in itself. With them this is `PostgreSQL` with its standbys, `MySQL`
//! with semi-synchronous replicas, or a replicated log as in Raft (Ongaro and Ousterhout, ATC 2014) and `DynamoDB` (Elhemali et al., ATC
//! 2022).
//!
//! It is *not* a consensus library: most of its settings lose acknowledged writes, because the systems that they imitate do. Like
//! [`super::Replica`] it does no I/O and has no clock: [`LeaderNode::step`] is the only way in, and everything that must happen comes back.
//! There is no last-write-wins: the place of a write in the log decides, see [`Position`].
//!
//! | file | what it decides |
//! |---|---|
//! | `config.rs` | the settings, and presets of known systems |
//! | `log.rs`, `journal.rs`, `record.rs` | what a node holds, and what waits until that is durable |
//! | `campaign.rs` | how a silent leader is replaced |
//! | `lead.rs`, `progress.rs` | what a leader sends, and when an entry is committed |
//! | `follow.rs` | what a follower takes, refuses and truncates |
//! | `lease.rs` | how long a leader may serve, and how long its successor must wait |
//! | `serve.rs`, `forward.rs` | what clients are answered, and who answers them |
//! | `phases.rs`, `status.rs` | what can be seen of a failover |

mod campaign;
mod config;
mod follow;
mod forward;
mod interface;
mod journal;
mod lead;
mod lease;
mod log;
mod message;
mod node;
mod phases;
mod progress;
mod record;
mod serve;
mod status;
mod term;

#[cfg(test)]
mod tests;

pub use config::{LeaderConfig, LeaderConfigError, Promotion, Reads, Redirect, Replication};
pub use interface::{Ask, Grounds, LeaderInput, LeaderOutput, LeaderReply};
pub use message::LeaderMessage;
pub use node::LeaderNode;
pub use phases::{Phase, PhaseEvent};
pub use record::{Change, Entry, LeaderRecord};
pub use status::{LeaderStatus, Role, Tally};
pub use term::{Position, Term};
