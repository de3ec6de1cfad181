//! A history as its bare lines, read without the code that wrote them.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

/// The lines of a `history.jsonl`, each as JSON.
pub(crate) struct Record {
    pub(crate) header: Json,
    pub(crate) events: Vec<Json>,
}

impl Record {
    /// What is in the file while it is being written; none if that is nothing yet.
    pub(crate) fn so_far(path: &Path) -> Option<Record> {
        let text = fs::read_to_string(path).ok()?;
        let mut lines = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| serde_json::from_str(line).expect("a line of JSON"));
        let header = lines.next()?;
        Some(Record {
            header,
            events: lines.collect(),
        })
    }

    /// What is in the file, of which every line is whole.
    pub(crate) fn whole(path: &Path) -> Record {
        let text = fs::read_to_string(path).expect("a history");
        assert!(text.ends_with('\n'), "torn: {}", path.display());
        Record::so_far(path).expect("a header")
    }

    /// The phases it went through, in order.
    pub(crate) fn phases(&self) -> Vec<&str> {
        let phases = self.events.iter().filter(|event| event["f"] == "phase");
        phases.map(|event| text(&event["value"])).collect()
    }

    pub(crate) fn has_entered(&self, phase: &str) -> bool {
        self.phases().contains(&phase)
    }

    /// Where in the history a fault took this step.
    pub(crate) fn step(&self, fault: &str, step: &str) -> Option<usize> {
        self.events
            .iter()
            .position(|event| event["value"]["id"] == fault && event["value"]["step"] == step)
    }

    /// How many operations have begun and not ended.
    pub(crate) fn open(&self) -> usize {
        let ended = ["ok", "fail", "info"].map(|kind| self.count_from(0, kind));
        self.count_from(0, "invoke") - ended.iter().sum::<usize>()
    }

    /// How many client events of this kind there are from this place on.
    pub(crate) fn count_from(&self, place: usize, kind: &str) -> usize {
        let later = self.events.iter().skip(place);
        later
            .filter(|event| event["type"] == kind && event["process"].is_u64())
            .count()
    }
}

/// The text of a value that is one.
pub(crate) fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_else(|| panic!("no text: {json}"))
}
