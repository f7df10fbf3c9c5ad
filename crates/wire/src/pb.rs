//! The contract as generated code. Rooms outside implement its service traits; no generated type goes below this crate.

/// All `.proto` files, as a serialised `google.protobuf.FileDescriptorSet`, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contract.bin"));

macro_rules! package {
    ($area:ident, $name:literal, $doc:literal) => {
        package!($area, $name, $doc, clippy::pedantic, clippy::allow_attributes);
    };
    ($area:ident, $name:literal, $doc:literal, $($lint:path),+) => {
        #[doc = $doc]
        pub mod $area {
            /// Version 1 of the package.
            #[expect(
                $($lint,)+
                reason = "written by prost and tonic, whose style is their own"
            )]
            pub mod v1 {
                tonic::include_proto!($name);
            }
        }
    };
}

// Messages only: what tonic would write for a service is not there to be excused.
package!(
    bundle,
    "maillage.bundle.v1",
    "Envelopes: the same documents and receipts, carried by hand.",
    clippy::pedantic
);
package!(enrolment, "maillage.enrolment.v1", "A commune's node joins the hub, and stays joined.");
package!(submission, "maillage.submission.v1", "Signed documents and their receipts.");
package!(methodology, "maillage.methodology.v1", "Packs of indicator definitions.");
package!(comparison, "maillage.comparison.v1", "Communes compared on what they sent.");
