//! The `quorate` binary: the harness, and (as `quorate node`) a node of the store it tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    quorate::cli::main().into()
}
