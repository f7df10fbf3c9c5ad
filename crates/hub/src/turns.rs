//! A crowd at the door: who comes in, who waits, and who is told when to come back.
//!
//! Memory is kept by bytes, because a document may be 32 MiB or 3 KiB; processors by attacks. Whoever would wait longer
//! than a node has patience for is refused before a byte of the document is read, with the time after which it is worth
//! coming back: a node that gives up by itself would upload the same bytes again, into the same crowd.
//!
//! No commune holds the door for the others. It has a few places, however many connections it opens; what it announces
//! costs nothing before it comes; and large documents stand in a line of their own, so that small ones never wait
//! behind them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{CommuneCode, Entropy, Failure, FailureKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use wire::status::Refusal;

/// How long a document may be expected to wait: well below the time after which a call is cut off, of which uploading
/// and attacking take their part.
const PATIENCE: Duration = Duration::from_secs(10);
/// Whoever is sent away comes back after at most this long, and a half more by chance.
const LONGEST: Duration = Duration::from_mins(1);
/// A commune that has all its places taken: one is free again once its own upload ended, or was cut for being silent.
const OWN_TURN: Duration = Duration::from_secs(5);
/// Documents inside at most, whatever the pace.
const MOST: usize = 512;
/// Of these, one commune's: one that is being sent, and one more, for a repetition after a connection that died without
/// a word. A node sends one after the other.
const PER_COMMUNE: usize = 2;
/// What one document is taken to cost before any was seen.
const FIRST_PACE: Duration = Duration::from_millis(50);

/// Up to this many bytes a document is small: [`MOST`] of them fit without asking.
const SMALL: usize = 256 << 10;
/// Large ones get memory in steps of so many bytes, as they come.
const STEP: usize = 4 << 20;
/// Memory for the bytes of large documents, in KiB.
const LARGE: usize = 96 << 10;
/// Decoded, a document takes up to eight times its bytes (the contract refuses more).
const DECODED: usize = 8;
/// Memory for decoded documents, in KiB; large ones have one that holds the largest.
const DECODED_SMALL: usize = 48 << 10;
const DECODED_LARGE: usize = 256 << 10;

/// What many nodes at once must not do at once.
pub(crate) struct Turns {
    large: Arc<Semaphore>,
    decoded_small: Arc<Semaphore>,
    decoded_large: Arc<Semaphore>,
    /// Attacks: each takes a processor for as long as it lasts.
    attack: Arc<Semaphore>,
    line: Arc<Mutex<Line>>,
}

struct Line {
    /// Documents inside: uploading, waiting, being judged.
    inside: usize,
    /// Whose they are.
    communes: BTreeMap<CommuneCode, usize>,
    /// Of these, the ones that are here in full.
    here: usize,
    /// Time between two answers while there is work, on average.
    pace: Duration,
    /// When the last answer was given, or the work began.
    last: Option<Instant>,
}

/// A document inside. Dropped when it is answered or given up.
pub(crate) struct Entry {
    line: Arc<Mutex<Line>>,
    commune: CommuneCode,
    here: bool,
}

/// Memory for the bytes of one document, as they come.
pub(crate) struct Room {
    memory: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let line = Line { inside: 0, communes: BTreeMap::new(), here: 0, pace: FIRST_PACE, last: None };
        Self {
            large: Arc::new(Semaphore::new(LARGE)),
            decoded_small: Arc::new(Semaphore::new(DECODED_SMALL)),
            decoded_large: Arc::new(Semaphore::new(DECODED_LARGE)),
            attack: Arc::new(Semaphore::new(processors)),
            line: Arc::new(Mutex::new(line)),
        }
    }

    /// A document of `commune` comes in, or is told when to come back.
    pub(crate) fn enter(&self, commune: CommuneCode, entropy: &dyn Entropy) -> Result<Entry, Refusal> {
        let mut line = locked(&self.line);
        if line.communes.get(&commune).is_some_and(|own| *own >= PER_COMMUNE) {
            drop(line);
            return Err(its_own(entropy));
        }
        let wait = line.wait();
        if line.inside >= MOST || wait > PATIENCE {
            drop(line);
            return Err(full(wait.saturating_sub(PATIENCE / 2), entropy));
        }
        line.inside += 1;
        *line.communes.entry(commune).or_default() += 1;
        Ok(Entry { line: Arc::clone(&self.line), commune, here: false })
    }

    /// Room for a document, of which nothing came yet.
    pub(crate) fn room(&self) -> Room {
        Room { memory: Arc::clone(&self.large), held: None }
    }

    /// Memory to decode a document of `length` bytes, all of which are here: nobody is waited for but this hub.
    pub(crate) async fn decoding(&self, length: usize) -> OwnedSemaphorePermit {
        let (memory, whole) =
            if length <= SMALL { (&self.decoded_small, DECODED_SMALL) } else { (&self.decoded_large, DECODED_LARGE) };
        let wanted = permits((length * DECODED).div_ceil(1 << 10).min(whole));
        Arc::clone(memory).acquire_many_owned(wanted).await.expect("nobody closes this semaphore")
    }

    /// Documents inside, and KiB held for them.
    #[cfg(test)]
    pub(crate) fn held(&self) -> (usize, usize) {
        let free = |memory: &Semaphore| memory.available_permits();
        let free = free(&self.large) + free(&self.decoded_small) + free(&self.decoded_large);
        (locked(&self.line).inside, LARGE + DECODED_SMALL + DECODED_LARGE - free)
    }

    /// A processor.
    pub(crate) async fn attack(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.attack).acquire_owned().await.expect("nobody closes this semaphore")
    }
}

impl Room {
    /// Holds at least `arrived` bytes of a document of `announced`, from now on; what is announced and does not come takes
    /// one step at most.
    pub(crate) async fn make(
        &mut self,
        announced: usize,
        arrived: usize,
        entropy: &dyn Entropy,
    ) -> Result<(), Refusal> {
        if announced <= SMALL {
            return Ok(());
        }
        let wanted = arrived.max(1).next_multiple_of(STEP).min(announced).div_ceil(1 << 10);
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if wanted <= held {
            return Ok(());
        }
        // Several who grow at once may have to wait for each other: patience ends it, one of them leaves.
        let more = Arc::clone(&self.memory).acquire_many_owned(permits(wanted - held));
        let Ok(more) = timeout(PATIENCE, more).await else { return Err(full(PATIENCE, entropy)) };
        let more = more.expect("nobody closes this semaphore");
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }
}

fn permits(kib: usize) -> u32 {
    u32::try_from(kib).expect("at most the whole memory, which fits")
}

impl Line {
    fn wait(&self) -> Duration {
        self.pace.saturating_mul(u32::try_from(self.inside).unwrap_or(u32::MAX))
    }
}

impl Entry {
    /// The document is here in full: from now on it is the hub that is waited for.
    pub(crate) fn arrived(&mut self) {
        let mut line = locked(&self.line);
        if line.here == 0 {
            line.last = Some(Instant::now());
        }
        line.here += 1;
        self.here = true;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut line = locked(&self.line);
        line.inside -= 1;
        if let Some(own) = line.communes.get_mut(&self.commune) {
            *own -= 1;
            if *own == 0 {
                line.communes.remove(&self.commune);
            }
        }
        if self.here {
            line.here -= 1;
            let now = Instant::now();
            if let Some(last) = line.last.replace(now) {
                // One long attack must not send a whole département away; ten of them should.
                line.pace = (line.pace * 7 + (now - last)) / 8;
            }
        }
    }
}

fn locked(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    // Numbers are whole even if a thread died while holding the lock.
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Spread by chance: those who are sent away together must not come back together.
fn spread(after: Duration, entropy: &dyn Entropy) -> Duration {
    let mut chance = [0_u8; 1];
    entropy.fill(&mut chance);
    let after = after.clamp(Duration::from_secs(1), LONGEST);
    after + after * u32::from(chance[0]) / 512
}

fn full(after: Duration, entropy: &dyn Entropy) -> Refusal {
    let after = spread(after, entropy);
    let failure = Failure::new(
        FailureKind::Exhausted,
        "HUB_BUSY",
        "too many documents are waiting",
        format!(
            "Beaucoup de communes envoient en même temps : rien n’a été enregistré, l’envoi repartira de lui-même dans {} secondes.",
            after.as_secs().max(1)
        ),
    );
    Refusal { retry_after: Some(after), ..Refusal::from(failure) }
}

fn its_own(entropy: &dyn Entropy) -> Refusal {
    let after = spread(OWN_TURN, entropy);
    let failure = Failure::new(
        FailureKind::Exhausted,
        "COMMUNE_BUSY",
        "this commune has as many documents inside as one may",
        format!(
            "Cette commune a déjà {PER_COMMUNE} envois en cours au centre : rien n’a été enregistré, celui-ci repartira de lui-même dans {} secondes.",
            after.as_secs().max(1)
        ),
    );
    Refusal { retry_after: Some(after), ..Refusal::from(failure) }
}

#[cfg(test)]
mod tests {
    use testkit::SeededEntropy;

    use super::*;

    /// A commune that nobody else speaks for.
    fn commune(number: usize) -> CommuneCode {
        format!("{:05}", 10_000 + number).parse().expect("a commune")
    }

    fn stranger() -> CommuneCode {
        commune(80_000)
    }

    fn refusal(turns: &Turns, entropy: &SeededEntropy) -> Option<Duration> {
        let refused = turns.enter(stranger(), entropy).err()?;
        assert_eq!((refused.failure.kind, refused.failure.reason.as_ref()), (FailureKind::Exhausted, "HUB_BUSY"));
        Some(refused.retry_after.expect("a time to come back"))
    }

    fn inside(turns: &Turns, entropy: &SeededEntropy, many: usize) -> Vec<Entry> {
        (0..many).map(|n| turns.enter(commune(n), entropy).unwrap_or_else(|_| panic!("room for {many}"))).collect()
    }

    #[test]
    fn two_hundred_come_in_before_the_pace_is_known_and_the_next_is_told_when() {
        let (turns, entropy) = (Turns::new(), SeededEntropy::new(1));
        let crowd = inside(&turns, &entropy, 201);
        let after = refusal(&turns, &entropy).expect("one too many");
        assert!((Duration::from_secs(5)..Duration::from_secs(8)).contains(&after), "{after:?}");
        assert_ne!(refusal(&turns, &entropy), Some(after), "two who are sent away come back apart");
        drop(crowd);
        assert!(refusal(&turns, &entropy).is_none(), "who gave up frees the place");
    }

    #[test]
    fn a_commune_has_its_share_and_no_more() {
        let (turns, entropy) = (Turns::new(), SeededEntropy::new(1));
        let flood: Vec<_> = (0..50).map(|_| turns.enter(commune(1), &entropy)).collect();
        let refused: Vec<&Refusal> = flood.iter().filter_map(|one| one.as_ref().err()).collect();
        assert_eq!(flood.len() - refused.len(), PER_COMMUNE);
        for one in refused {
            assert_eq!((one.failure.kind, one.failure.reason.as_ref()), (FailureKind::Exhausted, "COMMUNE_BUSY"));
            assert!(one.retry_after.is_some_and(|after| (OWN_TURN..OWN_TURN * 2).contains(&after)), "{one:?}");
        }
        assert!(turns.enter(commune(2), &entropy).is_ok(), "everybody else comes in");
        drop(flood);
        assert!(turns.enter(commune(1), &entropy).is_ok(), "and it too, later");
        assert!(locked(&turns.line).communes.is_empty(), "who left is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_hub_lets_fewer_in_and_asks_for_longer() {
        let (turns, entropy) = (Turns::new(), SeededEntropy::new(1));
        let mut crowd = inside(&turns, &entropy, 41);
        crowd.iter_mut().for_each(Entry::arrived);
        for _ in 0..20 {
            tokio::time::advance(Duration::from_secs(4)).await;
            crowd.pop();
        }
        // Almost four seconds each by now: three inside are too many.
        let after = refusal(&turns, &entropy).expect("eighty seconds of work are inside");
        assert!((LONGEST..=LONGEST * 3 / 2).contains(&after), "{after:?}");
        crowd.truncate(2);
        assert!(refusal(&turns, &entropy).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_to_one_commune_slows_nobody_else() {
        let (turns, entropy) = (Turns::new(), SeededEntropy::new(1));
        let slow = turns.enter(stranger(), &entropy).unwrap_or_else(|_| panic!("a first"));
        tokio::time::advance(Duration::from_mins(1)).await;
        drop(slow);
        assert_eq!(locked(&turns.line).pace, FIRST_PACE);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_taken_as_bytes_come_and_given_back() {
        const LENGTH: usize = 32 << 20;
        let (turns, entropy) = (Turns::new(), SeededEntropy::new(1));
        // As many as could be announced at once: each costs one step.
        let mut announced = Vec::new();
        for _ in 0..LARGE / (STEP >> 10) {
            let mut room = turns.room();
            room.make(LENGTH, 0, &entropy).await.expect("a step");
            room.make(LENGTH, STEP, &entropy).await.expect("the same step");
            announced.push(room);
        }
        let mut small = turns.room();
        small.make(SMALL, SMALL, &entropy).await.expect("small ones stand in no line");
        let mut late = turns.room();
        let refused = late.make(LENGTH, 0, &entropy).await.expect_err("another large one");
        assert!(refused.retry_after.is_some_and(|after| after >= PATIENCE));
        announced.truncate(8);
        let mut first = announced.remove(0);
        first.make(LENGTH, LENGTH, &entropy).await.expect("the whole of it");
        assert_eq!(turns.held(), (0, (32 + 7 * 4) << 10));
        drop((first, announced, small, late));
        assert_eq!(turns.held(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_documents_follow_each_other_and_small_ones_pass_by() {
        let turns = Turns::new();
        let largest = turns.decoding(wire::document::MAX_DOCUMENT).await;
        let next = timeout(PATIENCE, turns.decoding(wire::document::MAX_DOCUMENT));
        let small = timeout(PATIENCE, turns.decoding(100 << 10));
        let (next, small) = tokio::join!(next, small);
        assert!(next.is_err() && small.is_ok());
        drop(largest);
        drop(turns.decoding(wire::document::MAX_DOCUMENT).await);
    }
}
