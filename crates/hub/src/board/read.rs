//! How the board is put together from what the hub keeps.

use std::collections::{BTreeMap, BTreeSet};

use methodology::same_questions;
use model::{CogYear, CommuneCode, Failure, Figure, Slice, Successions, Timestamp};
use store::DocumentKind;
use store::hub::{FilledSlice, LastInvitation, NodeRecord, RefusalRecord, SliceState};

use super::{Board, Cell, Column, Holds, Post, Refused, Row, explain};
use crate::archive::Content;
use crate::campaign::Campaign;
use crate::packs::Packs;
use crate::{Hub, failure};

/// Refusals shown beside the columns, per commune.
const ELSEWHERE: usize = 3;

impl Hub {
    /// Where the campaign stands now.
    pub async fn board(&self) -> Result<Board, Failure> {
        let store = &self.0.store;
        let filled = store.filled().await.map_err(failure::storage)?;
        let packs = self.packs().await?;
        let campaign = self.campaign(&packs, &filled)?;
        let mut nodes = BTreeMap::new();
        // By commune, then by date of joining: a later node replaces an earlier one.
        for record in store.nodes().await.map_err(failure::storage)? {
            nodes.insert(record.node.provider, record);
        }
        let invitations = store.last_invitations().await.map_err(failure::storage)?;
        let invitations: BTreeMap<CommuneCode, LastInvitation> =
            invitations.into_iter().map(|one| (one.provider, one)).collect();
        let still_refused = self.still_refused(&filled).await?;
        let filled: BTreeMap<Slice, FilledSlice> = filled.into_iter().map(|one| (one.slice.clone(), one)).collect();
        let (campaign, successions, now) = (&campaign, self.successions(), self.now());
        let sources = Sources { campaign, successions, nodes, invitations, filled, still_refused, now };
        let columns = columns(&packs, campaign);
        let mut rows = Vec::new();
        for territory in sources.territories() {
            rows.push(self.row(territory, &columns, &sources, &packs).await?);
        }
        let mut board = Board {
            title: campaign.title.clone(),
            due: campaign.due,
            declared: campaign.declared,
            fictional: self.config().fictional,
            at: sources.now,
            columns,
            rows,
        };
        board.sort(super::Order::Name);
        Ok(board)
    }

    async fn row(
        &self,
        territory: CommuneCode,
        columns: &[Column],
        sources: &Sources<'_>,
        packs: &Packs,
    ) -> Result<Row, Failure> {
        let mut cells = Vec::with_capacity(columns.len());
        for column in columns {
            let slice =
                Slice { territory, pack: column.pack.clone(), table: column.table.clone(), period: column.period };
            let holds = match sources.filled.get(&slice) {
                Some(filled) => self.holds(filled, packs).await?,
                None => sources.unfilled(&slice),
            };
            let refused = sources.still_refused.iter().find(|one| one.refused.slices.contains(&slice));
            cells.push(Cell { holds, refused: refused.map(|one| one.refused.clone()) });
        }
        let shown = |one: &StillRefused| {
            one.refused.slices.iter().any(|slice| {
                columns.iter().any(|c| (&slice.pack, &slice.table, slice.period) == (&c.pack, &c.table, c.period))
            })
        };
        let mine = sources.still_refused.iter().filter(|one| one.provider == territory && !shown(one));
        let node = sources.nodes.get(&territory);
        Ok(Row {
            territory,
            name: self.0.communes.name(territory),
            expected: sources.expects(territory),
            post: sources.post(territory),
            last_contact: node.and_then(|record| record.last_contact),
            cells,
            refused_elsewhere: mine.take(ELSEWHERE).map(|one| one.refused.clone()).collect(),
        })
    }

    async fn holds(&self, filled: &FilledSlice, packs: &Packs) -> Result<Holds, Failure> {
        let at = filled.changed_at;
        match filled.state {
            SliceState::Withdrawn => return Ok(Holds::Withdrawn { at }),
            SliceState::Purged => return Ok(Holds::Purged { at }),
            SliceState::Present => {}
        }
        let content = self.0.archive.content_of(filled.submission, filled.state).await?;
        let Content::Present(..) = content else { return Ok(Holds::Purged { at }) };
        let received = content.figures(&filled.slice).ok_or_else(|| failure::damaged("slice"))?;
        let (attributes, name) = (&received.attributes, &filled.slice);
        let comparable = packs.table(&name.pack, &name.table).is_some_and(|now| {
            let before = packs.version(&name.pack, &attributes.pack_version).and_then(|pack| pack.table(&name.table));
            let before = before.filter(|before| before.definition_hash() == attributes.definition);
            now.definition_hash() == attributes.definition || before.is_some_and(|before| same_questions(before, now))
        });
        Ok(Holds::Received {
            at,
            pack_version: received.attributes.pack_version.clone(),
            comparable,
            hidden: received.cells.values().filter(|cell| cell.figure == Figure::Suppressed).count(),
            cells: received.cells.len(),
        })
    }

    /// Refusals that nothing accepted has replaced, newest first for each commune.
    ///
    /// By acceptance numbers, not by dates: clocks of replicas differ, and a clock may be set back.
    async fn still_refused(&self, filled: &[FilledSlice]) -> Result<Vec<StillRefused>, Failure> {
        let journal = self.0.store.refusals().await.map_err(failure::storage)?;
        let mut since: BTreeMap<CommuneCode, u64> = BTreeMap::new();
        for record in &journal {
            let first = since.entry(record.refusal.provider).or_insert(record.after_number);
            *first = (*first).min(record.after_number);
        }
        let mut accepted_by = BTreeMap::new();
        for (provider, number) in since {
            accepted_by.insert(provider, self.accepted(provider, number).await?);
        }
        let mut refusals = Vec::new();
        for record in &journal {
            let provider = record.refusal.provider;
            let accepted = accepted_by.get(&provider).map(Vec::as_slice).unwrap_or_default();
            let slices = still_refused(record, accepted, filled);
            let unread = record.refusal.slices.is_empty() && accepted.iter().all(|(n, _)| *n <= record.after_number);
            if !slices.is_empty() || unread {
                refusals.push(StillRefused { provider, refused: refused(record, slices) });
            }
        }
        Ok(refusals)
    }

    /// What `provider` had accepted after `number`, with the slices of checks and submissions.
    async fn accepted(&self, provider: CommuneCode, number: u64) -> Result<Vec<(u64, BTreeSet<Slice>)>, Failure> {
        let mut accepted = Vec::new();
        for (number, id, kind) in self.0.store.accepted_after(provider, number).await.map_err(failure::storage)? {
            let slices = match kind {
                DocumentKind::Submission | DocumentKind::Check => self.0.archive.slices(id).await?,
                DocumentKind::Withdrawal | DocumentKind::Purge | DocumentKind::Sharing => None,
            };
            let names = slices.iter().flat_map(|all| all.iter()).map(|received| received.slice.clone()).collect();
            accepted.push((number, names));
        }
        Ok(accepted)
    }
}

fn columns(packs: &Packs, campaign: &Campaign) -> Vec<Column> {
    let column = |(pack, table, period): &(_, _, _)| {
        let published = packs.get(pack)?;
        Some(Column {
            pack: published.pack.code().clone(),
            pack_title: published.pack.title().to_owned(),
            table: Clone::clone(table),
            title: published.pack.table(table)?.title().to_owned(),
            period: *period,
        })
    };
    campaign.expected.iter().filter_map(column).collect()
}

/// A refusal that stands, of the commune that sent the document.
struct StillRefused {
    provider: CommuneCode,
    refused: Refused,
}

/// Of the slices that were refused, those that nothing accepted has settled.
fn still_refused(record: &RefusalRecord, accepted: &[(u64, BTreeSet<Slice>)], filled: &[FilledSlice]) -> Vec<Slice> {
    let stands = |slice: &&Slice| {
        let held = filled.iter().find(|one| one.slice == **slice);
        let moved = held.is_some_and(|one| one.number > record.after_number);
        let settled = accepted.iter().any(|(n, slices)| *n > record.after_number && slices.contains(*slice));
        // A withdrawal that was refused because there was nothing to take back asks nothing of anybody.
        let idle =
            record.refusal.kind == DocumentKind::Withdrawal && held.is_none_or(|one| one.state != SliceState::Present);
        !moved && !settled && !idle
    };
    record.refusal.slices.iter().filter(stands).cloned().collect()
}

fn refused(record: &RefusalRecord, slices: Vec<Slice>) -> Refused {
    let refusal = &record.refusal;
    let mut explained: Vec<_> = refusal.codes.iter().map(|code| explain(code)).collect();
    if explained.is_empty() {
        explained.push(explain(&refusal.reason));
    }
    let words: BTreeSet<&str> = explained.iter().map(|(why, _)| *why).collect();
    Refused {
        at: refusal.refused_at,
        times: record.times,
        kind: refusal.kind,
        why: words.into_iter().collect::<Vec<_>>().join(" ; "),
        // Where several must act, the one farthest from the commune is the one that it waits for.
        fixer: explained.iter().map(|(_, fixer)| *fixer).max().unwrap_or(super::Fixer::Support),
        message: refusal.message.clone(),
        slices,
    }
}

/// What a row is made from.
struct Sources<'a> {
    campaign: &'a Campaign,
    successions: &'a Successions,
    nodes: BTreeMap<CommuneCode, NodeRecord>,
    invitations: BTreeMap<CommuneCode, LastInvitation>,
    filled: BTreeMap<Slice, FilledSlice>,
    still_refused: Vec<StillRefused>,
    now: Timestamp,
}

impl Sources<'_> {
    /// Expected, joined, invited, or with figures in a column: nobody who sent is left out.
    fn territories(&self) -> BTreeSet<CommuneCode> {
        let in_a_column = |slice: &&Slice| {
            let name = (slice.pack.clone(), slice.table.clone(), slice.period);
            self.campaign.expected.contains(&name)
        };
        let named = self.campaign.communes.iter().flatten().copied();
        let filled = self.filled.keys().filter(in_a_column).map(|slice| slice.territory);
        named.chain(self.nodes.keys().copied()).chain(self.invitations.keys().copied()).chain(filled).collect()
    }

    fn expects(&self, territory: CommuneCode) -> bool {
        match &self.campaign.communes {
            Some(named) => named.contains(&territory),
            None => self.nodes.contains_key(&territory) || self.invitations.contains_key(&territory),
        }
    }

    fn unfilled(&self, slice: &Slice) -> Holds {
        let ended = self.successions.ended(slice.territory, CogYear(slice.period.year()));
        if ended.is_some() || !self.expects(slice.territory) {
            return Holds::NotExpected;
        }
        if self.campaign.due.is_some_and(|due| due < self.now) { Holds::Late } else { Holds::Awaited }
    }

    fn post(&self, territory: CommuneCode) -> Post {
        let invitation = self.invitations.get(&territory).filter(|one| one.spent_at.is_none());
        let open = invitation.map(|one| one.expires_at).filter(|until| *until > self.now);
        match (self.nodes.get(&territory), invitation) {
            (Some(NodeRecord { revoked_at: Some(at), .. }), _) => Post::Revoked { at: *at, invited_until: open },
            (Some(record), _) => Post::Joined { certificate_ends: record.node.certificate_not_after },
            (None, None) => Post::NeverInvited,
            (None, Some(one)) => match open {
                Some(until) => Post::Invited { until },
                None => Post::InvitationExpired { since: one.expires_at },
            },
        }
    }
}
