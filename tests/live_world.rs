//! The live world, from outside: its network with plain sockets, its client with scripted nodes, and a cluster of real node processes.

#[path = "live_world/client.rs"]
mod client;
#[path = "live_world/cluster.rs"]
mod cluster;
#[path = "live_world/network.rs"]
mod network;
