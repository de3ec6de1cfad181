//! The guarantee matrix of strict quorums with last-write-wins, transcribed from the theory page: what is possible where.
//!
//! Tables on purpose, and no formulas: the contract computes what it promises, and is held against this. It knows no run.

use std::fmt;

use quorate_checkers::{Clocks, Exposure, Guarantee};
use quorate_node::config::ReadRepair;

/// The columns of the matrix, by what they break.
pub(crate) const COLUMNS: [Guarantee; 9] = [
    Guarantee::FreshReads,
    Guarantee::ReadYourWrites,
    Guarantee::NoInversion,
    Guarantee::MonotonicReads,
    Guarantee::Linearizability,
    Guarantee::NoLostWrites,
    Guarantee::NoConcurrentLoss,
    Guarantee::NoClockLoss,
    Guarantee::Convergence,
];

/// A store: N, W, R, and what reads do about stale replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quorums {
    pub(crate) n: u16,
    pub(crate) w: u16,
    pub(crate) r: u16,
    pub(crate) repair: ReadRepair,
}

impl Quorums {
    /// Every one of `n` replicas.
    pub(crate) fn all(n: u16) -> impl Iterator<Item = Quorums> {
        let levels = (1..=n).flat_map(move |w| (1..=n).map(move |r| (w, r)));
        levels.flat_map(move |(w, r)| {
            [ReadRepair::None, ReadRepair::Async, ReadRepair::Blocking].map(|repair| Quorums {
                n,
                w,
                r,
                repair,
            })
        })
    }
}

/// What is lost in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Losses {
    /// Nothing.
    Nothing,
    /// Messages, and no record that was acknowledged.
    Messages,
    /// Records that were acknowledged, on so many replicas at once.
    Records(u16),
}

impl Losses {
    /// How many replicas forget at once.
    pub(crate) fn forgetful(self) -> u16 {
        match self {
            Losses::Nothing | Losses::Messages => 0,
            Losses::Records(replicas) => replicas,
        }
    }
}

/// What a run is exposed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conditions {
    pub(crate) losses: Losses,
    /// Whether wall clocks disagree.
    pub(crate) is_skewed: bool,
}

impl Conditions {
    /// Everything that `n` replicas can be exposed to.
    pub(crate) fn all(n: u16) -> impl Iterator<Item = Conditions> {
        let losses = [Losses::Nothing, Losses::Messages].into_iter();
        losses
            .chain((1..=n).map(Losses::Records))
            .flat_map(|losses| [false, true].map(|is_skewed| Conditions { losses, is_skewed }))
    }

    /// What a verdict says that its run was exposed to.
    pub(crate) fn of(exposure: &Exposure) -> Conditions {
        let losses = match (exposure.forgotten, exposure.lossless) {
            (0, true) => Losses::Nothing,
            (0, false) => Losses::Messages,
            (forgotten, _) => Losses::Records(u16::try_from(forgotten).expect("few nodes")),
        };
        Conditions {
            losses,
            is_skewed: exposure.clocks != Clocks::Synchronised,
        }
    }
}

impl fmt::Display for Quorums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Quorums { n, w, r, repair } = self;
        write!(f, "N={n} W={w} R={r} {repair:?}")
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}{}",
            self.losses,
            if self.is_skewed { " skewed" } else { "" }
        )
    }
}

/// One (W, R) of the table of three replicas: `P` where the anomaly is possible and `I` where not, when 0, 1, 2 (and of lost writes 3)
/// replicas forget.
struct OfThree {
    w: u16,
    r: u16,
    stale: &'static str,
    /// Without read repair, or with one that nobody waits for.
    inverted: &'static str,
    inverted_blocking: &'static str,
    not_linearizable: &'static str,
    not_linearizable_blocking: &'static str,
    lost: &'static str,
}

const fn of_three(w: u16, r: u16, cells: [&'static str; 6]) -> OfThree {
    OfThree {
        w,
        r,
        stale: cells[0],
        inverted: cells[1],
        inverted_blocking: cells[2],
        not_linearizable: cells[3],
        not_linearizable_blocking: cells[4],
        lost: cells[5],
    }
}

const THREE: [OfThree; 9] = [
    of_three(1, 1, ["PPP", "PPP", "PPP", "PPP", "PPP", "IPPP"]),
    of_three(1, 2, ["PPP", "PPP", "IPP", "PPP", "PPP", "IPPP"]),
    of_three(1, 3, ["IPP", "IPP", "III", "IPP", "IPP", "IPPP"]),
    of_three(2, 1, ["PPP", "PPP", "PPP", "PPP", "PPP", "IIPP"]),
    of_three(2, 2, ["IPP", "PPP", "IPP", "PPP", "IPP", "IIPP"]),
    of_three(2, 3, ["IIP", "IPP", "III", "IPP", "IIP", "IIPP"]),
    of_three(3, 1, ["IPP", "PPP", "PPP", "PPP", "PPP", "IIIP"]),
    of_three(3, 2, ["IIP", "PPP", "IPP", "PPP", "IPP", "IIIP"]),
    of_three(3, 3, ["III", "IPP", "III", "IPP", "III", "IIIP"]),
];

/// One (W, R) of the table of five replicas: how many must forget for the anomaly to be possible.
struct OfFive {
    w: u16,
    r: u16,
    stale: u16,
    inverted: u16,
    inverted_blocking: u16,
    not_linearizable: u16,
    not_linearizable_blocking: u16,
    lost: u16,
}

const fn of_five(w: u16, r: u16, cells: [u16; 6]) -> OfFive {
    OfFive {
        w,
        r,
        stale: cells[0],
        inverted: cells[1],
        inverted_blocking: cells[2],
        not_linearizable: cells[3],
        not_linearizable_blocking: cells[4],
        lost: cells[5],
    }
}

const FIVE: [OfFive; 25] = [
    of_five(1, 1, [0, 0, 0, 0, 0, 1]),
    of_five(1, 2, [0, 0, 0, 0, 0, 1]),
    of_five(1, 3, [0, 0, 1, 0, 0, 1]),
    of_five(1, 4, [0, 0, 3, 0, 0, 1]),
    of_five(1, 5, [1, 1, 5, 1, 1, 1]),
    of_five(2, 1, [0, 0, 0, 0, 0, 2]),
    of_five(2, 2, [0, 0, 0, 0, 0, 2]),
    of_five(2, 3, [0, 0, 1, 0, 0, 2]),
    of_five(2, 4, [1, 0, 3, 0, 1, 2]),
    of_five(2, 5, [2, 1, 5, 1, 2, 2]),
    of_five(3, 1, [0, 0, 0, 0, 0, 3]),
    of_five(3, 2, [0, 0, 0, 0, 0, 3]),
    of_five(3, 3, [1, 0, 1, 0, 1, 3]),
    of_five(3, 4, [2, 0, 3, 0, 2, 3]),
    of_five(3, 5, [3, 1, 5, 1, 3, 3]),
    of_five(4, 1, [0, 0, 0, 0, 0, 4]),
    of_five(4, 2, [1, 0, 0, 0, 0, 4]),
    of_five(4, 3, [2, 0, 1, 0, 1, 4]),
    of_five(4, 4, [3, 0, 3, 0, 3, 4]),
    of_five(4, 5, [4, 1, 5, 1, 4, 4]),
    of_five(5, 1, [1, 0, 0, 0, 0, 5]),
    of_five(5, 2, [2, 0, 0, 0, 0, 5]),
    of_five(5, 3, [3, 0, 1, 0, 1, 5]),
    of_five(5, 4, [4, 0, 3, 0, 3, 5]),
    of_five(5, 5, [5, 1, 5, 1, 5, 5]),
];

/// The columns that depend on how many replicas forget.
#[derive(Clone, Copy)]
enum Column {
    Stale,
    Inverted,
    NotLinearizable,
    Lost,
}

/// Whether theory calls it possible that a guarantee is violated.
pub(crate) fn is_possible(quorums: Quorums, conditions: Conditions, guarantee: Guarantee) -> bool {
    let forgetful = conditions.losses.forgetful();
    let forgets = |column| is_possible_when(quorums, forgetful, column);
    match guarantee {
        Guarantee::FreshReads | Guarantee::ReadYourWrites => {
            conditions.is_skewed || forgets(Column::Stale)
        }
        Guarantee::Linearizability => conditions.is_skewed || forgets(Column::NotLinearizable),
        Guarantee::NoInversion | Guarantee::MonotonicReads => forgets(Column::Inverted),
        Guarantee::NoLostWrites => forgets(Column::Lost),
        Guarantee::NoConcurrentLoss => true,
        Guarantee::NoClockLoss => conditions.is_skewed,
        // There are no hints and no anti-entropy.
        Guarantee::Convergence => conditions.losses != Losses::Nothing,
        other => panic!("the matrix has no column for {other}"),
    }
}

fn is_possible_when(quorums: Quorums, forgetful: u16, column: Column) -> bool {
    let Quorums { n, w, r, repair } = quorums;
    let is_blocking = repair == ReadRepair::Blocking;
    match n {
        3 => {
            let row = THREE
                .iter()
                .find(|row| (row.w, row.r) == (w, r))
                .expect("a row");
            let cells = match (column, is_blocking) {
                (Column::Stale, _) => row.stale,
                (Column::Inverted, false) => row.inverted,
                (Column::Inverted, true) => row.inverted_blocking,
                (Column::NotLinearizable, false) => row.not_linearizable,
                (Column::NotLinearizable, true) => row.not_linearizable_blocking,
                (Column::Lost, _) => row.lost,
            };
            // Everything is possible once all three have forgotten: the row "power loss of all 3" by fault.
            let cell = cells.chars().nth(usize::from(forgetful)).unwrap_or('P');
            cell == 'P'
        }
        5 => {
            let row = FIVE
                .iter()
                .find(|row| (row.w, row.r) == (w, r))
                .expect("a row");
            let least = match (column, is_blocking) {
                (Column::Stale, _) => row.stale,
                (Column::Inverted, false) => row.inverted,
                (Column::Inverted, true) => row.inverted_blocking,
                (Column::NotLinearizable, false) => row.not_linearizable,
                (Column::NotLinearizable, true) => row.not_linearizable_blocking,
                (Column::Lost, _) => row.lost,
            };
            forgetful >= least
        }
        _ => panic!("the matrix knows 3 and 5 replicas, not {n}"),
    }
}
