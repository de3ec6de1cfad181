//! Who is up and where: the one table that clients, proxies and the supervisor share.
//!
//! Ports change with every restart, so nobody may keep one: whoever dials, asks here first. The roster is told; it
//! watches nobody.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Which start of a node this is: 0 is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Incarnation(pub u32);

/// Where a node that is up can be reached, on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which start this is.
    pub incarnation: Incarnation,
    /// Its port for clients.
    pub client_port: u16,
    /// Its port for peers.
    pub peer_port: u16,
}

impl Entry {
    /// Where clients dial it.
    pub fn client_address(self) -> SocketAddr {
        loopback(self.client_port)
    }

    /// Where its peers' proxies dial it.
    pub fn peer_address(self) -> SocketAddr {
        loopback(self.peer_port)
    }
}

/// The table: for each node the process that is running, if one is, and its entry once that process is ready.
#[derive(Debug)]
pub struct Roster {
    lines: Mutex<Vec<Line>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Line {
    running: Option<Incarnation>,
    entry: Option<Entry>,
}

impl Roster {
    /// A roster of nodes 1 to `nodes`, all of them down.
    pub fn of(nodes: u16) -> Roster {
        Roster {
            lines: Mutex::new(vec![Line::default(); usize::from(nodes)]),
        }
    }

    /// Number of nodes, up or down.
    pub fn nodes(&self) -> u16 {
        u16::try_from(self.lines().len()).unwrap_or(u16::MAX)
    }

    /// Where `node` is, if it is up.
    pub fn find(&self, node: u16) -> Option<Entry> {
        self.lines().get(place(node)?).and_then(|line| line.entry)
    }

    /// A process of `node` was started; nobody can reach it before [`publish`](Self::publish).
    pub fn starting(&self, node: u16, incarnation: Incarnation) {
        self.change(node, |line| {
            *line = Line {
                running: Some(incarnation),
                entry: None,
            };
        });
    }

    /// `node` said where it is. Ignored if that process is gone meanwhile: false.
    pub fn publish(&self, node: u16, entry: Entry) -> bool {
        let mut taken = false;
        self.change(node, |line| {
            taken = line.running == Some(entry.incarnation);
            if taken {
                line.entry = Some(entry);
            }
        });
        taken
    }

    /// The process of `node` is gone.
    pub fn gone(&self, node: u16) {
        self.change(node, |line| *line = Line::default());
    }

    fn change(&self, node: u16, change: impl FnOnce(&mut Line)) {
        let mut lines = self.lines();
        if let Some(line) = place(node).and_then(|place| lines.get_mut(place)) {
            change(line);
        }
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(node: u16) -> Option<usize> {
    usize::from(node).checked_sub(1)
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(incarnation: u32) -> Entry {
        Entry {
            incarnation: Incarnation(incarnation),
            client_port: 4001,
            peer_port: 4002,
        }
    }

    #[test]
    fn a_node_is_found_from_its_ready_line_until_it_is_gone() {
        let roster = Roster::of(2);
        roster.starting(2, Incarnation(0));
        assert_eq!(roster.find(2), None);
        assert!(roster.publish(2, entry(0)));
        assert_eq!(roster.find(2), Some(entry(0)));
        assert_eq!(roster.find(1), None);
        roster.gone(2);
        assert_eq!(roster.find(2), None);
    }

    #[test]
    fn a_late_ready_line_of_a_dead_process_is_ignored() {
        let roster = Roster::of(1);
        roster.starting(1, Incarnation(0));
        roster.gone(1);
        assert!(!roster.publish(1, entry(0)));
        roster.starting(1, Incarnation(1));
        assert!(!roster.publish(1, entry(0)));
        assert_eq!(roster.find(1), None);
    }

    #[test]
    fn nodes_outside_the_cluster_are_nowhere() {
        let roster = Roster::of(1);
        roster.starting(0, Incarnation(0));
        roster.starting(2, Incarnation(0));
        assert!(!roster.publish(0, entry(0)));
        assert_eq!(roster.find(0), None);
        assert_eq!(roster.find(2), None);
    }
}
