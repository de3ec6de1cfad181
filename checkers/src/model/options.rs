//! What the operations of a log mean: which model they follow, and what failures and empty reads say.

use crate::log::InputFormat;

/// Violations of sessions and causality that are told unless more are asked for: each is looked for in the whole history, for the fewest
/// operations that show it.
const EXPLAINED_MAX: usize = 3;

/// What a log is judged as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Model {
    /// Reads and writes of a register.
    Register,
    /// The same with compare-and-set.
    CasRegister,
    /// A set that clients add to and read at the end.
    Set,
    /// A set that clients add to and read all the time: what became of each element.
    SetFull,
    /// The same, and whether any order of the operations explains all reads.
    GrowOnlySet,
    /// A set in one key that clients read, change and write back.
    SetRmw,
    /// Registers, by what each session did and saw.
    Sessions,
    /// Registers, by what each operation knows of others, all keys together.
    Causal,
    /// A store that keeps siblings: reads return all values that no later write has replaced.
    Siblings,
}

impl Model {
    /// All of them.
    pub const ALL: [Model; 9] = [
        Model::Register,
        Model::CasRegister,
        Model::Set,
        Model::SetFull,
        Model::GrowOnlySet,
        Model::SetRmw,
        Model::Sessions,
        Model::Causal,
        Model::Siblings,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Model::Register => "register",
            Model::CasRegister => "cas-register",
            Model::Set => "set",
            Model::SetFull => "set-full",
            Model::GrowOnlySet => "grow-only-set",
            Model::SetRmw => "set-rmw",
            Model::Sessions => "sessions",
            Model::Causal => "causal",
            Model::Siblings => "siblings",
        }
    }

    /// The model of a name.
    pub fn from_name(name: &str) -> Option<Model> {
        Model::ALL.into_iter().find(|model| model.name() == name)
    }

    /// The names of the operations that it knows.
    pub fn functions(self) -> &'static [&'static str] {
        match self {
            Model::Register | Model::Sessions | Model::Causal | Model::Siblings => {
                &["read", "write", "delete"]
            }
            Model::Set | Model::SetFull | Model::GrowOnlySet | Model::SetRmw => &["add", "read"],
            Model::CasRegister => &["read", "write", "delete", "cas"],
        }
    }

    /// What is asked of a history of this model, in a few words.
    pub fn question(self) -> &'static str {
        match self {
            Model::Register | Model::CasRegister | Model::GrowOnlySet => "linearizable",
            Model::Set | Model::SetRmw => "complete in the end",
            Model::SetFull => "complete for good",
            Model::Sessions => "as each session did and saw it",
            Model::Causal => "causal",
            Model::Siblings => "true to what was acknowledged",
        }
    }
}

/// What a compare-and-set that failed says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedCas {
    /// Its completion carries the value that it found: a read.
    Reads,
    /// Nothing: it did not happen.
    Nothing,
    /// The value was not the expected one at some moment while it ran.
    NotEqual,
}

impl FailedCas {
    /// All of them.
    pub const ALL: [FailedCas; 3] = [FailedCas::Reads, FailedCas::Nothing, FailedCas::NotEqual];

    /// The one of a name.
    pub fn from_name(name: &str) -> Option<FailedCas> {
        FailedCas::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            FailedCas::Reads => "reads",
            FailedCas::Nothing => "nothing",
            FailedCas::NotEqual => "not-equal",
        }
    }
}

/// What a read that returned nil says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NilReads {
    /// It returned what the register held in the beginning.
    Initial,
    /// Nothing: what it returned is not known.
    Unknown,
}

impl NilReads {
    /// All of them.
    pub const ALL: [NilReads; 2] = [NilReads::Initial, NilReads::Unknown];

    /// The one of a name.
    pub fn from_name(name: &str) -> Option<NilReads> {
        NilReads::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            NilReads::Initial => "initial",
            NilReads::Unknown => "unknown",
        }
    }
}

/// How to judge a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelOptions {
    /// As what.
    pub model: Model,
    /// Whether values are `[key value]`, as Jepsen's independent tests write them.
    pub keyed: bool,
    /// What a failed compare-and-set says; none = what is usual for the format.
    pub failed_cas: Option<FailedCas>,
    /// What a read of nil says; none = what is usual for the format.
    pub nil_reads: Option<NilReads>,
    /// Whether a set must show each element as soon as it is known (`set-full`).
    pub linearizable: bool,
    /// Names of operations that the model does not know and that change nothing of what it asks about.
    pub ignore: Vec<String>,
    /// Violations of each key and question that are told in words; none = 3 of sessions and causality, of which each takes a look at the whole
    /// history, and 20 of others. More than 20 are told of sessions and causality only.
    pub anomalies: Option<usize>,
    /// Steps that the search for repeated values may take per key; none = a few seconds' worth.
    pub steps: Option<u64>,
}

impl ModelOptions {
    /// Judges by a model, and as is usual for the format else.
    pub fn of(model: Model) -> ModelOptions {
        ModelOptions {
            model,
            keyed: false,
            failed_cas: None,
            nil_reads: None,
            linearizable: false,
            ignore: Vec::new(),
            anomalies: None,
            steps: None,
        }
    }

    /// How many violations of sessions and causality are told.
    pub(super) fn explained_max(&self) -> usize {
        self.anomalies.unwrap_or(EXPLAINED_MAX)
    }

    /// The meaning of a failed compare-and-set. The clients behind Jepsen's log lines (of etcd) tell a mismatch from other failures; Knossos
    /// removes failed operations.
    pub fn failed_cas(&self, format: InputFormat) -> FailedCas {
        self.failed_cas.unwrap_or(match format {
            InputFormat::JepsenLog => FailedCas::NotEqual,
            InputFormat::Quorate
            | InputFormat::Edn
            | InputFormat::ElleJson
            | InputFormat::Jsonl => FailedCas::Nothing,
        })
    }

    /// The meaning of a nil read. Knossos lets an ok read of nil say nothing; ours returns what is there: nothing.
    pub fn nil_reads(&self, format: InputFormat) -> NilReads {
        self.nil_reads.unwrap_or(match format {
            InputFormat::Quorate | InputFormat::JepsenLog => NilReads::Initial,
            InputFormat::Edn | InputFormat::ElleJson | InputFormat::Jsonl => NilReads::Unknown,
        })
    }
}
