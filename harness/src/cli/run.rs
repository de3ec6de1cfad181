//! `quorate run`: one plan, once.

use super::args::{self, Common, Format};
use super::{options, search};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::report::progress::Progress;
use crate::report::style::{Style, complain, print};
use crate::report::text;
use crate::run::{Ran, RunError, RunOptions, run};

pub(super) fn main(command: &args::Run, common: &Common, style: Style) -> Exit {
    let flags = &command.search;
    if flags.seeds.is_some() || flags.until.is_some() || flags.find.is_some() {
        return search::main(command, common, style);
    }
    let plan = match options::plan(command) {
        Ok(plan) => plan,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    match carried_out(&plan, command, common, style) {
        Ok(ran) => ran.exit(),
        Err(error) => {
            complain(&error.to_string());
            error.exit()
        }
    }
}

/// Runs a plan and prints its report.
pub(super) fn carried_out(
    plan: &Plan,
    command: &args::Run,
    common: &Common,
    style: Style,
) -> Result<Ran, RunError> {
    let options = RunOptions {
        program: command.node_bin.clone(),
        results: common.results.clone(),
        keep_data: command.keep_data,
        stop_on_first: command.stop_on_first,
    };
    let mut progress = Progress::new(common.progress);
    let ran = run(plan, &options, &mut progress)?;
    match common.format {
        Format::Text => print(&text::run(&ran, style)),
        Format::Json => print(&ran.verdict.to_json()),
    }
    Ok(ran)
}
