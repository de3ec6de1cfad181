//! `quorate node`: become a node.

use super::args;
use crate::exit::Exit;
use crate::report::style::complain;

pub(super) fn main(command: &args::Node) -> Exit {
    let seat = match std::fs::read(&command.config) {
        Ok(bytes) => bytes,
        Err(error) => {
            complain(&format!(
                "cannot read the seat {}: {error}",
                command.config.display()
            ));
            return Exit::Usage;
        }
    };
    let seat = match serde_json::from_slice(&seat) {
        Ok(seat) => seat,
        Err(error) => {
            complain(&format!(
                "{} is not a seat: {error}",
                command.config.display()
            ));
            return Exit::Usage;
        }
    };
    match quorate_node::shell::run(seat) {
        Ok(()) => Exit::Kept,
        Err(error) => {
            complain(&error.to_string());
            Exit::HarnessFailure
        }
    }
}
