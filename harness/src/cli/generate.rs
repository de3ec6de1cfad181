//! `quorate generate-history`: a made-up history as a file, written as it is made.

use std::fs::File;
use std::io::{self, ErrorKind, Write};

use quorate_workloads::synthetic::{Corruption, Recipe, Synthetic, Values};

use super::args;
use crate::exit::Exit;
use crate::plan::nearest;
use crate::report::style::complain;

/// How much is written at a time, bytes.
const BLOCK_BYTES: usize = 1 << 18;
/// Lines before the first event, and the first line counts as 1.
const LINES_BEFORE_EVENTS: u64 = 2;

pub(super) fn main(command: &args::Generate) -> Exit {
    let begun = recipe(command).and_then(|recipe| {
        let history = recipe.begin().map_err(|error| error.to_string())?;
        Ok((recipe, history))
    });
    let (recipe, mut history) = match begun {
        Ok(begun) => begun,
        Err(why) => {
            complain(&why);
            return Exit::Usage;
        }
    };
    let written = match &command.output {
        None => write(&recipe, &mut history, &mut io::stdout().lock()),
        Some(path) => {
            File::create(path).and_then(|mut file| write(&recipe, &mut history, &mut file))
        }
    };
    match written {
        Ok(()) => told(&recipe, &history),
        // A reader that went away has what it wanted.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Kept,
        Err(error) => {
            let place = command
                .output
                .as_ref()
                .map_or_else(|| "stdout".to_owned(), |path| path.display().to_string());
            complain(&format!("cannot write {place}: {error}"));
            Exit::Usage
        }
    }
}

/// Says where the corruption is. A history that had no occasion for it is not what was asked for.
fn told(recipe: &Recipe, history: &Synthetic) -> Exit {
    match (recipe.corruption, history.corrupted_at()) {
        (Corruption::None, _) => Exit::Kept,
        (corruption, Some(index)) => {
            let line = index.saturating_add(LINES_BEFORE_EVENTS);
            complain(&format!("the {corruption} shows in line {line}"));
            Exit::Kept
        }
        (corruption, None) => {
            complain(&format!(
                "there was no occasion for the {corruption}: ask for more operations, more clients or fewer keys"
            ));
            Exit::Usage
        }
    }
}

fn recipe(command: &args::Generate) -> Result<Recipe, String> {
    Ok(Recipe {
        operations: command.operations,
        clients: command.clients,
        keys: command.keys,
        read_percent: command.reads,
        cas_percent: command.cas,
        info_percent: command.info,
        fail_percent: command.fail,
        values: values(&command.values)?,
        corruption: corruption(&command.corrupt)?,
        census: command.census,
        seed: command.seed,
    })
}

fn values(text: &str) -> Result<Values, String> {
    if text == "unique" {
        return Ok(Values::Unique);
    }
    let count = text.strip_prefix("small:").and_then(|n| n.parse().ok());
    count
        .map(Values::Small)
        .ok_or_else(|| format!("values `{text}` is neither unique nor small:N, such as small:5"))
}

fn corruption(text: &str) -> Result<Corruption, String> {
    Corruption::from_name(text).ok_or_else(|| {
        let names = Corruption::ALL.map(Corruption::name);
        let hint = nearest(text, &names).map_or_else(
            || format!("there are {}", names.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        format!("corrupt `{text}` is unknown: {hint}")
    })
}

fn write(recipe: &Recipe, history: &mut Synthetic, out: &mut dyn Write) -> io::Result<()> {
    let mut block = Vec::with_capacity(BLOCK_BYTES * 2);
    recipe.header().to_line(&mut block);
    for event in history {
        event.to_line(&mut block);
        if block.len() >= BLOCK_BYTES {
            out.write_all(&block)?;
            block.clear();
        }
    }
    out.write_all(&block)?;
    out.flush()
}
