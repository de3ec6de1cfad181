//! The laws of the ring, and whole clusters that gossip in virtual time.

mod bootstrap;
mod change;
mod cluster;
mod convergence;
mod detection;
mod laws;
mod overlap;
mod packets;
