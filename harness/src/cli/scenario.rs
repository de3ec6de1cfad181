//! `quorate scenario`: the worked examples of the subject, one or all of them.

use std::fmt::Write;
use std::time::Instant;

use super::args::{self, Common, Format};
use crate::exit::Exit;
use crate::plan::{World, nearest};
use crate::report::progress::{Progress, ProgressMode};
use crate::report::scenario;
use crate::report::style::{Style, complain, print, say};
use crate::run::{RunError, RunOptions};
use crate::scenario::{ALL, Performance, Scenario, find, perform, requirements};
use crate::world::sim::Weather;

pub(super) fn main(command: &args::Scenario, common: &Common, style: Style) -> Exit {
    if command.requirements {
        print(&requirements::markdown());
        return Exit::Kept;
    }
    match (&command.name, command.all) {
        (None, false) => {
            print(&listed());
            Exit::Kept
        }
        (None, true) => {
            let all: Vec<&Scenario> = ALL.iter().collect();
            play(&all, command, common, style)
        }
        (Some(name), _) => {
            let Some(scenario) = find(name) else {
                complain(&unknown(name));
                return Exit::Usage;
            };
            play(&[scenario], command, common, style)
        }
    }
}

fn unknown(name: &str) -> String {
    let known = ALL.map(|scenario| scenario.name);
    let hint = nearest(name, &known).map_or_else(
        || "`quorate scenario` lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    format!("there is no scenario `{name}`: {hint}")
}

fn listed() -> String {
    let mut out = String::new();
    for Scenario { name, shows, .. } in &ALL {
        let first = shows.find(". ").map_or(*shows, |end| &shows[..=end]);
        let _ = writeln!(out, "  {name:<26} {first}");
    }
    out.push_str("\nquorate scenario NAME plays one, quorate scenario --all all of them; quorate explain NAME tells the whole of each.\n");
    out
}

fn play(scenarios: &[&Scenario], command: &args::Scenario, common: &Common, style: Style) -> Exit {
    let world = match command.world.as_str() {
        "sim" => World::Sim(Weather::default()),
        _ => World::Live,
    };
    let options = RunOptions {
        program: command.node_bin.clone(),
        results: common.results.clone(),
        keep_data: false,
        stop_on_first: false,
    };
    let began = Instant::now();
    let mut performances: Vec<Performance> = Vec::new();
    let mut exit = Exit::Kept;
    for (number, scenario) in (1..).zip(scenarios) {
        let is_shown = common.progress != ProgressMode::None && scenarios.len() > 1;
        if is_shown {
            let (of, took) = (scenarios.len(), began.elapsed().as_secs_f64());
            say(&format!(
                "{took:>6.1}s  {number} of {of}  {}",
                scenario.name
            ));
        }
        // Anomalies are part of the story and are told there.
        let mut progress = Progress::new(ProgressMode::None);
        match perform(scenario, world, command.seed, &options, &mut progress) {
            Ok(performance) => {
                if common.format == Format::Text {
                    print(&format!("{}\n", scenario::story(&performance, style)));
                }
                exit = exit.worst(performance.exit());
                let is_over = performance.acts.iter().any(|act| act.interrupted);
                performances.push(performance);
                if is_over {
                    break;
                }
            }
            Err(error) => {
                complain(&format!("{}: {error}", scenario.name));
                exit = exit.worst(error.exit());
                if matches!(error, RunError::Killed) {
                    break;
                }
            }
        }
    }
    match common.format {
        Format::Json => print(&scenario::json(&performances)),
        Format::Text if scenarios.len() > 1 => {
            let took = began.elapsed().as_secs_f64();
            let table = scenario::table(&performances, style);
            print(&format!("{table}  took {took:.1} s\n"));
        }
        Format::Text => {}
    }
    exit
}
