//! The contract against the simulated world: what is promised must hold under every plan, and every defect must show.

#[path = "sim_contract/canaries.rs"]
mod canaries;
#[path = "sim_contract/determinism.rs"]
mod determinism;
#[path = "sim_contract/judged.rs"]
mod judged;
#[path = "sim_contract/paused.rs"]
mod paused;
#[path = "sim_contract/promises.rs"]
mod promises;
#[path = "sim_contract/rings.rs"]
mod rings;
#[path = "sim_contract/tracing.rs"]
mod tracing;
#[path = "sim_contract/weather.rs"]
mod weather;
