//! A diagram as SVG: time runs down, one line per client and node, arrows for what went between them. No script, no font of its own.
//!
//! Every row has a height of its own, so that labels of different rows never meet.

use std::fmt::Write;

use quorate_checkers::history::Nanos;

use super::{Diagram, Fate, Row, Shape, Sign, Span, State, lasting, moment};

/// From one lane to the next, px.
const LANE_PX: usize = 150;
/// From the left edge to the first lane.
const LEFT_PX: usize = 150;
/// From the last lane to the right edge, with room for its labels.
const RIGHT_PX: usize = 170;
/// From one row to the next, px.
const ROW_PX: usize = 26;
/// Added where time passes in which nothing is drawn, px.
const PAUSE_PX: usize = 18;
/// A pause that is worth it, ns.
const PAUSE_NS: u64 = 20_000_000;
/// Characters of a label at most.
const LABEL_MAX: usize = 20;
/// From one line of the caption to the next, px.
const LINE_PX: usize = 17;

const STYLE: &str = "text{font-family:'DejaVu Sans',Verdana,Helvetica,Arial,sans-serif;font-size:11px;fill:#1b1b1f}\
.t{font-size:17px;font-weight:bold}.m{font-family:'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:12px}\
.h{font-size:13px;font-weight:bold}.g{fill:#6b6b76;font-size:10px}\
.l{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}.w{font-weight:bold}";

/// Colours of the operations of the witness, in the order of their letters.
const LETTERS: [&str; 6] = [
    "#0b6e4f", "#1f4fbf", "#b3261e", "#7b2fa8", "#a15c00", "#00697a",
];
const OTHER: &str = "#8a8a94";

impl Diagram {
    /// The diagram as an SVG document.
    pub fn to_svg(&self) -> String {
        let layout = Layout::of(self);
        let mut out = String::new();
        let (width, height) = (layout.width, layout.height);
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">"
        );
        let _ = writeln!(out, "<title>{}</title>", escaped(&self.title));
        let _ = writeln!(out, "<style>{STYLE}</style>");
        out.push_str(MARKERS);
        let _ = writeln!(
            out,
            "<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>"
        );
        self.head(&layout, &mut out);
        let mut shaded: Vec<&Span> = self.spans.iter().collect();
        shaded.sort_by_key(|span| std::cmp::Reverse(shading(span.state).map(|(_, wide)| wide)));
        for span in shaded {
            shade(span, &layout, &mut out);
        }
        self.lines(&layout, &mut out);
        for span in &self.spans {
            bar(span, &layout, &mut out);
        }
        // Labels come last, so that no arrow crosses them out.
        for (place, row) in self.rows.iter().enumerate() {
            stroke(row, layout.y[place], &layout, &mut out);
        }
        for (place, row) in self.rows.iter().enumerate() {
            label(row, layout.y[place], &mut out);
        }
        legend(&layout, &mut out);
        out.push_str("</svg>\n");
        out
    }

    fn head(&self, layout: &Layout, out: &mut String) {
        text(out, 20, 30, "t", &self.title);
        for (line, caption) in (0..).zip(&self.caption) {
            text(out, 20, 54 + line * LINE_PX, "m", caption);
        }
        for (place, lane) in self.lanes.iter().enumerate() {
            let (x, y) = (lane_x(place), layout.top - 14);
            let name = escaped(&lane.name);
            let _ = writeln!(
                out,
                "<text class=\"h\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{name}</text>"
            );
        }
        text(out, 20, layout.top - 14, "g", "time, s");
    }

    /// The lifelines and the axis.
    fn lines(&self, layout: &Layout, out: &mut String) {
        let (top, bottom) = (layout.top - 6, layout.bottom);
        for place in 0..self.lanes.len() {
            let x = lane_x(place);
            let _ = writeln!(
                out,
                "<line x1=\"{x}\" y1=\"{top}\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#b9b9c3\"/>"
            );
        }
        let mut before: Option<Nanos> = None;
        for (row, &y) in self.rows.iter().zip(&layout.y) {
            let waited = before.map_or(0, |before| row.at.since(before).0);
            if waited >= PAUSE_NS {
                let at = y - ROW_PX / 2 - PAUSE_PX / 2;
                let words = format!("\u{22ee} {} later", lasting(waited));
                text(out, 20, at + 4, "g", &words);
                let x2 = layout.width - RIGHT_PX / 2;
                let _ = writeln!(
                    out,
                    "<line x1=\"{LEFT_PX}\" y1=\"{at}\" x2=\"{x2}\" y2=\"{at}\" stroke=\"#b9b9c3\" stroke-dasharray=\"2 5\"/>"
                );
            }
            before = Some(row.at);
            text(out, 20, y + 4, "g", &moment(row.at));
        }
    }
}

const MARKERS: &str = "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
<path d=\"M0 0L8 4L0 8z\" fill=\"context-stroke\"/></marker></defs>\n";

/// Where everything stands.
struct Layout {
    width: usize,
    height: usize,
    top: usize,
    bottom: usize,
    /// The middle of the last lane.
    last: usize,
    /// Of each row.
    y: Vec<usize>,
    times: Vec<Nanos>,
}

impl Layout {
    fn of(diagram: &Diagram) -> Layout {
        let top = 96 + diagram.caption.len() * LINE_PX;
        let times: Vec<Nanos> = diagram.rows.iter().map(|row| row.at).collect();
        let mut y = Vec::new();
        let mut at = top;
        for (place, time) in times.iter().enumerate() {
            let before = place.checked_sub(1).map_or(*time, |before| times[before]);
            at += ROW_PX;
            if time.since(before).0 >= PAUSE_NS {
                at += PAUSE_PX;
            }
            y.push(at);
        }
        let bottom = at + ROW_PX;
        let last = lane_x(diagram.lanes.len().saturating_sub(1));
        let longest = diagram
            .caption
            .iter()
            .map(|line| line.chars().count())
            .max();
        let width = (last + RIGHT_PX)
            .max(40 + longest.unwrap_or(0) * 15 / 2)
            .max(920);
        Layout {
            width,
            height: bottom + 110,
            top,
            bottom,
            last,
            y,
            times,
        }
    }

    /// Beside the last row that is not later; after a pause, shortly before the next one.
    fn y_of(&self, at: Nanos) -> usize {
        let rows = self.times.partition_point(|time| *time <= at);
        let Some(row) = rows.checked_sub(1) else {
            return self.top;
        };
        match self.times.get(rows) {
            Some(next) if is_nearer(at, self.times[row], *next) => self.y[rows] - ROW_PX * 2 / 3,
            _ => self.y[row],
        }
    }

    /// Beside the first row that is not earlier.
    fn y_from(&self, at: Nanos) -> usize {
        let row = self.times.partition_point(|time| *time < at);
        let is_before = self.times.first().is_some_and(|first| at < *first);
        match self.y.get(row) {
            _ if is_before => self.top,
            Some(y) => *y,
            None => self.bottom,
        }
    }

    /// Where something that set out then and arrived in this row begins.
    fn y_before(&self, sent: Nanos, arrived: usize) -> usize {
        self.y_of(sent).min(arrived.saturating_sub(ROW_PX * 2 / 3))
    }
}

/// Whether a moment in a pause is nearer to its end.
fn is_nearer(at: Nanos, before: Nanos, next: Nanos) -> bool {
    next.since(before).0 >= PAUSE_NS && next.since(at).0 < at.since(before).0
}

/// The middle of a lane.
fn lane_x(lane: usize) -> usize {
    LEFT_PX + lane * LANE_PX
}

fn text(out: &mut String, x: usize, y: usize, class: &str, words: &str) {
    let words = escaped(words);
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" xml:space=\"preserve\">{words}</text>"
    );
}

fn colour(letter: Option<char>) -> &'static str {
    let place = letter.map(|letter| (letter as usize).saturating_sub('A' as usize));
    place.map_or(OTHER, |place| LETTERS[place % LETTERS.len()])
}

/// What was done to a node, behind its lane. Each kind has a width of its own, so that all of them show.
fn shade(span: &Span, layout: &Layout, out: &mut String) {
    let Some((fill, wide)) = shading(span.state) else {
        return;
    };
    let (from, to) = (layout.y_from(span.from), layout.y_from(span.to));
    let (x, height) = (lane_x(span.lane) - wide / 2, to.saturating_sub(from));
    if height > 0 {
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{from}\" width=\"{wide}\" height=\"{height}\" fill=\"{fill}\"/>"
        );
    }
}

fn shading(state: State) -> Option<(&'static str, usize)> {
    match state {
        State::Busy(_) => None,
        State::Slow => Some(("#fff3bf", 56)),
        State::Cut => Some(("#ffdcb0", 46)),
        State::Skewed => Some(("#e3d6f7", 36)),
        State::Paused => Some(("#cfcfd8", 26)),
        State::Down => Some(("#f2b8b5", 26)),
    }
}

/// An operation of the witness, on the lane of its client.
fn bar(span: &Span, layout: &Layout, out: &mut String) {
    let State::Busy(letter) = span.state else {
        return;
    };
    let to = layout.y_of(span.to);
    let from = (layout.y_of(span.from) + 12).min(to.saturating_sub(6));
    let (x, fill) = (lane_x(span.lane), colour(letter));
    let (left, height) = (x - 5, to - from);
    let _ = writeln!(
        out,
        "<rect x=\"{left}\" y=\"{from}\" width=\"10\" height=\"{height}\" rx=\"3\" fill=\"{fill}\"/>"
    );
    if let Some(letter) = letter {
        let y = from + 5;
        let _ = writeln!(
            out,
            "<circle cx=\"{x}\" cy=\"{from}\" r=\"10\" fill=\"{fill}\"/><text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" \
             style=\"fill:#fff;font-weight:bold;font-size:13px\">{letter}</text>"
        );
    }
}

fn stroke(row: &Row, y: usize, layout: &Layout, out: &mut String) {
    let colour = colour(row.letter);
    match row.shape {
        Shape::Arrow {
            from,
            to,
            sent,
            fate,
        } => {
            let (x1, y1, x2) = (lane_x(from), layout.y_before(sent, y), lane_x(to));
            let dashes = match fate {
                Fate::Told => " stroke-width=\"1.2\"",
                Fate::Delivered => " stroke-width=\"1.8\"",
                Fate::Late => " stroke-width=\"1.8\" stroke-dasharray=\"7 4\"",
                Fate::Lost => " stroke-width=\"1.8\" stroke-dasharray=\"2 3\"",
            };
            // A lost message breaks off on its way.
            let (x2, y2) = match fate {
                Fate::Lost => ((x1 + 2 * x2) / 3, (y1 + 2 * y) / 3),
                _ => (x2, y),
            };
            let end = if fate == Fate::Lost {
                ""
            } else {
                " marker-end=\"url(#a)\""
            };
            let _ = writeln!(
                out,
                "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{colour}\"{dashes}{end}/>"
            );
            if fate == Fate::Lost {
                let _ = writeln!(
                    out,
                    "<path transform=\"translate({x2} {y2})\" d=\"M-5 -5L5 5M5 -5L-5 5\" stroke=\"#b3261e\" stroke-width=\"2.2\"/>"
                );
            }
        }
        Shape::Mark { lane, sign } => {
            let (x, t) = (lane_x(lane) - 5, y - 5);
            let fill = match sign {
                Sign::Alone => colour,
                Sign::Holds => "#1b1b1f",
                Sign::Forgets | Sign::Process => "#b3261e",
                Sign::Clock => "#7b2fa8",
            };
            let _ = writeln!(
                out,
                "<rect x=\"{x}\" y=\"{t}\" width=\"10\" height=\"10\" fill=\"{fill}\"/>"
            );
        }
        Shape::Note => {
            let (x1, x2) = (LEFT_PX, layout.last);
            let _ = writeln!(
                out,
                "<line x1=\"{x1}\" y1=\"{y}\" x2=\"{x2}\" y2=\"{y}\" stroke=\"#d98b2b\" stroke-dasharray=\"6 3\"/>"
            );
        }
    }
}

fn label(row: &Row, y: usize, out: &mut String) {
    let (x, y, anchor) = match row.shape {
        Shape::Arrow {
            from,
            to,
            fate: Fate::Lost,
            ..
        } => {
            let (x1, x2) = (lane_x(from), lane_x(to));
            ((x1 + 2 * x2) / 3 + 10, y + 4, "start")
        }
        // An arrow comes from above: below it is room.
        Shape::Arrow { from, to, .. } if from < to => (lane_x(to) - 10, y + 11, "end"),
        Shape::Arrow { to, .. } => (lane_x(to) + 10, y + 11, "start"),
        Shape::Mark { lane, .. } => (lane_x(lane) + 9, y - 3, "start"),
        Shape::Note => (LEFT_PX + 14, y - 4, "start"),
    };
    let words = match row.shape {
        Shape::Note => row.label.clone(),
        _ => shortened(&row.label),
    };
    let class = if row.letter.is_some() { "l w" } else { "l" };
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\"><title>{}</title>{}</text>",
        escaped(&format!("{} s: {}", moment(row.at), row.words)),
        escaped(&words)
    );
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL_MAX {
        return label.to_owned();
    }
    let kept: String = label.chars().take(LABEL_MAX - 1).collect();
    kept + "\u{2026}"
}

fn legend(layout: &Layout, out: &mut String) {
    let y = layout.bottom + 30;
    let shades = [
        ("dead", State::Down),
        ("stands still", State::Paused),
        ("links cut", State::Cut),
        ("links slow", State::Slow),
        ("clock is off", State::Skewed),
    ];
    let mut x = 20;
    for (words, state) in shades {
        if let Some((fill, _)) = shading(state) {
            let top = y - 11;
            let _ = writeln!(
                out,
                "<rect x=\"{x}\" y=\"{top}\" width=\"16\" height=\"14\" fill=\"{fill}\"/>"
            );
        }
        text(out, x + 22, y, "", words);
        x += 120;
    }
    let strokes = [
        ("arrives", "", true),
        ("arrives late", "7 4", true),
        ("is lost", "2 3", false),
    ];
    let (mut x, y) = (20, y + 26);
    for (words, dashes, arrives) in strokes {
        let (x2, line) = (x + 36, y - 4);
        let end = if arrives {
            " marker-end=\"url(#a)\""
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "<line x1=\"{x}\" y1=\"{line}\" x2=\"{x2}\" y2=\"{line}\" stroke=\"{OTHER}\" stroke-width=\"1.8\" \
             stroke-dasharray=\"{dashes}\"{end}/>"
        );
        text(out, x + 44, y, "", words);
        x += 140;
    }
    let squares = [
        ("#1b1b1f", "a replica's version changes"),
        ("#b3261e", "a process dies, starts, stops or forgets"),
    ];
    for (fill, words) in squares {
        let top = y - 10;
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{top}\" width=\"10\" height=\"10\" fill=\"{fill}\"/>"
        );
        text(out, x + 18, y, "", words);
        x += 190;
    }
    let words = "Colours and letters: operations of the witness. Grey: other operations on the key. Time is not to scale: each line is one event.";
    text(out, 20, y + 26, "", words);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
