//! `quorate replay`: a saved plan again, and how often what it showed shows again.

use super::args::{self, Common, Format};
use crate::exit::Exit;
use crate::replay::{Attempt, Keep, Original, Replay, ReplayError, Request, repeat};
use crate::report::replay as report;
use crate::report::style::{Style, complain, print};
use crate::run::RunOptions;
use crate::target::Target;

pub(super) fn main(command: &args::Replay, common: &Common, style: Style) -> Exit {
    match replay(command, common, style) {
        Ok(replay) => replay.exit(),
        Err(error) => {
            complain(&error.to_string());
            error.exit()
        }
    }
}

fn replay(command: &args::Replay, common: &Common, style: Style) -> Result<Replay, ReplayError> {
    let asked = command.find.as_deref().map(Target::anomaly).transpose()?;
    let original = Original::load(&command.run, &common.results)?;
    let target = asked.unwrap_or_else(|| original.target());
    let request = Request {
        times: command.times,
        world: command.world.clone(),
        target,
        keep: command.keep,
        options: RunOptions {
            program: command.node_bin.clone(),
            results: common.results.clone(),
            keep_data: command.keep == Keep::All,
            stop_on_first: false,
        },
    };
    if common.format == Format::Json {
        let replay = repeat(&original, &request, common.progress, |_| {})?;
        print(&report::document(&original, &replay));
        return Ok(replay);
    }
    print(&report::opening(&original, target, asked.is_some(), style));
    let mut lines = report::Lines::default();
    let tell = |attempt: &Attempt| {
        if let Some(line) = lines.tell(attempt, style) {
            print(&line);
        }
    };
    let replay = repeat(&original, &request, common.progress, tell)?;
    print(&report::closing(&original, &replay, style));
    Ok(replay)
}
