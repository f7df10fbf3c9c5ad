//! Generates the contract's Rust from `proto/`, with a protobuf compiler written in Rust: no `protoc` to install.

use std::path::{Path, PathBuf};

const FILES: [&str; 6] = [
    "maillage/bundle/v1/bundle.proto",
    "maillage/enrolment/v1/enrolment.proto",
    "maillage/submission/v1/document.proto",
    "maillage/submission/v1/submission.proto",
    "maillage/methodology/v1/methodology.proto",
    "maillage/comparison/v1/comparison.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", proto.display());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let mut compiler = protox::Compiler::new([&proto])?;
    compiler.include_source_info(true).include_imports(true).open_files(FILES)?;
    std::fs::write(out.join("contract.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .build_transport(false)
        // It holds the invitation's secret; `enrolment.rs` writes a `Debug` that does not show it.
        .skip_debug(["maillage.enrolment.v1.EnrolRequest"])
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
