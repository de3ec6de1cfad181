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
        calm.gust_percent = 0;
        for span in spans(&mut calm) {
            *span = fixed(*span, fix);
        }
        calm
    });
    calm.to_vec()
}

/// The weather with one thing less that is drawn: for each thing, in several ways.
pub(super) fn calmer(weather: &Weather) -> Vec<Vec<Weather>> {
    let mut calmer = vec![vec![Weather {
        gust_percent: 0,
        ..*weather
    }]];
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
fn spans(weather: &mut Weather) -> [&mut Span; 7] {
    let Weather {
        transit,
        gust_percent: _,
        gust,
        client,
        sync,
        redial,
        boot,
        strike,
    } = weather;
    [transit, gust, client, sync, redial, boot, strike]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_calm_weather_nothing_is_drawn_and_nothing_leaves_its_range() {
        let foul = Weather::default();
        for weather in calm(&foul) {
            assert_eq!(weather.gust_percent, 0);
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
