//! Which format a file has, told from its first bytes. Names of files say nothing here.

use super::error::{LogError, Place, Problem};
use super::text;

/// A format that a log can be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputFormat {
    /// Our own `history.jsonl`: a header line, then one JSON object per line.
    Quorate,
    /// Jepsen's `history.edn`: a stream of maps, or one vector or list of them.
    Edn,
    /// One JSON array of objects, as `elle-cli` reads it.
    ElleJson,
    /// One JSON object per line, with Jepsen's names and without a header.
    Jsonl,
    /// Lines of Jepsen's own log or `history.txt`: process, type, f and value between tabs.
    JepsenLog,
}

impl InputFormat {
    /// All of them.
    pub const ALL: [InputFormat; 5] = [
        InputFormat::Quorate,
        InputFormat::Edn,
        InputFormat::ElleJson,
        InputFormat::Jsonl,
        InputFormat::JepsenLog,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            InputFormat::Quorate => "quorate",
            InputFormat::Edn => "edn",
            InputFormat::ElleJson => "elle-json",
            InputFormat::Jsonl => "jsonl",
            InputFormat::JepsenLog => "jepsen-log",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<InputFormat> {
        InputFormat::ALL
            .into_iter()
            .find(|format| format.name() == name)
    }

    /// The format of a content.
    ///
    /// # Errors
    /// When it can be none of ours.
    pub fn detect(bytes: &[u8]) -> Result<InputFormat, LogError> {
        let bytes = super::unmarked(bytes);
        let begin = skip(bytes, 0);
        let found = match bytes.get(begin) {
            Some(b'{') => match bytes.get(skip(bytes, begin + 1)) {
                Some(b'"') if has_header(&bytes[begin..]) => Some(InputFormat::Quorate),
                Some(b'"') => Some(InputFormat::Jsonl),
                _ => Some(InputFormat::Edn),
            },
            Some(b'[') => {
                let first = skip(bytes, begin + 1);
                match (bytes.get(first), bytes.get(skip(bytes, first + 1))) {
                    (Some(b'{'), Some(b'"')) | (Some(b']'), _) => Some(InputFormat::ElleJson),
                    _ => Some(InputFormat::Edn),
                }
            }
            Some(b'(' | b'#' | b';') => Some(InputFormat::Edn),
            _ => text::is_log(bytes).then_some(InputFormat::JepsenLog),
        };
        found.ok_or_else(|| LogError::new(Place::of(bytes, begin), Problem::FormatUnknown))
    }
}

/// The next byte that is neither space nor comma.
fn skip(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
    from + rest.iter().take_while(|byte| is_space(byte)).count()
}

/// Whether the first line is a header of ours: an object with a `format` and no `type`.
fn has_header(bytes: &[u8]) -> bool {
    let line = &bytes[..memchr::memchr(b'\n', bytes).unwrap_or(bytes.len())];
    let header = serde_json::from_slice::<serde_json::Value>(line);
    header.is_ok_and(|header| header.get("format").is_some() && header.get("type").is_none())
}
