//! The anomalies of a saved history, in words.

use std::path::PathBuf;

use crate::cli::args::{self, Common, Format};
use crate::cli::model;
use crate::exit::Exit;
use crate::judging::{attended, judge_file};
use crate::report::explained;
use crate::report::style::{Style, complain, print};

pub(super) fn main(command: &args::Explain, path: PathBuf, common: &Common, style: Style) -> Exit {
    if model::models_for(&path, None).is_some() {
        let name = &command.name;
        complain(&format!(
            "{name} is a history of another tool: `quorate check {name} --model MODEL` explains what it finds"
        ));
        return Exit::Usage;
    }
    let judged = attended(common.progress, move |watch| judge_file(&path, None, watch));
    match judged.and_then(Option::transpose) {
        Ok(Some((_, verdict))) => {
            print(&match common.format {
                Format::Text => explained::text(&command.name, &verdict, command.all, style),
                Format::Json => explained::json(&verdict, command.all),
            });
            Exit::Kept
        }
        Ok(None) => {
            complain("interrupted: nothing was explained");
            Exit::Interrupted
        }
        // A file that cannot be read or understood is bad input here, not a failure of ours.
        Err(error) => {
            complain(&error.to_string());
            Exit::Usage
        }
    }
}
