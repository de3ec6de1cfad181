//! The network between the nodes: one proxy per directed link, and the rules that faults put on links.
//!
//! All proxies run on one thread with a runtime of its own, so that neither clients nor faults can hold them up.
//! Traffic between clients and nodes does not pass here.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::error::WorldError;
use super::proxy::Proxy;
use super::roster::Roster;
use super::rules::{Mode, Rule, Rules};
use crate::fault::Link;

const THREAD: &str = "network";

/// How long a change may take until all connections obey it. It takes microseconds on an idle machine.
const CONFIRM_LIMIT: Duration = Duration::from_secs(2);

/// The network. Dropping it closes every proxy and every connection.
#[derive(Debug)]
pub struct Network {
    proxies: BTreeMap<Link, Arc<Proxy>>,
    rules: Mutex<BTreeMap<Link, Rules>>,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread hands out once it listens everywhere.
struct Opened {
    runtime: Handle,
    proxies: BTreeMap<Link, Arc<Proxy>>,
}

impl Network {
    /// Listens for every directed link between the nodes of `roster`, where the proxies also look up whom to dial.
    pub fn open(roster: &Arc<Roster>, seed: u64) -> Result<Network, WorldError> {
        let (opened_sender, opened) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let roster = Arc::clone(roster);
        let thread = thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || serve(&roster, seed, &opened_sender, stopped))
            .map_err(thread_failed)?;
        let opened = opened
            .recv()
            .map_err(|_| WorldError::ThreadGone { thread: THREAD })??;
        Ok(Network {
            proxies: opened.proxies,
            rules: Mutex::default(),
            runtime: opened.runtime,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where `link.from` dials `link.to`; none if there is no such link.
    pub fn address(&self, link: Link) -> Option<SocketAddr> {
        self.proxies.get(&link).map(|proxy| proxy.address)
    }

    /// The first of `links` that is no link of this network.
    pub fn first_unknown(&self, links: &[Link]) -> Option<Link> {
        links
            .iter()
            .copied()
            .find(|link| !self.proxies.contains_key(link))
    }

    /// Puts `rule` on `links`; returns once all connections obey. An error: whether they do is unknown, and why.
    pub async fn impose(&self, links: &[Link], rule: Rule) -> Result<(), String> {
        self.change(links, |rules| rules.add(rule)).await
    }

    /// Takes `rule` off `links`, once; returns once all connections obey. An error: whether they do is unknown, and why.
    pub async fn lift(&self, links: &[Link], rule: Rule) -> Result<(), String> {
        let lift = |rules: &mut Rules| {
            rules.remove(rule);
        };
        self.change(links, lift).await
    }

    /// Takes all rules off all links.
    pub async fn lift_all(&self) -> Result<(), String> {
        let links: Vec<Link> = self.proxies.keys().copied().collect();
        self.change(&links, Rules::clear).await
    }

    /// Whether no rule is in force on any link.
    pub fn is_whole(&self) -> bool {
        self.rules()
            .values()
            .all(|rules| rules.mode() == Mode::Pass)
    }

    async fn change(&self, links: &[Link], change: impl Fn(&mut Rules)) -> Result<(), String> {
        {
            let mut rules = self.rules();
            for link in links {
                let rules = rules.entry(*link).or_default();
                change(rules);
                if let Some(proxy) = self.proxies.get(link) {
                    set_mode(proxy, rules.mode());
                }
            }
        }
        timeout(CONFIRM_LIMIT, self.obeyed(links))
            .await
            .map_err(|_| format!("the links did not change within {CONFIRM_LIMIT:?}"))
    }

    /// Returns once the connections of `links` have seen their mode, and those of links that reset are gone.
    async fn obeyed(&self, links: &[Link]) {
        // The change has woken the connections' tasks. This task queues up behind them, so they run first.
        if self.runtime.spawn(yield_now()).await.is_err() {
            return;
        }
        for proxy in links.iter().filter_map(|link| self.proxies.get(link)) {
            // The mode as it is now: another fault may have been healed meanwhile.
            let gone = |open: &usize| *open == 0 || *proxy.mode.borrow() != Mode::Reset;
            // An error would mean that the proxy, which we hold, is gone.
            let _ = proxy.open.subscribe().wait_for(gone).await;
        }
    }

    fn rules(&self) -> MutexGuard<'_, BTreeMap<Link, Rules>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed already, and a drop has no use for it.
            let _ = thread.join();
        }
    }
}

fn set_mode(proxy: &Proxy, wanted: Mode) {
    proxy.mode.send_if_modified(|mode| {
        let changes = *mode != wanted;
        *mode = wanted;
        changes
    });
}

/// The whole life of the network thread.
fn serve(
    roster: &Arc<Roster>,
    seed: u64,
    opened: &mpsc::Sender<Result<Opened, WorldError>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(opened, Err(thread_failed(error))),
    };
    runtime.block_on(async {
        match listen(roster, seed).await {
            Ok(proxies) => {
                report(
                    opened,
                    Ok(Opened {
                        runtime: Handle::current(),
                        proxies,
                    }),
                );
                // Ends when the sender is dropped; nothing is ever sent.
                let _ = stopped.await;
            }
            Err(error) => report(opened, Err(error)),
        }
    });
}

fn report(opened: &mpsc::Sender<Result<Opened, WorldError>>, result: Result<Opened, WorldError>) {
    // If nobody waits for it any more, the network is not wanted, and the thread ends.
    let _ = opened.send(result);
}

async fn listen(roster: &Arc<Roster>, seed: u64) -> Result<BTreeMap<Link, Arc<Proxy>>, WorldError> {
    let mut proxies = BTreeMap::new();
    for link in all_links(roster.nodes()) {
        let failed = |source| WorldError::Bind {
            from: link.from,
            to: link.to,
            source,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let proxy = Arc::new(Proxy::new(link, address, Arc::clone(roster), seed));
        tokio::spawn(Arc::clone(&proxy).serve(listener));
        proxies.insert(link, proxy);
    }
    Ok(proxies)
}

fn all_links(nodes: u16) -> impl Iterator<Item = Link> {
    (1..=nodes)
        .flat_map(move |from| (1..=nodes).map(move |to| Link { from, to }))
        .filter(|link| link.from != link.to)
}

fn thread_failed(source: io::Error) -> WorldError {
    WorldError::Thread {
        thread: THREAD,
        source,
    }
}
