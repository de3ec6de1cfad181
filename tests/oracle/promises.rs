//! The contract against the matrix: it promises what is impossible, all of it and nothing else.

use quorate_checkers::{Clocks, Contract, Exposure, Guarantee};

use crate::draws::draw;
use crate::matrix::{COLUMNS, Losses, is_possible};
use crate::rows;

#[test]
fn what_the_matrix_calls_impossible_is_promised_and_nothing_else() {
    let mut cells = 0;
    for (quorums, conditions) in [3, 5].into_iter().flat_map(rows) {
        let header = draw(quorums, conditions, 0).header().expect("a header");
        let exposure = Exposure {
            forgotten: conditions.losses.forgetful().into(),
            clocks: if conditions.is_skewed {
                Clocks::Skewed("a fault".to_owned())
            } else {
                Clocks::Synchronised
            },
            lossless: conditions.losses == Losses::Nothing,
        };
        let contract = Contract::of(&header, &exposure);
        let promised = |guarantee: Guarantee| {
            let promise = contract
                .promise(guarantee)
                .expect("it is in every contract");
            promise.promised
        };
        for guarantee in COLUMNS {
            assert_eq!(
                promised(guarantee),
                !is_possible(quorums, conditions, guarantee),
                "{guarantee} of {quorums}, {conditions}"
            );
            cells += 1;
        }
    }
    assert_eq!(cells, 9 * (27 * 10 + 75 * 14), "cells of the matrix");
}
