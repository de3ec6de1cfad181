//! Who is there, who seems dead, and who is in the ring: gossip membership, failure detection and ring changes. Pure and sans-IO like
//! the rest of `protocol`; it neither opens connections nor moves data. With the default, where a node is up while its connection is, none
//! of it runs.
//!
//! Failure detection is `foca`, an implementation of SWIM that does no I/O. It is deterministic as it is used here: it keeps its members in
//! a `Vec`, takes every random number from the generator it is given (`dice`, seeded), has no clock, and asks for timers, which `timers`
//! keeps in a total order. The tests run whole clusters twice and compare every packet.
//!
//! | file | what it is |
//! |---|---|
//! | `gossip` | [`Membership`]: packets and time in, packets and news out |
//! | `swim`, `timers`, `dice`, `life`, `settings` | the failure detector's surroundings |
//! | `state`, `command` | [`RingState`], what is decided about the ring: a semilattice, and the decisions |
//! | `view` | [`RingView`]: who reads and who writes a key while the ring changes |
//! | `bootstrap` | [`Bootstrap`]: what must be copied before a change may go on |
//!
//! A change goes like this, one at a time, each step only when [`Membership::all_agree`] says that everybody knows of the one before:
//!
//! 1. An administrator's [`Command`]. From now on writes go to the old and the new owners and wait for W + pending; reads ask the old.
//! 2. One request time-out later, when writes that did not know of it have ended, the new owners copy ([`Bootstrap`]).
//! 3. [`Membership::switch`], with the certificate that everything is copied. Reads ask the new owners; writes still go to both.
//! 4. [`Membership::settle`]. The old owners are needed no more.

mod bootstrap;
mod command;
mod dice;
mod gossip;
mod life;
mod packet;
mod settings;
mod state;
mod swim;
mod timers;
mod view;

#[cfg(test)]
mod tests;

pub use bootstrap::{Bootstrap, Copied, Sources, Task, TokenRange};
pub use command::{Command, RingError};
pub use gossip::{Membership, Output};
pub use life::{Life, NoNode};
pub use packet::PacketError;
pub use settings::{Settings, SettingsError};
pub use state::{
    Change, ChangeKind, DATA_CENTRE_BYTES_MAX, Phase, RingMember, RingState, StateError, Status,
    Stay,
};
pub use swim::Opinion;
pub use view::{Owners, Pending, RingView};
