//! A diagram as text: one line per row, one column per lane, and what happened in words beside it.

use std::fmt::Write;

use quorate_checkers::history::Nanos;

use super::{Diagram, Fate, Row, Shape, Sign, State, lasting, moment};

/// Columns of a line at most.
const WIDTH: usize = 100;

/// Columns of a lane.
const LANE: usize = 5;

/// Columns of words at least, however many lanes there are.
const WORDS_MIN: usize = 30;

/// A pause between two rows that is worth a line of its own, ns.
const PAUSE_NS: u64 = 20_000_000;

const LEGEND: &str = "\
o--> arrives   o~~> arrives late   o--x is lost   | a node runs   : is dead   = stands still
A B C: operations of the witness   * a replica's version changes   ! a replica forgets
# a process or a clock is changed   rest: clients that play no part
";

impl Diagram {
    /// The diagram for terminals and text files.
    pub fn to_text(&self) -> String {
        let mut out = format!("{}\n", self.title);
        for line in &self.caption {
            let _ = writeln!(out, "  {line}");
        }
        let names = self
            .lanes
            .iter()
            .map(|lane| format!("{:<LANE$}", lane.name));
        let heading = format!("{:>11}  {}", "time, s", names.collect::<String>());
        let _ = writeln!(out, "\n{}", heading.trim_end());
        let mut before: Option<Nanos> = None;
        for row in &self.rows {
            if let Some(before) = before
                && row.at.since(before).0 >= PAUSE_NS
            {
                let pause = format!("{} later", lasting(row.at.since(before).0));
                let _ = writeln!(out, "{:>11}  {}{pause}", "", self.line(before, None));
            }
            before = Some(row.at);
            self.row(row, &mut out);
        }
        out.push('\n');
        out.push_str(LEGEND);
        out
    }

    fn row(&self, row: &Row, out: &mut String) {
        let room = (WIDTH.saturating_sub(13 + self.lanes.len() * LANE)).max(WORDS_MIN);
        let mut words = wrapped(&row.words, room).into_iter();
        let first = words.next().unwrap_or_default();
        let lanes = self.line(row.at, Some(row));
        let line = format!("{:>11}  {lanes}{first}", moment(row.at));
        let _ = writeln!(out, "{}", line.trim_end());
        for more in words {
            let _ = writeln!(out, "{:>11}  {}{more}", "", self.line(row.at, None));
        }
    }

    /// The lanes at some moment, with what happens there.
    fn line(&self, at: Nanos, row: Option<&Row>) -> String {
        let mut cells: Vec<char> = vec![' '; self.lanes.len() * LANE];
        for lane in 0..self.lanes.len() {
            cells[lane * LANE] = self.idle(lane, at);
        }
        match row.map(|row| row.shape) {
            Some(Shape::Arrow { from, to, fate, .. }) => arrow(&mut cells, from, to, fate),
            Some(Shape::Mark { lane, sign }) => {
                let letter = row.and_then(|row| row.letter);
                cells[lane * LANE] = match sign {
                    Sign::Alone => letter.unwrap_or('.'),
                    Sign::Holds => '*',
                    Sign::Forgets => '!',
                    Sign::Process | Sign::Clock => '#',
                };
            }
            Some(Shape::Note) | None => {}
        }
        cells.into_iter().collect()
    }

    /// What stands in a lane where nothing happens.
    fn idle(&self, lane: usize, at: Nanos) -> char {
        let spans = self.spans.iter();
        let here = spans.filter(|span| span.lane == lane && span.holds(at));
        let states: Vec<State> = here.map(|span| span.state).collect();
        let busy = states.iter().find_map(|state| match state {
            State::Busy(letter) => Some(letter.unwrap_or('|')),
            _ => None,
        });
        let is_node = self.lanes.get(lane).is_some_and(|lane| lane.is_node);
        match busy {
            Some(letter) => letter,
            None if states.contains(&State::Down) => ':',
            None if states.contains(&State::Paused) => '=',
            None if is_node => '|',
            None => '.',
        }
    }
}

fn arrow(cells: &mut [char], from: usize, to: usize, fate: Fate) {
    let (tail, head) = (from * LANE, to * LANE);
    let (low, high) = (tail.min(head), tail.max(head));
    let stroke = if fate == Fate::Late { '~' } else { '-' };
    cells[low + 1..high].fill(stroke);
    cells[tail] = 'o';
    let tip = if head > tail { head - 1 } else { head + 1 };
    let point = match (fate, head > tail) {
        (Fate::Lost, _) => 'x',
        (_, true) => '>',
        (_, false) => '<',
    };
    cells[tip] = point;
}

/// Words in lines of at most so many columns; a longer word has a line of its own.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
