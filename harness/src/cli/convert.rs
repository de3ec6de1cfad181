//! `quorate convert`: a history in the format of another tool.

use std::fs;
use std::io::Write;
use std::path::Path;

use quorate_checkers::log::OutputFormat;

use super::args::{self, Common};
use super::model;
use crate::exit::Exit;
use crate::report::style::complain;
use crate::results::find_history;

pub(super) fn main(command: &args::Convert, common: &Common) -> Exit {
    match convert(command, common) {
        Ok(()) => Exit::Kept,
        Err(why) => {
            complain(&why);
            Exit::Usage
        }
    }
}

fn convert(command: &args::Convert, common: &Common) -> Result<(), String> {
    let path = find_history(&command.input, &common.results).map_err(|error| error.to_string())?;
    let mut log = model::read(&path, command.input_format.as_deref())?;
    let refused = |error| format!("{}: {error}", path.display());
    log.repeat_arguments().map_err(refused)?;
    if command.keyed {
        log.key_values();
    }
    let format = OutputFormat::from_name(&command.to);
    let format = format
        .ok_or_else(|| format!("no format `{}`: see `quorate convert --help`", command.to))?;
    if log.torn_tail {
        complain("the last event is torn: it is left out");
    }
    write(&command.output, &log.to_bytes(format))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let written = if path == Path::new("-") {
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            // A reader that went away has what it wanted.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    } else {
        fs::write(path, bytes)
    };
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}
