//! The node at work by itself: round after round, until asked to stop.

use std::time::Duration;

use disclosure::SafeTable;
use model::{CommuneCode, Failure, Hash};
use store::node::OutboxState;
use tokio_util::sync::CancellationToken;

use crate::approve::{Agreement, agree};
use crate::collect::CollectError;
use crate::config::ApprovalMode;
use crate::packs::Fetched;
use crate::preview::{Preview, PreviewError, Staying, keep_for_rule, look};
use crate::push::{Delivered, PushEvent, push_due};
use crate::{Node, NodeFolder, World, failure, packs, renew, sync};

/// What happens meanwhile.
#[derive(Debug)]
pub enum RunEvent {
    /// A round begins.
    Round,
    /// Files are not as they should be.
    Sources(Vec<String>),
    /// These were sent under another definition, and cannot be sent again.
    Staying(Vec<Staying>),
    /// The hub already has these figures.
    NothingNew,
    /// The commune's rule does not reach: somebody must read the preview.
    PersonNeeded {
        /// What to do, in French.
        message: String,
    },
    /// Something stands in the way; the next round tries again.
    Trouble {
        /// What, in French.
        message: String,
    },
    /// While sending.
    Push(PushEvent),
    /// A document was answered.
    Delivered(Delivered),
    /// The certificate was renewed.
    Renewed,
    /// What the hub had of packs: new versions, with which this round computes, and those that were not taken.
    Packs(Fetched),
}

/// After this long, a hub that could not be listened to is tried again.
const LISTEN_AGAIN: Duration = Duration::from_mins(1);

/// Rounds at the interval of the settings, and when the hub publishes packs, until `stop`. A round that began ends: nothing is half-done.
///
/// Each round opens the node anew, so that settings and packs may change meanwhile; a fault in them is told and does not
/// end the service.
pub async fn run(
    folder: NodeFolder,
    world: World,
    stop: CancellationToken,
    on_event: &(dyn Fn(&RunEvent) + Sync),
) -> Result<(), Failure> {
    let first = Node::open(folder.clone(), world.clone()).await?;
    let mut rounds = tokio::time::interval(first.config().schedule.interval());
    first.close().await;
    // A laptop that slept does one round when it wakes, not all it missed.
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut heard = None;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            _ = rounds.tick() => {}
            () = published(&folder, &world, &mut heard) => {}
        }
        on_event(&RunEvent::Round);
        if let Err(failure) = open_and_round(&folder, &world, on_event).await {
            on_event(&RunEvent::Trouble { message: failure.message });
        }
    }
}

/// Listens until the hub publishes something: until its packs are others than
/// `heard`, which is what it said last, or at first than those that are here.
async fn published(folder: &NodeFolder, world: &World, heard: &mut Option<Vec<Hash>>) {
    loop {
        // The next round tells what stands in the way; in here, there is nobody to tell.
        if let Ok(true) = listen(folder, world, heard).await {
            return;
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

async fn listen(folder: &NodeFolder, world: &World, heard: &mut Option<Vec<Hash>>) -> Result<bool, Failure> {
    let node = Node::open(folder.clone(), world.clone()).await?;
    let client = sync::connect(&node).await;
    node.close().await;
    let mut watch = client?.watch_packs().await.map_err(|error| failure::network(&error))?;
    while let Some(packs) = watch.next().await.map_err(|error| failure::network(&error))? {
        let now: Vec<Hash> = packs.into_iter().map(|pack| pack.hash).collect();
        let here = packs::hashes(folder);
        let news = match &heard {
            Some(before) => *before != now,
            None => now.iter().any(|hash| !here.contains(hash)),
        };
        *heard = Some(now);
        if news {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Opens the node, renews and fetches what is due, and does one round: what a timer outside may call instead of [`run`].
pub async fn open_and_round(
    folder: &NodeFolder,
    world: &World,
    on_event: &(dyn Fn(&RunEvent) + Sync),
) -> Result<(), Failure> {
    let mut node = Node::open(folder.clone(), world.clone()).await?;
    let held = folder.hold().await?;
    if renew::renew(&node, &held).await? {
        on_event(&RunEvent::Renewed);
    }
    // First of all: it says with which keys the hub signs now, and packs come signed.
    let caught_up = sync::bring_together(&node, &held).await?;
    if caught_up.recovered > 0 {
        on_event(&RunEvent::Push(PushEvent::Recovered { documents: caught_up.recovered }));
    }
    let fetched = packs::fetch(&node, &held).await?;
    if !fetched.received.is_empty() {
        node.close().await;
        node = Node::open(folder.clone(), world.clone()).await?;
    }
    if !fetched.received.is_empty() || !fetched.refused.is_empty() {
        on_event(&RunEvent::Packs(fetched));
    }
    let done = round(&node, on_event).await;
    node.close().await;
    done
}

/// One round, once both sides know the same: send what waits, preview, agree by rule, send.
async fn round(node: &Node, on_event: &(dyn Fn(&RunEvent) + Sync)) -> Result<(), Failure> {
    deliver(node, on_event).await?;
    // Looked at first, and kept only once the rule may decide: what a person reads meanwhile stays as it is.
    let preview = match look(node).await {
        Ok(preview) => preview,
        Err(PreviewError::Sources(errors)) => {
            on_event(&RunEvent::Sources(errors.iter().flat_map(CollectError::french).collect()));
            return Ok(());
        }
        Err(PreviewError::Failed(failure)) => return Err(failure),
    };
    if !preview.staying.is_empty() {
        on_event(&RunEvent::Staying(preview.staying.clone()));
    }
    if !preview.leaves {
        on_event(&RunEvent::NothingNew);
        return Ok(());
    }
    if let Some(message) = person_needed(node, &preview).await? {
        on_event(&RunEvent::PersonNeeded { message });
        return Ok(());
    }
    let kept = match keep_for_rule(node).await {
        Ok(kept) => kept,
        // The files changed between the two readings: the next round tells.
        Err(PreviewError::Sources(_)) => return Ok(()),
        Err(PreviewError::Failed(failure)) => return Err(failure),
    };
    match agree(node, &rule(node, &kept), kept.hash).await {
        Ok(_) => deliver(node, on_event).await,
        Err(failure) if failure.reason == "APPROVAL_NEEDS_PERSON" => {
            on_event(&RunEvent::PersonNeeded { message: failure.message });
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

fn rule(node: &Node, preview: &Preview) -> Agreement {
    Agreement::Rule { max_moved_cells: node.config().approval.max_moved_cells, moved: preview.moved }
}

/// Why a rule must not decide, in French: a person has decided something about these figures, or the hub has.
async fn person_needed(node: &Node, preview: &Preview) -> Result<Option<String>, Failure> {
    const READ: &str = "maillage node preview, puis maillage node approve";
    if node.config().approval.mode == ApprovalMode::Person {
        return Ok(Some(format!(
            "Des chiffres ont changé : une personne doit relire l’aperçu et donner son accord ({READ})."
        )));
    }
    if preview.withdrawn {
        return Ok(Some(format!(
            "Un tableau a été retiré par une personne : seule une personne peut le renvoyer ({READ}). Sinon, retirez sa source de node.toml."
        )));
    }
    if let Err(failure) = rule(node, preview).signatory() {
        return Ok(Some(failure.message));
    }
    if was_refused(node, preview).await? {
        return Ok(Some(format!(
            "Le centre a refusé ces mêmes chiffres : les renvoyer ne servirait à rien. Voyez pourquoi avec « maillage node status », corrigez, puis {READ}."
        )));
    }
    Ok(None)
}

/// Whether the hub refused the same figures of every territory that something would leave about, and nothing else was
/// sent about it since.
async fn was_refused(node: &Node, preview: &Preview) -> Result<bool, Failure> {
    let items = node.store().outbox().await.map_err(|error| failure::storage(&error))?;
    let refused = |territory: &CommuneCode| {
        let last = items.iter().rev().find(|item| item.outgoing.territories.contains(territory));
        let Some(last) = last.filter(|item| matches!(item.state, OutboxState::Refused(_))) else { return false };
        let Ok(refused) = wire::document::decode(&last.outgoing.document) else { return false };
        refused.slices.iter().all(|slice| {
            let same =
                |table: &SafeTable| *table.slice() == slice.received.slice && *table.cells() == slice.received.cells;
            preview.tables.iter().any(same)
        })
    };
    Ok(preview.territories.iter().all(refused))
}

async fn deliver(node: &Node, on_event: &(dyn Fn(&RunEvent) + Sync)) -> Result<(), Failure> {
    let delivered = push_due(node, &|event| on_event(&RunEvent::Push(event.clone()))).await?;
    for one in delivered {
        on_event(&RunEvent::Delivered(one));
    }
    Ok(())
}
