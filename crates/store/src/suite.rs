//! Every test of this crate runs on both databases: SQLite always, PostgreSQL where a URL is given.

use std::future::Future;

use crate::Location;

/// Runs `test` on a fresh database of each kind.
pub(crate) async fn on_both<F, Fut>(test: F)
where
    F: Fn(Location) -> Fut,
    Fut: Future<Output = ()>,
{
    let folder = tempfile::tempdir().expect("a temporary folder");
    test(Location::Sqlite(folder.path().join("suite.db"))).await;
    if let Some(url) = testkit::postgres_url() {
        test(url.parse().expect("the suite's URL names a PostgreSQL")).await;
    }
}
