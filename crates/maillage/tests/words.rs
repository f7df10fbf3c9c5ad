//! What a person reads when something is in the way: French, the true cause, a cure, and an exit code that scripts know.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What was said, on both outputs, and the exit code.
fn said(folder: &Path, line: &str) -> (String, i32) {
    let done = Command::new(env!("CARGO_BIN_EXE_maillage"))
        .args(line.split(' '))
        .current_dir(folder)
        .env_remove("MAILLAGE_HUB_FOLDER")
        .env_remove("MAILLAGE_NODE_FOLDER")
        .output()
        .expect("the command runs");
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    for english in ["No such file", "entity", "os error", "Usage:", "error:"] {
        assert!(!text.contains(english), "{line}: {english} in\n{text}");
    }
    (text, done.status.code().expect("it ends by itself"))
}

#[test]
fn a_folder_without_a_hub_is_named_with_the_way_to_make_one() {
    let root = tempfile::tempdir().expect("a folder");
    for command in [
        "run",
        "status",
        "invite --territory 93066",
        "revoke --territory 93066",
        "figures",
        "import x.csv",
        "backup x.age",
        "coordinator add awa",
    ] {
        let (text, code) = said(root.path(), &format!("hub {command}"));
        assert_eq!(code, 66, "{command}: {text}");
        assert!(text.contains("pas de centre dans le dossier maillage-hub"), "{text}");
        assert!(text.contains("maillage hub init --folder maillage-hub") && text.contains("[HUB_ABSENT]"), "{text}");
    }
    for command in ["node status", "node check", "node preview", "node push", "node run"] {
        let (text, code) = said(root.path(), command);
        assert_eq!(code, 66, "{command}: {text}");
        assert!(text.contains("maillage node join"), "{text}");
    }
    let (text, code) = said(root.path(), "compare dom_demandes --period 2025");
    assert_eq!(code, 66, "{text}");
    assert!(text.contains("--access"), "{text}");
    assert_eq!(std::fs::read_dir(root.path()).expect("reads").count(), 0, "nothing was made");
}

#[test]
fn files_that_are_there_absent_or_damaged_are_told_apart() {
    let root = tempfile::tempdir().expect("a folder");
    assert_eq!(said(root.path(), "hub backup-key cle.txt").1, 0);
    let key = std::fs::read(root.path().join("cle.txt")).expect("reads");
    let (text, code) = said(root.path(), "hub backup-key cle.txt");
    assert_eq!(code, 73, "{text}");
    assert!(text.contains("cle.txt : ce fichier existe déjà, et rien n’est jamais écrasé."), "{text}");
    assert_eq!(std::fs::read(root.path().join("cle.txt")).expect("reads"), key);

    for line in [
        "hub backup --verify rien.age --key cle.txt",
        "hub restore rien.age --key cle.txt --folder nouveau",
        "hub restore x.age --key rien.age",
        "hub accept-bundle rien.age",
        "node verify rien.age",
    ] {
        let (text, code) = said(root.path(), line);
        assert_eq!(code, 66, "{line}: {text}");
        assert!(text.contains("rien.age : ce fichier ou ce dossier n’existe pas."), "{line}: {text}");
    }
    std::fs::write(root.path().join("abime.age"), "rien d’un coffre").expect("writes");
    let (text, code) = said(root.path(), "hub backup --verify abime.age --key cle.txt");
    assert_eq!(code, 65, "{text}");
    assert!(text.contains("est abîmé") && !text.contains("restauré"), "{text}");
    let (text, code) = said(root.path(), "hub backup --verify abime.age --key abime.age");
    assert_eq!(code, 65, "{text}");
    assert!(text.contains("n’est pas une clé de sauvegarde"), "{text}");
    let (text, _) = said(root.path(), "demo --once --folder cle.txt/dessous");
    assert!(text.contains("il faut un dossier"), "{text}");
}

#[test]
fn a_line_that_is_no_command_ends_with_the_code_of_usage() {
    let root = tempfile::tempdir().expect("a folder");
    for (line, told) in [
        ("node approve", "Il manque --name <NOM>, --preview <EMPREINTE>."),
        ("--log-format xml node status", "Valeurs possibles : text, json."),
        ("hub", "Commandes\u{a0}:"),
    ] {
        let (text, code) = said(root.path(), line);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(told), "{text}");
    }
    for (line, told) in [("--help", "Usage : maillage [OPTIONS] <COMMANDE>"), ("--version", "maillage 0.")] {
        let (text, code) = said(root.path(), line);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_fault() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_maillage"))
        .args(["node", "doctor", "--folder", "absent"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // Closed before anything was written.
    drop(child.stdout.take());
    let done = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(!text.contains("panicked"), "{text}");
}

/// Ended with this value, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_running_hub_says_where_its_state_is_read_and_it_is_there() {
    let root = tempfile::tempdir().expect("a folder");
    assert_eq!(said(root.path(), "hub init --listen 127.0.0.1:0").1, 0);
    let settings = root.path().join("maillage-hub/hub.toml");
    let text = std::fs::read_to_string(&settings).expect("reads");
    std::fs::write(&settings, text.replace(":7480\"", ":0\"").replace(":9464\"", ":0\"")).expect("writes");
    let mut child = Command::new(env!("CARGO_BIN_EXE_maillage"))
        .args(["hub", "run"])
        .current_dir(root.path())
        .env("RUST_LOG", "off")
        .stderr(Stdio::piped())
        .spawn()
        .expect("the hub starts");
    let said = BufReader::new(child.stderr.take().expect("piped"));
    let _running = Running(child);
    let mut lines = said.lines().map(|line| line.expect("UTF-8"));
    let line = lines.find(|line| line.contains("/metrics")).expect("the address of the operator's door");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address");
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    let request = format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("asks");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
