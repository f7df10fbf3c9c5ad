use super::*;

const KINDS: [FailureKind; 9] = [
    FailureKind::Invalid,
    FailureKind::Unauthenticated,
    FailureKind::Denied,
    FailureKind::NotFound,
    FailureKind::Conflict,
    FailureKind::Precondition,
    FailureKind::Exhausted,
    FailureKind::Unavailable,
    FailureKind::Internal,
];

fn conflict(row: usize) -> Conflict {
    Conflict {
        code: "SECRET_RECOVERABLE".into(),
        row: format!("93066/ccas/domiciliation/2025 dom_personnes age={row}"),
        cause: "la case se déduit d’un envoi antérieur".into(),
        cure: "La commune : masquer aussi la case voisine.".into(),
    }
}

#[test]
fn every_kind_reads_back_as_sent() {
    for kind in KINDS {
        let failure = Failure::new(kind, "SOME_REASON", "a detail", "Une phrase avec « accents ».");
        let refusal = Refusal::from(failure.clone()).with_conflicts(vec![conflict(1), conflict(2)]);
        let read = from_status(&Status::from(refusal.clone()));
        assert_eq!(read.kind, kind);
        assert_eq!((read.reason.as_str(), read.message.as_str()), (failure.reason.as_ref(), failure.message.as_str()));
        assert_eq!(read.conflicts, refusal.conflicts);
        assert_eq!(read.retry_after.is_some(), kind.is_transient(), "{kind:?}");
        assert_eq!(read.detail == failure.detail, kind != FailureKind::Internal);
    }
}

#[test]
fn the_codes_are_those_of_the_architecture() {
    let codes = KINDS.map(|kind| code(kind) as i32);
    assert_eq!(codes, [3, 16, 7, 5, 10, 9, 8, 14, 13]);
}

#[test]
fn many_conflicts_fit_the_headers_and_their_number_is_told() {
    let failure = Failure::new(FailureKind::Conflict, "SECRET_RECOVERABLE", "refused", "Refusé.");
    let refusal = Refusal::from(failure).with_conflicts((0..5000).map(conflict).collect());
    let status = Status::from(refusal);
    assert!(status.details().len() < 12 << 10, "{}", status.details().len());
    let read = from_status(&status);
    assert!(read.conflicts.len() > 10);
    assert_eq!(read.conflicts_total, 5000);
}

#[test]
fn a_status_of_somebody_else_is_still_a_sentence() {
    let read = from_status(&Status::out_of_range("decoded message length too large"));
    assert_eq!((read.kind, read.reason.as_str()), (FailureKind::Invalid, "MESSAGE_TOO_LARGE"));
    assert!(read.message.contains("volumineux"));
}

/// One word for one thing: the hub says it of a method without an audience, a proxy of one that it does not lead to.
#[test]
fn a_method_that_nobody_knows_has_one_reason_whoever_says_so() {
    let read = from_status(&Status::unimplemented("unknown service"));
    assert_eq!((read.kind, read.reason.as_str()), (FailureKind::Precondition, "METHOD_UNKNOWN"));
}
