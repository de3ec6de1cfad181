//! Colour and symbols: one place that knows whether the terminal wants them. Meaning never rests on colour alone.

use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Color};
use clap::ValueEnum;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorMode {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is dumb.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a word means, and so how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As promised.
    Good,
    /// A broken promise.
    Bad,
    /// Seen, but nobody promised otherwise.
    Noted,
    /// Too little evidence.
    Unsure,
    /// Less important.
    Faint,
    /// A heading.
    Strong,
}

/// How stdout looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    color: bool,
    unicode: bool,
}

impl Style {
    /// The style for stdout. A flag beats the environment.
    pub fn new(mode: ColorMode) -> Style {
        let color = match mode {
            ColorMode::Always => true,
            ColorMode::Never => false,
            ColorMode::Auto => auto_color(std::io::stdout().is_terminal()),
        };
        Style {
            color,
            unicode: utf8_locale(),
        }
    }

    /// Neither colour nor symbols beyond ASCII, for files and tests.
    pub fn plain() -> Style {
        Style {
            color: false,
            unicode: false,
        }
    }

    /// `text` in the look of `tone`.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let fg = |color| anstyle::Style::new().fg_color(Some(Color::Ansi(color)));
        let style = match tone {
            Tone::Good => fg(AnsiColor::Green),
            Tone::Bad => fg(AnsiColor::Red).bold(),
            Tone::Noted => fg(AnsiColor::Cyan),
            Tone::Unsure => fg(AnsiColor::Yellow),
            Tone::Faint => anstyle::Style::new().dimmed(),
            Tone::Strong => anstyle::Style::new().bold(),
        };
        format!("{style}{text}{style:#}")
    }

    /// The symbol of a tone.
    pub fn symbol(self, tone: Tone) -> &'static str {
        match (tone, self.unicode) {
            (Tone::Good, true) => "✓",
            (Tone::Good, false) => "ok",
            (Tone::Bad, true) => "✗",
            (Tone::Bad, false) => "FAIL",
            (Tone::Unsure, _) => "?",
            (Tone::Noted | Tone::Faint | Tone::Strong, true) => "·",
            (Tone::Noted | Tone::Faint | Tone::Strong, false) => ".",
        }
    }
}

fn auto_color(terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return false;
    }
    terminal
        || std::env::var_os("CLICOLOR_FORCE").is_some_and(|force| force != "0" && !force.is_empty())
}

/// The first of the three locale variables that is set decides.
fn utf8_locale() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Writes results to stdout. A reader that went away is no error.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

/// Says on stderr why a command failed.
pub fn complain(why: &str) {
    let _ = writeln!(std::io::stderr().lock(), "quorate: {why}");
}

/// Says something on stderr while a command goes on.
pub fn say(what: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{what}");
}
