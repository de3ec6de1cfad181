//! `quorate explain`: the paragraph behind a name, or the anomalies of a run in words.
//!
//! A name wins over a run that is called the same: give a path to mean the run.

mod name;
mod run;

pub(super) use name::settings;

use super::args::{self, Common};
use crate::exit::Exit;
use crate::report::style::{Style, complain, print};
use crate::results::find_history;

pub(super) fn main(command: &args::Explain, common: &Common, style: Style) -> Exit {
    let wanted = &command.name;
    if let Some(text) = name::paragraph(wanted) {
        let flags = [("--all", command.all), ("--spacetime", command.spacetime)];
        if let Some((flag, _)) = flags.into_iter().find(|(_, given)| *given) {
            complain(&format!("{wanted} is a name, not a run: leave out {flag}"));
            return Exit::Usage;
        }
        print(&text);
        return Exit::Kept;
    }
    match find_history(wanted, &common.results) {
        Ok(path) => run::main(command, &path, common, style),
        Err(error) => {
            let hint = name::hint(wanted);
            complain(&format!("nothing is called `{wanted}`: {hint}; {error}"));
            Exit::Usage
        }
    }
}
