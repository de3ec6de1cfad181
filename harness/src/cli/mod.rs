//! The command line: one file per subcommand. `args.rs` is what was typed; `options.rs` is what it means.

mod args;
mod check;
mod cluster;
mod convert;
mod doctor;
mod explain;
mod export;
mod gate;
mod generate;
mod kv;
mod list;
mod model;
mod node;
mod options;
mod replay;
mod run;
mod scenario;
mod search;
mod shrink;
mod stream;
mod upkeep;

use clap::Parser;

use crate::exit::Exit;
use crate::report::style::Style;
use args::{Args, Command};

/// Parses the command line and does what it says.
pub fn main() -> Exit {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are results, not errors; clap knows the difference and the stream.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Kept
            };
            let _ = error.print();
            return exit;
        }
    };
    let style = Style::new(args.common.color);
    match args.command {
        Command::Run(command) => run::main(&command, &args.common, style),
        Command::Check(command) => check::main(&command, &args.common, style),
        Command::Replay(command) => replay::main(&command, &args.common, style),
        Command::Export(command) => export::main(&command, &args.common),
        Command::Convert(command) => convert::main(&command, &args.common),
        Command::Shrink(command) => shrink::main(&command, &args.common, style),
        Command::Gate(command) => gate::main(&command, &args.common, style),
        Command::Generate(command) => generate::main(&command),
        Command::Scenario(command) => scenario::main(&command, &args.common, style),
        Command::Explain(command) => explain::main(&command, &args.common, style),
        Command::List(command) => list::main(&command),
        Command::Doctor => doctor::main(style),
        Command::Cluster(command) => cluster::main(&command, &args.common, style),
        Command::Kv(command) => kv::main(&command, &args.common, style),
        Command::Node(command) => node::main(&command),
    }
}
