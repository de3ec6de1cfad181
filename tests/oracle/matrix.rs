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

/// One (W, R) of a table: stale reads, inversions, inversions under blocking repair, what is not linearizable, the same under
/// blocking repair, lost writes. Without read repair and with one that nobody waits for are the same.
struct Line<T> {
    w: u16,
    r: u16,
    cells: [T; 6],
}

impl<T: Copy> Line<T> {
    const fn new(w: u16, r: u16, cells: [T; 6]) -> Line<T> {
        Line { w, r, cells }
    }

    fn cell(lines: &[Line<T>], quorums: Quorums, column: Column) -> T {
        let Quorums { w, r, repair, .. } = quorums;
        let is_this = |line: &&Line<T>| (line.w, line.r) == (w, r);
        let line = lines.iter().find(is_this).expect("a line");
        line.cells[column.place(repair == ReadRepair::Blocking)]
    }
}

/// Three replicas: `P` where the anomaly is possible and `I` where not, when 0, 1, 2 (and of lost writes 3) replicas forget.
const THREE: [Line<&str>; 9] = [
    Line::new(1, 1, ["PPP", "PPP", "PPP", "PPP", "PPP", "IPPP"]),
    Line::new(1, 2, ["PPP", "PPP", "IPP", "PPP", "PPP", "IPPP"]),
    Line::new(1, 3, ["IPP", "IPP", "III", "IPP", "IPP", "IPPP"]),
    Line::new(2, 1, ["PPP", "PPP", "PPP", "PPP", "PPP", "IIPP"]),
    Line::new(2, 2, ["IPP", "PPP", "IPP", "PPP", "IPP", "IIPP"]),
    Line::new(2, 3, ["IIP", "IPP", "III", "IPP", "IIP", "IIPP"]),
    Line::new(3, 1, ["IPP", "PPP", "PPP", "PPP", "PPP", "IIIP"]),
    Line::new(3, 2, ["IIP", "PPP", "IPP", "PPP", "IPP", "IIIP"]),
    Line::new(3, 3, ["III", "IPP", "III", "IPP", "III", "IIIP"]),
];

/// Five replicas: how many must forget for the anomaly to be possible.
const FIVE: [Line<u16>; 25] = [
    Line::new(1, 1, [0, 0, 0, 0, 0, 1]),
    Line::new(1, 2, [0, 0, 0, 0, 0, 1]),
    Line::new(1, 3, [0, 0, 1, 0, 0, 1]),
    Line::new(1, 4, [0, 0, 3, 0, 0, 1]),
    Line::new(1, 5, [1, 1, 5, 1, 1, 1]),
    Line::new(2, 1, [0, 0, 0, 0, 0, 2]),
    Line::new(2, 2, [0, 0, 0, 0, 0, 2]),
    Line::new(2, 3, [0, 0, 1, 0, 0, 2]),
    Line::new(2, 4, [1, 0, 3, 0, 1, 2]),
    Line::new(2, 5, [2, 1, 5, 1, 2, 2]),
    Line::new(3, 1, [0, 0, 0, 0, 0, 3]),
    Line::new(3, 2, [0, 0, 0, 0, 0, 3]),
    Line::new(3, 3, [1, 0, 1, 0, 1, 3]),
    Line::new(3, 4, [2, 0, 3, 0, 2, 3]),
    Line::new(3, 5, [3, 1, 5, 1, 3, 3]),
    Line::new(4, 1, [0, 0, 0, 0, 0, 4]),
    Line::new(4, 2, [1, 0, 0, 0, 0, 4]),
    Line::new(4, 3, [2, 0, 1, 0, 1, 4]),
    Line::new(4, 4, [3, 0, 3, 0, 3, 4]),
    Line::new(4, 5, [4, 1, 5, 1, 4, 4]),
    Line::new(5, 1, [1, 0, 0, 0, 0, 5]),
    Line::new(5, 2, [2, 0, 0, 0, 0, 5]),
    Line::new(5, 3, [3, 0, 1, 0, 1, 5]),
    Line::new(5, 4, [4, 0, 3, 0, 3, 5]),
    Line::new(5, 5, [5, 1, 5, 1, 5, 5]),
];

/// The columns that depend on how many replicas forget.
#[derive(Clone, Copy)]
enum Column {
    Stale,
    Inverted,
    NotLinearizable,
    Lost,
}

impl Column {
    /// Its place among the cells of a line.
    fn place(self, is_blocking: bool) -> usize {
        match self {
            Column::Stale => 0,
            Column::Inverted => 1 + usize::from(is_blocking),
            Column::NotLinearizable => 3 + usize::from(is_blocking),
            Column::Lost => 5,
        }
    }
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
    match quorums.n {
        3 => {
            let cells = Line::cell(&THREE, quorums, column);
            // Everything is possible once all three have forgotten: the row "power loss of all 3" by fault.
            cells.chars().nth(usize::from(forgetful)).unwrap_or('P') == 'P'
        }
        5 => forgetful >= Line::cell(&FIVE, quorums, column),
        n => panic!("the matrix knows 3 and 5 replicas, not {n}"),
    }
}
