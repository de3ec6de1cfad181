//! `quorate export`: a run in one file.

use std::path::PathBuf;

use super::args::{self, Common};
use crate::archive::pack;
use crate::exit::Exit;
use crate::report::style::{complain, print};
use crate::report::text::grouped;
use crate::results::{Found, find};

pub(super) fn main(command: &args::Export, common: &Common) -> Exit {
    match export(command, common) {
        Ok(told) => {
            print(&told);
            Exit::Kept
        }
        Err(why) => {
            complain(&why);
            Exit::Usage
        }
    }
}

fn export(command: &args::Export, common: &Common) -> Result<String, String> {
    let found = find(&command.run, &common.results).map_err(|error| error.to_string())?;
    let Found::Run(run) = found else {
        return Err(format!(
            "{} is a file: name the directory of a run, or its id",
            command.run
        ));
    };
    let is_run = ["plan.json", "history.jsonl"].map(|name| run.join(name).is_file());
    if !is_run.contains(&true) {
        return Err(format!(
            "{} is no run: it holds neither plan.json nor history.jsonl",
            run.display()
        ));
    }
    // `latest` is no name to carry elsewhere.
    let run = run.canonicalize().unwrap_or(run);
    let id = run.file_name().unwrap_or_default().to_string_lossy();
    let file = command.file.clone();
    let file = file.unwrap_or_else(|| PathBuf::from(format!("{id}.tar.gz")));
    let packed = pack(&run, &id, &file).map_err(|error| error.to_string())?;
    Ok(format!(
        "exported {id} to {}: {} files, {} bytes in {}\n",
        file.display(),
        grouped(packed.files),
        grouped(packed.bytes),
        grouped(packed.archive_bytes)
    ))
}
