//! Whatever the content, and whatever the bytes.

use proptest::prelude::*;

use super::*;

fn any_code() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_.+-]{1,8}"
}

prop_compose! {
    fn any_figure()(
        figure in prop_oneof![
            any::<i64>().prop_map(Figure::Observed),
            Just(Figure::Suppressed),
            Just(Figure::NotApplicable),
            Just(Figure::Missing(MissingReason::NotCollected)),
            Just(Figure::Missing(MissingReason::NotYetAvailable)),
        ],
        flags in 0_u8..8,
    ) -> Published {
        Published { figure, flags: Flags::from_bits(flags).expect("three bits") }
    }
}

prop_compose! {
    fn any_key()(pairs in proptest::collection::btree_map(any_code(), any_code(), 0..3)) -> Key {
        pairs.iter().map(|(d, c)| (d.parse().expect("a dimension"), c.parse().expect("a code"))).collect()
    }
}

prop_compose! {
    fn any_slice()(
        table in any_code(),
        year in 1800_u16..2200,
        cells in proptest::collection::btree_map((any_code(), any_key()), any_figure(), 1..12),
        places in 0_u8..10,
    ) -> ReceivedSlice {
        let cells: BTreeMap<(IndicatorCode, Key), Published> = cells
            .into_iter()
            .map(|((indicator, key), published)| ((indicator.parse().expect("a code"), key), published))
            .collect();
        let decimals =
            cells.keys().map(|(i, _)| (i.clone(), Decimals::new(places).expect("at most nine"))).collect();
        let attributes = sample().slices[0].received.attributes.clone();
        let slice = Slice { table: table.parse().expect("a table"), ..slice("x", &year.to_string()) };
        ReceivedSlice { received: Received { slice, attributes, cells }, decimals }
    }
}

proptest! {
    #[test]
    fn whatever_is_written_reads_back(slices in proptest::collection::vec(any_slice(), 1..4)) {
        let mut slices = slices;
        slices.sort_by_key(|s| crate::document::field::slice_order(&s.received.slice));
        slices.dedup_by_key(|s| s.received.slice.clone());
        let submission = Submission { slices, ..sample() };
        let bytes = rewrite(&submission).expect("written");
        prop_assert_eq!(decode(&bytes), Ok(submission));
    }

    #[test]
    fn whatever_bytes_come_the_reader_answers(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let opened = [&[0x08, 0x01][..], &bytes].concat();
        if let Ok(submission) = decode(&opened) {
            prop_assert_eq!(rewrite(&submission), Ok(opened));
        }
    }
}
