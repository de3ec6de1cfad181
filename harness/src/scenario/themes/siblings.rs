//! Concurrent writes under version vectors: siblings, and what becomes of them.

use crate::fault::Cut;
use crate::plan::{PlanError, PlanSpec, StoreSpec};
use crate::scenario::act::{Act, Scenario};
use crate::scenario::play::{Play, between, store, towards};

fn dotted(nodes: u16, quorum: [u16; 3]) -> PlanSpec {
    PlanSpec {
        store: Some(StoreSpec {
            versions: Some("dvv".to_owned()),
            ..StoreSpec::default()
        }),
        ..store(nodes, quorum)
    }
}

pub(in crate::scenario) const SIBLINGS: Scenario = Scenario {
    name: "siblings",
    shows: "One client writes to replicas 1 and 2, another to 2 and 3, and neither knows of the other: a read of 1 and 3 returns both. Who writes with what it has \
            read replaces both; who writes blindly adds another. Under last-write-wins one of the two is gone, and nobody is told.",
    requirements: &["004-08", "004-09", "004-10", "001-30", "004-18"],
    corrections: &[],
    not_in: None,
    acts: siblings,
};

fn siblings() -> Result<Vec<Act>, PlanError> {
    let mut vectors = Play::new("version vectors", &dotted(3, [3, 2, 2]))?;
    let x = conflict(&mut vectors);
    vectors
        .read(&x)
        .at(1)
        .answered_by(&[1, 3])
        .returns_all(&[1, 2]);
    vectors.tell("The client has both, and writes one value in place of them:");
    vectors.write(&x, 3).at(1).acked_by(&[1, 3]);
    vectors.read(&x).at(1).answered_by(&[1, 3]).returns(3);
    vectors.tell("A blind write says nothing of what it knew, so nothing is replaced:");
    vectors.write(&x, 4).at(1).by(2).acked_by(&[1, 3]);
    vectors
        .read(&x)
        .at(1)
        .answered_by(&[1, 3])
        .returns_all(&[3, 4]);
    let mut stamps = Play::new("last-write-wins", &store(3, [3, 2, 2]))?;
    let x = conflict(&mut stamps);
    stamps.read(&x).at(1).answered_by(&[1, 3]).returns(2);
    stamps.tell("Both were acknowledged. The first is gone.");
    Ok(vec![vectors.done(), stamps.done()])
}

/// Two writes that do not know of each other, and replica 1 that can reach only 3 then.
fn conflict(play: &mut Play) -> String {
    let x = play.key("x", &[1, 2, 3]);
    let cut = play.cut(
        "1 and 3 do not reach each other",
        Cut::Reset,
        between(&[1], &[3]),
    );
    play.sees(1, 1);
    play.sees(3, 1);
    play.write(&x, 1).at(1).by(0).acked_by(&[1, 2]);
    play.write(&x, 2).at(3).by(1).acked_by(&[2, 3]);
    play.heal(cut, "they do again");
    play.whole();
    play.cut("now 1 does not reach 2", Cut::Reset, towards(&[1], &[2]));
    play.sees(1, 1);
    x
}

pub(in crate::scenario) const CART: Scenario = Scenario {
    name: "cart-siblings",
    shows: "A cart that can always be written: two devices add an item each on two sides of a partition. With siblings the next read has both carts and their union keeps \
            everything; under last-write-wins an item is lost although both writes were acknowledged.",
    requirements: &["001-05", "001-07", "004-16"],
    corrections: &[],
    not_in: None,
    acts: cart,
};

fn cart() -> Result<Vec<Act>, PlanError> {
    let acts = [
        (
            "siblings, and clients that merge",
            dotted(4, [3, 1, 1]),
            true,
        ),
        ("last-write-wins", store(4, [3, 1, 1]), false),
    ];
    acts.into_iter()
        .map(|(title, spec, merges)| shopping(title, &spec, merges))
        .collect()
}

fn shopping(title: &str, spec: &PlanSpec, merges: bool) -> Result<Act, PlanError> {
    let mut play = Play::new(title, spec)?;
    let cart = play.key("cart", &[1, 2, 3]);
    play.tell("A cart is a sum: 1 is milk, 2 is bread, 4 is jam. There is milk in it.");
    play.write(&cart, 1).level(3).acked_by(&[1, 2, 3]);
    play.read(&cart).at(1).by(0).level(3).returns(1);
    play.read(&cart).at(3).by(1).level(3).returns(1);
    let cut = play.cut(
        "A and C do not reach each other, nor does either reach B",
        Cut::Hold,
        between(&[1], &[2, 3]),
    );
    let other = play.cut("nor B and C", Cut::Hold, between(&[2], &[3]));
    play.write(&cart, 3).at(1).by(0).acked_by(&[1]);
    play.write(&cart, 5).at(3).by(1).acked_by(&[3]);
    play.tell(
        "Bread was added on one side and jam on the other. Then everything arrives everywhere:",
    );
    play.heal(cut, "the links are whole again");
    play.heal(other, "all of them");
    if merges {
        play.read(&cart).at(2).by(2).level(3).until_all(&[3, 5]);
        play.tell("The union of both carts:");
        play.write(&cart, 7).at(2).by(2).level(3);
        play.read(&cart).at(1).level(3).returns(7);
    } else {
        play.comes_to_hold(&cart, &[(1, Some(5)), (2, Some(5)), (3, Some(5))]);
        play.read(&cart).at(1).level(3).returns(5);
        play.tell("Milk and jam: the bread is gone, and nobody was told.");
    }
    Ok(play.done())
}
