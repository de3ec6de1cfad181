//! `quorate check`: judge a saved history again. By a model, and histories of other tools: `model.rs`.

use quorate_checkers::model::Model;

use super::args::{self, Common, Format};
use super::{model, stream};
use crate::exit::Exit;
use crate::judging::{attended, judge_file};
use crate::plan::parse_claim;
use crate::report::style::{Style, complain, print};
use crate::report::text;
use crate::results::find_history;
use crate::run::exit_of;

/// What stands for stdin, and where it can be read.
pub(super) const STDIN: &str = "-";
pub(super) const STDIN_PATH: &str = "/dev/stdin";

pub(super) fn main(command: &args::Check, common: &Common, style: Style) -> Exit {
    let claim = match command.claim.as_deref().map(parse_claim).transpose() {
        Ok(claim) => claim,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    let is_stdin = command.history == STDIN;
    if command.foreign.model.is_none() && (command.stream || is_stdin) {
        return stream::main(command, claim, common, style);
    }
    let reference = if is_stdin {
        STDIN_PATH
    } else {
        &command.history
    };
    let path = match find_history(reference, &common.results) {
        Ok(path) => path,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    if let Some(model) = command.foreign.model.as_deref().and_then(Model::from_name) {
        return model::main(model, &command.foreign, path, common, style);
    }
    if let Some(why) = model::models_for(&path, command.foreign.input_format.as_deref()) {
        complain(&why);
        return Exit::Usage;
    }
    let judged = attended(common.progress, move |watch| {
        judge_file(&path, claim, watch)
    });
    match judged.and_then(Option::transpose) {
        Ok(Some((history, verdict))) => {
            match common.format {
                Format::Text => print(&text::check(&command.history, &history, &verdict, style)),
                Format::Json => print(&verdict.to_json()),
            }
            exit_of(&verdict)
        }
        Ok(None) => {
            complain("interrupted: nothing was judged");
            Exit::Interrupted
        }
        // A file that cannot be read or understood is bad input here, not a failure of ours.
        Err(error) => {
            complain(&error.to_string());
            Exit::Usage
        }
    }
}
