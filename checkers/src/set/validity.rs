//! Valid, invalid, or unknown: Jepsen's three answers. Unknown is never valid.

use serde::{Serialize, Serializer};

/// Whether a history is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It is.
    Valid,
    /// It is not.
    Invalid,
    /// Nothing was there to judge.
    Unknown,
}

impl Validity {
    /// The word in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Validity::Valid => "valid",
            Validity::Invalid => "invalid",
            Validity::Unknown => "unknown",
        }
    }
}

/// As Jepsen writes it: `true`, `false` or `"unknown"`.
impl Serialize for Validity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Validity::Valid => serializer.serialize_bool(true),
            Validity::Invalid => serializer.serialize_bool(false),
            Validity::Unknown => serializer.serialize_str("unknown"),
        }
    }
}

/// What Jepsen's checker of the same name says, where that is something else; and why ours differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JepsenSays {
    /// Its `:valid?`.
    pub valid: Validity,
    /// What it does not see, or sees wrongly.
    pub because: Vec<&'static str>,
}
