//! The client of a refused handshake gets one byte of alert; the hub's log says why.

use std::sync::Mutex;

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a test's lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().expect("a test's lock"))).expect("UTF-8")
    }
}

// On one thread: what the hub's tasks say is then heard here, and what other tests say is not.
#[tokio::test(flavor = "current_thread")]
async fn why_a_certificate_was_refused_is_in_the_hubs_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).without_time().finish();
    let _heard = tracing::subscriber::set_default(subscriber);
    let hub = hub().await;
    let now = hub.clock.now();

    let identity = node_of(&hub.authority, now, DAY);
    first_call(&hub, &identity).await.expect("in date");
    assert!(!log.take().contains("refused"));

    let foreign = Authority::create("Maillage\nd’ailleurs", &Counting::new(), now).expect("an authority");
    first_call(&hub, &node_of(&foreign, now, DAY)).await.expect_err("foreign");
    let said = log.take();
    assert!(said.contains("CERTIFICATE_FOREIGN") && said.contains("urn:maillage:node:93066"), "{said}");
    assert!(said.contains("127.0.0.1"), "from where: {said}");
    assert!(!said.contains("Maillage\nd’"), "a foreign name cannot write lines of its own: {said}");

    let tomorrow = node_of(&hub.authority, now.plus(3 * DAY), DAY);
    first_call(&hub, &tomorrow).await.expect_err("not yet");
    assert!(log.take().contains("CERTIFICATE_NOT_YET_VALID"));

    hub.clock.advance(2 * DAY);
    first_call(&hub, &identity).await.expect_err("expired");
    let said = log.take();
    assert!(said.contains("CERTIFICATE_EXPIRED") && said.contains("not_after"), "{said}");
}
