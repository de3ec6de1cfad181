//! `quorate run`: one plan, once.

use super::args::{self, Common, Format};
use super::options;
use crate::exit::Exit;
use crate::report::progress::Progress;
use crate::report::style::{Style, complain, print};
use crate::report::text;
use crate::run::{RunOptions, run};

pub(super) fn main(command: &args::Run, common: &Common, style: Style) -> Exit {
    let plan = match options::plan(command) {
        Ok(plan) => plan,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    let options = RunOptions {
        program: command.node_bin.clone(),
        results: common.results.clone(),
        keep_data: command.keep_data,
        stop_on_first: command.stop_on_first,
    };
    let mut progress = Progress::new(common.progress);
    match run(&plan, &options, &mut progress) {
        Ok(ran) => {
            match common.format {
                Format::Text => print(&text::run(&ran, style)),
                Format::Json => print(&ran.verdict.to_json()),
            }
            ran.exit()
        }
        Err(error) => {
            complain(&error.to_string());
            error.exit()
        }
    }
}
