//! Soon.
use super::storm::*;
use super::world::*;
#[test]
fn smoke() {
    let mut total = super::judge::Found::default();
    for seed in 0..200 {
        let found = storm(config(), &Nemesis::ALL, seed);
        total.acknowledged += found.acknowledged;
        total.reads += found.reads;
        total.lost += found.lost;
        total.stale += found.stale;
        total.split += found.split;
        total.ghosts += found.ghosts;
        total.doubled += found.doubled;
    }
    println!("{total:?}");
}
