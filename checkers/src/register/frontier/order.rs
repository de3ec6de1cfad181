//! From the steps that the search remembered to an order of all operations.
//!
//! Nothing here has to be believed: `certificate.rs` checks such orders, and shares nothing with the search.

use super::timetable::{Deed, Event, NEVER, Timetable};
use super::trail::Step;
use crate::register::certificate::Order;

/// Places in the trace in the order in which the operations took effect. Steps name only visible changes: a write that is not among
/// them was invisible, so it goes to the first moment at which it is: when the register holds its value anyway, or right before a blind
/// write. Whatever changes nothing goes to the first moment at which it is content.
pub(super) fn build(table: &Timetable, steps: &[Step]) -> Order {
    let mut visible = vec![false; table.parts.len()];
    for step in steps {
        visible[step.part as usize] = true;
    }
    let mut builder = Builder {
        table,
        visible,
        value: table.initial,
        waiting: Vec::new(),
        order: Vec::with_capacity(table.parts.len()),
    };
    let mut steps = steps.iter().peekable();
    for (event, position) in table.events.iter().zip(1_u32..) {
        match *event {
            Event::Call(number) => builder.call(number),
            Event::Ret(_) => {
                while let Some(step) = steps.next_if(|step| step.event <= position) {
                    builder.apply(step.part);
                }
            }
        }
    }
    Order(builder.order)
}

struct Builder<'a> {
    table: &'a Timetable,
    /// Which parts are steps.
    visible: Vec<bool>,
    value: u32,
    /// Acknowledged parts that began and are neither steps nor in the order yet.
    waiting: Vec<u32>,
    order: Vec<u32>,
}

impl Builder<'_> {
    fn call(&mut self, number: u32) {
        let part = &self.table.parts[number as usize];
        let acknowledged = part.ret != NEVER;
        if acknowledged && !self.visible[number as usize] {
            self.waiting.push(number);
            self.release();
        }
    }

    fn apply(&mut self, number: u32) {
        let deed = self.table.parts[number as usize].deed;
        if matches!(deed, Deed::Write(_)) {
            self.emit_if(|deed| matches!(deed, Deed::Write(_)));
        }
        self.order.push(self.table.parts[number as usize].place);
        self.value = deed.leaves().unwrap_or(self.value);
        self.release();
    }

    /// Puts in the order whoever is content with the value.
    fn release(&mut self) {
        let value = self.value;
        self.emit_if(|deed| match deed {
            Deed::Equals(wanted) => wanted == value,
            Deed::Differs(refused) => refused != value,
            Deed::Write(silent) => silent == value,
            Deed::Swap(..) => false,
        });
    }

    fn emit_if(&mut self, now: impl Fn(Deed) -> bool) {
        let (parts, order) = (&self.table.parts, &mut self.order);
        self.waiting.retain(|&number| {
            let part = &parts[number as usize];
            let emit = now(part.deed);
            if emit {
                order.push(part.place);
            }
            !emit
        });
    }
}
