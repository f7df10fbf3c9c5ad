//! The environment of a town hall's machine, as the command meets it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;
use std::thread;

use assert_cmd::Command;

fn maillage() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maillage"));
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    command
}

/// An invitation to a hub that this machine's network does not know by name.
fn invitation(folder: &std::path::Path) -> String {
    let folder = folder.to_str().expect("UTF-8");
    maillage()
        .args(["hub", "--folder", folder, "init", "--public-address", "hub.maillage.invalid:7443"])
        .assert()
        .success();
    let invited = maillage().args(["hub", "--folder", folder, "invite", "--territory", "93008"]).assert().success();
    String::from_utf8(invited.get_output().stdout.clone()).expect("UTF-8").trim().to_owned()
}

fn join(folder: &std::path::Path, line: &str, environment: &[(&str, &str)]) -> Output {
    let mut command = maillage();
    command.envs(environment.iter().copied());
    command.args(["node", "--folder", folder.to_str().expect("UTF-8"), "join", line]);
    command.output().expect("the command runs")
}

#[test]
fn the_environment_leads_through_the_proxy_and_its_password_is_never_said() {
    let root = tempfile::tempdir().expect("a folder");
    let line = invitation(&root.path().join("hub"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let proxy = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the node");
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
            request.push(byte[0]);
        }
        stream
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
            .expect("answers");
        String::from_utf8(request).expect("text")
    });
    let value = format!("http://awa:s3cret@127.0.0.1:{port}");
    let output = join(&root.path().join("node"), &line, &[("HTTPS_PROXY", &value)]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let request = proxy.join().expect("the proxy");
    assert!(request.starts_with("CONNECT hub.maillage.invalid:7443 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("Basic YXdhOnMzY3JldA=="), "{request}");
    assert!(said.contains("[PROXY_PASSWORD]") && !said.contains("s3cret"), "{said}");
    assert_eq!(output.status.code(), Some(75));

    let direct = [("HTTPS_PROXY", value.as_str()), ("NO_PROXY", ".maillage.invalid")];
    let output = join(&root.path().join("node"), &line, &direct);
    assert!(String::from_utf8_lossy(&output.stderr).contains("[HUB_NAME_UNKNOWN]"), "not without the proxy");
    let output = join(&root.path().join("node"), &line, &[("ALL_PROXY", "socks5://awa:s3cret@127.0.0.1:1")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("[PROXY_INVALID]") && !said.contains("s3cret"), "{said}");
}

#[test]
fn the_doctor_says_by_its_code_whether_something_is_to_be_mended() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().to_str().expect("UTF-8");
    let output = maillage().args(["node", "--folder", folder, "doctor"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(said.contains("✗ Réglages") && said.contains("– Connexion"), "{said}");
    let output = maillage().args(["node", "--folder", folder, "doctor", "--json"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).expect("UTF-8").starts_with("{\n"));
    assert!(output.stderr.is_empty());
}
