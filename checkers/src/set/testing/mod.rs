//! What the tests of sets share: small histories, random and exhaustive, and brute-force twins of every judge.

mod exhaustive;
mod full;
mod grow_only;
mod last_read;
mod laws;
mod linearize;
mod random;
mod tales;

/// How many random histories a test judges: many on demand (`QUORATE_CASES`, read when the tests are built), few otherwise.
pub(super) fn cases(otherwise: u64) -> u64 {
    let asked = option_env!("QUORATE_CASES").and_then(|text| text.parse().ok());
    asked.unwrap_or(otherwise)
}
