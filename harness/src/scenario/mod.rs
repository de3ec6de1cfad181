//! Worked examples of the subject, each a script with what is expected at every step, told in words while it is compared.
//!
//! A scenario is data ([`Scenario`], [`Act`], [`Beat`]); its plans run in either world like any other and are saved like any other. No
//! scenario rests on how fast a machine is: what follows something waits for it. This is not the judge of histories: a scenario says what
//! it expects of this one run, and may expect anomalies.

mod act;
mod judge;
mod perform;
mod play;
mod registry;
pub mod requirements;
mod seen;
mod themes;

pub use act::{Act, Answer, Beat, Count, Measured, Replicas, Scenario, Step, Strike};
pub use judge::{Check, Line, judge};
pub use perform::{Performance, Played, perform};
pub use registry::{ALL, find};
pub use seen::{FaultSeen, Reply, Seen, StepSeen};
