//! The paragraph behind a name: a guarantee, an anomaly, a fault, a workload, a sabotage, a profile, a scenario.

use std::fmt::Write;

use quorate_checkers::guarantee::Guarantee;
use quorate_node::config::Sabotage;
use quorate_workloads::Kind;

use crate::fault::FaultKind;
use crate::plan::nearest;
use crate::profile::{Profile, Setting};
use crate::scenario;

/// Width of a paragraph, columns.
const WIDTH: usize = 96;

/// What to try instead of a name that nothing has.
pub(super) fn hint(name: &str) -> String {
    let known = names();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    nearest(name, &known).map_or_else(
        || "see `quorate list`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    )
}

fn names() -> Vec<String> {
    let guarantees = Guarantee::ALL
        .iter()
        .flat_map(|guarantee| [guarantee.name(), guarantee.anomaly_name()]);
    guarantees
        .chain(FaultKind::ALL.map(FaultKind::name))
        .chain(Kind::ALL.map(Kind::name))
        .chain(Sabotage::ALL.map(Sabotage::name))
        .chain(Profile::names())
        .chain(scenario::ALL.map(|scenario| scenario.name))
        .map(str::to_owned)
        .collect()
}

/// What there is to say about a name; none if nothing is called so.
pub(super) fn paragraph(name: &str) -> Option<String> {
    if let Some(guarantee) = Guarantee::from_name(name) {
        let title = format!(
            "{} (guarantee; broken by: {})",
            guarantee.name(),
            guarantee.anomaly_name()
        );
        return Some(told(&title, guarantee.paragraph()));
    }
    if let Some(fault) = FaultKind::from_name(name) {
        return Some(told(&format!("{name} (fault)"), fault.paragraph()));
    }
    if let Some(workload) = Kind::from_name(name) {
        let judges: Vec<&str> = workload
            .guarantees()
            .iter()
            .map(|guarantee| guarantee.name())
            .collect();
        let text = format!(
            "{}\nGives evidence for: {}.",
            workload.paragraph(),
            judges.join(", ")
        );
        return Some(told(&format!("{name} (workload)"), &text));
    }
    if let Ok(profile) = Profile::from_name(name) {
        let title = format!("{name} (profile: --profile {name})");
        return Some(format!(
            "{}\n{}",
            told(&title, profile.paragraph),
            settings(profile)
        ));
    }
    if let Some(scenario) = scenario::find(name) {
        let ids = |what: &str, ids: &[&str]| match ids {
            [] => String::new(),
            ids => format!("\n{what}: {}.", ids.join(", ")),
        };
        let text = format!(
            "{}{}{}\nPlayed by: quorate scenario {name}.",
            scenario.shows,
            ids("Requirements", scenario.requirements),
            ids("Corrections", scenario.corrections),
        );
        return Some(told(&format!("{name} (scenario)"), &text));
    }
    let sabotage = Sabotage::ALL
        .into_iter()
        .find(|sabotage| sabotage.name() == name)?;
    Some(told(&format!("{name} (sabotage)"), sabotage.paragraph()))
}

/// The settings of a profile, each with its source below it.
pub(in crate::cli) fn settings(profile: &Profile) -> String {
    let mut out = String::new();
    for Setting { key, value, source } in profile.settings {
        let source = told("", source);
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {key} = {value}");
        for line in source.lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(out, "    {line}");
        }
    }
    out
}

fn told(title: &str, text: &str) -> String {
    let mut out = format!("{title}\n\n");
    for paragraph in text.lines() {
        let mut line = String::from(" ");
        for word in paragraph.split_whitespace() {
            if line.len() + 1 + word.len() > WIDTH {
                out.push_str(&line);
                out.push('\n');
                line = String::from(" ");
            }
            line.push(' ');
            line.push_str(word);
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{names, paragraph};

    #[test]
    fn every_name_has_a_paragraph() {
        for name in names() {
            let text = paragraph(&name).unwrap_or_else(|| panic!("{name} is not explained"));
            assert!(text.len() > 120, "{name} is hardly explained: {text}");
            assert!(text.lines().all(|line| line.len() < 140), "{name}: {text}");
        }
        assert_eq!(paragraph("linear"), None);
    }
}
