//! `quorate cluster`: a cluster in the foreground, for people. No load, no faults, no history; whoever starts it does with it what they like.

pub(super) mod args;
pub(super) mod file;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use quorate_node::config::{Health, StoreConfig};
use quorate_node::wire::Ready;
use tokio::select;

use self::file::{Claim, ClusterFile, FindError};
use super::args::Common;
use super::options;
use crate::exit::Exit;
use crate::plan::{PlanError, parse_duration_ms};
use crate::report::style::{Style, Tone, complain, print, say};
use crate::run::Interrupts;
use crate::world::live::{LaunchOptions, LiveWorld, WorldError};
use crate::world::node_name;

/// Why a cluster did not start, or ended.
#[derive(Debug, thiserror::Error)]
enum ClusterError {
    #[error(transparent)]
    Directory(#[from] FindError),
    #[error(transparent)]
    World(#[from] WorldError),
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

pub(super) fn main(command: &args::Cluster, common: &Common, style: Style) -> Exit {
    let store = match options::store(&command.store, command.plan.as_deref()) {
        Ok(store) => store,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    let health = match health(command) {
        Ok(health) => health,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    match run(store, health, command, common, style) {
        Ok(()) => Exit::Kept,
        Err(error @ ClusterError::Directory(FindError::InUse(_))) => {
            complain(&error.to_string());
            Exit::Usage
        }
        Err(error) => {
            complain(&error.to_string());
            Exit::HarnessFailure
        }
    }
}

/// When nodes are to call themselves ill.
fn health(command: &args::Cluster) -> Result<Health, PlanError> {
    let usual = Health::default();
    let ms = |field, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| parse_duration_ms(field, text)).transpose()
    };
    Ok(Health {
        silent_ms_max: ms("max-silence", &command.max_silence)?.unwrap_or(usual.silent_ms_max),
        hints_max: command.max_hints.unwrap_or(usual.hints_max),
        repair_age_ms_max: ms("max-repair-age", &command.max_repair_age)?,
        ..usual
    })
}

/// Where clusters are that were given no directory of their own.
pub(super) fn parent(common: &Common) -> PathBuf {
    common.results.with_file_name("clusters")
}

fn run(
    store: StoreConfig,
    health: Health,
    command: &args::Cluster,
    common: &Common,
    style: Style,
) -> Result<(), ClusterError> {
    let passing = command.dir.is_none();
    let directory = command.dir.clone().unwrap_or_else(|| {
        let started = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
        parent(common).join(format!("{started}-{}", std::process::id()))
    });
    let claim = Claim::take(&directory)?;
    let served = serve(store, health, command, &claim, style);
    if passing {
        // It may be in use by whoever looks at it; then it stays, and does no harm.
        let _ = fs::remove_dir_all(claim.directory());
    }
    served
}

fn serve(
    store: StoreConfig,
    health: Health,
    command: &args::Cluster,
    claim: &Claim,
    style: Style,
) -> Result<(), ClusterError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut launch = LaunchOptions::of_this_program(store, claim.directory().to_owned(), 0)?;
    launch.health = health;
    if let Some(program) = &command.node_bin {
        launch.program.clone_from(program);
    }
    runtime.block_on(async {
        let mut interrupts = Interrupts::new()?;
        let world = select! {
            launched = start(launch) => launched?,
            () = interrupts.next() => return Ok(()),
        };
        claim.write(&told(&world)?)?;
        print(&table(&world.ready_lines()?, claim.directory(), style));
        loop {
            select! {
                () = interrupts.next() => break,
                death = world.next_death() => match death {
                    Some(died) => {
                        let node = node_name(died.node);
                        say(&format!("{node} has ended: {}", died.status));
                        let left = told(&world)?;
                        claim.write(&left)?;
                        if left.nodes.is_empty() {
                            say("no node is left");
                            break;
                        }
                    }
                    None => break,
                },
            }
        }
        world.stop().await?;
        Ok(())
    })
}

async fn start(launch: LaunchOptions) -> Result<LiveWorld, WorldError> {
    let world = LiveWorld::launch(launch).await?;
    world.ready().await?;
    Ok(world)
}

fn told(world: &LiveWorld) -> Result<ClusterFile, WorldError> {
    Ok(ClusterFile {
        pid: std::process::id(),
        nodes: world.ready_lines()?,
    })
}

/// What a person must know to use it.
fn table(nodes: &[Ready], directory: &Path, style: Style) -> String {
    let mut out = String::new();
    let head = "node  pid       clients                  metrics and health";
    let _ = writeln!(out, "{}", style.paint(Tone::Strong, head));
    for ready in nodes {
        let _ = writeln!(
            out,
            "{:<5} {:<9} {:<24} http://127.0.0.1:{}/metrics",
            ready.node.to_string(),
            ready.pid,
            format!("127.0.0.1:{}", ready.client_port),
            ready.metrics_port,
        );
    }
    let _ = writeln!(
        out,
        "\nin {}; try `quorate kv put greeting hello` in another terminal, and Ctrl-C here to end it",
        directory.display()
    );
    out
}
