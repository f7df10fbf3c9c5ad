//! The contract as generated code. Rooms outside implement its service traits; no generated type goes below this crate.

/// All `.proto` files, as a serialised `google.protobuf.FileDescriptorSet`, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contract.bin"));

macro_rules! package {
    ($area:ident, $name:literal, $doc:literal) => {
        #[doc = $doc]
        pub mod $area {
            /// Version 1 of the package.
            #[expect(
                clippy::pedantic,
                clippy::allow_attributes,
                reason = "written by prost and tonic, whose style is their own"
            )]
            pub mod v1 {
                tonic::include_proto!($name);
            }
        }
    };
}

package!(bundle, "maillage.bundle.v1", "Envelopes: the same documents and receipts, carried by hand.");
package!(enrolment, "maillage.enrolment.v1", "A commune's node joins the hub, and stays joined.");
package!(submission, "maillage.submission.v1", "Signed documents and their receipts.");
package!(methodology, "maillage.methodology.v1", "Packs of indicator definitions.");
package!(comparison, "maillage.comparison.v1", "Communes compared on what they sent.");
