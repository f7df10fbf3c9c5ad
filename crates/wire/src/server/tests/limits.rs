//! How long and how much the port lets anybody hold.

use super::*;

#[tokio::test]
async fn a_silent_client_does_not_hold_a_place() {
    let hub = hub_with(Limits { connections: 1, handshake: Duration::from_millis(50), ..Limits::default() }).await;
    let _silent = TcpStream::connect(("127.0.0.1", hub.address.port())).await.expect("TCP");
    assert!(HubClient::connect(&hub.client_tls(None), &hub.address).await.is_ok());
}

#[tokio::test]
async fn a_stranger_who_stays_is_asked_to_leave() {
    let limits = Limits { connections: 1, anonymous_age: Duration::from_millis(50), ..Limits::default() };
    let hub = hub_with(limits).await;
    let _stays = hub.anonymous().await;
    assert!(HubClient::connect(&hub.client_tls(None), &hub.address).await.is_ok());
}

#[tokio::test]
async fn a_connection_that_was_closed_comes_back_by_itself() {
    let hub = hub_with(Limits { connection_age: Duration::ZERO, ..Limits::default() }).await;
    let node = hub.as_node(&node_of(&hub.authority, hub.clock.now(), DAY)).await;
    for _ in 0..3 {
        // A call may fall into the moment of closing; the next one must find a new connection.
        if node.list(commune("93066"), 0).await.is_err() {
            node.list(commune("93066"), 0).await.expect("a new connection");
        }
    }
}

#[tokio::test]
async fn one_address_does_not_hold_all_places() {
    let hub = hub_with(Limits { per_address: 1, ..Limits::default() }).await;
    let stays = hub.anonymous().await;
    let error = HubClient::connect(&hub.client_tls(None), &hub.address).await.expect_err("a second");
    assert!(error.is_transient() || matches!(error, ClientError::Tls(_)), "{error:?}");
    drop(stays);
    // The port notices in its own time that somebody left.
    while HubClient::connect(&hub.client_tls(None), &hub.address).await.is_err() {
        tokio::task::yield_now().await;
    }
}

/// A stream that would go on for ever.
#[tokio::test]
async fn an_answer_that_is_on_its_way_ends_with_the_right_to_it() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let hub = hub_with(Limits { recheck: Duration::from_millis(20), ..Limits::default() }).await;
    let node = hub.as_node(&node_of(&hub.authority, hub.clock.now(), DAY)).await;
    let mut client = HealthClient::new(node.channel());
    let mut answers =
        client.watch(HealthCheckRequest { service: String::new() }).await.expect("an open stream").into_inner();
    assert!(answers.message().await.expect("serving").is_some());
    hub.clock.advance(2 * DAY);
    let error = ClientError::from(answers.message().await.expect_err("the certificate ended"));
    assert_eq!((error.kind(), error.reason()), (FailureKind::Unauthenticated, "CERTIFICATE_EXPIRED"));
}

#[tokio::test]
async fn bytes_that_are_no_message_are_the_callers_fault() {
    let hub = hub().await;
    let identity = hub.join(&SigningKey::generate()).await;
    let mut grpc = tonic::client::Grpc::new(hub.as_node(&identity).await.channel());
    grpc.ready().await.expect("ready");
    let path = http::uri::PathAndQuery::from_static("/maillage.submission.v1.SubmissionService/List");
    // The first field of both is a text or bytes: these bytes are no text.
    let codec = tonic_prost::ProstCodec::<crate::pb::submission::v1::GetRequest, SubmitRequest>::default();
    let garbage = crate::pb::submission::v1::GetRequest { submission_id: vec![0xff] };
    let status = grpc.unary(tonic::Request::new(garbage), path, codec).await.expect_err("not a message");
    let error = ClientError::from(status);
    assert_eq!((error.kind(), error.reason()), (FailureKind::Invalid, "REQUEST_MALFORMED"));
}

// Time stands still in these two and jumps when everybody waits, so that ten seconds take none.
#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_the_handshake_is_given_up() {
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = mute.local_addr().expect("an address").to_string().parse().expect("an address");
    let clock = crate::testing::StillClock::new();
    let tls = ClientTls::new(model::Hash::from_bytes([0; 32]), None, clock).expect("TLS");
    let error = HubClient::connect(&tls, &address).await.expect_err("nobody answers");
    assert!(matches!(error, ClientError::Unreachable(_)) && error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_call_without_an_answer_ends_at_its_deadline() {
    let hub = hub().await;
    let client = hub.anonymous().await;
    tokio::time::pause();
    assert_eq!(client.packs().await, Err(ClientError::Deadline));
}

#[tokio::test]
async fn a_call_that_hangs_at_the_hub_is_cut_off() {
    let hub = hub_with(Limits { call: Duration::from_millis(20), ..Limits::default() }).await;
    let error = hub.anonymous().await.packs().await.expect_err("cut off");
    assert_eq!((error.kind(), error.reason()), (FailureKind::Unavailable, "DEADLINE"));
    assert!(error.retry_after().is_some());
}

#[tokio::test]
async fn calls_that_run_at_the_end_are_answered_and_nobody_new_is_let_in() {
    use futures::StreamExt;
    let hub = hub().await;
    let signing = SigningKey::generate();
    let identity = hub.join(&signing).await;
    let node = hub.as_node(&identity).await;
    let bytes = document(1);
    let signature = signing.sign(&bytes);

    // An upload of which the last part comes only after the port was asked to stop.
    let (go_on, wait) = tokio::sync::oneshot::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel::<()>();
    let mut parts: Vec<SubmitRequest> = crate::upload::send(&bytes, &signature).collect().await;
    let last = parts.pop().expect("a chunk");
    let messages = futures::stream::iter(parts).chain(futures::stream::once(async move {
        begun.send(()).expect("somebody waits");
        wait.await.expect("told to go on");
        last
    }));
    let mut client = SubmissionServiceClient::new(node.channel());
    let upload = tokio::spawn(async move { client.submit(messages).await });
    has_begun.await.expect("the header is on its way");
    // Only a call that the hub has begun is drained: a second answer on the connection says that it has.
    node.list(commune("93066"), 0).await.expect("an answer");
    hub.stop.send(()).expect("running");
    while TcpStream::connect(("127.0.0.1", hub.address.port())).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go_on.send(()).expect("the upload waits");
    assert!(upload.await.expect("no panic").is_ok());
    hub.running.await.expect("stopped");
}
