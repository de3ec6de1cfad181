//! `quorate list`: what there is.

use std::fmt::Write;

use quorate_checkers::guarantee::Guarantee;
use quorate_node::config::Sabotage;
use quorate_workloads::Kind;

use super::args;
use super::explain::settings;
use crate::exit::Exit;
use crate::fault::FaultKind;
use crate::profile::Profile;
use crate::report::style::{complain, print};
use crate::scenario;

pub(super) fn main(command: &args::List) -> Exit {
    let all = sections();
    let wanted = command.what.as_deref();
    let chosen: Vec<_> = all
        .iter()
        .filter(|(title, _)| wanted.is_none_or(|what| *title == what))
        .collect();
    if chosen.is_empty() {
        let titles: Vec<&str> = all.iter().map(|(title, _)| *title).collect();
        complain(&format!(
            "there are {}, but no {}",
            titles.join(", "),
            wanted.unwrap_or_default()
        ));
        return Exit::Usage;
    }
    let mut out = String::new();
    for (title, rows) in chosen {
        let _ = writeln!(out, "{title}");
        for (name, text) in rows {
            let _ = writeln!(out, "  {name:<26} {}", first_sentence(text));
            // Whoever asks for profiles alone wants to see what they are made of.
            if wanted == Some(PROFILES)
                && let Ok(profile) = Profile::from_name(name)
            {
                let _ = writeln!(out, "{}", settings(profile));
            }
        }
        out.push('\n');
    }
    out.push_str("quorate explain NAME tells the whole of each.\n");
    print(&out);
    Exit::Kept
}

/// The title of the profiles.
const PROFILES: &str = "profiles";

type Section = (&'static str, Vec<(&'static str, &'static str)>);

fn sections() -> [Section; 7] {
    [
        (
            "guarantees",
            Guarantee::ALL
                .iter()
                .map(|g| (g.name(), g.paragraph()))
                .collect(),
        ),
        (
            "anomalies",
            Guarantee::ALL
                .iter()
                .map(|g| (g.anomaly_name(), g.name()))
                .collect(),
        ),
        (
            "faults",
            FaultKind::ALL
                .iter()
                .map(|f| (f.name(), f.paragraph()))
                .collect(),
        ),
        (
            "workloads",
            Kind::ALL
                .iter()
                .map(|w| (w.name(), w.paragraph()))
                .collect(),
        ),
        (
            "sabotages",
            Sabotage::ALL
                .iter()
                .map(|s| (s.name(), s.paragraph()))
                .collect(),
        ),
        (
            PROFILES,
            Profile::ALL
                .iter()
                .map(|profile| (profile.name, profile.paragraph))
                .collect(),
        ),
        (
            "scenarios",
            scenario::ALL.iter().map(|s| (s.name, s.shows)).collect(),
        ),
    ]
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}
