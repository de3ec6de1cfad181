//! Worlds: where a plan meets a cluster.
