//! A violation told in words: which operations, what follows from them, and what was seen instead.
//!
//! The judges of `register/`, `set/` and `session/` know no names and no clocks of the world; they tell their violations with
//! places and letters, and whoever knows the history turns the places into the lines under *Let*.

/// What a judge has to say about one violation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tale {
    /// Places of the operations, in the order of their letters: the first is `A`.
    pub lets: Vec<usize>,
    /// What follows from them, sentence by sentence.
    pub then: Vec<String>,
    /// What was seen instead.
    pub however: String,
}

impl Tale {
    /// The letter of the operation at a position of [`Tale::lets`].
    pub fn letter(position: usize) -> char {
        let offset = u8::try_from(position.min(25)).unwrap_or(25);
        char::from(b'A' + offset)
    }
}
