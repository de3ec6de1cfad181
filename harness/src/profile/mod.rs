//! Profiles: the settings that make our store behave as a known one does, each with the source that says so.
//!
//! A profile is a layer of settings below flags and file, and above the defaults. It is not the system: what differs is said in its
//! paragraph. Sources name files and classes of the system's own code, or sections of its papers.

mod leaderless;
mod led;

#[cfg(test)]
mod tests;

use std::fmt::Write;

use crate::plan::{PlanError, PlanSpec, unknown};

/// One setting of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key in a plan; what belongs to the table `[store]` begins with `store.`.
    pub key: &'static str,
    /// Its value, as TOML.
    pub value: &'static str,
    /// Where that comes from, and what the original says if it is another number.
    pub source: &'static str,
}

/// A known store as settings of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What it is, and what differs from the real system.
    pub paragraph: &'static str,
    /// What makes it.
    pub settings: &'static [Setting],
}

const fn set(key: &'static str, value: &'static str, source: &'static str) -> Setting {
    Setting { key, value, source }
}

impl Profile {
    /// All of them.
    pub const ALL: [&'static Profile; 6] = [
        &leaderless::DYNAMO,
        &leaderless::CASSANDRA,
        &leaderless::RIAK,
        &leaderless::VOLDEMORT,
        &led::DYNAMODB,
        &led::SINGLE_LEADER,
    ];

    /// The names of all of them.
    pub fn names() -> [&'static str; 6] {
        Profile::ALL.map(|profile| profile.name)
    }

    /// The profile of a name.
    ///
    /// # Errors
    /// When there is none; the error names those that there are.
    pub fn from_name(name: &str) -> Result<&'static Profile, PlanError> {
        let mut all = Profile::ALL.into_iter();
        let found = all.find(|profile| profile.name == name);
        found.ok_or_else(|| unknown("profile", name, Profile::names()))
    }

    /// Its settings as a plan in TOML, to be changed and saved under a name of its own.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for Setting { key, value, source } in self.settings {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key} = {value} # {source}");
        }
        text
    }

    /// Its settings.
    ///
    /// # Errors
    /// Never for those that there are, as a test shows: when they are no plan.
    pub fn spec(&self) -> Result<PlanSpec, PlanError> {
        PlanSpec::from_toml(&self.to_toml(), self.name)
    }
}

impl PlanSpec {
    /// The same with the settings of its profile, where it says nothing else.
    ///
    /// # Errors
    /// When there is no such profile.
    pub(crate) fn with_profile(mut self) -> Result<PlanSpec, PlanError> {
        match self.profile.take() {
            Some(name) => {
                let mut base = Profile::from_name(&name)?.spec()?;
                // A number of replicas and a level answer the same question, so the upper one hides the lower.
                if self.r.is_some() {
                    base.read_level = None;
                }
                if self.w.is_some() {
                    base.write_level = None;
                }
                Ok(self.over(base))
            }
            None => Ok(self),
        }
    }
}
