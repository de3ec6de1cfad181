//! `quorate check --stream` and `quorate check -`: judge a history while it is read.

use std::path::PathBuf;

use quorate_checkers::history::Quorum;

use super::args::{self, Common, Format};
use super::check::{STDIN, STDIN_PATH};
use crate::exit::Exit;
use crate::judging::attended;
use crate::report::stream;
use crate::report::style::{Style, complain, print, say};
use crate::results::find_history;
use crate::run::exit_of;
use crate::streaming::{judge_stream, prove};

pub(super) fn main(
    command: &args::Check,
    claim: Option<Quorum>,
    common: &Common,
    style: Style,
) -> Exit {
    let found = if command.history == STDIN {
        Ok(PathBuf::from(STDIN_PATH))
    } else {
        find_history(&command.history, &common.results)
    };
    let path = match found {
        Ok(path) => path,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    let judged = attended(common.progress, move |watch| {
        let judged = judge_stream(&path, claim, watch, |alarm, is_promised| {
            say(&stream::alarm(alarm, is_promised));
        })?;
        let proofs = prove(&path, &judged)?;
        Ok((judged.read, proofs))
    });
    match judged.and_then(Option::transpose) {
        Ok(Some((read, proofs))) => {
            let verdict = read.verdict(&proofs);
            match common.format {
                Format::Text => print(&stream::check(&command.history, &read, &verdict, style)),
                Format::Json => print(&verdict.to_json()),
            }
            exit_of(&verdict)
        }
        Ok(None) => {
            complain("interrupted: the rest was not judged");
            Exit::Interrupted
        }
        Err(error) => {
            complain(&error.to_string());
            Exit::Usage
        }
    }
}
