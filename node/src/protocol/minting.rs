//! Giving a client's write its dot: the node as the replica that puts a write in its place among the siblings.

use crate::config::{NodeId, Sabotage, Versions};

use super::content::{CONTENT_BYTES_MAX, Content};
use super::interface::Output;
use super::replica::Replica;
use super::siblings::{Actor, Dot, Siblings, VersionVector};
use super::store::Waiter;
use super::time::Now;
use super::version::{Key, Version};

impl Replica {
    /// Gives a write its dot and holds what comes of it, as a hint if this node stands in for another. Returns what comes of it.
    ///
    /// Refuses, with a fragment that says why, if there is no room for it; then nothing has happened, but that a dot is used up.
    ///
    /// Others may be told at once, before it is durable here: the dot has this life's start count in it, so that it is never given again.
    #[expect(clippy::too_many_arguments, reason = "one message, taken apart")]
    pub(super) fn mint(
        &mut self,
        now: Now,
        key: Key,
        version: Version,
        read: &VersionVector,
        hint_for: Option<NodeId>,
        waiter: Waiter,
        out: &mut Vec<Output>,
    ) -> Result<Content, String> {
        let latest = match hint_for {
            None => self.store.latest(key.as_str()),
            Some(_) => self.hints.of_key(key.as_str()),
        };
        let mut base = match latest {
            Some(Content::Siblings(siblings)) => siblings,
            _ => Siblings::default(),
        };
        let errand = match hint_for {
            None => 0,
            Some(_) => self.name_request().counter,
        };
        let dot = self.next_dot(&base, errand);
        if self.config.options.versions == (Versions::Dvv { siblings: false })
            || self.config.has(Sabotage::NewestSibling)
        {
            base = base.without_older_than(&version);
        }
        let nothing = VersionVector::default();
        let read = if self.config.has(Sabotage::DropContext) {
            &nothing
        } else {
            read
        };
        let content = Content::Siblings(base.written(read, dot, version));
        let refusal = match hint_for {
            Some(owner) if owner != self.me => (content.weight() > CONTENT_BYTES_MAX)
                .then(|| "what is kept of the key is as large as can be".to_owned()),
            _ => self.store.refusal(&key, &content),
        };
        if let Some(why) = refusal {
            return Err(why);
        }
        if content.siblings() > 1 {
            self.counters.siblings_made += 1;
        }
        self.keep(now, key, content.clone(), hint_for, waiter, out);
        Ok(content)
    }

    fn next_dot(&mut self, base: &Siblings, errand: u64) -> Dot {
        let node = self.me;
        if self.config.has(Sabotage::DotReuse) {
            // Counted from what is remembered, under a name that every life shares.
            let actor = Actor {
                node,
                epoch: 0,
                errand: 0,
            };
            let counter = base.context().counter(actor).saturating_add(1);
            return Dot { actor, counter };
        }
        self.dots += 1;
        let epoch = self.epoch;
        let actor = Actor {
            node,
            epoch,
            errand,
        };
        let counter = self.dots;
        Dot { actor, counter }
    }
}
