//! The live world, from outside: its network with plain sockets, its client with scripted nodes, and a cluster of real
//! processes.

// A test target is all test; the attributes say so to the lints, which know helpers only by them.
#[cfg(test)]
#[path = "live_world/client.rs"]
mod client;
#[cfg(test)]
#[path = "live_world/cluster.rs"]
mod cluster;
#[cfg(test)]
#[path = "live_world/network.rs"]
mod network;
