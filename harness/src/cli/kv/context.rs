//! Contexts as people hand them around: hex digits, typed or in a file.

use std::fmt::Write as _;
use std::fs;

use quorate_node::wire::Context;

/// A context as hex digits.
pub(super) fn hex(context: &Context) -> String {
    bytes_as_hex(&context.0)
}

pub(super) fn bytes_as_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Reads hex digits, or with an `@` the file that has them.
pub(super) fn read(text: &str) -> Result<Context, String> {
    let digits = match text.strip_prefix('@') {
        None => text.to_owned(),
        Some(path) => fs::read_to_string(path)
            .map_err(|error| format!("cannot read the context in {path}: {error}"))?,
    };
    let malformed = || {
        format!("--context {text}: expected hex digits as `kv get` prints them, or @FILE with them")
    };
    let digits = digits.trim();
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) || digits.len() % 2 != 0 {
        return Err(malformed());
    }
    let pairs = (0..digits.len()).step_by(2);
    let bytes: Result<Vec<u8>, _> = pairs
        .map(|start| u8::from_str_radix(&digits[start..start + 2], 16))
        .collect();
    bytes.map(Context).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_context_comes_back(bytes: Vec<u8>) {
            let context = Context(bytes);
            prop_assert_eq!(read(&hex(&context)), Ok(context));
        }

        #[test]
        fn no_text_is_read_with_a_panic(text: String) {
            let _ = read(&text);
        }
    }

    #[test]
    fn what_is_no_context_is_refused_with_a_remedy() {
        for wrong in ["0", "xy", "é0", "+1"] {
            let why = read(wrong).expect_err("refused");
            assert!(why.contains("as `kv get` prints them"), "{why}");
        }
        assert!(read("@nowhere").expect_err("refused").contains("nowhere"));
    }
}
