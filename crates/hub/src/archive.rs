//! Accepted documents, read back: decoded once, kept as long as memory is cheap.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disclosure::{Ledger, Received};
use model::{CommuneCode, Failure, Slice, SubmissionId};
use seal::sha256;
use store::DocumentKind;
use store::hub::{Head, HubStore, SliceState};
use wire::document;

use crate::failure;

const PAGE: u32 = 500;
/// Cells in memory, up to a kilobyte each; a document of a département's usual packs has a few hundred.
const KEPT: usize = 250_000;

/// What a document says, by slice.
pub(crate) type Slices = Arc<Vec<Received>>;

/// What a slice holds now.
pub(crate) enum Content {
    /// Nothing was ever sent.
    Absent,
    /// Taken back by its commune, or destroyed.
    Withdrawn,
    /// These figures, and the document that brought them.
    Present(SubmissionId, Slices),
}

impl Content {
    /// The figures of `slice`, if it holds any.
    pub(crate) fn figures(&self, slice: &Slice) -> Option<&Received> {
        match self {
            Self::Present(_, slices) => slices.iter().find(|received| received.slice == *slice),
            Self::Absent | Self::Withdrawn => None,
        }
    }
}

pub(crate) struct Archive {
    store: HubStore,
    decoded: Mutex<Decoded>,
}

#[derive(Default)]
struct Decoded {
    documents: HashMap<SubmissionId, Slices>,
    cells: usize,
}

impl Decoded {
    fn keep(&mut self, id: SubmissionId, slices: &Slices) {
        self.forget(id);
        let cells = cells(slices);
        if self.cells + cells > KEPT {
            *self = Self::default();
        }
        // Larger than all that may be kept: read again when asked for.
        if cells <= KEPT {
            self.cells += cells;
            self.documents.insert(id, Arc::clone(slices));
        }
    }

    fn forget(&mut self, id: SubmissionId) {
        if let Some(slices) = self.documents.remove(&id) {
            self.cells -= cells(&slices);
        }
    }
}

/// With one for the document itself.
fn cells(slices: &Slices) -> usize {
    1 + slices.iter().map(|slice| slice.cells.len()).sum::<usize>()
}

impl Archive {
    pub(crate) fn new(store: HubStore) -> Self {
        Self { store, decoded: Mutex::new(Decoded::default()) }
    }

    /// The slices of a submission or check; `None` once purged.
    pub(crate) async fn slices(&self, id: SubmissionId) -> Result<Option<Slices>, Failure> {
        if let Some(known) = self.decoded().documents.get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(bytes) = self.store.document(id).await.map_err(failure::storage)? else { return Ok(None) };
        let record = self.store.submission(id).await.map_err(failure::storage)?;
        let expected = record.map(|record| record.document_hash);
        let slices = tokio::task::spawn_blocking(move || {
            // A disk that lies must not change a figure silently.
            if expected != Some(sha256(&bytes)) {
                return Err(failure::damaged("document"));
            }
            let submission = document::decode(&bytes).map_err(|_| failure::damaged("document"))?;
            Ok(Arc::new(submission.slices.into_iter().map(|slice| slice.received).collect::<Vec<_>>()))
        })
        .await
        .map_err(|_| failure::internal("ARCHIVE", "reading a document was interrupted"))??;
        self.decoded().keep(id, &slices);
        Ok(Some(slices))
    }

    /// Everything that `territory` ever sent about `wanted` and that was not destroyed, with the head that this is true
    /// for. Slices do not hide each other's figures: the others would only be carried along.
    ///
    /// The head is read first: entries accepted in between are left out, and the acceptance that compares heads will
    /// notice them.
    pub(crate) async fn ledger(
        &self,
        territory: CommuneCode,
        wanted: &BTreeSet<Slice>,
        ledger: &mut Ledger,
    ) -> Result<Head, Failure> {
        let head = self.store.head(territory).await.map_err(failure::storage)?;
        // Which submissions brought these slices is known without reading any; a check moved no slice.
        let mut brought = BTreeSet::new();
        for slice in wanted.iter().filter(|slice| slice.territory == territory) {
            let history = self.store.history(slice).await.map_err(failure::storage)?;
            brought.extend(history.into_iter().map(|version| version.submission));
        }
        let mut after = 0;
        loop {
            let page = self.store.ledger(territory, after, PAGE).await.map_err(failure::storage)?;
            let Some(last) = page.last().map(|entry| entry.sequence) else { return Ok(head) };
            for entry in page.into_iter().filter(|entry| entry.sequence <= head.sequence) {
                if entry.submission.length == 0 {
                    // Destroyed, perhaps by another process.
                    self.forget(entry.submission.id);
                    continue;
                }
                match entry.submission.kind {
                    DocumentKind::Submission if brought.contains(&entry.submission.id) => {}
                    DocumentKind::Check => {}
                    DocumentKind::Submission
                    | DocumentKind::Withdrawal
                    | DocumentKind::Purge
                    | DocumentKind::Sharing => continue,
                }
                let Some(slices) = self.slices(entry.submission.id).await? else { continue };
                for received in slices.iter().filter(|received| wanted.contains(&received.slice)) {
                    ledger.record(received.clone());
                }
            }
            if last >= head.sequence {
                return Ok(head);
            }
            after = last;
        }
    }

    /// What `slice` holds now.
    pub(crate) async fn content(&self, slice: &Slice) -> Result<Content, Failure> {
        let Some(current) = self.store.slice(slice).await.map_err(failure::storage)? else {
            return Ok(Content::Absent);
        };
        self.content_of(current.submission, current.state).await
    }

    /// What the pointer `(submission, state)` stands for.
    pub(crate) async fn content_of(&self, submission: SubmissionId, state: SliceState) -> Result<Content, Failure> {
        match state {
            SliceState::Withdrawn | SliceState::Purged => Ok(Content::Withdrawn),
            SliceState::Present => {
                Ok(self.slices(submission).await?.map_or(Content::Withdrawn, |s| Content::Present(submission, s)))
            }
        }
    }

    /// Destroyed in the database: here too.
    pub(crate) fn forget(&self, id: SubmissionId) {
        self.decoded().forget(id);
    }

    /// Something was destroyed, and which document it was is only known to the database.
    pub(crate) fn forget_all(&self) {
        *self.decoded() = Decoded::default();
    }

    fn decoded(&self) -> MutexGuard<'_, Decoded> {
        // A map of immutable values is whole even if a thread died while holding the lock.
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
