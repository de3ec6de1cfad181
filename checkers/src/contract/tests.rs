//! The contract against the tables of strict quorums, and its reasons in words.

use super::*;
use crate::testing::{draw_with, header};

const CALM: Exposure = Exposure {
    forgotten: 0,
    clocks: Clocks::Synchronised,
    lossless: true,
};

fn promised(header: &Header, exposure: &Exposure, guarantee: Guarantee) -> bool {
    Contract::of(header, exposure)
        .promise(guarantee)
        .expect("in the contract")
        .promised
}

fn reason(contract: &Contract, guarantee: Guarantee) -> &str {
    &contract.promise(guarantee).expect("in the contract").reason
}

/// The table of strict quorums of three replicas: the smallest number of forgetful replicas with which reads may be
/// stale, with which they may go back (without repair, with blocking repair), and with which writes may be lost.
#[test]
fn the_table_of_three_replicas() {
    for ((w, r), stale, inversion, inversion_blocking, lost) in [
        ((1, 1), 0, 0, 0, 1),
        ((1, 2), 0, 0, 1, 1),
        ((1, 3), 1, 1, 3, 1),
        ((2, 1), 0, 0, 0, 2),
        ((2, 2), 1, 0, 1, 2),
        ((2, 3), 2, 1, 3, 2),
        ((3, 1), 1, 0, 0, 3),
        ((3, 2), 2, 0, 1, 3),
        ((3, 3), 3, 1, 3, 3),
    ] {
        for forgotten in 0..=3 {
            let mut header = header(3, r, w);
            let exposure = Exposure { forgotten, ..CALM };
            let promised = |h: &Header, g| promised(h, &exposure, g);
            let cell = format!("W={w} R={r} f={forgotten}");
            assert_eq!(
                promised(&header, Guarantee::FreshReads),
                forgotten < stale,
                "{cell}"
            );
            assert_eq!(
                promised(&header, Guarantee::NoResurrection),
                forgotten < stale,
                "{cell}"
            );
            assert_eq!(
                promised(&header, Guarantee::NoLostWrites),
                forgotten < lost,
                "{cell}"
            );
            assert_eq!(
                promised(&header, Guarantee::NoInversion),
                forgotten < inversion,
                "{cell}"
            );
            for (guarantee, until) in [
                (Guarantee::Linearizability, stale.min(inversion)),
                (Guarantee::ReadYourWrites, stale),
                (Guarantee::MonotonicReads, inversion),
                (Guarantee::MonotonicWrites, inversion),
                (Guarantee::WritesFollowReads, inversion),
                (Guarantee::CausalConsistency, stale.min(inversion)),
                (Guarantee::CausalConvergence, stale.min(inversion)),
            ] {
                assert_eq!(
                    promised(&header, guarantee),
                    forgotten < until,
                    "{guarantee} {cell}"
                );
            }
            header.read_repair = ReadRepair::Blocking;
            assert_eq!(
                promised(&header, Guarantee::Linearizability),
                forgotten < stale.min(inversion_blocking),
                "{cell}"
            );
            let blocking = promised(&header, Guarantee::NoInversion);
            assert_eq!(blocking, forgotten < inversion_blocking, "{cell}");
        }
    }
}

#[test]
fn skewed_clocks_take_back_what_leans_on_stamps() {
    let skewed = Exposure {
        clocks: Clocks::Skewed("fault f1".to_owned()),
        ..CALM
    };
    for (guarantee, expected) in [
        (Guarantee::NoPhantoms, true),
        (Guarantee::NoFailedWrites, true),
        (Guarantee::FreshReads, false),
        (Guarantee::NoInversion, true),
        (Guarantee::Linearizability, false),
        (Guarantee::ReadYourWrites, false),
        (Guarantee::MonotonicReads, true),
        (Guarantee::MonotonicWrites, false),
        (Guarantee::WritesFollowReads, false),
        (Guarantee::CausalConsistency, false),
        (Guarantee::CausalConvergence, false),
        (Guarantee::NoLostWrites, true),
        (Guarantee::NoResurrection, false),
        (Guarantee::NoClockLoss, false),
        (Guarantee::NoConcurrentLoss, false),
        (Guarantee::Convergence, true),
        (Guarantee::Availability, true),
    ] {
        assert_eq!(
            promised(&header(3, 3, 3), &skewed, guarantee),
            expected,
            "{guarantee}"
        );
    }
}

#[test]
fn reasons_have_the_numbers_in() {
    let contract = Contract::of(&header(3, 2, 2), &CALM);
    assert_eq!(
        reason(&contract, Guarantee::FreshReads),
        "W + R = 4 > N + f = 3, and clocks are synchronised"
    );
    let mut forgetful = header(3, 2, 2);
    forgetful.sync = Sync::EveryMs(200);
    let contract = Contract::of(
        &forgetful,
        &Exposure {
            forgotten: 1,
            ..CALM
        },
    );
    assert_eq!(
        reason(&contract, Guarantee::FreshReads),
        "W + R = 4 <= N + f = 4 (f = 1: logs are synced every 200 ms, and up to 1 node died so close together \
         that it may have forgotten the same write): a read may miss every replica that remembers"
    );
}

#[test]
fn a_claim_is_judged_instead_of_the_configuration() {
    let mut claiming = header(3, 1, 1);
    claiming.claim = Some(Quorum { n: 3, r: 2, w: 2 });
    let contract = Contract::of(&claiming, &CALM);
    assert_eq!(
        reason(&contract, Guarantee::FreshReads),
        "W + R = 4 > N + f = 3, and clocks are synchronised; judged by the claim 3/2/2, not by the configured 3/1/1"
    );
}

#[test]
fn the_smallest_levels_that_requests_asked_for_count() {
    let mut history = draw_with(
        header(3, 2, 2),
        "
        c1: |--w k 1--|   |--w k 2--|
        c2:                             |--r k 2--|   |--r k 2--|",
    );
    let fresh = |history: &History| {
        let contract = Contract::of_history(history, &CALM);
        contract
            .promise(Guarantee::FreshReads)
            .expect("in the contract")
            .promised
    };
    assert!(fresh(&history));
    history.operations[2].set_level(Some(Level::Count(1)));
    assert!(!fresh(&history));
    for write in &mut history.operations[..2] {
        write.set_level(Some(Level::Count(3)));
    }
    assert!(fresh(&history));
    // Operations at the configured level are judged by the claim.
    history.operations[2].set_level(Some(Level::Count(2)));
    history.header.claim = Some(Quorum { n: 3, r: 1, w: 1 });
    assert!(fresh(&history));
    history.operations[1].set_level(None);
    assert!(!fresh(&history));
}
