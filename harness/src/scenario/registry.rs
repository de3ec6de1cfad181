//! All scenarios there are, in the order of the tour.

use super::act::Scenario;
use super::themes::{
    burden, centres, clocks, entropy, handoff, known, leaders, levels, monitors, outages, quorums,
    races, repair, siblings,
};

/// All of them.
pub const ALL: [Scenario; 47] = [
    quorums::BASICS,
    quorums::N5_W3_TWO_DOWN,
    quorums::NEWEST_WINS,
    levels::RING,
    quorums::OVERLAP_N3,
    quorums::OVERLAP_N5,
    races::STALE_1_1,
    races::WRITE_READ_RACE,
    levels::UNKNOWN,
    levels::FIVE_ROWS,
    levels::PER_REQUEST,
    repair::READ_REPAIR,
    repair::ONLY_TOUCHED,
    repair::ORDER,
    clocks::LWW,
    clocks::SKEW,
    outages::STRICT_ONE_DOWN,
    outages::AVAILABILITY_N5,
    outages::THREE_NINES,
    outages::PERMANENT_LOSS,
    outages::TWO_OF_FOUR,
    handoff::HINTED_HANDOFF,
    handoff::HINT_HOLDER_DIES,
    handoff::SLOPPY_STALE,
    handoff::COORDINATOR_HINTS,
    handoff::HINTS_ACCUMULATE,
    siblings::SIBLINGS,
    siblings::CART,
    centres::CUT,
    centres::MIX,
    entropy::THREE_KEYS,
    entropy::RESURRECTION,
    entropy::ONE_OF_MANY,
    centres::OUTAGE,
    handoff::PRIMARIES,
    repair::CHANCE,
    repair::REST_FOLLOWS,
    monitors::MONITORS,
    leaders::OUTAGE,
    leaders::US_EU,
    leaders::LOSES,
    leaders::SPLIT_BRAIN,
    leaders::DYNAMODB,
    burden::BOTTLENECK,
    known::THREE,
    known::CASSANDRA,
    known::VOLDEMORT,
];

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}
