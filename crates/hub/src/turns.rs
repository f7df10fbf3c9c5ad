//! A crowd at the door: who comes in, who waits, and who is told when to come back.
//!
//! Memory is kept by bytes, because a document may be 32 MiB or 3 KiB; processors by attacks. Whoever would wait longer
//! than a node has patience for is refused before a byte of the document is read, with the time after which it is worth
//! coming back: a node that gives up by itself would upload the same bytes again, into the same crowd.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Entropy, Failure, FailureKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use wire::status::Refusal;

/// How long a document may be expected to wait: well below the time after which a call is cut off, of which uploading
/// and attacking take their part.
const PATIENCE: Duration = Duration::from_secs(10);
/// Whoever is sent away comes back after at most this long, and a half more by chance.
const LONGEST: Duration = Duration::from_mins(1);
/// Documents inside at most, whatever the pace.
const MOST: usize = 512;
/// What one document is taken to cost before any was seen.
const FIRST_PACE: Duration = Duration::from_millis(50);
/// Memory for documents, in KiB.
const MEMORY: usize = 512 << 10;
/// A document takes its own bytes and, decoded, up to eight times as many (the contract refuses more).
const SHARE: usize = 9;
/// And some for the call itself, in KiB.
const CALL: usize = 64;

/// What many nodes at once must not do at once.
pub(crate) struct Turns {
    /// In KiB.
    memory: Arc<Semaphore>,
    /// Attacks: each takes a processor for as long as it lasts.
    attack: Arc<Semaphore>,
    line: Arc<Mutex<Line>>,
}

struct Line {
    /// Documents inside: uploading, waiting, being judged.
    inside: usize,
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
    here: bool,
}

impl Turns {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            memory: Arc::new(Semaphore::new(MEMORY)),
            attack: Arc::new(Semaphore::new(processors)),
            line: Arc::new(Mutex::new(Line { inside: 0, here: 0, pace: FIRST_PACE, last: None })),
        }
    }

    /// Comes in, or is told when to come back.
    pub(crate) fn enter(&self, entropy: &dyn Entropy) -> Result<Entry, Refusal> {
        let mut line = locked(&self.line);
        let wait = line.wait();
        if line.inside >= MOST || wait > PATIENCE {
            drop(line);
            return Err(full(wait.saturating_sub(PATIENCE / 2), entropy));
        }
        line.inside += 1;
        Ok(Entry { line: Arc::clone(&self.line), here: false })
    }

    /// Room for a document of `length` bytes and what is made of it, for as long as the permit is held.
    pub(crate) async fn room(&self, length: usize, entropy: &dyn Entropy) -> Result<OwnedSemaphorePermit, Refusal> {
        let room = (CALL + (length * SHARE).div_ceil(1 << 10)).min(MEMORY);
        let room = u32::try_from(room).expect("at most the whole memory, which fits");
        match timeout(PATIENCE, Arc::clone(&self.memory).acquire_many_owned(room)).await {
            Ok(permit) => Ok(permit.expect("nobody closes this semaphore")),
            Err(_) => Err(full(PATIENCE, entropy)),
        }
    }

    /// Documents inside, and KiB held for them.
    #[cfg(test)]
    pub(crate) fn held(&self) -> (usize, usize) {
        (locked(&self.line).inside, MEMORY - self.memory.available_permits())
    }

    /// A processor.
    pub(crate) async fn attack(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.attack).acquire_owned().await.expect("nobody closes this semaphore")
    }
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
fn full(after: Duration, entropy: &dyn Entropy) -> Refusal {
    let mut chance = [0_u8; 1];
    entropy.fill(&mut chance);
    let after = after.clamp(Duration::from_secs(1), LONGEST);
    let after = after + after * u32::from(chance[0]) / 512;
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

#[cfg(test)]
mod tests {
    use testkit::SeededEntropy;

    use super::*;

    fn refusal(turns: &Turns, entropy: &SeededEntropy) -> Option<Duration> {
        let refused = turns.enter(entropy).err()?;
        assert_eq!((refused.failure.kind, refused.failure.reason.as_ref()), (FailureKind::Exhausted, "HUB_BUSY"));
        Some(refused.retry_after.expect("a time to come back"))
    }

    fn inside(turns: &Turns, entropy: &SeededEntropy, many: usize) -> Vec<Entry> {
        (0..many).map(|_| turns.enter(entropy).unwrap_or_else(|_| panic!("room for {many}"))).collect()
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
        let slow = turns.enter(&entropy).unwrap_or_else(|_| panic!("a first"));
        tokio::time::advance(Duration::from_mins(1)).await;
        drop(slow);
        assert_eq!(locked(&turns.line).pace, FIRST_PACE);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_kept_by_bytes_and_given_back() {
        let (turns, entropy) = (Turns::new(), SeededEntropy::new(1));
        let first = turns.room(32 << 20, &entropy).await.expect("the largest document");
        let small = turns.room(100 << 10, &entropy).await.expect("a small one beside it");
        let refused = turns.room(32 << 20, &entropy).await.expect_err("another of the largest");
        assert!(refused.retry_after.is_some_and(|after| after >= PATIENCE));
        drop((first, small));
        drop(turns.room(32 << 20, &entropy).await.expect("room again"));
        assert_eq!(turns.memory.available_permits(), MEMORY);
    }
}
