//! The service traits of the contract, each method one use-case. The only module that knows generated types.
//!
//! Here refusals become statuses, and are logged: once, with reason and detail, never with a figure. An internal
//! failure gets an incident number, which is all that leaves.

mod comparison;
mod enrolment;
mod methodology;
mod submission;

use model::{Failure, FailureKind};
use tokio_util::sync::CancellationToken;
use wire::pb::comparison::v1::comparison_service_server::ComparisonServiceServer;
use wire::pb::enrolment::v1::enrolment_service_server::EnrolmentServiceServer;
use wire::pb::methodology::v1::methodology_service_server::MethodologyServiceServer;
use wire::pb::submission::v1::submission_service_server::SubmissionServiceServer;
use wire::server::INCIDENT;
use wire::status::Refusal;
use wire::tonic::service::Routes;
use wire::tonic::{Response, Status};

use crate::Hub;

/// The hub as the port sees it.
#[derive(Clone)]
struct Services(Hub, CancellationToken);

/// Adds the hub's services to `routes`; what goes on telling ends with `closing`.
pub(crate) fn add_services(routes: Routes, hub: &Hub, closing: &CancellationToken) -> Routes {
    let services = Services(hub.clone(), closing.clone());
    routes
        .add_service(EnrolmentServiceServer::new(services.clone()))
        .add_service(SubmissionServiceServer::new(services.clone()))
        .add_service(MethodologyServiceServer::new(services.clone()))
        .add_service(ComparisonServiceServer::new(services))
}

impl Services {
    /// Turns a use-case's answer into a method's.
    fn answer<T>(&self, method: &'static str, result: Result<T, impl Into<Refusal>>) -> Result<Response<T>, Status> {
        result.map(Response::new).map_err(|refusal| self.refuse(method, refusal.into()))
    }

    fn refuse(&self, method: &'static str, refusal: Refusal) -> Status {
        let Refusal { failure, conflicts, .. } = &refusal;
        if matches!(method, "Check" | "Submit" | "Withdraw" | "Recover") {
            self.0.0.metrics.refused(method, &failure.reason);
        }
        if failure.kind == FailureKind::Internal {
            return self.incident(method, failure);
        }
        tracing::info!(
            method,
            reason = %failure.reason,
            detail = %failure.detail,
            conflicts = conflicts.len(),
            "refused"
        );
        refusal.into()
    }

    fn incident(&self, method: &'static str, failure: &Failure) -> Status {
        let mut bytes = [0; 4];
        self.0.entropy().fill(&mut bytes);
        let incident = format!("{:08x}", u32::from_be_bytes(bytes));
        tracing::error!(method, incident, reason = %failure.reason, detail = %failure.detail, "internal failure");
        let mut status = Status::from(Refusal::from(Failure::new(
            FailureKind::Internal,
            failure.reason.clone(),
            format!("incident {incident}"),
            format!("{} Signalez l’incident {incident} à l’administrateur du centre.", failure.message),
        )));
        // The line that the port writes for the call names it too.
        if let Ok(value) = incident.parse() {
            status.metadata_mut().insert(INCIDENT, value);
        }
        status
    }
}

/// A field of a request that cannot be.
fn malformed(field: &'static str) -> Failure {
    Failure::new(
        FailureKind::Invalid,
        "REQUEST_MALFORMED",
        format!("{field} is not well-formed"),
        "La demande est mal formée : les deux logiciels n’ont sans doute pas la même version.",
    )
}
