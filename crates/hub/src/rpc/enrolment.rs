//! `maillage.enrolment.v1`.

use model::Failure;
use wire::enrolment::JoinRequest;
use wire::pb::enrolment::v1::enrolment_service_server::EnrolmentService;
use wire::pb::enrolment::v1::{EnrolRequest, EnrolResponse, RenewRequest, RenewResponse};
use wire::tonic::{Request, Response, Status, async_trait};

use super::Services;

#[async_trait]
impl EnrolmentService for Services {
    async fn enrol(&self, request: Request<EnrolRequest>) -> Result<Response<EnrolResponse>, Status> {
        let enrolled = async {
            let join = JoinRequest::try_from(request.into_inner())?;
            Ok::<_, Failure>(EnrolResponse::from(&self.0.enrol(&join).await?))
        };
        self.answer("Enrol", enrolled.await)
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        let renewed = self.0.renew(&request.into_inner().certificate_request).await;
        self.answer("Renew", renewed.map(|membership| RenewResponse::from(&membership)))
    }
}
