//! `quorate gate`: promises must hold, canaries must sing.

use std::fmt::Write as _;

use super::args::{self, Common};
use super::options;
use crate::exit::Exit;
use crate::gate::{Case, CaseResult, Expect, Went, load, run_case};
use crate::report::progress::Progress;
use crate::report::style::{Style, Tone, complain, print};
use crate::run::RunOptions;

pub(super) fn main(command: &args::Gate, common: &Common, style: Style) -> Exit {
    let cases = match load(&command.file) {
        Ok(cases) => cases,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    let wanted = |case: &Case| {
        command
            .only
            .as_ref()
            .is_none_or(|text| case.name.contains(text.as_str()))
    };
    let cases: Vec<Case> = cases.into_iter().filter(wanted).collect();
    if cases.is_empty() {
        complain(&format!("{}: no case to run", command.file.display()));
        return Exit::NothingRan;
    }
    if command.node_bin.is_some() {
        let plans = cases.iter().flat_map(|case| &case.plans);
        if let Err(error) = options::node_bin_for(plans) {
            complain(&error.to_string());
            return Exit::Usage;
        }
    }
    let options = RunOptions {
        program: command.node_bin.clone(),
        results: common.results.clone(),
        keep_data: false,
        stop_on_first: false,
    };
    let mut exit = Exit::Kept;
    let mut counts = [0_usize; 3];
    for case in &cases {
        let mut progress = Progress::new(common.progress);
        progress.say(&format!("gate  {}", case.name));
        let result = run_case(case, &options, &mut progress);
        print(&line(case, &result, style));
        exit = exit.worst(result.went.exit());
        counts[class(result.went)] += 1;
        if result.went == Went::Interrupted {
            break;
        }
    }
    let [passed, silent, failed] = counts;
    print(&format!(
        "\n  {passed} passed, {failed} failed, {silent} silent canaries\n"
    ));
    exit
}

fn class(went: Went) -> usize {
    match went {
        Went::Kept | Went::Sang => 0,
        Went::Silent => 1,
        Went::Broken | Went::Undecided | Went::Failed | Went::Interrupted => 2,
    }
}

fn line(case: &Case, result: &CaseResult, style: Style) -> String {
    let (tone, word) = match result.went {
        Went::Kept => (Tone::Good, "kept"),
        Went::Sang => (Tone::Good, "sang"),
        Went::Broken => (Tone::Bad, "BROKEN"),
        Went::Silent => (Tone::Bad, "SILENT"),
        Went::Failed => (Tone::Bad, "FAILED"),
        Went::Undecided => (Tone::Unsure, "undecided"),
        Went::Interrupted => (Tone::Unsure, "interrupted"),
    };
    let kind = if matches!(case.expect, Expect::Kept) {
        ""
    } else {
        "canary "
    };
    let name = format!("{kind}{}", case.name);
    let word = style.paint(tone, &format!("{} {word:<11}", style.symbol(tone)));
    let mut out = format!(
        "  {word} {name:<62} {}/{} runs",
        result.runs,
        case.plans.len()
    );
    if !result.told.is_empty() {
        let _ = write!(out, "  {}", result.told);
    }
    if result.went.exit() != Exit::Kept
        && let Some(directory) = &result.directory
    {
        let _ = write!(out, "  {directory}");
    }
    out.push('\n');
    out
}
