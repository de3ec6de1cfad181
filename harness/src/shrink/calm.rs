//! Weathers in which less is left to chance.
//!
//! Pure functions of weathers: a delay that was drawn from a range becomes the shortest, the middle or the longest of it.

use crate::world::sim::{Span, Weather};

/// One delay instead of a range of them.
type Fix = fn(Span) -> u64;

const FIXES: [Fix; 3] = [
    |span| span.min_us,
    |span| span.min_us.midpoint(span.max_us),
    |span| span.max_us,
];

/// The weather with all delays fixed, in several ways.
pub(super) fn calm(weather: &Weather) -> Vec<Weather> {
    let calm = FIXES.map(|fix| {
        let mut calm = *weather;
        for chance in chances(&mut calm) {
            *chance = 0;
        }
        for span in spans(&mut calm) {
            *span = fixed(*span, fix);
        }
        calm
    });
    calm.to_vec()
}

/// The weather with one thing less that is drawn: for each thing, in several ways.
pub(super) fn calmer(weather: &Weather) -> Vec<Vec<Weather>> {
    let mut calmer = Vec::new();
    for place in 0..chances(&mut weather.clone()).len() {
        let mut without = *weather;
        if let Some(chance) = chances(&mut without).into_iter().nth(place) {
            *chance = 0;
        }
        calmer.push(vec![without]);
    }
    for place in 0..spans(&mut weather.clone()).len() {
        let ways = FIXES.map(|fix| {
            let mut calmer = *weather;
            if let Some(span) = spans(&mut calmer).into_iter().nth(place) {
                *span = fixed(*span, fix);
            }
            calmer
        });
        calmer.push(ways.to_vec());
    }
    calmer
}

fn fixed(span: Span, fix: Fix) -> Span {
    let us = fix(span);
    Span::new(us, us)
}

/// All ranges of a weather.
fn spans(weather: &mut Weather) -> [&mut Span; 8] {
    parts(weather).0
}

/// All chances of a weather, of which none is left at 0.
fn chances(weather: &mut Weather) -> [&mut u64; 7] {
    parts(weather).1
}

fn parts(weather: &mut Weather) -> ([&mut Span; 8], [&mut u64; 7]) {
    let Weather {
        transit,
        gust_percent,
        gust,
        client,
        sync,
        slow_sync_percent,
        slow_sync,
        redial,
        boot,
        strike,
        lost_ppm,
        broken_ppm,
        repeated_ppm,
        overtaken_ppm,
        drift_ppm_max,
    } = weather;
    let spans = [transit, gust, client, sync, slow_sync, redial, boot, strike];
    let chances = [
        gust_percent,
        slow_sync_percent,
        lost_ppm,
        broken_ppm,
        repeated_ppm,
        overtaken_ppm,
        drift_ppm_max,
    ];
    (spans, chances)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_calm_weather_nothing_is_drawn_and_nothing_leaves_its_range() {
        let foul = Weather {
            lost_ppm: 100,
            drift_ppm_max: 100,
            ..Weather::default()
        };
        for mut weather in calm(&foul) {
            assert_eq!(chances(&mut weather), [&0; 7]);
            for ((_, span), (_, of)) in weather.spans().into_iter().zip(foul.spans()) {
                assert_eq!(span.min_us, span.max_us);
                assert!(of.min_us <= span.min_us && span.max_us <= of.max_us);
            }
        }
    }

    #[test]
    fn one_thing_after_the_other_can_be_fixed() {
        let mut weather = Weather::default();
        for thing in 0..calmer(&weather).len() {
            weather = calmer(&weather)[thing][0];
        }
        assert_eq!(weather, calm(&Weather::default())[0]);
    }
}
